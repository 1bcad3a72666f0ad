/** Looking ahead changes nothing, and the hashes that it knows are those of the keys. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Keyspace } from '../../src/core/keyspace.ts';
import { ParsedAhead } from '../../src/core/resp/parsed-ahead.ts';
import { stringSet } from '../../src/core/types/string.ts';

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
        keyspace.ahead.known.forget();
        expect(db.dict.hash(text, 0, 3)).toBe(db.dict.hash(Buffer.from('GET'), 0, 3));
      },
    ),
    { numRuns: 300, seed: 20261128 },
  );
});

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
