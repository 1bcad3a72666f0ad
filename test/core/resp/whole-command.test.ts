/**
 * The short way to parse a command finds what the parser finds, or nothing; and what is parsed
 * ahead can be given back.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { OfferedBuffers } from '../../../src/core/memory/offered-buffers.ts';
import { Args } from '../../../src/core/resp/args.ts';
import { AHEAD_MAX, ParsedAhead } from '../../../src/core/resp/parsed-ahead.ts';
import { PARSED_COMMAND, RequestParser } from '../../../src/core/resp/request-parser.ts';
import { parseWhole } from '../../../src/core/resp/whole-command.ts';

const LIMITS = { bulkBytesMax: 512 * 1024 * 1024 };
const BUFFERS = new OfferedBuffers(new Arena());

function words(args: Args): string[] {
  return Array.from({ length: args.count }, (_, i) => args.text(i));
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((one) => `$${one.length}\r\n${one}\r\n`).join('')}`;
}

/** Bytes that are a command, nearly one, or none. */
const requests = fc.oneof(
  fc.array(fc.string({ maxLength: 12 }), { minLength: 1, maxLength: 11 }).map(encode),
  fc
    .tuple(
      fc.array(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.nat(),
    )
    .map(([command, at, by]) => {
      const bytes = Buffer.from(encode(command), 'latin1');
      bytes[at % bytes.length] = '0123456789$*\r\nx'.charCodeAt(by % 15);
      return bytes.toString('latin1');
    }),
  fc.constantFrom('*0\r\n', '*-1\r\n', '*1\r\n$04\r\nPING\r\n', '*01\r\n$4\r\nPING\r\n'),
);

/** Inline commands, and what is nearly one. */
const lines = fc
  .array(fc.constantFrom(...'PINGab\xff*$   \r\n\n\t\0\x0b\\"\'\x7f'), { maxLength: 12 })
  .map((bytes) => `${bytes.join('')}\r\n`);

describe('a whole command', () => {
  test.each([
    ['array', requests],
    ['line', lines],
  ])('is what the parser finds there: %s', (_, texts) => {
    let taken = 0;
    fc.assert(
      fc.property(texts, fc.nat(30), (text, cut) => {
        const bytes = Buffer.from(text, 'latin1');
        const end = Math.max(0, bytes.length - (cut > 20 ? cut - 20 : 0));
        const args = new Args();
        const found = parseWhole(bytes, 0, end, args);
        if (found === 0) return;
        taken++;
        const parser = new RequestParser(LIMITS, new Args(), BUFFERS);
        parser.feed(bytes, 0, end);
        expect(parser.next()).toBe(PARSED_COMMAND);
        expect(words(args)).toEqual(words(parser.args));
        expect(end - found).toBe(parser.restBytes);
      }),
      { numRuns: 3000, seed: 20261128 },
    );
    expect(taken).toBeGreaterThan(300);
  });

  test('may be a line of words', () => {
    const bytes = Buffer.from('  SET key  v\\ \nPING\r\n"PING"\n');
    const args = new Args();
    expect(parseWhole(bytes, 0, bytes.length, args)).toBe(15);
    expect(words(args)).toEqual(['SET', 'key', 'v\\']);
    expect(parseWhole(bytes, 15, bytes.length, args)).toBe(21);
    expect(words(args)).toEqual(['PING']);
    expect(parseWhole(bytes, 21, bytes.length, args)).toBe(0);
    expect(parseWhole(bytes, 15, 20, args)).toBe(0);
  });

  test('with many or long arguments is left to the parser', () => {
    const long = Buffer.from(encode(['SET', 'k', 'x'.repeat(10_000)]));
    const many = Buffer.from(encode(Array.from({ length: 10 }, () => 'a')));
    expect(parseWhole(long, 0, long.length, new Args())).toBe(0);
    expect(parseWhole(many, 0, many.length, new Args())).toBe(0);
  });
});

describe('parsing ahead', () => {
  const commands = Array.from({ length: 40 }, (_, i) => ['SET', `key:${i}`, 'v'.repeat(i)]);
  const bytes = Buffer.from(commands.map(encode).join(''));

  test('takes as many commands as there is room for, and the rest later', () => {
    const parser = new RequestParser(LIMITS, new Args(), BUFFERS);
    const batch = new ParsedAhead();
    const seen: string[][] = [];
    parser.feed(bytes, 0, bytes.length);
    for (parser.ahead(batch); batch.count > 0; parser.ahead(batch)) {
      expect(batch.count).toBeLessThanOrEqual(AHEAD_MAX);
      for (let i = 0; i < batch.count; i++) seen.push(words(batch.args[i]!));
      batch.count = 0;
    }
    expect(seen).toEqual(commands);
  });

  test('can be taken back to any command', () => {
    const parser = new RequestParser(LIMITS, new Args(), BUFFERS);
    const batch = new ParsedAhead();
    parser.feed(bytes, 0, bytes.length);
    parser.ahead(batch);
    parser.backTo(batch.starts[5]!);
    expect(parser.next()).toBe(PARSED_COMMAND);
    expect(words(parser.args)).toEqual(commands[5]);
  });

  test('does not begin before a client has authenticated, nor inside a command', () => {
    const batch = new ParsedAhead();
    const stranger = new RequestParser(LIMITS, new Args(), BUFFERS);
    stranger.authenticated = false;
    stranger.feed(bytes, 0, bytes.length);
    stranger.ahead(batch);
    expect(batch.count).toBe(0);
    const half = new RequestParser(LIMITS, new Args(), BUFFERS);
    half.feed(bytes, 0, 9);
    half.next();
    expect(half.isIdle).toBe(false);
    half.ahead(batch);
    expect(batch.count).toBe(0);
  });
});
