/**
 * What the tests of RDB share: keyspaces as plain maps, files in memory, a small encoder of bytes.
 */
import { fileURLToPath } from 'node:url';
import type { Database } from '../../../src/core/database.ts';
import { Keyspace } from '../../../src/core/keyspace.ts';
import { stringSet, stringView } from '../../../src/core/types/string.ts';
import { ByteView, encodingName, encodingOf } from '../../../src/core/value.ts';
import { Crc64 } from '../../../src/persistence/crc64.ts';
import { RdbLoad } from '../../../src/persistence/rdb/rdb-load.ts';
import type { RdbLoadOptions } from '../../../src/persistence/rdb/rdb-load-options.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { FileSource } from '../../../src/persistence/rdb/rdb-source.ts';
import { type SaveOptions, saveNow } from '../../../src/persistence/snapshot/snapshot-now.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

export const NOW_MS = 1_700_000_000_000;

/** The child's program, as the build leaves it. */
export const CHILD_SCRIPT = fileURLToPath(
  new URL('../../../dist/persistence/snapshot/snapshot-child.js', import.meta.url),
);

export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../fixtures/rdb/${name}`, import.meta.url));

export function makeKeyspace(databases = 16): Keyspace {
  let state = 1;
  const keyspace = new Keyspace({
    databases,
    seed: { seed0: 11, seed1: 22 },
    random: () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0),
    events: { expired: () => {} },
  });
  keyspace.nowMs = NOW_MS;
  return keyspace;
}

export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Stores a string as a command would. Returns the entry's address. */
export function put(
  keyspace: Keyspace,
  id: number,
  key: string | Uint8Array,
  value: string | Uint8Array,
  expiryMs = -1,
): number {
  const db = keyspace.databases[id]!;
  const keyBytes = typeof key === 'string' ? latin1(key) : key;
  const bytes = typeof value === 'string' ? latin1(value) : value;
  const old = keyspace.lookupWrite(db, keyBytes, 0, keyBytes.length);
  const { length } = bytes;
  const at = stringSet(keyspace, db, keyBytes, 0, keyBytes.length, old, bytes, 0, length, false);
  return expiryMs < 0 ? at : keyspace.setExpiry(db, at, expiryMs);
}

const view = new ByteView();

export type Entry = { readonly db: Database; readonly key: string; readonly address: number };

/** Every entry of a keyspace, in the order of the tables. */
export function* entriesOf(keyspace: Keyspace): Generator<Entry> {
  for (const db of keyspace.databases) {
    let cursor = 0;
    do {
      cursor = db.dict.collect(cursor);
      for (const address of db.dict.collected.slice(0, db.dict.collectedCount)) {
        const at = keyspace.keyOffset(address);
        const end = at + keyspace.keyLength(address);
        const key = Buffer.from(keyspace.arena.bytes(address).slice(at, end)).toString('latin1');
        yield { db, key, address };
      }
    } while (cursor !== 0);
  }
}

/** What a view shows. */
export const shownBy = ({ bytes, offset, length }: ByteView): string =>
  Buffer.from(bytes.slice(offset, offset + length)).toString('latin1');

/** Everything that stands in the keyspace: `db key` to encoding (if wanted), expiry and value. */
export function contents(keyspace: Keyspace, encodings = true): Map<string, string> {
  const all = new Map<string, string>();
  for (const { db, key, address } of entriesOf(keyspace)) {
    stringView(keyspace, address, view);
    const name = encodings ? encodingName(encodingOf(keyspace.arena, address)) : '';
    const text = `${name} ${keyspace.expiryOf(db, address)} ${shownBy(view)}`;
    all.set(`${db.id} ${key}`, text);
  }
  return all;
}

/** An RDB of the keyspace, made by `saveNow` on a disk in memory. */
export function saved(keyspace: Keyspace, options: Partial<SaveOptions> = {}): Uint8Array {
  const fs = new FaultyFileSystem();
  fs.mkdirSync('/data');
  saveNow(keyspace, { ...saveOptions(fs), ...options });
  return fs.content('/data/dump.rdb')!;
}

export function saveOptions(fs: SaveOptions['fs']): SaveOptions {
  return {
    fs,
    path: '/data/dump.rdb',
    pid: 77,
    incrementalFsync: true,
    version: 10,
    usage: 'none',
    compress: true,
    checksum: true,
    aux: { 'redis-ver': '7.2.4', 'redis-bits': '64' },
    functions: [],
  };
}

/** A reader of a file in memory, as of one on disk. */
export function fileReader(bytes: Uint8Array): RdbReader {
  const fs = new FaultyFileSystem();
  fs.put('/data/dump.rdb', bytes);
  return RdbReader.over(new FileSource(fs.openSync('/data/dump.rdb', 'read')));
}

export type Loaded = { readonly keyspace: Keyspace; readonly load: RdbLoad };

/** A load that no step has been made of. */
export function loadInto(
  keyspace: Keyspace,
  reader: RdbReader,
  options: Partial<RdbLoadOptions> = {},
): RdbLoad {
  return new RdbLoad({
    keyspace,
    reader,
    checksum: true,
    expired: 'drop',
    duplicates: 'refuse',
    usage: 'none',
    keyDelayUs: 0,
    ...options,
  });
}

/** Loads all of it in slices of a fake clock that moves a little with each look. */
export function loaded(
  reader: RdbReader,
  options: Partial<RdbLoadOptions> = {},
  budgetMs = 5,
): Loaded {
  const keyspace = options.keyspace ?? makeKeyspace();
  const load = loadInto(keyspace, reader, options);
  let now = 0;
  while (!load.step(budgetMs, () => (now += 1))) {
    if (load.isHungry) throw new Error('a reader that is not fed cannot be hungry');
  }
  return { keyspace, load };
}

/** Loads a file that comes in pieces, as from a socket, in the smallest slices. */
export function loadedInPieces(
  file: Uint8Array,
  pieceBytes: number,
  keyspace = makeKeyspace(),
): Keyspace {
  const reader = RdbReader.fed();
  const load = loadInto(keyspace, reader, { expired: 'keep' });
  let now = 0;
  for (let at = 0; at < file.length; at += pieceBytes) {
    reader.feed(file.subarray(at, at + pieceBytes));
    if (at + pieceBytes >= file.length) reader.endOfFeed();
    do {
      if (load.step(1, () => ++now)) return keyspace;
    } while (!load.isHungry);
  }
  throw new Error('the file has ended, but not the load');
}

export type RdbPart = string | number | readonly number[];

/** Bytes written by hand: strings as latin1, numbers as bytes; a right checksum behind them. */
export function rdbOf(...parts: readonly RdbPart[]): Uint8Array {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return latin1(part);
      return Buffer.from(typeof part === 'number' ? [part] : [...part]);
    }),
  );
  const crc = new Crc64();
  crc.update(body, 0, body.length);
  const whole = new Uint8Array(body.length + 8);
  whole.set(body);
  crc.writeTo(whole, body.length);
  return whole;
}

/** A short string as an RDB has it. */
export const text = (value: string): string => String.fromCharCode(value.length) + value;

/** A text of 2 MB. */
export const LARGE = Array.from(
  { length: 60_000 },
  (_, i) => `line ${i} of a text that is long`,
).join();
/** The largest room that a reader's buffer may take: nobody holds `LARGE` there. */
export const BUFFER_MAX = 1_500_000;

/** A file with this value, its type byte before it, under the key `k`. */
export function fileOf(value: string): Uint8Array {
  return rdbOf('REDIS0010', value.slice(0, 1), text('k'), value.slice(1), 0xff);
}

export function fromFile(keyspace: Keyspace, file: Uint8Array): void {
  loaded(fileReader(file), { keyspace });
}

/** From a socket, in pieces that are no part of anything. */
export function inPieces(keyspace: Keyspace, file: Uint8Array): void {
  loadedInPieces(file, 100_000, keyspace);
}

/** Bytes in use once all that was given up is freed. */
export function usedBytes(keyspace: Keyspace): number {
  while (keyspace.freeSlice(1000));
  return keyspace.arena.usedBytes;
}
