/** Integers counted up in hashes against a Map, in both encodings and past small limits. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ElementView } from '../../../src/core/types/element-view.ts';
import {
  hashCreate,
  hashFind,
  hashGet,
  hashIsLarge,
  hashSet,
} from '../../../src/core/types/hash.ts';
import { hashNumber, hashSetNumber } from '../../../src/core/types/hash-number.ts';
import { bytesOf, Fixture, textOf } from './samples.ts';

const safe = fc.oneof(
  fc.integer({ min: -200, max: 200 }),
  fc.integer({ min: -40_000, max: 40_000 }),
  fc.maxSafeInteger(),
);
const name = fc.constantFrom('a', 'b', 'field', '7', 'f'.repeat(40));

class Harness extends Fixture {
  readonly model = new Map<string, string>();

  set(field: string, value: string): void {
    const { db, key, keyspace } = this;
    const [f, v] = [bytesOf(field), bytesOf(value)];
    const address = this.find() || hashCreate(keyspace, db, key, 0, key.length, 10);
    hashSet(keyspace, db, address, f, 0, f.length, v, 0, v.length);
    this.model.set(field, value);
  }

  /** Writes a number over a field that there is. Whether that went by its ref. */
  count(field: string, value: number): boolean {
    const { db, keyspace } = this;
    const address = this.find();
    const f = bytesOf(field);
    const ref = address === 0 ? 0 : hashFind(keyspace, address, f, 0, f.length);
    expect(ref !== 0).toBe(this.model.has(field));
    if (ref === 0) return false;
    const old = hashNumber(keyspace, address, ref);
    const text = this.model.get(field)!;
    expect(old).toBe(/^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN);
    const done = hashSetNumber(keyspace, db, address, ref, f.length, value);
    if (done) this.model.set(field, `${value}`);
    return done;
  }

  check(): void {
    const view = new ElementView();
    for (const [field, value] of this.model) {
      const f = bytesOf(field);
      expect(hashGet(this.keyspace, this.find(), f, 0, f.length, view)).toBe(true);
      expect(textOf(view)).toBe(value);
    }
  }
}

test('numbers are what a Map says', () => {
  const step = fc.oneof(
    fc.record({ field: name, text: fc.oneof(safe.map(String), fc.constantFrom('x', '1.5', '')) }),
    fc.record({ field: name, value: safe }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, large) => {
      const hash = new Harness();
      if (large) hash.keyspace.limits.hashMaxListpackEntries = 0;
      for (const one of steps) {
        if ('text' in one) hash.set(one.field, one.text);
        else hash.count(one.field, one.value);
      }
      hash.check();
    }),
    { numRuns: 300, seed: 20261128 },
  );
});

test('what asks for a table is refused', () => {
  const hash = new Harness();
  hash.set('a', '1');
  hash.set('bbbb', '2');
  const { limits } = hash.keyspace;
  limits.hashMaxListpackValue = 3;
  expect(hash.count('a', 999)).toBe(true);
  expect(hash.count('a', 1000)).toBe(false);
  expect(hash.count('bbbb', 3)).toBe(false);
  limits.hashMaxListpackValue = 64;
  limits.hashMaxListpackEntries = 1;
  expect(hash.count('a', 5)).toBe(false);
  hash.check();
  expect(hashIsLarge(hash.keyspace, hash.find())).toBe(false);
});
