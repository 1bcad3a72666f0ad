/**
 * The base of an AOF as commands (`aof-use-rdb-preamble no`): takes the frames of a snapshot, which
 * carry an RDB, and gives the commands that make the same dataset.
 *
 *     frames -> assembler -> RDB bytes -> walk -> commands -> turns -> file
 *
 * So the snapshot's walker, door and parts know of one format only, and the translation costs the
 * child process alone.
 */
import type { ByteSink } from '../byte-output.ts';
import { type CommandBase, CommandWriter } from '../command-writer.ts';
import { RdbAssembler } from '../rdb/rdb-assembler.ts';
import { RdbCommands } from '../rdb/rdb-commands.ts';
import type { RdbWriteVersion, UsageKind } from '../rdb/rdb-encoder.ts';
import { RdbReader } from '../rdb/rdb-reader.ts';
import { RdbWalk } from '../rdb/rdb-walk.ts';
import { encodePositionLine, positionOfAux } from './aof-position.ts';

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
  output: ByteSink,
  checksum: boolean,
  commands: CommandBase | null,
): FrameConsumer {
  return commands === null
    ? new RdbAssembler(output, checksum)
    : new CommandAssembler(output, commands);
}

class CommandAssembler implements FrameConsumer {
  readonly #writer: CommandWriter;
  readonly #reader = RdbReader.fed();
  readonly #walk: RdbWalk;
  readonly #assembler: RdbAssembler;

  constructor(output: ByteSink, commands: CommandBase) {
    const reader = this.#reader;
    this.#writer = new CommandWriter(output, commands);
    const walk = new RdbWalk(reader, new BaseCommands(this.#writer), 'none');
    this.#walk = walk;
    reader.dropChecksum();
    this.#assembler = new RdbAssembler((bytes, length) => {
      reader.feed(bytes.subarray(0, length));
      walk.resume();
    }, false);
  }

  get producedBytes(): number {
    return this.#writer.producedBytes;
  }

  feed(bytes: Uint8Array, off: number, len: number): void {
    this.#assembler.feed(bytes, off, len);
  }

  finish(): void {
    this.#assembler.finish();
    this.#reader.endOfFeed();
    this.#walk.resume();
  }
}

/** The commands of a base: AUX repl-* become a position line (aof-position.ts) at the end. */
class BaseCommands extends RdbCommands {
  readonly #writer: CommandWriter;
  readonly #aux = new Map<string, string>();

  constructor(writer: CommandWriter) {
    super(writer, { asRewrite: true });
    this.#writer = writer;
  }

  aux(name: string, value: string): void {
    this.#aux.set(name, value);
  }

  override end(): void {
    const position = positionOfAux(this.#aux);
    if (position !== null) this.#writer.line(encodePositionLine(position));
    super.end();
  }
}
