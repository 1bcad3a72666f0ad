/** Declared comparators accept what they declare and nothing more; printing loses no byte. */
import { describe, expect, it } from 'vitest';
import * as comparators from './comparators.ts';
import { knownDifferenceOf } from './known-differences.ts';
import { printArgument, printReply } from './print.ts';

const raw = (text: string): Buffer => Buffer.from(text, 'latin1');
const same = (comparator: { same: (a: Buffer, b: Buffer) => boolean }, a: string, b: string) =>
  comparator.same(raw(a), raw(b));

describe('comparators', () => {
  it('take elements in any order, as often as they occur', () => {
    const ab = '*2\r\n$1\r\na\r\n$1\r\nb\r\n';
    const ba = '*2\r\n$1\r\nb\r\n$1\r\na\r\n';
    expect(same(comparators.unordered, ab, ba)).toBe(true);
    expect(same(comparators.unordered, ab, '*2\r\n$1\r\na\r\n$1\r\na\r\n')).toBe(false);
    expect(same(comparators.unordered, ab, ba.replace('*', '~'))).toBe(false);
    expect(same(comparators.exact, ab, ba)).toBe(false);
  });

  it('keep pairs together', () => {
    const two = '%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n';
    expect(same(comparators.unorderedPairs, two, '%2\r\n+b\r\n:2\r\n+a\r\n:1\r\n')).toBe(true);
    expect(same(comparators.unorderedPairs, two, '%2\r\n+a\r\n:2\r\n+b\r\n:1\r\n')).toBe(false);
  });

  it('look through every level when told', () => {
    const a = '*2\r\n*2\r\n:1\r\n:2\r\n~1\r\n+x\r\n';
    const b = '*2\r\n~1\r\n+x\r\n*2\r\n:2\r\n:1\r\n';
    expect(same(comparators.unorderedDeep, a, b)).toBe(true);
    expect(same(comparators.unorderedDeep, a, b.replace('x', 'y'))).toBe(false);
  });

  it('allow a running clock but no other mark', () => {
    expect(same(comparators.within(5), ':100\r\n', ':103\r\n')).toBe(true);
    expect(same(comparators.within(5), ':100\r\n', ':106\r\n')).toBe(false);
    expect(same(comparators.within(5), ':-1\r\n', ':-2\r\n')).toBe(false);
    expect(same(comparators.within(5), ':1\r\n', ':-1\r\n')).toBe(false);
    expect(same(comparators.within(5), '$-1\r\n', ':1\r\n')).toBe(false);
  });

  it('tell null from something, and one type from another', () => {
    expect(same(comparators.sameKind, '$1\r\na\r\n', '$2\r\nbc\r\n')).toBe(true);
    expect(same(comparators.sameKind, '$1\r\na\r\n', '$-1\r\n')).toBe(false);
    expect(same(comparators.sameKind, ':1\r\n', '$1\r\n1\r\n')).toBe(false);
    expect(same(comparators.sameKind, '_\r\n', '_\r\n')).toBe(true);
  });

  it('mask only what the pattern names', () => {
    const masked = comparators.masking(/lru:\d+/g);
    expect(same(masked, '$9\r\na lru:123\r\n', '$7\r\na lru:1\r\n')).toBe(true);
    expect(same(masked, '$9\r\na lru:123\r\n', '$9\r\nb lru:123\r\n')).toBe(false);
  });

  it('compare whole scan pages and leave cursors free', () => {
    const page = (cursor: string, item: string) =>
      `*2\r\n$1\r\n${cursor}\r\n*1\r\n$1\r\n${item}\r\n`;
    expect(same(comparators.scanPage(1), page('0', 'a'), page('0', 'b'))).toBe(false);
    expect(same(comparators.scanPage(1), page('0', 'a'), page('0', 'a'))).toBe(true);
    expect(same(comparators.scanPage(1), page('4', 'a'), page('2', 'b'))).toBe(true);
  });
});

describe('known differences', () => {
  it('excuse only the replies that they describe', () => {
    const listpack = raw('$8\r\nlistpack\r\n');
    const hashtable = raw('$9\r\nhashtable\r\n');
    const args = ['OBJECT', 'ENCODING', 'k'];
    expect(knownDifferenceOf({ args, type: 'set' }, listpack, hashtable)).not.toBeNull();
    expect(knownDifferenceOf({ args, type: 'hash' }, listpack, hashtable)).toBeNull();
    expect(knownDifferenceOf({ args, type: 'set' }, hashtable, listpack)).toBeNull();
    expect(knownDifferenceOf({ args: ['GET', 'k'] }, listpack, hashtable)).toBeNull();
  });
});

describe('printing', () => {
  it('quotes what redis-cli would not read as one word', () => {
    expect(printArgument('k:1')).toBe('k:1');
    expect(printArgument('')).toBe('""');
    expect(printArgument('a b"\\\x00\xff\n')).toBe('"a b\\"\\\\\\x00\\xff\\n"');
    expect(printArgument('#1')).toBe('"#1"');
  });

  it('cuts a long reply and says how long it was', () => {
    expect(printReply(raw('+OK\r\n'))).toBe('+OK\\r\\n');
    expect(printReply(raw('x'.repeat(5000)))).toMatch(/\(5000 bytes\)$/);
  });
});
