/**
 * Hashes and sets in RDB files, both ways between Cairn and the real server, compared by digest.
 */
import { describe, expect } from 'vitest';
import { requireRedisServer } from '../../support/real-server.ts';
import { itCarriesFiles, Servers, type Start } from './rdb-carried.ts';

const small = { 'hash-max-listpack-entries': 10, 'set-max-intset-entries': 10 };

function commands(): string[][] {
  const pairs = (count: number, value: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => [`field ${i}`, value(i)]).flat();
  const members = (count: number, member: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => member(i));
  return [
    ['HSET', 'h:small', 'a', '1', 'b', '-70000', 'c', '', 'd', '12345678901234567890', '', 'x'],
    ['HSET', 'h:20', ...pairs(20, (i) => `value ${i}`)],
    ['HSET', 'h:long', 'f', 'v'.repeat(500), 'g'.repeat(70), 'ab'.repeat(40)],
    ['HSET', 'h:large', ...pairs(5000, (i) => 'xyz'.repeat(i % 20))],
    ['HSET', 'h:numbers', ...pairs(3000, (i) => String(i * 997 - 100_000))],
    ['SADD', 's:integers', '1', '-5', '70000'],
    ['SADD', 's:wide', '1', '9223372036854775807', '-9223372036854775808'],
    ['SADD', 's:300', ...members(300, (i) => String(i * 3))],
    ['SADD', 's:table of integers', ...members(3000, (i) => String(i * 3))],
    ['SADD', 's:strings', 'a', 'b', '007', '', 'x'.repeat(30)],
    ['SADD', 's:mixed', '1', '2', 'three'],
    ['SADD', 's:large', ...members(4000, (i) => `member ${i}`)],
    ['PEXPIREAT', 'h:20', '9999999999999'],
    ['PEXPIREAT', 's:large', '9999999999998'],
  ];
}

describe.skipIf(requireRedisServer() === null)('files of hashes and sets', () => {
  const servers = new Servers();

  /** Fills one server, gives its file to another, and expects the same data and encodings there. */
  async function carried(from: Start, to: Start, saving: object, loading: object): Promise<void> {
    const pair = { from, to, saving, loading, commands: commands() };
    const other = await servers.carry(pair, 12);
    expect(await other.value('PEXPIRETIME', 'h:20')).toBe(9999999999999);
    expect(await other.value('OBJECT', 'ENCODING', 'h:large')).toBe('hashtable');
    const compact = Object.keys(loading).length === 0;
    for (const [key, encoding] of [
      ['h:20', 'listpack'],
      ['s:300', 'intset'],
    ] as const) {
      const expected = compact ? encoding : 'hashtable';
      expect(await other.value('OBJECT', 'ENCODING', key)).toBe(expected);
    }
  }

  itCarriesFiles(carried, small);
});
