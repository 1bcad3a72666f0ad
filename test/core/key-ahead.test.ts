/** Looking ahead changes nothing, and the hashes that it knows are those of the keys. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Keyspace } from '../../src/core/keyspace.ts';
import { Args } from '../../src/core/resp/args.ts';
import { ParsedAhead } from '../../src/core/resp/parsed-ahead.ts';
import { stringSet, stringView } from '../../src/core/types/string.ts';
import { ByteView } from '../../src/core/value.ts';

const events = { expired: () => {} };

test('keys that were looked at ahead are found as ever', () => {
  const key = fc.oneof(fc.integer({ min: 0, max: 60 }).map(String), fc.string({ maxLength: 40 }));
  fc.assert(
    fc.property(
      fc.array(key, { maxLength: 300 }),
      fc.array(key, { maxLength: 16 }),
      (has, asks) => {
        const seed = { seed0: 7, seed1: 8 };
        const keyspace = new Keyspace({ databases: 1, seed, random: () => 1, events });
        const db = keyspace.databases[0]!;
        for (const one of has) {
          const bytes = Buffer.from(one);
          const existing = keyspace.lookupWrite(db, bytes, 0, bytes.length);
          stringSet(keyspace, db, bytes, 0, bytes.length, existing, bytes, 0, bytes.length, false);
        }
        const batch = new ParsedAhead();
        const text = Buffer.from(`GET${asks.join('')}`);
        let at = 3;
        for (const one of asks) {
          const args = batch.args[batch.count++]!;
          const length = Buffer.byteLength(one);
          args.clear();
          args.push(text, 0, 3);
          args.push(text, at, length);
          at += length;
        }
        const plain = asks.map((one) => db.dict.hash(Buffer.from(one), 0, Buffer.byteLength(one)));
        keyspace.ahead.look(
          asks.map(() => db.dict),
          batch,
        );
        for (let i = 0; i < batch.count; i++) {
          keyspace.ahead.expect(batch, i);
          const { bytes, lengths, offsets } = batch.args[i]!;
          expect(keyspace.ahead.known.hash).toBe(plain[i]);
          const found = keyspace.peek(db, bytes[1]!, offsets[1]!, lengths[1]!);
          expect(found !== 0).toBe(has.includes(asks[i]!));
        }
        keyspace.ahead.done();
        expect(db.dict.hash(text, 0, 3)).toBe(db.dict.hash(Buffer.from('GET'), 0, 3));
      },
    ),
    { numRuns: 300, seed: 20261128 },
  );
});

/** A step of a batch: what is done to which key. */
const step = fc.record({
  key: fc.integer({ min: 0, max: 8 }).map((i) => `key:${i}`),
  act: fc.constantFrom('read', 'set', 'remove', 'expire', 'persist', 'rename', 'flush', 'swap'),
  length: fc.constantFrom(3, 16, 40),
});

test('what was found ahead is found no more when a command before has moved or removed it', () => {
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 16 }), { maxLength: 12 }), (batches) => {
      const seed = { seed0: 7, seed1: 8 };
      const keyspace = new Keyspace({ databases: 2, seed, random: () => 1, events });
      let models = [new Map<string, string>(), new Map<string, string>()] as const;
      for (const steps of batches) {
        const batch = new ParsedAhead();
        const text = Buffer.from(`DO${steps.map(({ key }) => key).join('')}`);
        let end = 2;
        for (const { key } of steps) {
          const args = batch.args[batch.count++]!;
          args.push(text, 0, 2);
          args.push(text, end, key.length);
          end += key.length;
        }
        const { dict } = keyspace.databases[0]!;
        keyspace.ahead.look(
          steps.map(() => dict),
          batch,
        );
        for (const [i, { act, key, length }] of steps.entries()) {
          keyspace.ahead.expect(batch, i);
          const db = keyspace.databases[0]!;
          const at = batch.args[i]!.offsets[1]!;
          const found = keyspace.lookupWrite(db, text, at, key.length);
          const known = models[0].get(key);
          expect(found === 0 ? undefined : textOf(keyspace, found)).toBe(known);
          if (act === 'set') {
            const value = `${key.slice(4)}:`.padEnd(length, 'x');
            const bytes = Buffer.from(value);
            stringSet(keyspace, db, text, at, key.length, found, bytes, 0, length, false);
            models[0].set(key, value);
          } else if (act === 'flush') {
            keyspace.flush(0);
            while (keyspace.freeSlice(100));
            models[0].clear();
          } else if (act === 'swap') {
            keyspace.swap(0, 1);
            models = [models[1], models[0]];
          } else if (found !== 0 && act === 'remove') {
            keyspace.remove(db, found);
            models[0].delete(key);
          } else if (found !== 0 && act === 'expire') keyspace.setExpiry(db, found, 1e15);
          else if (found !== 0 && act === 'persist') keyspace.clearExpiry(db, found);
          else if (known !== undefined && act === 'rename' && !models[0].has('key:0')) {
            keyspace.rename(db, found, db, Buffer.from('key:0'), 0, 5);
            models[0].delete(key);
            models[0].set('key:0', known);
          }
        }
        keyspace.ahead.done();
      }
    }),
    { numRuns: 1000, seed: 20261129 },
  );
});

function textOf(keyspace: Keyspace, address: number): string {
  const view = new ByteView();
  stringView(keyspace, address, view);
  return Buffer.from(view.bytes.slice(view.offset, view.offset + view.length)).toString();
}

test('a command without a key looks for nothing, whatever stands beside it', () => {
  const seed = { seed0: 7, seed1: 8 };
  const keyspace = new Keyspace({ databases: 1, seed, random: () => 1, events });
  const { dict } = keyspace.databases[0]!;
  const text = Buffer.from('PINGGETkey');
  const batch = new ParsedAhead();
  batch.count = 1;
  batch.args[0]!.push(text, 0, 4);
  keyspace.ahead.look([dict], batch);
  batch.count = 2;
  batch.args[1]!.push(text, 4, 3);
  batch.args[1]!.push(text, 7, 3);
  keyspace.ahead.look([dict, dict], batch);
  const { known } = keyspace.ahead;
  keyspace.ahead.expect(batch, 0);
  expect(known.offset).toBe(-1);
  keyspace.ahead.expect(batch, 1);
  expect([known.offset, known.hash]).toEqual([7, dict.hash(Buffer.from('key'), 0, 3)]);
});

test('the many keys of one command are known one after the other, and then forgotten', () => {
  const seed = { seed0: 7, seed1: 8 };
  const keyspace = new Keyspace({ databases: 1, seed, random: () => 1, events });
  const db = keyspace.databases[0]!;
  const { ahead } = keyspace;
  const set = (bytes: Uint8Array, offset: number, length: number): void => {
    const existing = keyspace.lookupWrite(db, bytes, offset, length);
    stringSet(keyspace, db, bytes, offset, length, existing, bytes, offset, length, false);
  };
  for (let i = 0; i < 6000; i++) {
    const key = Buffer.from(`key:${i}`);
    set(key, 0, key.length);
  }
  for (const step of [1, 2]) {
    const args = new Args();
    const keys = Array.from({ length: 41 }, (_, i) => `key:${(i * 797) % 9000}`);
    const text = Buffer.from(`CALL${keys.join('')}`);
    args.push(text, 0, 4);
    let at = 4;
    for (const key of keys) {
      args.push(text, at, key.length);
      at += key.length;
    }
    let known = 0;
    for (let k = 1, seen = 1; k < args.count; k += step) {
      if (k === seen) seen = ahead.lookKeys(db.dict, args, k, step);
      expect(seen).toBeGreaterThan(k);
      ahead.expectKey(args, k);
      const key = Buffer.from(keys[k - 1]!);
      const hash = db.dict.hash(key, 0, key.length);
      if (ahead.known.offset === args.offsets[k] && ahead.known.hash === hash) known++;
      const { bytes, lengths, offsets } = args;
      expect(db.dict.hash(bytes[k]!, offsets[k]!, lengths[k]!)).toBe(hash);
      set(bytes[k]!, offsets[k]!, lengths[k]!);
    }
    ahead.known.forget();
    // A last one that stands alone in its group is not worth a look ahead.
    expect(known).toBeGreaterThanOrEqual(Math.ceil(41 / step) - 1);
    expect(keys.every((key) => db.dict.find(Buffer.from(key), 0, key.length) !== 0)).toBe(true);
    expect(db.dict.hash(text, 4, 5)).toBe(db.dict.hash(Buffer.from(text.subarray(4, 9)), 0, 5));
  }
});
