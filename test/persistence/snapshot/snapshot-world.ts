/**
 * Keyspaces that change by chance, and what must hold for every one of them, whatever changes while
 * a snapshot of it is made. A test says what its values are, how they change and how to show them;
 * keys come and go, move, are copied and expire in each of them.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Database } from '../../../src/core/database.ts';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { TYPE_STRING, typeOf } from '../../../src/core/value.ts';
import { Random } from '../../support/random.ts';
import {
  entriesOf,
  fileReader,
  latin1,
  loaded,
  makeKeyspace,
  NOW_MS,
  put,
} from '../rdb/rdb-support.ts';
import { HandSnapshot } from './snapshot-support.ts';

const DATABASES = 2;
const COPIES_MAX = 30;

/** A keyspace with values of some kind and a few strings, and changes to them, all by chance. */
export abstract class World {
  readonly keyspace = makeKeyspace(DATABASES);
  protected readonly random: Random;
  readonly #keys: readonly Uint8Array[];

  constructor(seed: number, keys: readonly Uint8Array[]) {
    this.random = new Random(seed);
    this.#keys = keys;
  }

  /** Makes a value under a key that does not exist. Returns the entry's address. */
  protected abstract create(db: Database, key: Uint8Array): number;

  /** Changes a value that `create` made, once or often; removes it when nothing is left of it. */
  protected abstract changeValue(db: Database, address: number): void;

  fill(): void {
    for (const key of this.#keys) this.#make(this.#db(), key);
  }

  /** Does one thing. */
  change(): void {
    const { keyspace, random } = this;
    const db = this.#db();
    const key = random.pick(this.#keys);
    const address = keyspace.lookupWrite(db, key, 0, key.length);
    const dice = random.between(0, 99);
    if (address === 0) {
      if (dice < 20) this.#make(db, key);
    } else if (dice < 4) keyspace.remove(db, address);
    else if (dice < 5) keyspace.flush(db.id);
    else if (dice < 9) keyspace.swap(db.id, this.#db().id);
    else if (dice < 13) this.#rename(db, address);
    else if (dice < 16) this.#copy(db, address);
    else if (dice < 18) keyspace.clearExpiry(db, address);
    else if (dice < 26) keyspace.freeSlice(100);
    else if (typeOf(keyspace.arena, address) !== TYPE_STRING) this.changeValue(db, address);
  }

  #db(): Database {
    return this.random.pick(this.keyspace.databases);
  }

  #make(db: Database, key: Uint8Array): void {
    const { keyspace, random } = this;
    const expiry = random.chance(0.3) ? NOW_MS + random.between(1, 1e6) : -1;
    if (random.chance(0.2)) {
      put(keyspace, db.id, key, 'v'.repeat(random.pick([1, 500, 70_000])), expiry);
      return;
    }
    const address = this.create(db, key);
    if (expiry !== -1) keyspace.setExpiry(db, address, expiry);
  }

  /** Moves an entry to another key, in place of what is there. */
  #rename(db: Database, address: number): void {
    const { keyspace, random } = this;
    const to = this.#db();
    const key = random.pick(this.#keys);
    const old = keyspace.lookupWrite(to, key, 0, key.length);
    if (old === address) return;
    if (old !== 0) keyspace.remove(to, old);
    keyspace.rename(db, address, to, key, 0, key.length);
  }

  /** Copies an entry to a key of its own, of which there are not many. */
  #copy(db: Database, address: number): void {
    const key = latin1(`copy:${this.random.between(1, COPIES_MAX)}`);
    if (db.dict.find(key, 0, key.length) !== 0) return;
    this.keyspace.copy(db, address, db, key, 0, key.length);
  }

  /** Bytes that are in use when everything has been removed. */
  bytesLeft(): number {
    for (const { id } of this.keyspace.databases) this.keyspace.flush(id);
    while (this.keyspace.freeSlice(1000));
    return this.keyspace.arena.usedBytes;
  }
}

/** Every entry: "db key" to its expiry and what its value shows. */
type Picture = Map<string, string>;

/** How keyspaces, and RDBs of them, are looked at. */
export type Camera = {
  readonly of: (keyspace: Keyspace) => Picture;
  /** What an RDB holds. */
  readonly in: (rdb: Uint8Array) => Picture;
};

/** Looks at values with `show`, at strings itself. An RDB is loaded into a keyspace of `make`. */
export function cameraFor(
  show: (keyspace: Keyspace, address: number) => string,
  make: () => Keyspace = makeKeyspace,
): Camera {
  const value = (keyspace: Keyspace, address: number): string => {
    const isString = typeOf(keyspace.arena, address) === TYPE_STRING;
    return isString ? `string of ${keyspace.valueLength(address)}` : show(keyspace, address);
  };
  const picture = (keyspace: Keyspace): Picture => {
    const all: Picture = new Map();
    for (const { db, key, address } of entriesOf(keyspace)) {
      const expiry = keyspace.expiryOf(db, address);
      all.set(`${db.id} ${key}`, `${expiry} ${value(keyspace, address)}`);
    }
    return all;
  };
  return {
    of: picture,
    in: (rdb) => {
      const options = { expired: 'keep', deep: true, keyspace: make() } as const;
      return picture(loaded(fileReader(rdb), options).keyspace);
    },
  };
}

type Story = {
  readonly world: (seed: number) => World;
  readonly camera: Camera;
  /** Parts walked at a time, and how often, at most. */
  readonly partsMax: number;
  readonly movesMax: number;
  /** How often each is tried. */
  readonly kept: fc.Parameters<[Moves]>;
  readonly dropped: fc.Parameters<[Moves]>;
};

type Moves = {
  readonly seed: number;
  /** Parts walked, changes made, pieces delivered, again and again. */
  readonly moves: readonly (readonly [number, number, number])[];
};

/** Registers the tests of what holds for every world. */
export function itHoldsWhatWas({ world: make, camera, ...sizes }: Story): void {
  const { partsMax, movesMax, kept, dropped } = sizes;
  const story = fc.record({
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
    moves: fc.array(fc.tuple(fc.nat(partsMax), fc.nat(8), fc.nat(3)), { maxLength: movesMax }),
  });

  const play = (snapshot: HandSnapshot, world: World, moves: Moves['moves']): void => {
    for (const [parts, changes, pieces] of moves) {
      if (parts > 0) snapshot.walk(parts);
      for (let i = 0; i < changes; i++) world.change();
      snapshot.transport.deliver(pieces);
    }
  };

  it('are what they were when it began', () => {
    fc.assert(
      fc.property(story, ({ seed, moves }) => {
        const world = make(seed);
        const empty = world.keyspace.arena.usedBytes;
        world.fill();
        const truth = camera.of(world.keyspace);
        const snapshot = new HandSnapshot(world.keyspace);
        play(snapshot, world, moves);
        expect(camera.in(snapshot.finish())).toEqual(truth);
        expect(snapshot.queue.memoryBytes).toBe(0);
        expect(world.bytesLeft()).toBe(empty);
      }),
      kept,
    );
  });

  it('are let go when it is given up, and whole in the next', () => {
    fc.assert(
      fc.property(story, ({ seed, moves }) => {
        const world = make(seed);
        const empty = world.keyspace.arena.usedBytes;
        world.fill();
        const snapshot = new HandSnapshot(world.keyspace);
        play(snapshot, world, moves);
        snapshot.abort();
        for (let i = 0; i < 5; i++) world.change();
        const truth = camera.of(world.keyspace);
        expect(camera.in(new HandSnapshot(world.keyspace).finish())).toEqual(truth);
        expect(world.bytesLeft()).toBe(empty);
      }),
      dropped,
    );
  });
}
