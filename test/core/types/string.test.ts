/** Strings against a plain model: every way to store and change one, in every encoding and size. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Keyspace } from '../../../src/core/keyspace.ts';
import { bitmapForWrite, bitmapGet, bitmapSet } from '../../../src/core/types/bitmap.ts';
import * as strings from '../../../src/core/types/string.ts';
import { ByteView, encodingName, encodingOf } from '../../../src/core/value.ts';

const INT64_MAX = 2n ** 63n - 1n;
const view = new ByteView();

/** One key of a keyspace, and what it should hold. */
class Harness {
  readonly keyspace = new Keyspace({
    databases: 1,
    seed: { seed0: 1, seed1: 2 },
    random: () => 0,
    events: { expired: () => {} },
  });
  readonly db = this.keyspace.databases[0]!;
  readonly key: Uint8Array;
  expected: Buffer | null = null;
  encoding = '';
  expiryMs = -1;

  constructor(keyLength: number) {
    this.key = new Uint8Array(keyLength).fill(107);
  }

  find(): number {
    return this.keyspace.lookupWrite(this.db, this.key, 0, this.key.length);
  }

  /** The arguments that every storing function begins with. */
  get target(): [Keyspace, typeof this.db, Uint8Array, number, number, number] {
    return [this.keyspace, this.db, this.key, 0, this.key.length, this.find()];
  }

  set(text: Buffer, keepExpiry: boolean): void {
    strings.stringSet(...this.target, text, 0, text.length, keepExpiry);
    if (!keepExpiry) this.expiryMs = -1;
    this.expected = Buffer.from(text);
    const isInteger = /^(0|-?[1-9]\d{0,18})$/.test(text.toString('latin1'));
    const value = isInteger ? BigInt(text.toString('latin1')) : INT64_MAX + 1n;
    const fits = value <= INT64_MAX && value >= -INT64_MAX - 1n;
    this.encoding = fits ? 'int' : text.length <= 44 ? 'embstr' : 'raw';
  }

  check(): void {
    const address = this.find();
    if (this.expected === null) {
      expect(address).toBe(0);
      return;
    }
    const { keyspace } = this;
    expect(encodingName(encodingOf(keyspace.arena, address))).toBe(this.encoding);
    expect(strings.stringLength(keyspace, address)).toBe(this.expected.length);
    strings.stringView(keyspace, address, view);
    const bytes = view.bytes.subarray(view.offset, view.offset + view.length);
    expect(this.expected.equals(bytes)).toBe(true);
    expect(keyspace.expiryOf(this.db, address)).toBe(this.expiryMs);
    this.checkNumber(address, this.expected.toString('latin1'));
  }

  private checkNumber(address: number, text: string): void {
    const exact = strings.stringInt64(this.keyspace, address);
    if (exact !== undefined) expect(exact.toString()).toBe(text);
    const number = strings.stringNumber(this.keyspace, address);
    expect(Number.isNaN(number)).toBe(exact === undefined);
    if (exact !== undefined) expect(number).toBe(Number(exact));
  }
}

const texts = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  fc.bigInt({ min: -INT64_MAX - 1n, max: INT64_MAX }).map((n) => Buffer.from(`${n}`)),
  fc.integer({ min: -20, max: 2000 }).map((n) => Buffer.from(`${n}`)),
  fc.constantFrom('', '-0', '01', '9223372036854775808', '+1').map((text) => Buffer.from(text)),
  fc.integer({ min: 65_400, max: 65_700 }).map((length) => Buffer.alloc(length, 'x')),
);

type Step = (harness: Harness) => void;

const set = fc.tuple(texts, fc.boolean()).map(
  ([text, keep]): Step =>
    (h) =>
      h.set(text, keep),
);

const append = texts.map(
  (text): Step =>
    (h) => {
      if (h.expected === null) return;
      strings.stringAppend(h.keyspace, h.db, h.find(), text, 0, text.length);
      h.expected = Buffer.concat([h.expected, text]);
      h.encoding = 'raw';
    },
);

const resize = fc.nat(400).map(
  (extra): Step =>
    (h) => {
      if (h.expected === null) return;
      const length = h.expected.length + extra;
      strings.stringResize(h.keyspace, h.db, h.find(), length, view);
      h.expected = Buffer.concat([h.expected, Buffer.alloc(extra)]);
      if (length > 0) {
        view.bytes[view.offset + length - 1] = 33;
        h.expected[length - 1] = 33;
      }
      h.encoding = 'raw';
    },
);

const setBit = fc.tuple(fc.nat(5000), fc.nat(1)).map(
  ([offset, bit]): Step =>
    (h) => {
      bitmapForWrite(...h.target, (offset >> 3) + 1, view);
      const before = h.expected ?? Buffer.alloc(0);
      h.expected = Buffer.concat([
        before,
        Buffer.alloc(Math.max(0, (offset >> 3) + 1 - before.length)),
      ]);
      const byte = h.expected[offset >> 3] ?? 0;
      const mask = 0x80 >> (offset & 7);
      expect(bitmapGet(view, offset)).toBe((byte & mask) === 0 ? 0 : 1);
      expect(bitmapGet(view, h.expected.length * 8)).toBe(0);
      bitmapSet(view, offset, bit);
      h.expected[offset >> 3] = bit === 1 ? byte | mask : byte & ~mask;
      h.encoding = 'raw';
    },
);

const number = fc
  .oneof(fc.bigInt({ min: -INT64_MAX - 1n, max: INT64_MAX }), fc.bigInt({ min: -50n, max: 50n }))
  .map(
    (value): Step =>
      (h) => {
        if (Number.isSafeInteger(Number(value)))
          strings.stringSetNumber(...h.target, Number(value));
        else strings.stringSetInt64(...h.target, value);
        h.expected = Buffer.from(`${value}`);
        h.encoding = 'int';
      },
  );

const text = texts.map(
  (value): Step =>
    (h) => {
      strings.stringSetText(...h.target, value);
      h.expected = value;
      h.encoding = value.length <= 44 ? 'embstr' : 'raw';
    },
);

const raw = texts.map(
  (value): Step =>
    (h) => {
      strings.stringSetRaw(...h.target, value, value.length);
      h.expected = value;
      h.encoding = 'raw';
      h.expiryMs = -1;
    },
);

const expire = fc.nat(1000).map(
  (atMs): Step =>
    (h) => {
      if (h.expected === null) return;
      h.keyspace.setExpiry(h.db, h.find(), atMs);
      h.expiryMs = atMs;
    },
);

const remove = fc.constant<Step>((h) => {
  if (h.expected === null) return;
  h.keyspace.remove(h.db, h.find());
  h.expected = null;
  h.expiryMs = -1;
});

describe('strings', () => {
  it('hold what was put into them, whatever was done before', () => {
    const steps = fc.array(
      fc.oneof(set, append, resize, setBit, number, text, raw, expire, remove),
      { minLength: 1, maxLength: 25 },
    );
    const keyLengths = fc.constantFrom(0, 1, 16, 70_000);
    fc.assert(
      fc.property(keyLengths, steps, (keyLength, list) => {
        const harness = new Harness(keyLength);
        const empty = harness.keyspace.arena.usedBytes;
        for (const step of list) {
          step(harness);
          harness.check();
        }
        if (harness.expected !== null) harness.keyspace.remove(harness.db, harness.find());
        expect(harness.keyspace.arena.usedBytes).toBe(empty);
      }),
      { numRuns: 400 },
    );
  });
});
