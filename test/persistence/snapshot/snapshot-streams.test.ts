/**
 * Large streams in a snapshot: nodes, groups and what is pending written in parts, all as it was,
 * whatever changes meanwhile.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../../src/core/database.ts';
import { Args } from '../../../src/core/resp/args.ts';
import type { StreamGroup } from '../../../src/core/struct/stream-group.ts';
import { StreamId } from '../../../src/core/struct/stream-id.ts';
import type { StreamLog } from '../../../src/core/struct/stream-log.ts';
import { pendingId } from '../../../src/core/struct/stream-pending.ts';
import { mendFirstId, streamTrim } from '../../../src/core/struct/stream-trim.ts';
import { streamCreate, streamOf } from '../../../src/core/types/stream.ts';
import { dumpPayload } from '../../../src/persistence/rdb/rdb-dump.ts';
import { latin1, makeKeyspace, NOW_MS } from '../rdb/rdb-support.ts';
import { HandSnapshot } from './snapshot-support.ts';
import { cameraFor, itHoldsWhatWas, World } from './snapshot-world.ts';

const KEYS = Array.from({ length: 3 }, (_, i) => latin1(`key:${i}`));
const NODE_ENTRIES = 10;

const argsOf = (words: readonly string[]): Args => {
  const args = new Args();
  args.setTo(words.map((word) => latin1(word)));
  return args;
};

const id = new StreamId();

/** Adds an entry behind the last. */
function add(log: StreamLog, words: readonly string[]): void {
  id.copy(log.lastId);
  id.seqLow += 1;
  log.append(id, argsOf(words), 0, words.length / 2, 4096, NODE_ENTRIES);
}

/** A few streams, and changes to their entries and groups. */
class StreamWorld extends World {
  protected create(db: Database, key: Uint8Array): number {
    const { keyspace, random } = this;
    const log = streamCreate(keyspace, db, key, 0, key.length);
    for (let i = random.pick([5, 700, 1500]); i > 0; i--) this.#add(log);
    for (let i = random.pick([0, 1, 3]); i > 0; i--) this.#addGroup(log);
    return keyspace.lookupWrite(db, key, 0, key.length);
  }

  #add(log: StreamLog): void {
    const random = this.random;
    const words = random.pick([
      ['f', '1'],
      ['f', 'text'],
      ['other', 'x'.repeat(300), 'g', ''],
    ]);
    add(log, words);
  }

  #addGroup(log: StreamLog): void {
    const random = this.random;
    const group = log.addGroup(`g${random.between(0, 5)}`, log.firstId, random.pick([-1, 7]));
    if (group === null) return;
    for (let i = random.pick([0, 1, 9]); i > 0; i--) this.#addConsumer(group);
    for (let i = random.pick([0, 20, 1200]); i > 0; i--) this.#deliver(log, group);
  }

  #addConsumer(group: StreamGroup): void {
    const name = `c${this.random.between(0, 20)}`;
    if (!group.consumers.has(name)) group.addConsumer(name, NOW_MS);
  }

  #someId(log: StreamLog): StreamId {
    return id.set(0, 0, 0, this.random.between(1, log.lastId.seqLow + 1));
  }

  #deliver(log: StreamLog, group: StreamGroup): void {
    const random = this.random;
    const consumers = [...group.consumers.values()];
    if (consumers.length === 0) return;
    const consumer = random.pick(consumers);
    const address = group.pending.find(this.#someId(log));
    if (address === 0) group.addPending(id, consumer, NOW_MS, 1);
    else {
      group.movePending(address, consumer);
      group.deliver(address, NOW_MS + random.between(0, 99), random.between(1, 500));
    }
  }

  protected changeValue(_: Database, address: number): void {
    const log = streamOf(this.keyspace, address);
    for (let i = this.random.pick([1, 5, 40]); i > 0; i--) this.#changeStream(log);
  }

  #changeStream(log: StreamLog): void {
    const random = this.random;
    const groups = [...log.groups];
    if (groups.length > 0 && random.chance(0.7)) {
      const [name, group] = random.pick(groups);
      if (random.chance(0.01)) log.removeGroup(name, this.keyspace);
      else this.#changeGroup(log, group);
      return;
    }
    const dice = random.between(0, 9);
    if (dice < 5) this.#add(log);
    else if (dice < 8) {
      if (log.remove(this.#someId(log)) && id.compare(log.maxDeletedId) > 0) {
        log.maxDeletedId = id;
      }
      mendFirstId(log);
    } else if (dice < 9) {
      streamTrim(log, {
        byLength: true,
        maxLength: Math.max(0, log.length - random.pick([1, 3, 40])),
        minId: id,
        approximate: random.chance(0.3),
        limit: 0,
      });
    } else if (random.chance(0.1)) this.#addGroup(log);
  }

  #changeGroup(log: StreamLog, group: StreamGroup): void {
    const random = this.random;
    const dice = random.between(0, 99);
    if (dice < 40) this.#deliver(log, group);
    else if (dice < 80) group.removePending(this.#someId(log));
    else if (dice < 88) this.#addConsumer(group);
    else if (dice < 92) group.lastId.copy(this.#someId(log));
    else if (dice < 94 && group.consumers.size > 0) {
      group.removeConsumer(random.pick([...group.consumers.values()]));
    } else if (dice < 97) group.entriesRead = random.between(-1, 99);
    else for (const one of group.consumers.values()) one.seenMs++;
  }
}

/** The digest of a stream as a payload. */
const camera = cameraFor((keyspace, address) => {
  const payload = dumpPayload(keyspace, address, 10, false);
  return createHash('sha1').update(payload).digest('hex');
});

describe('large streams in a snapshot', () => {
  itHoldsWhatWas({
    world: (seed) => new StreamWorld(seed, KEYS),
    camera,
    partsMax: 6,
    movesMax: 30,
    kept: { seed: 4001, numRuns: 20 },
    dropped: { seed: 4002, numRuns: 8 },
  });

  it('have each pending entry once, whatever step it changes at', () => {
    const entries = 1000;
    for (let steps = 0; steps < 20; steps++) {
      const keyspace = makeKeyspace(1);
      const log = streamCreate(keyspace, keyspace.databases[0]!, latin1('long'), 0, 4);
      for (let i = 0; i < entries; i++) add(log, ['field', 'a value of some length']);
      const group = log.addGroup('g', log.firstId, 0)!;
      const consumers = ['a', 'b'].map((name) => group.addConsumer(name, NOW_MS));
      for (let i = 1; i <= entries; i++) {
        group.addPending(id.set(0, 0, 0, i), consumers[i % 2]!, NOW_MS, 1);
      }
      const truth = camera.of(keyspace);
      const snapshot = new HandSnapshot(keyspace);
      snapshot.walk(steps);
      keyspace.lookupWrite(keyspace.databases[0]!, latin1('long'), 0, 4);
      for (const i of [1, 2, 500, 501, 999, 1000]) {
        group.movePending(group.pending.find(id.set(0, 0, 0, i)), consumers[0]!);
      }
      for (const i of [3, 4, 502, 503, 997, 998]) group.removePending(id.set(0, 0, 0, i));
      expect(camera.in(snapshot.finish())).toEqual(truth);
    }
  });

  it('are written a part at a time, and cost a change little', () => {
    const keyspace = makeKeyspace(1);
    const db = keyspace.databases[0]!;
    const key = latin1('long');
    const atFirst = keyspace.arena.usedBytes;
    const log = streamCreate(keyspace, db, key, 0, key.length);
    const entries = 30_000;
    for (let i = 0; i < entries; i++) add(log, ['field', 'a value of some length']);
    const group = log.addGroup('g', log.firstId, 0)!;
    const consumers = ['a', 'b', 'c'].map((name) => group.addConsumer(name, NOW_MS));
    for (let i = 1; i <= entries; i++) {
      group.addPending(id.set(0, 0, 0, i), consumers[i % 3]!, NOW_MS, 1);
    }
    const truth = camera.of(keyspace);
    const before = keyspace.arena.usedBytes;
    const snapshot = new HandSnapshot(keyspace);
    keyspace.lookupWrite(db, key, 0, key.length);
    log.remove(id.set(0, 0, 0, entries / 2));
    for (let i = 1; i < 1000; i++) group.removePending(id.set(0, 0, 0, i));
    group.movePending(group.pending.find(id.set(0, 0, 0, 5000)), consumers[0]!);
    expect(keyspace.arena.usedBytes - before).toBeLessThanOrEqual(8192);
    snapshot.walk(20);
    expect(snapshot.walker.isDone).toBe(false);
    expect(snapshot.queue.copiedBytes).toBeLessThan(1 << 19);
    group.removeConsumer(consumers[1]!);
    expect(pendingId(keyspace.arena, group.pending.last(), id).seqLow).toBe(entries);
    log.removeGroup('g', keyspace);
    keyspace.remove(db, keyspace.lookupWrite(db, key, 0, key.length));
    expect(camera.in(snapshot.finish())).toEqual(truth);
    while (keyspace.freeSlice(1000));
    expect(db.dict.count).toBe(0);
    expect(keyspace.arena.usedBytes - atFirst).toBeLessThan(100_000);
  });

  it('have a group freed that goes when it has been written', () => {
    const keyspace = makeKeyspace(1);
    const db = keyspace.databases[0]!;
    const key = latin1('long');
    const atFirst = keyspace.arena.usedBytes;
    const log = streamCreate(keyspace, db, key, 0, key.length);
    const entries = 5000;
    for (let i = 0; i < entries; i++) add(log, ['field', 'a value of some length']);
    const [early] = ['early', 'late'].map((name) => {
      const group = log.addGroup(name, log.firstId, 0)!;
      const consumer = group.addConsumer('a', NOW_MS);
      for (let i = 1; i <= entries; i++) group.addPending(id.set(0, 0, 0, i), consumer, NOW_MS, 1);
      return group;
    });
    const truth = camera.of(keyspace);
    const snapshot = new HandSnapshot(keyspace);
    keyspace.lookupWrite(db, key, 0, key.length);
    while (early!.keeper !== null) snapshot.walk(1);
    expect(snapshot.walker.isDone).toBe(false);
    log.removeGroup('early', keyspace);
    keyspace.remove(db, keyspace.lookupWrite(db, key, 0, key.length));
    expect(camera.in(snapshot.finish())).toEqual(truth);
    while (keyspace.freeSlice(1000));
    expect(keyspace.arena.usedBytes - atFirst).toBeLessThan(100_000);
  });
});
