/** Damage to the payload of one value: what it may come to, and what must never be left behind. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { dumpPayload, PayloadRestorer } from '../../../src/persistence/rdb/rdb-dump.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { latin1 } from './rdb-support.ts';

/** Bytes that are changed, by place and new value, and how much is cut off. */
export interface Damage {
  readonly changes: readonly (readonly [number, number])[];
  readonly cut: number;
}

export const damage: fc.Arbitrary<Damage> = fc.record({
  changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 4 }),
  cut: fc.nat(40),
});

const VERSION_AND_CHECKSUM = 10;
/** Half of the payloads are not cut. */
const CUT_FROM = 20;
const COPY = latin1('copy');

/**
 * Dumps the entry at `address`, damages the payload and restores it under another name: that gives
 * a value, at which `look` looks, or an error; afterwards the memory in use is what it was.
 */
export function expectNoHarm(
  keyspace: Keyspace,
  address: number,
  version: 9 | 10 | 11,
  { changes, cut }: Damage,
  look: (key: Buffer) => void = () => {},
): void {
  const db = keyspace.databases[0]!;
  const payload = dumpPayload(keyspace, address, version, true).slice();
  for (const [at, value] of changes) {
    payload[at % (payload.length - VERSION_AND_CHECKSUM)] = value;
  }
  const length = Math.max(VERSION_AND_CHECKSUM + 1, payload.length - (cut < CUT_FROM ? 0 : cut));
  const before = keyspace.arena.usedBytes;
  const result = new PayloadRestorer(keyspace).restore(
    db,
    COPY,
    0,
    COPY.length,
    payload,
    0,
    length,
  );
  if (typeof result !== 'number') expect(result).toBeInstanceOf(RdbError);
  else if (result !== 0) {
    look(COPY);
    keyspace.remove(db, keyspace.peek(db, COPY, 0, COPY.length));
  }
  while (keyspace.freeSlice(1000));
  expect(keyspace.arena.usedBytes).toBe(before);
}
