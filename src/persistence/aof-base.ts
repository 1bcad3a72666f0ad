/**
 * The base of an AOF as commands (`aof-use-rdb-preamble no`): takes the frames of a snapshot, which
 * carry an RDB, and gives the commands that make the same dataset.
 *
 *     frames -> assembler -> RDB bytes -> translator -> commands -> turns -> file
 *
 * So walker, door and parts know of one format only, and the translation costs the child process
 * alone.
 */
import { BaseTranslator } from './aof-base-translator.ts';
import { type BaseOutput, type CommandBase, CommandWriter } from './aof-command-writer.ts';
import { RdbAssembler } from './rdb-assembler.ts';
import type { RdbWriteVersion, UsageKind } from './rdb-encoder.ts';

/** What of a snapshot's content this translation can read. */
interface EncodedContent {
  readonly version: RdbWriteVersion;
  readonly usage: UsageKind;
  readonly compress: boolean;
}

/** The content of a snapshot in the form that is to be translated. */
export function contentForCommands<T extends EncodedContent>(content: T): T {
  return { ...content, version: 11, usage: 'none', compress: false };
}

/** Takes frames and makes a file of them: an RDB, or a base of commands. */
export interface FrameConsumer {
  /** Bytes of the file so far. */
  readonly producedBytes: number;
  feed(bytes: Uint8Array, off: number, len: number): void;
  /** Hands on all of it. Throws when a frame is cut off. */
  finish(): void;
}

/** The consumer for an RDB, or for commands when `commands` says how. */
export function frameConsumer(
  output: BaseOutput,
  checksum: boolean,
  commands: CommandBase | null,
): FrameConsumer {
  return commands === null
    ? new RdbAssembler(output, checksum)
    : new CommandAssembler(output, commands);
}

class CommandAssembler implements FrameConsumer {
  readonly #assembler: RdbAssembler;
  readonly #translator: BaseTranslator;

  constructor(output: BaseOutput, commands: CommandBase) {
    const translator = new BaseTranslator(new CommandWriter(output, commands));
    this.#translator = translator;
    this.#assembler = new RdbAssembler(
      (bytes, length) => translator.take(bytes.subarray(0, length)),
      false,
    );
  }

  get producedBytes(): number {
    return this.#translator.writer.producedBytes;
  }

  feed(bytes: Uint8Array, off: number, len: number): void {
    this.#assembler.feed(bytes, off, len);
  }

  finish(): void {
    this.#assembler.finish();
    this.#translator.finish();
  }
}
