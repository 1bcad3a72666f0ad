/**
 * Large zsets in a snapshot: written in parts, each as it was, whatever changes meanwhile, and in
 * an order that loads well.
 */
import { describe, expect, it } from 'vitest';
import type { Database } from '../../../src/core/database.ts';
import type { Keyspace } from '../../../src/core/keyspace.ts';
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
import { TYPE_STRING, typeOf } from '../../../src/core/value.ts';
import { PARTS_ENTRIES_MIN } from '../../../src/persistence/rdb/rdb-parts.ts';
import { fileReader, latin1, loaded, makeKeyspace, NOW_MS, put } from '../rdb/rdb-support.ts';
import {
  HandSnapshot,
  itHoldsWhatWas,
  type Picture,
  pictureOf,
  World,
} from './snapshot-support.ts';

const DATABASES = 2;
const KEYS = 5;

/** Large zsets and a few strings, and changes to them. */
class ZsetWorld extends World {
  constructor(seed: number) {
    super(seed, DATABASES);
  }

  fill(): void {
    for (let i = 0; i < KEYS; i++) this.#create(this.#key());
  }

  #key(): Buffer {
    return latin1(`key:${this.random.between(0, KEYS)}`);
  }

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

  #create(key: Buffer): void {
    const { keyspace } = this;
    const random = this.random;
    const db = this.db();
    this.clear(db, key);
    if (random.chance(0.2)) {
      put(keyspace, db.id, key, 'v'.repeat(random.pick([1, 500, 70_000])));
      return;
    }
    let at = zsetCreate(keyspace, db, key, 0, key.length, 10, 10);
    const count = random.pick([3, 600, PARTS_ENTRIES_MIN, 1500, 3000]);
    for (let i = 0; i < count; i++) at = this.#add(db, at, 0);
    if (random.chance(0.3)) keyspace.setExpiry(db, at, NOW_MS + random.between(1, 1e6));
  }

  #add(db: Database, at: number, flags: number): number {
    const member = this.#member();
    return zsetAdd(this.keyspace, db, at, member, 0, member.length, this.#score(), flags);
  }

  change(): void {
    const { keyspace } = this;
    const random = this.random;
    const db = this.db();
    const key = this.#key();
    const address = keyspace.lookupWrite(db, key, 0, key.length);
    if (address === 0 || random.chance(0.02)) {
      if (random.chance(0.2)) this.#create(key);
      return;
    }
    const dice = random.between(0, 99);
    if (dice < 5) keyspace.remove(db, address);
    else if (dice < 6) keyspace.flush(db.id);
    else if (dice < 11) keyspace.swap(0, 1);
    else if (dice < 16) this.rename(db, address, this.db(), this.#key());
    else if (dice < 20) this.copy(db, address);
    else if (dice < 30) keyspace.freeSlice(100);
    else if (typeOf(keyspace.arena, address) !== TYPE_STRING) this.#changeMembers(db, address);
  }

  #changeMembers(db: Database, address: number): void {
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

/** Every value, a zset's elements in order. */
function picture(keyspace: Keyspace): Picture {
  return pictureOf(
    keyspace,
    (db, address) => `${keyspace.expiryOf(db, address)} ${value(keyspace, address)}`,
  );
}

function value(keyspace: Keyspace, address: number): string {
  if (typeOf(keyspace.arena, address) === TYPE_STRING) {
    return `string of ${keyspace.valueLength(address)}`;
  }
  const found: string[] = [];
  cursor.start(keyspace, address);
  while (cursor.next()) {
    const { bytes, length, offset } = cursor.member;
    const name = Buffer.from(bytes.slice(offset, offset + length)).toString('latin1');
    found.push(`${name}=${cursor.score}`);
  }
  return found.join(' ');
}

const shown = (rdb: Uint8Array): Picture =>
  picture(loaded(fileReader(rdb), { expired: 'keep' }).keyspace);

/** A keyspace with a zset of `count` members at "large", and a change of one of them. */
function oneLarge(count: number) {
  const keyspace = makeKeyspace(1);
  const db = keyspace.databases[0]!;
  const key = latin1('large');
  let at = zsetCreate(keyspace, db, key, 0, 5, 10, 10);
  const set = (i: number, score: number): void => {
    at = keyspace.lookupWrite(db, key, 0, 5) || at;
    const member = latin1(`member:${i}`);
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
    world: (seed) => new ZsetWorld(seed),
    picture,
    shown,
    partsMax: 12,
    movesMax: 40,
    kept: { numRuns: 20 },
    dropped: { numRuns: 10 },
  });

  it('cost a change a part of them, not all', () => {
    const { keyspace, set, removeRange } = oneLarge(20_000);
    const truth = picture(keyspace);
    const snapshot = new HandSnapshot(keyspace);
    set(7, -1);
    set(200_000, 3);
    expect(snapshot.walker.doorKeys).toBe(1);
    expect(snapshot.queue.copiedBytes).toBe(0);
    snapshot.walk(100);
    set(9, 1e9);
    removeRange(9000, 300);
    expect(snapshot.walker.isDone).toBe(false);
    expect(shown(snapshot.finish())).toEqual(truth);
  });

  it('are walked on below a place whose element has gone', () => {
    const { keyspace, removeRange, large } = oneLarge(3000);
    const truth = picture(keyspace);
    const snapshot = new HandSnapshot(keyspace);
    for (let i = 0; large.count > 100; i++) {
      snapshot.walk(1);
      removeRange(large.count - 90, 90);
      if (i % 3 === 0) removeRange(0, 5);
    }
    removeRange(0, large.count);
    expect(shown(snapshot.finish())).toEqual(truth);
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
