/**
 * The request parser: any commands, cut anywhere, come out whole; what is wrong is refused with
 * Redis's words.
 */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { OfferedBuffers } from '../../../src/core/memory/offered-buffers.ts';
import { Args } from '../../../src/core/resp/args.ts';
import {
  PARSED_COMMAND,
  PARSED_ERROR,
  PARSED_MORE,
  RequestParser,
} from '../../../src/core/resp/request-parser.ts';

const LIMITS = { bulkBytesMax: 512 * 1024 * 1024 };
const BUFFERS = new OfferedBuffers(new Arena());

function encode(words: readonly Uint8Array[]): Buffer {
  const parts = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    parts.push(Buffer.from(`$${word.length}\r\n`), Buffer.from(word), Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** Feeds `bytes` in pieces through one reused buffer with `headroom` in front, as a link does. */
function parseAll(bytes: Buffer, cuts: readonly number[], headroom: number): Buffer[][] | string {
  const parser = new RequestParser(LIMITS, new Args(), BUFFERS);
  const found: Buffer[][] = [];
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])];
  ends.sort((a, b) => a - b);
  const shared = new Uint8Array(headroom + bytes.length);
  let from = 0;
  for (const end of ends) {
    shared.fill(0xee);
    shared.set(bytes.subarray(from, end), headroom);
    parser.feed(shared, headroom, headroom + end - from);
    from = end;
    for (;;) {
      const result = parser.next();
      if (result === PARSED_ERROR) return parser.error;
      if (result !== PARSED_COMMAND) break;
      const words: Buffer[] = [];
      for (let i = 0; i < parser.args.count; i++) words.push(Buffer.from(parser.args.copy(i)));
      found.push(words);
    }
  }
  return found;
}

describe('request parser', () => {
  const word = fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 20 }) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 30_000, max: 80_000 }).map((n) => Buffer.alloc(n, n)),
    },
  );
  const commands = fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), { maxLength: 12 });

  test('two parsers with large commands never see the bytes of each other', () => {
    const args = new Args();
    const parsers = [
      new RequestParser(LIMITS, args, BUFFERS),
      new RequestParser(LIMITS, args, BUFFERS),
    ];
    const sizes = [10, 40_000, 7000, 200_000, 5_000_000, 90_000];
    for (let round = 0; round < 12; round++) {
      const texts = parsers.map((_, which) =>
        encode(
          sizes.map((size, i) => Buffer.alloc(size >> (round % 3), 65 + which * 20 + round + i)),
        ),
      );
      const read = new Uint8Array(65_536);
      const done = [0, 0];
      const found = [0, 0];
      while (found.includes(0)) {
        for (const which of [0, 1]) {
          if (found[which] === 1) continue;
          const [parser, text] = [parsers[which]!, texts[which]!];
          const part = text.subarray(done[which], done[which]! + 50_000);
          done[which]! += part.length;
          read.set(part, 4096);
          parser.feed(read, 4096, 4096 + part.length);
          if (parser.next() !== PARSED_COMMAND) continue;
          found[which] = 1;
          const words: Uint8Array[] = [];
          for (let i = 0; i < parser.args.count; i++) words.push(parser.args.copy(i));
          expect(encode(words).equals(text)).toBe(true);
          expect(parser.next()).toBe(PARSED_MORE);
          expect(parser.pendingBytes).toBe(0);
        }
      }
    }
  });

  test('commands cut at any places come out whole, with any headroom', () => {
    fc.assert(
      fc.property(
        commands,
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.constantFrom(0, 7, 64, 65_536),
        (list, cuts, headroom) => {
          const bytes = Buffer.concat(list.map(encode));
          const found = parseAll(bytes, cuts, headroom);
          expect(typeof found).toBe('object');
          expect(Buffer.concat((found as Buffer[][]).map(encode)).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('reads a command that is cut after every byte', () => {
    const bytes = encode([Buffer.from('SET'), Buffer.from('key'), Buffer.alloc(40_000, 120)]);
    const cuts = Array.from({ length: 200 }, (_, i) => i);
    const found = parseAll(bytes, cuts, 16);
    expect(found).toEqual([[Buffer.from('SET'), Buffer.from('key'), Buffer.alloc(40_000, 120)]]);
  });

  test('reads a hundred thousand arguments that come in pieces', () => {
    const words = Array.from({ length: 100_000 }, (_, i) => Buffer.from(`a${i}`));
    const bytes = encode(words);
    const cuts = Array.from({ length: 40 }, (_, i) => i * 31_337);
    const found = parseAll(bytes, cuts, 64);
    expect(Buffer.concat((found as Buffer[][]).map(encode)).equals(bytes)).toBe(true);
  });

  test('reads inline commands, quotes, empty lines, and counts that mean nothing', () => {
    const found = parseAll(
      Buffer.from('PING\r\n\r\nSET a "b c"\n*0\r\n*-1\r\nECHO \'x\'\r\n'),
      [3, 9, 14],
      32,
    );
    const texts = (found as Buffer[][]).map((one) => one.map(String));
    expect(texts).toEqual([['PING'], ['SET', 'a', 'b c'], ['ECHO', 'x']]);
  });

  test.each([
    ['*3000000000\r\n', 'Protocol error: invalid multibulk length'],
    ['*1x\r\n', 'Protocol error: invalid multibulk length'],
    ['*1\r\n:1\r\n', "Protocol error: expected '$', got ':'"],
    ['*1\r\n$-1\r\n', 'Protocol error: invalid bulk length'],
    ['*1\r\n$999999999999\r\n', 'Protocol error: invalid bulk length'],
    ['SET "a\r\n', 'Protocol error: unbalanced quotes in request'],
    [`${'x'.repeat(70_000)}`, 'Protocol error: too big inline request'],
    [`*${'1'.repeat(70_000)}`, 'Protocol error: too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(70_000)}`, 'Protocol error: too big bulk count string'],
  ])('%.30j is refused', (text, error) => {
    expect(parseAll(Buffer.from(text), [5], 16)).toBe(error);
  });

  test('takes little from a client that has not authenticated', () => {
    for (const [text, error] of [
      ['*11\r\n', 'Protocol error: unauthenticated multibulk length'],
      ['*1\r\n$16385\r\n', 'Protocol error: unauthenticated bulk length'],
    ] as const) {
      const parser = new RequestParser(LIMITS, new Args(), BUFFERS);
      parser.authenticated = false;
      parser.feed(Buffer.from(text), 0, text.length);
      expect(parser.next()).toBe(PARSED_ERROR);
      expect(parser.error).toBe(error);
    }
  });

  test('random bytes never do anything worse than an error', () => {
    const piece = fc.oneof(
      fc.constantFrom('*', '$', '\r\n', '-1', '0', '3', 'SET', '"', "'", '\\x', '\n', '\r'),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.array(fc.nat()), (pieces, cuts) => {
        const found = parseAll(Buffer.from(pieces.join(''), 'latin1'), cuts, 8);
        expect(typeof found === 'string' || Array.isArray(found)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

test('the beginning of an argument longer than any text is told without the rest', () => {
  const args = new Args();
  const long = new Uint8Array(LIMITS.bulkBytesMax);
  long.fill(0x61, 0, 200);
  args.push(long, 0, long.length);
  args.push(long, 198, 2);
  expect(args.text(0, 128)).toBe('a'.repeat(128));
  expect(args.text(1, 128)).toBe('aa');
});

test('an argument for which there is no memory is refused, and others go on', () => {
  const parser = new RequestParser(LIMITS, new Args(), BUFFERS);
  const take = vi.spyOn(BUFFERS, 'take').mockImplementation(() => {
    throw new RangeError('Array buffer allocation failed');
  });
  const bytes = Buffer.from('*2\r\n$3\r\nGET\r\n$99999\r\nabc');
  parser.feed(bytes, 0, bytes.length);
  expect(parser.next()).toBe(PARSED_ERROR);
  expect(parser.error).toBe('Protocol error: no memory for a bulk of 99999 bytes');
  parser.drop();
  take.mockRestore();
  expect(parseAll(bytes, [], 0)).toEqual([]);
});
