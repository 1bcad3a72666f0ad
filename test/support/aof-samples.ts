/**
 * AOF bytes for tests: commands, checked turns, the smallest RDB; and a loader that notes what it
 * was told to execute, one string of words a command.
 */
import type { Args } from '../../src/core/resp/args.ts';
import { AofFolder } from '../../src/persistence/aof/aof-folder.ts';
import {
  type AofLoadOptions,
  type AofLoadReport,
  loadAof,
} from '../../src/persistence/aof/aof-load.ts';
import { encodeTurn, TURN_EXTRA_BYTES_MAX } from '../../src/persistence/aof/aof-queue.ts';
import { Crc64 } from '../../src/persistence/crc64.ts';
import { readFileWholeSync } from '../../src/persistence/durable-file.ts';
import type { FileSystem } from '../../src/persistence/file-system.ts';

export const PLACE = { dir: '/data', appendDirName: 'aofs', appendFilename: 'a' };

/** One command as RESP; strings are latin1. */
export function command(...words: (string | Uint8Array)[]): Buffer {
  const parts = words.flatMap((word) => {
    const bytes = typeof word === 'string' ? Buffer.from(word, 'latin1') : Buffer.from(word);
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
}

/** One checked turn, with a time line when `seconds` is given. */
export function turn(body: Uint8Array, seconds = -1): Buffer {
  const room = new Uint8Array(body.length + TURN_EXTRA_BYTES_MAX);
  const length = encodeTurn(room, 0, body, 0, body.length, true, seconds);
  return Buffer.from(room.subarray(0, length));
}

/** The smallest RDB: version 10, no keys. */
export function emptyRdb(magic = 'REDIS0010'): Buffer {
  const body = Buffer.from(`${magic}\xff`, 'latin1');
  const crc = new Crc64();
  crc.update(body, 0, body.length);
  const trailer = Buffer.alloc(8);
  crc.writeTo(trailer, 0);
  return Buffer.concat([body, trailer]);
}

function text(args: Args): string {
  return Array.from({ length: args.count }, (_, i) => args.text(i)).join(' ');
}

export type Loaded = { readonly commands: string[]; readonly log: string[]; report: AofLoadReport };

/** An RDB reader that knows `emptyRdb` only, of Redis and of Valkey. */
export function rdbReader(fs: FileSystem): (path: string) => Promise<number> {
  return async (path) => {
    const bytes = readFileWholeSync(fs, path) ?? new Uint8Array(0);
    const rdb = emptyRdb(bytes[0] === 0x56 ? 'VALKEY080' : 'REDIS0010');
    if (!rdb.equals(bytes.subarray(0, rdb.length))) throw new Error('this RDB is not empty');
    return rdb.length;
  };
}

/** Loads a folder; rejects as `loadAof` does. */
export async function load(
  fs: FileSystem,
  options: Partial<AofLoadOptions> = {},
  place = PLACE,
): Promise<Loaded> {
  const folder = new AofFolder(fs, place, null);
  await folder.read();
  await folder.takeInOldFile();
  const commands: string[] = [];
  const log: string[] = [];
  const report = await loadAof(folder, {
    cutTornTail: true,
    sliceMs: 5,
    nowMs: () => performance.now(),
    rest: () => new Promise((resolve) => setImmediate(resolve)),
    log: (_level, line) => log.push(line),
    readRdb: async (path) => ({ bytes: await rdbReader(fs)(path), position: null }),
    execute: (args) => {
      commands.push(text(args));
      return undefined;
    },
    onProgress: () => undefined,
    tail: null,
    ...options,
  });
  return { commands, log, report };
}
