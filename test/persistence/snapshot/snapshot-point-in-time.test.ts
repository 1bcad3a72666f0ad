/** A snapshot shows one moment, whatever happens to the keyspace while it is taken. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { equalBytes } from '../../../src/core/memory/copy.ts';
import { ElementView } from '../../../src/core/types/element-view.ts';
import {
  hashCreate,
  hashDelete,
  hashFind,
  hashGet,
  hashLength,
  hashSet,
} from '../../../src/core/types/hash.ts';
import { hashSetNumber } from '../../../src/core/types/hash-number.ts';
import { setAdd, setCreate, setHas, setLength, setRemove } from '../../../src/core/types/set.ts';
import { stringResize } from '../../../src/core/types/string.ts';
import { ByteView } from '../../../src/core/value.ts';
import { Random } from '../../support/random.ts';
import {
  contents,
  fileReader,
  latin1,
  loaded,
  makeKeyspace,
  NOW_MS,
  put,
} from '../rdb/rdb-support.ts';
import { HandSnapshot } from './snapshot-support.ts';

const DATABASES = 4;
const KEYS = 60;
const view = new ByteView();

/** The generation that an entry is marked with (value.ts, word 1). */
function markOf({ arena }: Keyspace, address: number): number {
  return arena.words(address)[arena.wordOffset(address) + 1]! >>> 24;
}

/** Changes a keyspace at random, through its doors, as commands would. */
class Mutator {
  readonly #random: Random;
  readonly #keyspace: Keyspace;

  constructor(keyspace: Keyspace, seed: number) {
    this.#random = new Random(seed);
    this.#keyspace = keyspace;
  }

  fill(count: number): void {
    for (let i = 0; i < count; i++) this.set();
  }

  set(): void {
    const random = this.#random;
    const expiry = random.chance(0.4) ? NOW_MS + random.between(0, 2000) : -1;
    put(this.#keyspace, this.#db().id, this.#key(), this.#value(), expiry);
  }

  /** Does one thing. */
  change(): void {
    const keyspace = this.#keyspace;
    const random = this.#random;
    const db = this.#db();
    const key = this.#key();
    const address = keyspace.lookupWrite(db, key, 0, key.length);
    switch (random.between(0, 12)) {
      case 0:
      case 1:
      case 2:
        this.set();
        return;
      case 3:
        if (address !== 0) keyspace.remove(db, address);
        return;
      case 4:
        if (address !== 0) keyspace.setExpiry(db, address, NOW_MS + random.between(0, 3000));
        return;
      case 5:
        if (address !== 0) keyspace.clearExpiry(db, address);
        return;
      case 6:
      case 7:
        if (address !== 0) this.#overwriteInPlace(db, address);
        return;
      case 8:
        this.#rename(db, address);
        return;
      case 9:
        if (random.chance(0.15)) keyspace.flush(db.id);
        return;
      case 10:
        keyspace.swap(db.id, this.#db().id);
        return;
      case 11:
        this.#passTime();
        return;
      default:
        keyspace.freeSlice(random.between(1, 50));
    }
  }

  #overwriteInPlace(db: Keyspace['databases'][number], address: number): void {
    const keyspace = this.#keyspace;
    const random = this.#random;
    const more = random.pick([0, 0, 1, 100, 70_000]);
    const length = Math.max(1, keyspace.valueLength(address) % 400_000) + more;
    const fresh = stringResize(keyspace, db, address, length, view);
    expect(keyspace.valueLength(fresh)).toBe(length);
    view.bytes.fill(0x21, view.offset, view.offset + Math.min(length, 1 << 17));
  }

  #rename(db: Keyspace['databases'][number], address: number): void {
    if (address === 0) return;
    const keyspace = this.#keyspace;
    const to = this.#db();
    const key = this.#key();
    const old = keyspace.lookupWrite(to, key, 0, key.length);
    if (old === address) return;
    if (old !== 0) keyspace.remove(to, old);
    keyspace.rename(db, address, to, key, 0, key.length);
  }

  #passTime(): void {
    const keyspace = this.#keyspace;
    keyspace.nowMs += this.#random.between(0, 50);
    for (const db of keyspace.databases) {
      for (let due = keyspace.nextDue(db); due !== 0; due = keyspace.nextDue(db)) {
        keyspace.expire(db, due);
      }
    }
  }

  #db() {
    return this.#keyspace.databases[this.#random.between(0, DATABASES - 1)]!;
  }

  #key(): Buffer {
    return latin1(`key:${this.#random.between(0, KEYS)}`);
  }

  #value(): string {
    const random = this.#random;
    const letter = String.fromCharCode(97 + random.between(0, 25));
    const size = random.pick([0, 1, 5, 30, 100, 5000, 65_400, 66_000, 300_000]);
    return random.chance(0.3) ? `${random.between(-1e9, 1e9)}` : letter.repeat(size);
  }
}

/** Frees everything and gives what is still in use. */
function bytesLeft(keyspace: Keyspace): number {
  for (let id = 0; id < DATABASES; id++) keyspace.flush(id);
  while (keyspace.freeSlice(1000));
  return keyspace.arena.usedBytes;
}

const story = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  keys: fc.integer({ min: 0, max: 200 }),
  /** Buckets walked, changes made, pieces delivered, again and again. */
  moves: fc.array(fc.tuple(fc.nat(3), fc.nat(12), fc.nat(3)), { maxLength: 60 }),
});

function shown(rdb: Uint8Array): Map<string, string> {
  return contents(loaded(fileReader(rdb), { expired: 'keep' }).keyspace, false);
}

describe('a snapshot', () => {
  it('holds exactly what there was when it began', () => {
    fc.assert(
      fc.property(story, ({ seed, keys, moves }) => {
        const keyspace = makeKeyspace(DATABASES);
        const empty = keyspace.arena.usedBytes;
        const mutator = new Mutator(keyspace, seed);
        mutator.fill(keys);
        const truth = contents(keyspace, false);
        const snapshot = new HandSnapshot(keyspace);
        expect(snapshot.walker.keysTotal).toBe(truth.size);
        for (const [buckets, changes, pieces] of moves) {
          if (buckets > 0) snapshot.walk(buckets);
          for (let i = 0; i < changes; i++) mutator.change();
          snapshot.transport.deliver(pieces);
        }
        const rdb = snapshot.finish();
        expect(shown(rdb)).toEqual(truth);
        expect(snapshot.walker.keys).toBe(truth.size);
        expect(keyspace.snapshot).toBeNull();
        expect([snapshot.queue.memoryBytes, snapshot.queue.lentBytes]).toEqual([0, 0]);
        expect(bytesLeft(keyspace)).toBe(empty);
      }),
      { numRuns: 120 },
    );
  });

  it('sees large compact hashes and sets as they were, whatever is changed in place', () => {
    const keyspace = makeKeyspace(DATABASES);
    keyspace.limits.hashMaxListpackEntries = 1e6;
    keyspace.limits.setMaxIntsetEntries = 1e6;
    const db = keyspace.databases[0]!;
    const [h, s] = [latin1('h'), latin1('s')];
    let hash = hashCreate(keyspace, db, h, 0, 1, 10);
    let set = setCreate(keyspace, db, s, 0, 1, latin1('1'), 0, 1, 10);
    for (let i = 0; i < 6000; i++) {
      const field = latin1(`${100_000 + i}`);
      hash = hashSet(keyspace, db, hash, field, 0, 6, field, 0, 6);
      set = setAdd(keyspace, db, set, field, 0, 6);
    }
    const snapshot = new HandSnapshot(keyspace);
    while (!snapshot.walker.isDone) snapshot.walk(10);
    hash = keyspace.lookupWrite(db, h, 0, 1);
    for (const field of ['100000', '103000', '105999'].map(latin1)) {
      const ref = hashFind(keyspace, hash, field, 0, 6);
      expect(hashSetNumber(keyspace, db, hash, ref, 6, 654_321)).toBe(true);
    }
    hashSet(keyspace, db, hash, latin1('100001'), 0, 6, latin1('777777'), 0, 6);
    hashDelete(keyspace, db, hash, latin1('100002'), 0, 6);
    setRemove(keyspace, db, keyspace.lookupWrite(db, s, 0, 1), latin1('100002'), 0, 6);
    const seen = loaded(fileReader(snapshot.finish()), { expired: 'keep' }).keyspace;
    const [first] = seen.databases;
    const [seenHash, seenSet] = [h, s].map((key) => seen.lookupWrite(first!, key, 0, 1));
    const value = new ElementView();
    for (let i = 0; i < 6000; i++) {
      const field = latin1(`${100_000 + i}`);
      expect(setHas(seen, seenSet!, field, 0, 6)).toBe(true);
      expect(hashGet(seen, seenHash!, field, 0, 6, value)).toBe(true);
      expect(equalBytes(value.bytes, value.offset, field, 0, 6)).toBe(true);
    }
    expect([hashLength(seen, seenHash!), setLength(seen, seenSet!)]).toEqual([6000, 6000]);
  });

  it('that is given up leaves nothing behind, and the next one is right', () => {
    fc.assert(
      fc.property(story, ({ seed, keys, moves }) => {
        const keyspace = makeKeyspace(DATABASES);
        const empty = keyspace.arena.usedBytes;
        const mutator = new Mutator(keyspace, seed);
        mutator.fill(keys);
        const first = new HandSnapshot(keyspace);
        for (const [buckets, changes, pieces] of moves) {
          if (buckets > 0) first.walk(buckets);
          for (let i = 0; i < changes; i++) mutator.change();
          first.transport.deliver(pieces);
        }
        first.abort();
        for (let i = 0; i < 5; i++) mutator.change();
        const truth = contents(keyspace, false);
        const second = new HandSnapshot(keyspace);
        for (let i = 0; i < 5; i++) mutator.change();
        expect(shown(second.finish())).toEqual(truth);
        expect(bytesLeft(keyspace)).toBe(empty);
      }),
      { numRuns: 50 },
    );
  });

  it('is right after more failures in a row than marks have values', () => {
    const keyspace = makeKeyspace(DATABASES);
    put(keyspace, 0, 'never walked', 'still here');
    for (let i = 0; i < 600; i++) {
      new HandSnapshot(keyspace).abort();
      // One that leaves the keys out reaches none of them.
      if (i % 100 === 99) new HandSnapshot(keyspace, {}, false).finish();
      expect(
        markOf(
          keyspace,
          keyspace.databases[0]!.dict.randomEntry(() => 0),
        ),
      ).not.toBe(keyspace.generation);
    }
    const snapshot = new HandSnapshot(keyspace);
    expect(shown(snapshot.finish()).size).toBe(1);
  });

  it('stops the walk when the pipe is full, and lends large values instead of copying them', () => {
    const keyspace = makeKeyspace(DATABASES);
    for (let i = 0; i < 200; i++) put(keyspace, 0, `k${i}`, 'v'.repeat(60_000));
    for (let i = 0; i < 20; i++) put(keyspace, 1, `k${i}`, 'v'.repeat(1_000_000));
    const snapshot = new HandSnapshot(keyspace);
    snapshot.walk(100_000);
    expect(snapshot.walker.isDone).toBe(false);
    expect(snapshot.queue.copiedBytes).toBeLessThan(7 << 20);
    while (!snapshot.walker.isDone) {
      snapshot.walk(1000);
      snapshot.transport.deliver(1);
      expect(snapshot.queue.memoryBytes).toBeLessThan(7 << 20);
    }
    expect(shown(snapshot.transport.finish()).size).toBe(220);
  });

  it('keeps a large value that is overwritten or removed before it was sent, once', () => {
    const keyspace = makeKeyspace(DATABASES);
    const large = 'old'.repeat(400_000);
    for (const key of ['removed', 'replaced', 'changed', 'kept']) put(keyspace, 0, key, large);
    const truth = contents(keyspace, false);
    const snapshot = new HandSnapshot(keyspace);
    snapshot.walk(1000);
    const before = keyspace.arena.usedBytes;
    const db = keyspace.databases[0]!;
    const at = (key: string): number => keyspace.lookupWrite(db, latin1(key), 0, key.length);
    keyspace.remove(db, at('removed'));
    put(keyspace, 0, 'replaced', 'new');
    expect(keyspace.arena.usedBytes).toBeGreaterThan(before - 10_000);
    expect(keyspace.arena.freedWhileLentBytes).toBe(2_400_000);
    stringResize(keyspace, db, at('changed'), 1_200_000, view);
    view.bytes[view.offset] = 0x21;
    expect(keyspace.arena.freedWhileLentBytes).toBe(3_600_000);
    expect(shown(snapshot.finish())).toEqual(truth);
    expect(keyspace.arena.usedBytes).toBeLessThan(before - 2_390_000);
  });
});
