/** The listpack against an array, and against bytes that Redis 7.0.15 wrote. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LP_EMPTY_BYTES,
  lpBytes,
  lpCount,
  lpDelete,
  lpElement,
  lpEntryBytes,
  lpEntryLength,
  lpFirst,
  lpGet,
  lpInit,
  lpInsert,
  lpInsertInteger,
  lpIntegerBytes,
  lpLast,
  lpNext,
  lpPrev,
  lpReplace,
  lpSeek,
} from '../../../src/core/struct/listpack.ts';
import { lpFind } from '../../../src/core/struct/listpack-find.ts';
import { lpValid } from '../../../src/core/struct/listpack-valid.ts';

const ROOM = 1 << 20;
const BASE = 13;

class Pack {
  readonly bytes = new Uint8Array(ROOM).fill(0xaa);

  constructor() {
    lpInit(this.bytes, BASE);
  }

  insert(index: number, value: Buffer): void {
    const found = lpSeek(this.bytes, BASE, index);
    const at = found === 0 ? lpBytes(this.bytes, BASE) - 1 : found;
    const grown = lpBytes(this.bytes, BASE) + lpEntryBytes(value, 0, value.length);
    lpInsert(this.bytes, BASE, at, value, 0, value.length);
    expect(lpBytes(this.bytes, BASE)).toBe(grown);
  }

  values(): string[] {
    const out: string[] = [];
    for (let at = lpFirst(this.bytes, BASE); at !== 0; at = lpNext(this.bytes, BASE, at)) {
      out.push(this.text(at));
    }
    return out;
  }

  backwards(): string[] {
    const out: string[] = [];
    for (let at = lpLast(this.bytes, BASE); at !== 0; at = lpPrev(this.bytes, BASE, at)) {
      out.unshift(this.text(at));
    }
    return out;
  }

  text(at: number): string {
    lpGet(this.bytes, BASE, at);
    lpElement.asText();
    const { bytes, offset, length } = lpElement;
    return Buffer.from(bytes.slice(offset, offset + length)).toString('latin1');
  }
}

const value = fc.oneof(
  fc.string({ maxLength: 12 }).map((text) => Buffer.from(text, 'latin1')),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Buffer.from(`${n}`)),
  fc.integer({ min: -9000, max: 9000 }).map((n) => Buffer.from(`${n}`)),
  fc.constantFrom(
    ...[0, 1, 127, 128, -1, 4095, 4096, -4096, -4097, 32_767, 32_768, -32_769, 8_388_607].map((n) =>
      Buffer.from(`${n}`),
    ),
    ...['-0', '01', '+1', ' 1', '9223372036854775808', '-9223372036854775808'].map((text) =>
      Buffer.from(text),
    ),
  ),
  fc.integer({ min: 60, max: 5000 }).map((n) => Buffer.alloc(n, 65 + (n % 26))),
);

describe('listpack', () => {
  test('agrees with an array, read in both directions', () => {
    const operation = fc.record({ kind: fc.integer({ min: 0, max: 5 }), at: fc.nat(), value });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const pack = new Pack();
        const model: string[] = [];
        for (const one of operations) {
          const index = one.at % (model.length + 1);
          const text = one.value.toString('latin1');
          if (one.kind < 3 || index >= model.length) {
            pack.insert(index, one.value);
            model.splice(index, 0, text);
          } else if (one.kind === 3) {
            const count = 1 + (one.at % 3);
            lpDelete(pack.bytes, BASE, lpSeek(pack.bytes, BASE, index), count);
            model.splice(index, count);
          } else {
            const at = lpSeek(pack.bytes, BASE, index);
            lpReplace(pack.bytes, BASE, at, one.value, 0, one.value.length);
            model[index] = text;
          }
        }
        expect(pack.values()).toEqual(model);
        expect(pack.backwards()).toEqual(model);
        expect(lpCount(pack.bytes, BASE)).toBe(model.length);
        expect(lpValid(pack.bytes, BASE, lpBytes(pack.bytes, BASE), true)).toBe(true);
        expect(pack.bytes[BASE + lpBytes(pack.bytes, BASE) - 1]).toBe(0xff);
        model.forEach((text, index) => {
          expect(pack.text(lpSeek(pack.bytes, BASE, index))).toBe(text);
          expect(pack.text(lpSeek(pack.bytes, BASE, index - model.length))).toBe(text);
          const bytes = Buffer.from(text, 'latin1');
          const first = lpFirst(pack.bytes, BASE);
          const found = lpFind(pack.bytes, BASE, first, bytes, 0, bytes.length, 0);
          expect(found).toBe(lpSeek(pack.bytes, BASE, model.indexOf(text)));
        });
        expect(lpSeek(pack.bytes, BASE, model.length)).toBe(0);
        expect(lpSeek(pack.bytes, BASE, -model.length - 1)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  test('a string is found however long its length is written, at every second entry too', () => {
    // "k" "ab" with a length of 12 bits, "ab" of 6 bits, 300 as an integer, "" , "ab" of 32 bits
    const entries = '816b02 e002616204 82616203 c12c02 8001 f002000000616207';
    const bytes = Buffer.from(`000000000600${entries.replaceAll(' ', '')}ff`, 'hex');
    bytes.writeUInt32LE(bytes.length);
    expect(lpValid(bytes, 0, bytes.length, true)).toBe(true);
    const find = (text: string, at: number, skip: number) =>
      lpFind(bytes, 0, at, Buffer.from(` ${text}`), 1, text.length, skip);
    expect([find('ab', 6, 0), find('ab', 14, 0), find('ab', 18, 0)]).toEqual([9, 14, 23]);
    expect([find('ab', 6, 1), find('ab', 9, 1), find('ab', 18, 1)]).toEqual([14, 9, 23]);
    expect([find('k', 6, 0), find('', 6, 0), find('', 6, 1)]).toEqual([6, 21, 21]);
    expect([find('300', 6, 0), find('300', 6, 1), find('kk', 6, 0)]).toEqual([18, 0, 0]);
    expect([find('aa', 6, 0), find('bb', 6, 0), find('x'.repeat(70), 6, 1)]).toEqual([0, 0, 0]);
  });

  test('integers written as numbers are what their text would be', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (number) => {
        const a = new Pack();
        const b = new Pack();
        a.insert(0, Buffer.from(`${number}`));
        lpInsertInteger(b.bytes, BASE, LP_EMPTY_BYTES - 1, number);
        expect(lpIntegerBytes(number)).toBe(lpEntryLength(b.bytes, BASE + 6));
        expect(Buffer.from(b.bytes).equals(Buffer.from(a.bytes))).toBe(true);
        lpGet(b.bytes, BASE, 6);
        expect(lpElement.number).toBe(number);
      }),
    );
  });

  test('the bytes are those of Redis: a list dumped by 7.0.15', () => {
    // RPUSH l a 1 bb -4097 ccc 70000 d 9223372036854775807 e <70 x>; the listpack in its DUMP.
    const words = ['a', '1', 'bb', '-4097', 'ccc', '70000', 'd', '9223372036854775807', 'e'];
    const pack = new Pack();
    for (const word of [...words, 'x'.repeat(70)]) pack.insert(1e6, Buffer.from(word));
    const expected =
      '770000000a00816102010182626203f1ffef038363636304f270110104816402f4ffffffffffffff7f09816502' +
      `e046${'78'.repeat(70)}48ff`;
    const length = lpBytes(pack.bytes, BASE);
    expect(Buffer.from(pack.bytes.slice(BASE, BASE + length)).toString('hex')).toBe(expected);
  });

  test('bytes that lie are refused, whatever is flipped', () => {
    const pack = new Pack();
    for (const word of ['one', '2', '-300', 'x'.repeat(100), '70000']) {
      pack.insert(1e6, Buffer.from(word));
    }
    const length = lpBytes(pack.bytes, BASE);
    for (let i = 0; i < length; i++) {
      for (let bit = 0; bit < 8; bit++) {
        const bad = pack.bytes.slice(BASE, BASE + length);
        bad[i] = bad[i]! ^ (1 << bit);
        if (!lpValid(bad, 0, length, true)) continue;
        let walked = 0;
        for (let at = lpFirst(bad, 0); at !== 0; at = lpNext(bad, 0, at)) walked++;
        expect(walked).toBe(5);
      }
    }
    expect(lpValid(pack.bytes, BASE, length - 1, true)).toBe(false);
  });
});
