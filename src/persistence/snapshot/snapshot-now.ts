/**
 * SAVE: an RDB file, or an AOF base of commands, written in one go, in this process, with the
 * encoder of the snapshots. The loop stands still meanwhile, so it is for shutdown, for DEBUG
 * RELOAD, and for who asks for it.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import { collectAhead } from '../../core/struct/dict-ahead.ts';
import { contentForCommands, type FrameConsumer, frameConsumer } from '../aof/aof-base.ts';
import type { CommandBase } from '../command-writer.ts';
import type { FileSystem } from '../file-system.ts';
import { RdbEncoder, type RdbWriteVersion, type UsageKind } from '../rdb/rdb-encoder.ts';
import { RdbFile } from '../rdb/rdb-file.ts';
import { CHUNK_BYTES, type FrameSink, FrameWriter } from '../rdb/rdb-frame-writer.ts';

/** What is written besides the keys, and how. */
export interface RdbContent {
  readonly version: RdbWriteVersion;
  readonly usage: UsageKind;
  readonly compress: boolean;
  readonly checksum: boolean;
  /** AUX fields, in their order. */
  readonly aux: Readonly<Record<string, string>>;
  /** The sources of all function libraries. */
  readonly functions: readonly Uint8Array[];
}

/** Keys that are collected together, so that the waits for their memory overlap. */
const KEYS_AHEAD = 48;

/** A sink that gives everything to an assembler at once. */
export class DirectSink implements FrameSink {
  readonly #assembler: FrameConsumer;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);

  constructor(assembler: FrameConsumer) {
    this.#assembler = assembler;
  }

  freshChunk(): Uint8Array {
    return this.#chunk;
  }

  take(chunk: Uint8Array, from: number, to: number): void {
    this.#assembler.feed(chunk, from, to - from);
  }

  takeLent(_block: number, bytes: Uint8Array, off: number, length: number): void {
    this.#assembler.feed(bytes, off, length);
  }
}

/** Keys written so far, and how many there are. */
type OnProgress = (keysDone: number, keysTotal: number) => void;

/** Writes all databases, header and end included. */
function emitAll(
  keyspace: Keyspace,
  writer: FrameWriter,
  content: RdbContent,
  onProgress: OnProgress,
): number {
  const total = keyspace.databases.reduce((sum, { dict }) => sum + dict.count, 0);
  const encoder = new RdbEncoder(keyspace, writer, content);
  let keys = 0;
  encoder.header(content.aux, content.functions);
  for (const db of keyspace.databases) {
    const { dict } = db;
    if (dict.count === 0) continue;
    encoder.selectDb(db.id);
    encoder.resizeDb(dict.count, db.expires.size);
    let cursor = 0;
    do {
      cursor = collectAhead(dict, keyspace.arena, cursor, KEYS_AHEAD);
      for (let i = 0; i < dict.collectedCount; i++) encoder.emitEntry(db, dict.collected[i]!);
      keys += dict.collectedCount;
      onProgress(keys, total);
    } while (cursor !== 0);
  }
  encoder.eof();
  return keys;
}

export interface SaveOptions extends RdbContent {
  readonly fs: FileSystem;
  /** The file that is written or replaced. */
  readonly path: string;
  /** The id of this process, for the name of the temporary file. */
  readonly pid: number;
  readonly incrementalFsync: boolean;
  /** Makes it an AOF base of commands instead of an RDB. */
  readonly commands?: CommandBase;
  /** Called again and again on the way. */
  readonly onProgress?: OnProgress;
}

/**
 * Writes the whole keyspace to a file, durably, and gives its figures. Throws what the disk says;
 * the old file stands then.
 */
export function saveNow(
  keyspace: Keyspace,
  options: SaveOptions,
): { readonly keys: number; readonly bytes: number } {
  const file = new RdbFile(options.fs, options.path, options.pid, options.incrementalFsync);
  try {
    const { commands, onProgress = () => {} } = options;
    const content = commands === undefined ? options : contentForCommands(options);
    const output = (bytes: Uint8Array, len: number): void => file.write(bytes, len);
    const assembler = frameConsumer(output, options.checksum, commands ?? null);
    const writer = new FrameWriter(new DirectSink(assembler), content.compress);
    const keys = emitAll(keyspace, writer, content, onProgress);
    assembler.finish();
    file.finish();
    return { keys, bytes: file.bytes };
  } catch (error) {
    file.discard();
    throw error;
  }
}
