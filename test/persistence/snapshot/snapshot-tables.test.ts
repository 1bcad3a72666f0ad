/**
 * Large hashes and sets in a snapshot: written in parts, each as it was, whatever changes
 * meanwhile.
 */
import { describe, expect, it } from 'vitest';
import type { Database } from '../../../src/core/database.ts';
import { hashCreate, hashDelete, hashLength, hashSet } from '../../../src/core/types/hash.ts';
import { HashCursor } from '../../../src/core/types/hash-cursor.ts';
import type { HashTable } from '../../../src/core/types/hash-table.ts';
import { setAdd, setCreate, setLength, setRemove } from '../../../src/core/types/set.ts';
import { ENC_HASHTABLE, encodingOf, TYPE_HASH, TYPE_SET, typeOf } from '../../../src/core/value.ts';
import { PARTS_ENTRIES_MIN } from '../../../src/persistence/rdb/rdb-parts.ts';
import { latin1, makeKeyspace } from '../rdb/rdb-support.ts';
import { HandSnapshot } from './snapshot-support.ts';
import { cameraFor, itHoldsWhatWas, World } from './snapshot-world.ts';

const KEYS = Array.from({ length: 7 }, (_, i) => latin1(`key:${i}`));

/** Large tables, and changes to their fields. */
class TableWorld extends World {
  #name(): Buffer {
    return latin1(`field:${this.random.between(0, 4000)}`);
  }

  protected create(db: Database, key: Uint8Array): number {
    const { keyspace, random } = this;
    const isHash = random.chance(0.6);
    let at = isHash
      ? hashCreate(keyspace, db, key, 0, key.length, 10)
      : setCreate(keyspace, db, key, 0, key.length, latin1('first'), 0, 5, 0);
    const count = random.pick([3, 600, PARTS_ENTRIES_MIN, 1500, 3000]);
    for (let i = 0; i < count; i++) at = this.#grow(db, at);
    return at;
  }

  #grow(db: Database, at: number): number {
    const { keyspace } = this;
    const name = this.#name();
    if (typeOf(keyspace.arena, at) === TYPE_SET) {
      return setAdd(keyspace, db, at, name, 0, name.length);
    }
    const value = latin1('x'.repeat(this.random.pick([1, 8, 30, 200])));
    return hashSet(keyspace, db, at, name, 0, name.length, value, 0, value.length);
  }

  #shrink(db: Database, at: number): void {
    const { keyspace } = this;
    const name = this.#name();
    if (typeOf(keyspace.arena, at) === TYPE_SET) setRemove(keyspace, db, at, name, 0, name.length);
    else hashDelete(keyspace, db, at, name, 0, name.length);
  }

  protected changeValue(db: Database, address: number): void {
    const random = this.random;
    const count = random.pick([1, 5, 50, 2000]);
    const isGrowth = random.chance(0.5);
    let at = address;
    for (let i = 0; i < count; i++) {
      if (isGrowth) at = this.#grow(db, at);
      else this.#shrink(db, at);
    }
    // A collection without elements is no key.
    if (this.#lengthOf(at) === 0) this.keyspace.remove(db, at);
  }

  #lengthOf(at: number): number {
    const { keyspace } = this;
    const isSet = typeOf(keyspace.arena, at) === TYPE_SET;
    return isSet ? setLength(keyspace, at) : hashLength(keyspace, at);
  }
}

const hashCursor = new HashCursor();

/** The elements of a table, sorted; of a set that is none, its bytes. */
const camera = cameraFor((keyspace, address) => {
  const type = typeOf(keyspace.arena, address);
  const found: string[] = [];
  if (type === TYPE_HASH) {
    hashCursor.start(keyspace, address);
    while (hashCursor.next()) {
      const { field, value } = hashCursor;
      const name = field.bytes.slice(field.offset, field.offset + field.length);
      found.push(`${Buffer.from(name).toString('latin1')}=${value.length}`);
    }
  } else if (encodingOf(keyspace.arena, address) === ENC_HASHTABLE) {
    hashCursor.start(keyspace, address);
    while (hashCursor.next()) {
      const { field } = hashCursor;
      found.push(
        Buffer.from(field.bytes.slice(field.offset, field.offset + field.length)).toString(),
      );
    }
  } else {
    found.push(
      Buffer.from(
        keyspace.arena
          .bytes(address)
          .slice(
            keyspace.valueOffset(address),
            keyspace.valueOffset(address) + keyspace.valueLength(address),
          ),
      ).toString('latin1'),
    );
  }
  return `${type} ${found.sort().join(' ')}`;
});

describe('large tables in a snapshot', () => {
  itHoldsWhatWas({
    world: (seed) => new TableWorld(seed, KEYS),
    camera,
    partsMax: 40,
    movesMax: 40,
    kept: { numRuns: 60 },
    dropped: { numRuns: 25 },
  });

  it('cost a change a part of them, not all', () => {
    const keyspace = makeKeyspace(1);
    const db = keyspace.databases[0]!;
    const key = latin1('large');
    let at = hashCreate(keyspace, db, key, 0, 5, 10);
    const set = (i: number): void => {
      const name = latin1(`field:${i}`);
      at = hashSet(keyspace, db, at, name, 0, name.length, name, 0, name.length);
    };
    for (let i = 0; i < 100_000; i++) set(i);
    const truth = camera.of(keyspace);
    const snapshot = new HandSnapshot(keyspace);
    at = keyspace.lookupWrite(db, key, 0, 5);
    set(7);
    set(200_000);
    expect(snapshot.walker.doorKeys).toBe(1);
    expect(snapshot.queue.copiedBytes).toBe(0);
    snapshot.walk(1000);
    set(9);
    expect(snapshot.walker.isDone).toBe(false);
    expect(camera.in(snapshot.finish())).toEqual(truth);
  });

  it('are changed as before when it is over, written or given up', () => {
    const keyspace = makeKeyspace(1);
    const db = keyspace.databases[0]!;
    const key = latin1('large');
    let at = hashCreate(keyspace, db, key, 0, 5, 10);
    for (let i = 0; i < 10_000; i++) {
      const name = latin1(`field:${i}`);
      at = hashSet(keyspace, db, at, name, 0, name.length, name, 0, name.length);
    }
    const table = keyspace.largeOf(at) as HashTable;
    for (const isWritten of [true, false]) {
      const snapshot = new HandSnapshot(keyspace);
      snapshot.walk(3);
      expect(table.door).not.toBeNull();
      if (isWritten) snapshot.finish();
      else snapshot.abort();
      expect(table.door).toBeNull();
    }
  });
});
