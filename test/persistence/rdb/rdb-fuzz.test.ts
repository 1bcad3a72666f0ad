/**
 * Damaged values and files: refused or loaded, never a crash; what loads can be walked by every
 * command of its type, and everything is given back in the end.
 *
 * Cases and seed can be set (RDB_FUZZ_CASES, RDB_FUZZ_SEED; `npm run fuzz`); the same seed makes
 * the same cases.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crc64 } from '../../../src/persistence/crc64.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { RdbLoad } from '../../../src/persistence/rdb/rdb-load.ts';
import type { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { InsideServer } from '../../support/inside.ts';
import { Random } from '../../support/random.ts';
import { ReplyError } from '../../support/resp-reader.ts';
import { bytesOf, FORMS, rdbString } from './rdb-forms.ts';
import { type DamagedValue, damaged, walkOf } from './rdb-fuzz.ts';
import { fileReader } from './rdb-support.ts';

const CASES = Number(process.env.RDB_FUZZ_CASES ?? 1200);
const SEED = Number(process.env.RDB_FUZZ_SEED ?? 1);
const LONG_MS = 3_600_000;
/** What a payload of some hundred bytes may take at most, whatever it declares. */
const TAKEN_MAX = 1 << 22;

let server: InsideServer;
beforeAll(async () => {
  server = await InsideServer.open();
});
afterAll(() => server.close());

/** The value as a payload of RESTORE, its checksum right. */
function payloadOf({ type, body }: DamagedValue, version: number): string {
  const footer = Buffer.from([version & 255, version >>> 8]);
  const payload = Buffer.concat([Buffer.from([type]), body, footer]);
  const crc = new Crc64();
  crc.update(payload, 0, payload.length);
  const sum = Buffer.alloc(8);
  crc.writeTo(sum, 0);
  return Buffer.concat([payload, sum]).toString('latin1');
}

/** Bytes in use, without the tables of the databases: a file may have asked for a large one. */
function usedBytes(): number {
  const { keyspace } = server.server;
  while (keyspace.freeSlice(1 << 20));
  const tables = keyspace.databases.reduce((sum, { dict }) => sum + dict.overheadBytes, 0);
  return keyspace.arena.usedBytes - tables;
}

/** Runs every command of the key's type. */
function walk(): void {
  const type = String(server.run('TYPE', 'k'));
  for (const command of walkOf(type)) server.run(...command);
  const dump = server.run('DUMP', 'k');
  if (typeof dump === 'string') {
    expect(server.run('RESTORE', 'again', 0, dump, 'REPLACE')).toBe('OK');
  }
}

function play(name: string, cases: number, one: (random: Random) => boolean): void {
  let loaded = 0;
  for (let i = 0; i < cases; i++) {
    const random = new Random(SEED * 1_000_003 + i);
    try {
      if (one(random)) loaded++;
    } catch (error) {
      throw new Error(`${name}: case ${i} of seed ${SEED}`, { cause: error });
    }
  }
  expect(loaded).toBeGreaterThan(cases / 100);
  expect(loaded).toBeLessThan(cases);
}

describe('damaged values', () => {
  it.each(['no', 'yes'])(
    'in payloads do no harm, with sanitize-dump-payload %s',
    (sanitize) => {
      server.run('CONFIG', 'SET', 'sanitize-dump-payload', sanitize);
      server.run('FLUSHALL');
      const base = usedBytes();
      play('payload', CASES, (random) => {
        const value = damaged(random.pick(FORMS), random);
        server.run('SET', 'k', 'before');
        const before = usedBytes();
        const version = random.pick([9, 10, 11, 12, 80]);
        const reply = server.run('RESTORE', 'k', 0, payloadOf(value, version), 'REPLACE');
        const taken = usedBytes() - before;
        const isLoaded = !(reply instanceof ReplyError);
        if (isLoaded) {
          expect(taken).toBeLessThan(TAKEN_MAX);
          walk();
        } else {
          expect(reply.error).toBe('ERR Bad data format');
          expect(taken).toBe(0);
          expect(server.run('GET', 'k')).toBe('before');
        }
        server.run('FLUSHALL');
        expect(usedBytes()).toBe(base);
        return isLoaded;
      });
    },
    LONG_MS,
  );

  it(
    'in files do no harm',
    () => {
      server.run('CONFIG', 'SET', 'sanitize-dump-payload', 'no');
      server.run('FLUSHALL');
      const base = usedBytes();
      play('file', CASES, (random) => {
        const isLoaded = loadFile(fileReader(fileOf(random)));
        // Whole values that came before the damage stay.
        if (server.run('EXISTS', 'k') === 1) walk();
        server.run('FLUSHALL');
        expect(usedBytes()).toBe(base);
        return isLoaded;
      });
    },
    LONG_MS,
  );
});

/** A file without a checksum, of a damaged value between two sound ones. */
function fileOf(random: Random): Buffer {
  const sound = random.pick(FORMS);
  const { type, body } = damaged(random.pick(FORMS), random);
  const entry = (of: number, key: string): Buffer =>
    Buffer.concat([Buffer.from([of]), rdbString(bytesOf(key))]);
  const parts = [
    ...[
      bytesOf('REDIS0012'),
      Buffer.from([0xfe, 0, 0xfb, 3, 0]),
      entry(0, 'first'),
      bytesOf('\x01v'),
    ],
    ...[entry(type, 'k'), body],
    ...[
      entry(sound.type, 'last'),
      ...sound.segments.map(({ bytes, isBlob }) =>
        isBlob ? rdbString(bytes) : Buffer.from(bytes),
      ),
    ],
    Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 0]),
  ];
  const file = Buffer.concat(parts);
  if (random.chance(0.2)) file[random.between(9, file.length - 1)]! ^= 1 << random.between(0, 7);
  return file;
}

/** Whether the file was loaded, all of it. */
function loadFile(reader: RdbReader): boolean {
  const load = new RdbLoad({
    keyspace: server.server.keyspace,
    reader,
    checksum: true,
    expired: 'drop',
    duplicates: 'refuse',
    usage: 'none',
    keyDelayUs: 0,
  });
  try {
    while (!load.step(1000, () => 0));
    return true;
  } catch (error) {
    if (!(error instanceof RdbError)) throw error;
    expect(error.offset).toBeLessThanOrEqual(load.totalBytes);
    return false;
  }
}
