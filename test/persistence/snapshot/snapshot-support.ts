/**
 * What the tests of snapshots share: a child process that is none, which takes frames when a test
 * lets it and makes an RDB of them; a keyspace that changes by chance; and what must hold for every
 * such keyspace, whatever changes while the snapshot is made.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Database } from '../../../src/core/database.ts';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { RdbAssembler } from '../../../src/persistence/rdb/rdb-assembler.ts';
import type { RdbContent } from '../../../src/persistence/snapshot/snapshot-now.ts';
import {
  type FrameTransport,
  SnapshotQueue,
} from '../../../src/persistence/snapshot/snapshot-queue.ts';
import { SnapshotWalker } from '../../../src/persistence/snapshot/snapshot-walker.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { Random } from '../../support/random.ts';
import { entriesOf, latin1, makeKeyspace, saveOptions } from '../rdb/rdb-support.ts';

type Waiting = { readonly bytes: Uint8Array; readonly sent: () => void };

export class SlowTransport implements FrameTransport {
  readonly waiting: Waiting[] = [];
  hasEnded = false;
  readonly #parts: Uint8Array[] = [];
  readonly #assembler = new RdbAssembler((bytes, length) => {
    this.#parts.push(bytes.slice(0, length));
  }, true);

  data(bytes: Uint8Array, sent: () => void): void {
    this.waiting.push({ bytes, sent });
  }

  end(): void {
    this.hasEnded = true;
  }

  /** Takes up to `count` pieces, as they are in memory now. */
  deliver(count: number): void {
    for (const { bytes, sent } of this.waiting.splice(0, count)) {
      this.#assembler.feed(bytes, 0, bytes.length);
      sent();
    }
  }

  /** The RDB, once all was delivered. */
  finish(): Uint8Array {
    while (this.waiting.length > 0) this.deliver(1);
    if (!this.hasEnded) throw new Error('the frames have not ended');
    this.#assembler.finish();
    return Buffer.concat(this.#parts);
  }
}

/** A snapshot whose every move is the test's. */
export class HandSnapshot {
  readonly transport = new SlowTransport();
  readonly queue: SnapshotQueue;
  readonly walker: SnapshotWalker;
  #now = 0;

  constructor(keyspace: Keyspace, changed: Partial<RdbContent> = {}) {
    const content = { ...saveOptions(new FaultyFileSystem()), ...changed };
    this.queue = new SnapshotQueue(this.transport, keyspace.arena, () => {});
    this.walker = new SnapshotWalker(keyspace, this.queue, content, true);
  }

  /** Walks a number of buckets. */
  walk(buckets: number): void {
    const until = this.#now + buckets;
    this.walker.walk(until, () => ++this.#now, Number.POSITIVE_INFINITY);
  }

  /** Walks and delivers to the end, and gives the RDB. */
  finish(): Uint8Array {
    while (!this.walker.isDone) {
      this.walk(1000);
      this.transport.deliver(3);
    }
    return this.transport.finish();
  }

  abort(): void {
    this.walker.detach();
    this.queue.drop();
  }
}

/** A keyspace with values of some kind, and changes to them, all by chance. */
export abstract class World {
  readonly keyspace: Keyspace;
  protected readonly random: Random;

  constructor(seed: number, databases: number) {
    this.keyspace = makeKeyspace(databases);
    this.random = new Random(seed);
  }

  abstract fill(): void;

  /** Does one thing. */
  abstract change(): void;

  protected db(): Database {
    const { databases } = this.keyspace;
    return databases[this.random.between(0, databases.length - 1)]!;
  }

  /** Removes what stands under a key. */
  protected clear(db: Database, key: Uint8Array): void {
    const old = this.keyspace.lookupWrite(db, key, 0, key.length);
    if (old !== 0) this.keyspace.remove(db, old);
  }

  /** Moves an entry to another key, in place of what is there. */
  protected rename(db: Database, address: number, to: Database, key: Uint8Array): void {
    if (this.keyspace.lookupWrite(to, key, 0, key.length) === address) return;
    this.clear(to, key);
    this.keyspace.rename(db, address, to, key, 0, key.length);
  }

  /** Copies an entry to a key of its own. */
  protected copy(db: Database, address: number): void {
    const key = latin1(`copy:${this.random.between(0, 1000)}`);
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

export type Picture = Map<string, string>;

/** Every entry: "db key" to what `show` says of it. */
export function pictureOf(
  keyspace: Keyspace,
  show: (db: Database, address: number) => string,
): Picture {
  const all: Picture = new Map();
  for (const { db, key, address } of entriesOf(keyspace)) {
    all.set(`${db.id} ${key}`, show(db, address));
  }
  return all;
}

type Story = {
  readonly world: (seed: number) => World;
  readonly picture: (keyspace: Keyspace) => Picture;
  /** The picture of what is in an RDB. */
  readonly shown: (rdb: Uint8Array) => Picture;
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
export function itHoldsWhatWas({ world: make, picture, shown, ...sizes }: Story): void {
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
        const truth = picture(world.keyspace);
        const snapshot = new HandSnapshot(world.keyspace);
        play(snapshot, world, moves);
        expect(shown(snapshot.finish())).toEqual(truth);
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
        const truth = picture(world.keyspace);
        expect(shown(new HandSnapshot(world.keyspace).finish())).toEqual(truth);
        expect(world.bytesLeft()).toBe(empty);
      }),
      dropped,
    );
  });
}
