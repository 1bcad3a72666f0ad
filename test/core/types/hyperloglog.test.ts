/** HyperLogLogs: both forms against plain registers, runs, estimates, and damaged values. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cardinality,
  HLL_CHANGED,
  HLL_CORRUPT,
  HllRegisters,
  hllAdd,
  hllCached,
  hllChange,
  hllCount,
  hllCountOf,
  hllCreate,
  hllInvalidate,
  hllIsDense,
  hllIsValid,
  hllMerge,
  hllOpen,
  hllRaise,
  hllToDense,
} from '../../../src/core/types/hyperloglog.ts';
import { DENSE_BYTES } from '../../../src/core/types/hyperloglog-dense.ts';
import { hashed, hllHash } from '../../../src/core/types/hyperloglog-estimate.ts';
import { hllSelfTest } from '../../../src/core/types/hyperloglog-self-test.ts';
import { HLL_REGISTERS, sparseText } from '../../../src/core/types/hyperloglog-sparse.ts';
import { stringSet, stringView } from '../../../src/core/types/string.ts';
import { ByteView } from '../../../src/core/value.ts';
import { bytesOf, Fixture } from './samples.ts';

const SPARSE_MAX = 3000;
const view = new ByteView();

/** A HyperLogLog under the fixture's key, and the registers that it should have. */
class Harness extends Fixture {
  readonly registers = new HllRegisters();
  address = hllCreate(this.keyspace, this.db, this.key, 0, this.key.length);

  raise(register: number, count: number, bytesMax: number): void {
    const { db, keyspace } = this;
    const registers = this.registers.bytes;
    this.address = hllRaise(keyspace, db, this.address, register, count, bytesMax);
    const isNew = count > registers[register]!;
    if (isNew !== (hllChange.outcome === HLL_CHANGED)) throw new Error(`${register} ${count}`);
    if (isNew) registers[register] = count;
    if (this.find() !== this.address) throw new Error('not the address of the key');
  }

  store(value: Buffer): void {
    const { db, key, keyspace } = this;
    const existing = this.find();
    stringSet(keyspace, db, key, 0, key.length, existing, value, 0, value.length, false);
    this.address = hllOpen(keyspace, db, this.find());
  }

  /** The registers that the value holds, or null when it is corrupt. */
  held(): Uint8Array | null {
    const found = new HllRegisters();
    return hllMerge(this.keyspace, this.address, found) ? found.bytes : null;
  }

  /** Whether the value holds the registers that it should. */
  get isHeld(): boolean {
    return Buffer.from(this.held() ?? []).equals(this.registers.bytes);
  }

  count(): number {
    expect(hllCount(this.keyspace, this.address)).toBe(true);
    return cardinality.high * 2 ** 32 + (cardinality.low >>> 0);
  }

  get value(): Buffer {
    stringView(this.keyspace, this.address, view);
    return Buffer.from(view.bytes.subarray(view.offset, view.offset + view.length));
  }

  get decoded(): string {
    stringView(this.keyspace, this.address, view);
    return sparseText(view.bytes, view.offset, view.length);
  }
}

const near = fc.integer({ min: 0, max: 90 });
const registerOf = fc.oneof(near, fc.integer({ min: 0, max: HLL_REGISTERS - 1 }));
const countOf = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 51 }));
const raises = fc.array(fc.tuple(registerOf, countOf), { maxLength: 400 });

describe('HyperLogLogs', () => {
  it('hold what their registers were raised to, in either form', () => {
    fc.assert(
      fc.property(raises, fc.constantFrom(18, 40, 200, SPARSE_MAX), (steps, bytesMax) => {
        const one = new Harness();
        for (const [register, count] of steps) one.raise(register, count, bytesMax);
        expect(one.isHeld).toBe(true);
        const isDense = hllIsDense(one.keyspace, one.address);
        expect(one.value.length).toBeLessThanOrEqual(isDense ? DENSE_BYTES : bytesMax);
        const before = one.count();
        one.address = hllToDense(one.keyspace, one.db, one.address);
        expect(one.value).toHaveLength(DENSE_BYTES);
        expect(one.isHeld).toBe(true);
        expect(one.count()).toBe(before);
        hllCountOf(one.registers);
        expect(cardinality.low).toBe(before);
      }),
      { numRuns: 60 },
    );
  });

  it('cut and join runs', () => {
    const one = new Harness();
    expect(one.decoded).toBe('Z:16384');
    one.raise(9000, 3, SPARSE_MAX);
    expect(one.decoded).toBe('Z:9000 v:3,1 Z:7383');
    one.raise(9002, 3, SPARSE_MAX);
    one.raise(9001, 3, SPARSE_MAX);
    expect(one.decoded).toBe('Z:9000 v:3,3 Z:7381');
    one.raise(9001, 5, SPARSE_MAX);
    expect(one.decoded).toBe('Z:9000 v:3,1 v:5,1 v:3,1 Z:7381');
    one.raise(0, 1, SPARSE_MAX);
    one.raise(16_383, 32, SPARSE_MAX);
    expect(one.decoded).toBe('v:1,1 Z:8999 v:3,1 v:5,1 v:3,1 Z:7380 v:32,1');
    one.raise(64, 1, SPARSE_MAX);
    expect(one.decoded).toMatch(/^v:1,1 z:63 v:1,1 Z:8935 /);
    one.raise(64, 33, SPARSE_MAX);
    expect(hllIsDense(one.keyspace, one.address)).toBe(true);
  });

  it('keep an estimate until a register changes', () => {
    const one = new Harness();
    expect(one.value.toString('latin1')).toBe(`HYLL\x01${'\0'.repeat(11)}\x7f\xff`);
    expect(hllCached(one.keyspace, one.address)).toBe(true);
    one.raise(5, 1, SPARSE_MAX);
    expect(hllCached(one.keyspace, one.address)).toBe(false);
    expect(one.count()).toBe(1);
    expect(hllCached(one.keyspace, one.address)).toBe(true);
    one.raise(5, 1, SPARSE_MAX);
    expect(hllCached(one.keyspace, one.address)).toBe(true);
    hllInvalidate(one.keyspace, one.address);
    expect(hllCached(one.keyspace, one.address)).toBe(false);
  });

  it('find the register of an element, and a count within 51', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (element) => {
        hllHash(element, 0, element.length);
        expect(hashed.register).toBeLessThan(HLL_REGISTERS);
        expect(hashed.count).toBeGreaterThanOrEqual(1);
        expect(hashed.count).toBeLessThanOrEqual(51);
      }),
    );
  });

  it('estimate within four standard errors', () => {
    const one = new Harness();
    for (let i = 1; i <= 30_000; i++) {
      const element = bytesOf(`element ${i}`);
      const { address, db, keyspace } = one;
      one.address = hllAdd(keyspace, db, address, element, 0, element.length, SPARSE_MAX);
      if (i % 5000 !== 0 && i !== 100) continue;
      expect(Math.abs(one.count() - i)).toBeLessThanOrEqual(i * 0.0325);
    }
  });

  it('pass their own test', () => {
    const { keyspace } = new Fixture();
    expect(hllSelfTest(keyspace.random)).toBeUndefined();
  });
});

describe('damaged HyperLogLogs', () => {
  const head = (encoding: number): string =>
    `HYLL${String.fromCharCode(encoding)}${'\0'.repeat(11)}`;

  it.each([
    ['too short', 'HYLL\x01', false],
    ['another magic', `hyll\x01${'\0'.repeat(11)}\x7f\xff`, false],
    ['an unknown form', `${head(2)}\x7f\xff`, false],
    ['a dense one that is short', head(0) + '\0'.repeat(12_287), false],
    ['a number', '12345', false],
    ['a dense one', head(0) + '\0'.repeat(12_288), true],
    ['a sparse one', `${head(1)}\x7f\xff`, true],
    ['a sparse one that is corrupt', head(1), true],
  ])('are told from whole ones by their heads: %s', (_, text, isValid) => {
    const { db, key, keyspace } = new Fixture();
    const value = bytesOf(text);
    const at = stringSet(keyspace, db, key, 0, key.length, 0, value, 0, value.length, false);
    expect(hllIsValid(keyspace, at)).toBe(isValid);
  });

  it.each([
    ['nothing', ''],
    ['too few registers', '\x7f\xfe'],
    ['one too many', '\x7f\xff\x00'],
    ['a value too many', '\x7f\xff\x80'],
    ['half an opcode', '\x3f\x7f'],
  ])('are corrupt: %s', (_, opcodes) => {
    const one = new Harness();
    one.store(bytesOf(head(1) + opcodes));
    expect(one.held()).toBeNull();
    expect(hllCount(one.keyspace, one.address)).toBe(false);
    expect(hllToDense(one.keyspace, one.db, one.address)).toBe(0);
    const before = one.value;
    one.address = hllRaise(one.keyspace, one.db, one.address, 5, 60, SPARSE_MAX);
    expect(hllChange.outcome).toBe(HLL_CORRUPT);
    expect(one.value).toEqual(before);
  });

  it('never make anything go wrong beside them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), raises, (opcodes, steps) => {
        const one = new Harness();
        one.store(Buffer.concat([bytesOf(head(1)), opcodes]));
        const { db, keyspace } = one;
        for (const [register, count] of steps) {
          one.address = hllRaise(keyspace, db, one.address, register, count, 100);
          if (one.find() !== one.address) throw new Error('not the address of the key');
        }
        const whole = one.held() !== null;
        expect(hllCount(keyspace, one.address)).toBe(whole);
        expect(hllToDense(keyspace, db, one.address) !== 0).toBe(whole);
      }),
      { numRuns: 100 },
    );
  });
});
