/**
 * Large zsets in a snapshot: written in parts, each as it was, whatever changes meanwhile, and in
 * an order that loads well.
 */
import { describe, expect, it } from 'vitest';
import type { Database } from '../../../src/core/database.ts';
import {
  ADD_INCR,
  zsetAdd,
  zsetCreate,
  zsetLength,
  zsetRemove,
  zsetRemoveRange,
} from '../../../src/core/types/zset.ts';
import type { LargeZset } from '../../../src/core/types/zset-large.ts';
import { ZsetCursor } from '../../../src/core/types/zset-view.ts';
import { PARTS_ENTRIES_MIN } from '../../../src/persistence/rdb/rdb-parts.ts';
import { fileReader, latin1, loaded, makeKeyspace } from '../rdb/rdb-support.ts';
import { HandSnapshot } from './snapshot-support.ts';
import { cameraFor, itHoldsWhatWas, World } from './snapshot-world.ts';

const KEYS = Array.from({ length: 6 }, (_, i) => latin1(`key:${i}`));

/** Large zsets, and changes to their members. */
class ZsetWorld extends World {
  #member(): Buffer {
    const random = this.random;
    if (random.chance(0.001)) return latin1('x'.repeat(random.pick([300, 70_000])));
    return latin1(`member:${random.between(0, 4000)}`);
  }

  /** Few scores, or many: with few, members decide. */
  #score(): number {
    const random = this.random;
    return random.chance(0.5) ? random.between(-3, 3) : random.next() * 100 - 50;
  }

  protected create(db: Database, key: Uint8Array): number {
    let at = zsetCreate(this.keyspace, db, key, 0, key.length, 10, 10);
    const count = this.random.pick([3, 600, PARTS_ENTRIES_MIN, 1500, 3000]);
    for (let i = 0; i < count; i++) at = this.#add(db, at, 0);
    return at;
  }

  #add(db: Database, at: number, flags: number): number {
    const member = this.#member();
    return zsetAdd(this.keyspace, db, at, member, 0, member.length, this.#score(), flags);
  }

  protected changeValue(db: Database, address: number): void {
    const { keyspace } = this;
    const random = this.random;
    const way = random.between(0, 3);
    let at = address;
    for (let i = random.pick([1, 5, 50, 1500]); i > 0 && zsetLength(keyspace, at) > 0; i--) {
      if (way === 0) at = this.#add(db, at, 0);
      else if (way === 1) at = this.#add(db, at, ADD_INCR);
      else if (way === 2) {
        const member = this.#member();
        const after = zsetRemove(keyspace, db, at, member, 0, member.length);
        if (after !== 0) at = after;
      } else {
        const length = zsetLength(keyspace, at);
        const rank = random.between(0, length - 1);
        const count = Math.min(length - rank, random.pick([1, 10, 400]));
        at = zsetRemoveRange(keyspace, db, at, rank, count);
        i -= count;
      }
    }
    if (zsetLength(keyspace, at) === 0) keyspace.remove(db, at);
  }
}

const cursor = new ZsetCursor();

/** The elements of a zset in order. */
const camera = cameraFor((keyspace, address) => {
  const found: string[] = [];
  cursor.start(keyspace, address);
  while (cursor.next()) {
    const { bytes, length, offset } = cursor.member;
    const name = Buffer.from(bytes.slice(offset, offset + length)).toString('latin1');
    found.push(`${name}=${cursor.score}`);
  }
  return found.join(' ');
});

/** A keyspace with a zset of `count` members at "large", and a change of one of them. */
function oneLarge(count: number, nameBytes = 0) {
  const keyspace = makeKeyspace(1);
  const db = keyspace.databases[0]!;
  const key = latin1('large');
  let at = zsetCreate(keyspace, db, key, 0, 5, 10, 10);
  const set = (i: number, score: number): void => {
    at = keyspace.lookupWrite(db, key, 0, 5) || at;
    const member = latin1(`member:${i}`.padEnd(nameBytes, '.'));
    at = zsetAdd(keyspace, db, at, member, 0, member.length, score, 0);
  };
  for (let i = 0; i < count; i++) set(i, (i * 7919) % count);
  const removeRange = (rank: number, length: number): void => {
    at = zsetRemoveRange(keyspace, db, keyspace.lookupWrite(db, key, 0, 5), rank, length);
  };
  return { keyspace, set, removeRange, large: keyspace.largeOf(at) as LargeZset };
}

describe('large zsets in a snapshot', () => {
  itHoldsWhatWas({
    world: (seed) => new ZsetWorld(seed, KEYS),
    camera,
    partsMax: 12,
    movesMax: 40,
    kept: { numRuns: 20 },
    dropped: { numRuns: 10 },
  });

  it('cost a change a part of them, not all', () => {
    const { keyspace, set, removeRange } = oneLarge(20_000);
    const truth = camera.of(keyspace);
    const snapshot = new HandSnapshot(keyspace);
    set(7, -1);
    set(200_000, 3);
    expect(snapshot.walker.doorKeys).toBe(1);
    expect(snapshot.queue.copiedBytes).toBe(0);
    snapshot.walk(100);
    set(9, 1e9);
    removeRange(9000, 300);
    expect(snapshot.walker.isDone).toBe(false);
    expect(camera.in(snapshot.finish())).toEqual(truth);
  });

  it('of long members are written to the last one, though a step takes few of them', () => {
    const { keyspace } = oneLarge(1100, 1500);
    const truth = camera.of(keyspace);
    expect(camera.in(new HandSnapshot(keyspace).finish())).toEqual(truth);
  });

  it('are walked on below a place whose element has gone', () => {
    const { keyspace, removeRange, large } = oneLarge(3000);
    const truth = camera.of(keyspace);
    const snapshot = new HandSnapshot(keyspace);
    for (let i = 0; large.count > 100; i++) {
      snapshot.walk(1);
      removeRange(large.count - 90, 90);
      if (i % 3 === 0) removeRange(0, 5);
    }
    removeRange(0, large.count);
    expect(camera.in(snapshot.finish())).toEqual(truth);
  });

  it('load into full leaves', () => {
    const { keyspace, large } = oneLarge(20_000);
    const { keyspace: back } = loaded(fileReader(new HandSnapshot(keyspace).finish()));
    const at = back.peek(back.databases[0]!, latin1('large'), 0, 5);
    const other = back.largeOf(at) as LargeZset;
    expect(other.count).toBe(20_000);
    expect(other.index.nodeBytes).toBeLessThan(large.index.nodeBytes * 0.8);
  });
});
