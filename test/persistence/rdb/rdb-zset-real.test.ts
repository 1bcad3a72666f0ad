/**
 * Sorted sets in RDB files and payloads, both ways between Cairn and the real server, compared by
 * digest and by the bytes of DUMP.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crc64 } from '../../../src/persistence/crc64.ts';
import { startCairnServer } from '../../support/cairn-server.ts';
import { Random } from '../../support/random.ts';
import type { Argument, RawClient } from '../../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { itCarriesFiles, Servers, type Start } from './rdb-carried.ts';
import { latin1, text } from './rdb-support.ts';

const small = { 'zset-max-listpack-entries': 10 };

function pairs(count: number, score: (i: number) => Argument, member: (i: number) => string) {
  return Array.from({ length: count }, (_, i) => [score(i), member(i)]).flat();
}

function commands(): Argument[][] {
  const integers = (i: number): number => (i * 7919) % 1009;
  const name = (i: number): string => `member ${i}`;
  return [
    ['ZADD', 'z:small', 1, 'a', -7, 'b', 70_000, '', 'inf', 'd', '-inf', 'e', '0.1', '12'],
    ['ZADD', 'z:widths', '4611686018427387904', 'a', '-4611686018427387905', 'b', 1e17, 'c'],
    ['ZADD', 'z:zeroes', '-0', 'a', '0', 'b', '5e-324', 'c', '1e308', 'd', '-1e-9', 'e'],
    ['ZADD', 'z:20', ...pairs(20, (i) => i / 7, name)],
    ['ZADD', 'z:long', 3, 'g'.repeat(70), -0, 'h'],
    ['ZADD', 'z:large', ...pairs(5000, integers, name)],
    ['ZADD', 'z:fractions', ...pairs(3000, (i) => Math.sin(i) * 10 ** (i % 40), name)],
    [
      'ZADD',
      'z:equal',
      ...pairs(
        2000,
        () => 5,
        (i) => String(i * 3),
      ),
    ],
    ['PEXPIREAT', 'z:20', '9999999999999'],
    ['PEXPIREAT', 'z:large', '9999999999998'],
  ];
}

describe.skipIf(requireRedisServer() === null)('files of sorted sets', () => {
  const servers = new Servers();

  /** Fills one server, gives its file to another, and expects the same data and encodings there. */
  async function carried(from: Start, to: Start, saving: object, loading: object): Promise<void> {
    const pair = { from, to, saving, loading, commands: commands() };
    const other = await servers.carry(pair, 8);
    expect(await other.value('PEXPIRETIME', 'z:20')).toBe(9999999999999);
    expect(await other.value('OBJECT', 'ENCODING', 'z:large')).toBe('skiplist');
    expect(await other.value('OBJECT', 'ENCODING', 'z:small')).toBe('listpack');
    const expected = Object.keys(loading).length === 0 ? 'listpack' : 'skiplist';
    expect(await other.value('OBJECT', 'ENCODING', 'z:20')).toBe(expected);
  }

  itCarriesFiles(carried, small);
});

/** A payload of RESTORE, in the version of Redis 5. */
function payload(...parts: readonly (string | number | readonly number[])[]): Buffer {
  const body = Buffer.concat([
    ...parts.map((part) => {
      if (typeof part === 'string') return latin1(part);
      return Buffer.from(typeof part === 'number' ? [part] : [...part]);
    }),
    Buffer.from([9, 0]),
  ]);
  const crc = new Crc64();
  crc.update(body, 0, body.length);
  const sum = new Uint8Array(8);
  crc.writeTo(sum, 0);
  return Buffer.concat([body, sum]);
}

/** A ziplist of short texts, as a string of an RDB. */
function ziplist(...values: readonly string[]): number[] {
  const body: number[] = [];
  let before = 0;
  let last = 10;
  for (const value of values) {
    last = 10 + body.length;
    body.push(before, value.length, ...latin1(value));
    before = value.length + 2;
  }
  const length = body.length + 11;
  return [length, length, 0, 0, 0, last, 0, 0, 0, values.length, 0, ...body, 0xff];
}

describe.skipIf(requireRedisServer() === null)('payloads of sorted sets', () => {
  let real: ServerProcess;
  let cairn: ServerProcess;
  let clients: readonly RawClient[];
  beforeAll(async () => {
    [real, cairn] = [await startRealServer(), await startCairnServer()];
    clients = [await real.connect(), await cairn.connect()];
  });
  afterAll(async () => {
    await real.close();
    await cairn.close();
  });

  /** Sends a command to both and expects the same bytes. */
  async function same(...words: Argument[]): Promise<Buffer> {
    const [theirs, ours] = await Promise.all(clients.map((client) => client.send(...words)));
    expect(ours?.raw.toString('latin1')).toBe(theirs?.raw.toString('latin1'));
    return ours!.raw;
  }

  it('are the same bytes on both servers, whatever was done', async () => {
    const random = new Random(7);
    const member = (): Argument => random.pick([`${random.between(-200, 200)}`, random.bytes(3)]);
    const score = (): Argument => random.pick([random.between(-9, 9), random.next() - 0.5, 1e20]);
    for (let i = 0; i < 60; i++) {
      const count = random.pick([1, 5, 100, 127, 128, 129, 300]);
      await same('ZADD', 'z', ...Array.from({ length: count }, () => [score(), member()]).flat());
      for (let j = 0; j < 5; j++) {
        await same('ZREM', 'z', member());
        // The answer is the score, of which Cairn writes the short form, as Redis 7.2 does.
        const words = ['ZINCRBY', 'z', score(), member()];
        await Promise.all(clients.map((client) => client.send(...words)));
      }
      await same('DUMP', 'z');
      await same('OBJECT', 'ENCODING', 'z');
      await same('DEL', 'z');
    }
  });

  it.each([
    ['scores as text', payload(3, 3, text('a'), text('1.5'), text('b'), 254, text('c'), 255)],
    ['a ziplist', payload(12, ziplist('a', '1.5', 'b', '1.5', 'c', '3'))],
    [
      'a ziplist of many',
      payload(12, ziplist(...'abcdefghijklm'.split('').flatMap((m) => [m, '2']))),
    ],
  ])('load from older servers: %s', async (_, bytes) => {
    for (const entries of ['128', '5']) {
      await same('CONFIG', 'SET', 'zset-max-listpack-entries', entries);
      await same('RESTORE', 'old', '0', bytes, 'REPLACE');
      await same('DUMP', 'old');
      await same('OBJECT', 'ENCODING', 'old');
      await same('ZMSCORE', 'old', 'a', 'b', 'c', 'd');
    }
    await same('CONFIG', 'SET', 'zset-max-listpack-entries', '128');
  });

  it.each([
    ['a member twice', payload(3, 2, text('a'), text('1'), text('a'), text('2'))],
    ['no number', payload(3, 1, text('a'), 253)],
    ['a member without a score', payload(12, ziplist('a', '1.5', 'b'))],
    ['a member twice in a ziplist', payload(12, ziplist('a', '1', 'a', '2'))],
    ['no members', payload(5, 0)],
  ])('are refused by both when they hold %s', async (_, bytes) => {
    const answer = await same('RESTORE', 'bad', '0', bytes, 'REPLACE');
    expect(answer.toString()).toContain('Bad data format');
  });
});
