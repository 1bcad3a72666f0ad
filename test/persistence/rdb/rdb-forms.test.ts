/**
 * Every form that values have had in RDB files: what it holds, here and in the real server, as a
 * payload and in the files of fixtures/rdb that are named after it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crc64 } from '../../../src/persistence/crc64.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { InsideServer } from '../../support/inside.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import type { ReplyValue } from '../../support/resp-reader.ts';
import {
  bodyOf,
  bytesOf,
  FORMS,
  type Form,
  listpackOf,
  PAIRS,
  rdbLength,
  rdbString,
  SCORED,
  WORDS,
} from './rdb-forms.ts';
import { contents, fileReader, fixture, loaded, makeKeyspace, saved } from './rdb-support.ts';

let server: InsideServer;
beforeAll(async () => {
  server = await InsideServer.open();
});
afterAll(() => server.close());

/** The newest type that the real server, 7.0.15, knows. */
const REAL_TYPE_MAX = 19;

function summed(bytes: Uint8Array): Buffer {
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  const sum = Buffer.alloc(8);
  crc.writeTo(sum, 0);
  return Buffer.concat([bytes, sum]);
}

const payloadOf = ({ type, segments }: Form, version: number): Buffer =>
  summed(Buffer.concat([Buffer.from([type]), bodyOf(segments), Buffer.from([version, 0])]));

const restored = (key: string, form: Form): ReplyValue =>
  server.run('RESTORE', key, 0, payloadOf(form, 11).toString('latin1'), 'REPLACE');

/** What a form holds, as its type's commands say it. */
function shown(key: string): unknown {
  const words = (...command: string[]): string[] => server.run(...command) as string[];
  switch (server.run('TYPE', key)) {
    case 'string':
      return server.run('GET', key);
    case 'list':
      return words('LRANGE', key, '0', '-1');
    case 'set':
      return words('SMEMBERS', key).sort();
    case 'zset':
      return words('ZRANGE', key, '0', '-1', 'WITHSCORES');
    case 'hash': {
      const all = words('HGETALL', key);
      return all.flatMap((field, i) => (i % 2 === 0 ? [`${field} ${all[i + 1]}`] : [])).sort();
    }
    default:
      return [
        server.run('XRANGE', key, '-', '+'),
        server.run('XPENDING', key, 'group', '-', '+', '9'),
      ];
  }
}

const LIST = [...WORDS];
const SET = [...WORDS].sort();
const ZSET = SCORED.flat();
const HASH = PAIRS.map(([field, value]) => `${field} ${value}`).sort();
const STREAM = [
  [
    ['1000-0', ['temperature', '20', 'place', 'here']],
    ['1001-1', ['temperature', '-70000', 'place', 'there']],
    ['1002-2', ['other', '']],
    ['1003-3', ['temperature', '21', 'place', 'z'.repeat(80)]],
    ['1004-4', ['a', '1', 'b', '2', 'c', '3']],
  ],
  ['alice', 'bob', 'alice', 'bob', 'alice'].map((name, i) => [
    `100${i}-${i}`,
    name,
    expect.any(Number),
    1,
  ]),
];

const CONTENT: Readonly<Record<string, unknown>> = {
  string: 'hello',
  'string of an int8': '-128',
  'string of an int16': '32767',
  'string of an int32': '-2147483648',
  'compressed string': 'ab'.repeat(99),
  'linked list': LIST,
  set: SET,
  'zset with text scores': ZSET,
  hash: HASH,
  zset: ZSET,
  zipmap: HASH,
  'ziplist list': LIST,
  'intset of 16 bits': ['-1', '-32768', '0', '7'],
  'intset of 32 bits': ['-70000', '5', '70000'],
  'intset of 64 bits': ['-9223372036854775808', '4611686018427387904'],
  'ziplist zset': ZSET,
  'ziplist hash': HASH,
  'quicklist of ziplists': [...LIST, 'tail'],
  'stream of type 15': STREAM,
  'listpack hash': HASH,
  'listpack zset': ZSET,
  'quicklist of listpacks': [...LIST, 'plain', 'tail'],
  'stream of type 19': STREAM,
  'listpack set': SET,
  'stream of type 21': STREAM,
  'hash of 7.4 without times': HASH,
  'listpack hash of 7.4 without times': HASH,
};

describe('a form of a value', () => {
  it.each(FORMS.map((form) => [form.name, form] as const))('holds: %s', (name, form) => {
    expect(restored('k', form)).toBe('OK');
    expect(shown('k')).toEqual(CONTENT[name]);
  });

  it.skipIf(requireRedisServer() === null)('holds the same in the real server', async () => {
    const real = await startRealServer({ config: { 'enable-debug-command': 'yes' } });
    try {
      const client = await real.connect();
      for (const form of FORMS.filter(({ type }) => type <= REAL_TYPE_MAX)) {
        const { name } = form;
        expect(await client.value('RESTORE', 'k', 0, payloadOf(form, 10), 'REPLACE')).toBe('OK');
        expect(restored('k', form), name).toBe('OK');
        const theirs = String(await client.value('DEBUG', 'DIGEST-VALUE', 'k'));
        expect(String(server.run('DEBUG', 'DIGEST-VALUE', 'k')), name).toBe(theirs);
      }
      client.close();
    } finally {
      await real.close();
    }
  });
});

// ---------------------------------------------------------------- fixtures

type Bytes = Uint8Array | readonly number[];

/** A file of a version, its checksum right. */
function fileOf(magic: string, ...parts: readonly Bytes[]): Buffer {
  const body = Buffer.concat([bytesOf(magic), ...parts.map((part) => Buffer.from(part))]);
  return magic < 'REDIS0005' ? Buffer.concat([body, Buffer.from([0xff])]) : endOf(body);
}

const endOf = (body: Buffer): Buffer => summed(Buffer.concat([body, Buffer.from([0xff])]));

function entryOf(type: number, key: string, body: Bytes): Buffer {
  return Buffer.concat([Buffer.from([type]), rdbString(bytesOf(key)), Buffer.from(body)]);
}

const entriesOf = (types: (type: number) => boolean): Buffer[] =>
  FORMS.filter(({ type }) => types(type)).map(({ name, type, segments }) =>
    entryOf(type, name, bodyOf(segments)),
  );

const text = (value: string): Buffer => rdbString(bytesOf(value));
const EIGHT = [0, 0, 0, 0, 0, 0, 0, 0];
const TIME = [0, 0x68, 0xe5, 0xcf, 0x8b, 1, 0, 0];
/** The id of a module type, as a length: nine characters of six bits and ten bits of version. */
function moduleId(name: string, version: number): Buffer {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  let id = 0n;
  for (const one of name) id = (id << 6n) | BigInt(characters.indexOf(one));
  return rdbLength((id << 10n) | BigInt(version), true);
}
const MODULE = moduleId('fixture-m', 1);

const joined = (...parts: readonly Bytes[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));
const PACKED = rdbString(listpackOf(['f', 'v', '1700000000000']));
const FIELD = joined(text('f'), text('v'));

/** A file with one hash. */
const hashFile = (magic: string, type: number, ...body: readonly Bytes[]): Buffer =>
  fileOf(magic, entryOf(type, 'h', joined(...body)));

const FILES: Readonly<Record<string, Buffer>> = {
  'forms-version-3.rdb': fileOf('REDIS0003', ...entriesOf((type) => type < 14 && type !== 5)),
  'forms-version-9.rdb': fileOf('REDIS0009', ...entriesOf((type) => [5, 14, 15].includes(type))),
  'forms-version-10.rdb': fileOf('REDIS0010', ...entriesOf((type) => type >= 16 && type <= 19)),
  'forms-version-11.rdb': fileOf('REDIS0011', ...entriesOf((type) => type === 20 || type === 21)),
  'forms-version-12.rdb': fileOf(
    'REDIS0012',
    [0xfe, 0, 0xf4, 5, 1, 0],
    ...entriesOf((type) => type > 21),
  ),
  'valkey-9.rdb': hashFile('VALKEY080', 22, [1], FIELD, Buffer.alloc(8, 255)),
  'field-expires-22.rdb': hashFile('REDIS0012', 22, [1], rdbLength(5), FIELD),
  'field-expires-23.rdb': hashFile('REDIS0012', 23, PACKED),
  'field-expires-24.rdb': hashFile('REDIS0012', 24, TIME, [1], rdbLength(1), FIELD),
  'field-expires-25.rdb': hashFile('REDIS0012', 25, TIME, PACKED),
  'field-expires-valkey.rdb': hashFile('VALKEY080', 22, [1], FIELD, TIME),
  'module-aux.rdb': fileOf('REDIS0009', [0xf7, ...MODULE, 2, 1, 0]),
  'module-pre-release.rdb': fileOf('REDIS0008', entryOf(6, 'k', [...MODULE, ...EIGHT])),
  'function-pre-release.rdb': fileOf('REDIS0010', [0xf6], text('lib'), text('LUA')),
  'slot-import.rdb': fileOf('VALKEY080', [0xf3], text('j'.repeat(40)), [1, 0, 5]),
};

const REFUSALS: Readonly<Record<string, RegExp>> = {
  'field-expires-22.rdb': /expires \(type 22, hash-hashtable-md-pre-release\).*, at byte 14$/,
  'field-expires-23.rdb': /expires \(type 23, hash-listpack-md-pre-release\).*, at byte \d+$/,
  'field-expires-24.rdb': /expires \(type 24, hash-hashtable-md\).*, at byte 22$/,
  'field-expires-25.rdb': /expires \(type 25, hash-listpack-md\).*, at byte \d+$/,
  'field-expires-valkey.rdb': /expires \(type 22, .*, at byte 25$/,
  'module-aux.rdb': /the module 'fixture-m', which this server cannot load, at byte 19$/,
  'module-pre-release.rdb': /the module type 'fixture-m', which .*, at byte 21$/,
  'function-pre-release.rdb': /a pre-release of Redis 7.*, at byte 10$/,
  'slot-import.rdb': /slots that are being imported.*, at byte 10$/,
};

/** DEBUG DIGEST of the real server for all-types-7.0.15.rdb, which it wrote. */
const ALL_TYPES_DIGEST = '9cc5a0595064363a09ff347c367080cecd16878e';

describe('a fixture', () => {
  it.each(Object.entries(FILES))('is what the encoder makes: %s', (name, bytes) => {
    const path = fixture(name);
    if (process.env.MAKE_FIXTURES === '1' || !existsSync(path)) writeFileSync(path, bytes);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it.each(Object.keys(FILES).filter((name) => REFUSALS[name] === undefined))(
    'of an old or new form loads: %s',
    (name) => {
      const bytes = FILES[name]!;
      server.run('FLUSHALL');
      const { keyspace } = server.server;
      const { load } = loaded(fileReader(bytes), { keyspace, deep: true });
      expect(load.keys).toBeGreaterThan(0);
      if (name.startsWith('valkey')) expect(shown('h')).toEqual(['f v']);
      else
        for (const key of server.run('KEYS', '*') as string[]) {
          expect(shown(key), key).toEqual(CONTENT[key]);
        }
    },
  );

  it.each(Object.entries(REFUSALS))('of what cannot be kept is refused: %s', (name, message) => {
    const keyspace = makeKeyspace();
    const load = () => loaded(fileReader(FILES[name]!), { keyspace });
    expect(load).toThrow(RdbError);
    expect(load).toThrow(message);
    expect(contents(keyspace).size).toBe(0);
  });

  it('of the real server has its digest, and has it again from every version saved here', () => {
    const { keyspace } = server.server;
    const load = (bytes: Uint8Array) => {
      server.run('FLUSHALL');
      return loaded(fileReader(bytes), { keyspace, deep: true, expired: 'keep' }).load;
    };
    let { functions } = load(readFileSync(fixture('all-types-7.0.15.rdb')));
    expect(functions).toHaveLength(1);
    expect(String(server.run('DEBUG', 'DIGEST'))).toBe(ALL_TYPES_DIGEST);
    for (const version of [9, 10, 11] as const) {
      const bytes = saved(keyspace, { version, functions });
      ({ functions } = load(bytes));
      expect(functions).toHaveLength(1);
      expect(String(server.run('DEBUG', 'DIGEST')), `version ${version}`).toBe(ALL_TYPES_DIGEST);
    }
  });
});
