/** What the tests of large values in an RDB share: how they come, are shown, and break off. */
import { expect, it } from 'vitest';
import { Digest } from '../../../src/core/digest.ts';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { encodingName, encodingOf } from '../../../src/core/value.ts';
import { PayloadRestorer } from '../../../src/persistence/rdb/rdb-dump.ts';
import type { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { digestValue } from '../../../src/server/commands/value-digests.ts';
import { entriesOf, fileReader, latin1, loadInto, makeKeyspace, usedBytes } from './rdb-support.ts';

/** The arena grows by so many bytes, for whatever it holds. */
export const CHUNK_BYTES = 1 << 22;

/** Loads all that the reader has in the smallest steps: how many there were. */
export function stepsToLoad(keyspace: Keyspace, reader: RdbReader): number {
  const load = loadInto(keyspace, reader);
  let [now, steps] = [0, 1];
  while (!load.step(1, () => ++now)) steps++;
  return steps;
}

/** Loads the first half of a file from a link, and removes what came of the key `k`. */
export function breakInTheMiddle(keyspace: Keyspace, file: Uint8Array): void {
  const reader = RdbReader.fed();
  const load = loadInto(keyspace, reader);
  reader.feed(file.subarray(0, file.length / 2));
  let now = 0;
  while (!load.isHungry) load.step(1, () => ++now);
  const db = keyspace.databases[0]!;
  keyspace.remove(db, keyspace.peek(db, latin1('k'), 0, 1));
}

/** There is no key, nor half as many bytes in use as the value would have had. */
export function expectNothingStays(keyspace: Keyspace, valueBytes: number): void {
  expect([...entriesOf(keyspace)]).toEqual([]);
  expect(usedBytes(keyspace)).toBeLessThan(valueBytes / 2);
}

/** Two tests of a file with one value of so many bytes: it comes by pieces, half of it is none. */
export function itComesByPieces(file: Uint8Array, valueBytes: number): void {
  it('comes from a file in many steps', () => {
    expect(stepsToLoad(makeKeyspace(), fileReader(file))).toBeGreaterThan(2);
  });

  it('leaves nothing behind when the link breaks in the middle of it', () => {
    const keyspace = makeKeyspace();
    breakInTheMiddle(keyspace, file);
    expectNothingStays(keyspace, valueBytes);
  });
}

/** RESTORE of a value, its type byte before it, under the key `k`: its address, or the error. */
export function restored(keyspace: Keyspace, value: string): number | RdbError {
  const payload = latin1(`${value}\x0b\0\0\0\0\0\0\0\0\0`);
  const db = keyspace.databases[0]!;
  return new PayloadRestorer(keyspace).restore(db, latin1('k'), 0, 1, payload, 0, payload.length);
}

/** Encoding of the key `k`, and a digest of its elements: without order where they have none. */
export function shownValue(keyspace: Keyspace): string {
  const { address } = [...entriesOf(keyspace)].find(({ key }) => key === 'k')!;
  const digest = new Digest();
  digestValue(keyspace, address, digest);
  const name = encodingName(encodingOf(keyspace.arena, address));
  return `${name} ${Buffer.from(digest.bytes).toString('hex')}`;
}
