/**
 * Long lists in a snapshot: written in parts, in their order, each as it was, whatever changes
 * meanwhile.
 */
import { describe, expect, it } from 'vitest';
import type { Database } from '../../../src/core/database.ts';
import {
  listCreate,
  listDelete,
  listDeleteEqual,
  listGrow,
  listInsert,
  listLength,
  listPush,
  listSet,
  listShrink,
} from '../../../src/core/types/list.ts';
import { ListCursor } from '../../../src/core/types/list-cursor.ts';
import { PARTS_LIST_BYTES_MIN } from '../../../src/persistence/rdb/rdb-parts.ts';
import { latin1, makeKeyspace, put } from '../rdb/rdb-support.ts';
import { HandSnapshot } from './snapshot-support.ts';
import { cameraFor, itHoldsWhatWas, World } from './snapshot-world.ts';

const KEYS = Array.from({ length: 4 }, (_, i) => latin1(`key:${i}`));

/** A few long lists, and changes to their elements. */
class ListWorld extends World {
  constructor(seed: number) {
    super(seed, KEYS);
    const { limits } = this.keyspace;
    limits.listMaxListpackSize = this.random.pick([-1, -2, 40]);
    limits.listCompressDepth = this.random.pick([0, 0, 1]);
    limits.listPackedThreshold = this.random.pick([1 << 30, 900]);
  }

  #element(): Buffer {
    const random = this.random;
    if (random.chance(0.4)) return latin1(String(random.between(0, 300)));
    return latin1('some text '.repeat(random.pick([1, 4, 30, 100])));
  }

  protected create(db: Database, key: Uint8Array): number {
    const { keyspace, random } = this;
    let at = listCreate(keyspace, db, key, 0, key.length, 10_000, 100);
    const bytes = PARTS_LIST_BYTES_MIN * random.pick([0.1, 1.2, 3]);
    for (let done = 0; done < bytes; ) {
      const element = this.#element();
      at = this.#push(db, at, element, false);
      done += element.length;
    }
    return at;
  }

  #push(db: Database, address: number, element: Buffer, atHead: boolean): number {
    const at = listGrow(this.keyspace, db, address, element.length, 1);
    return listPush(this.keyspace, db, at, element, 0, element.length, atHead);
  }

  protected changeValue(db: Database, address: number): void {
    const { keyspace } = this;
    const random = this.random;
    let at = address;
    for (let i = random.pick([1, 3, 20]); i > 0 && listLength(keyspace, at) > 0; i--) {
      const length = listLength(keyspace, at);
      const index = random.between(0, length - 1);
      const element = this.#element();
      switch (random.between(0, 6)) {
        case 0:
          at = this.#push(db, at, element, random.chance(0.5));
          break;
        case 1:
          at = listGrow(keyspace, db, at, element.length, 1);
          at = listInsert(keyspace, db, at, index, true, element, 0, element.length);
          break;
        case 2:
          at = listGrow(keyspace, db, at, element.length, 1);
          at = listSet(keyspace, db, at, index, element, 0, element.length);
          break;
        case 3:
          at = listDelete(keyspace, db, at, index, Math.min(length - index, random.pick([1, 400])));
          break;
        case 4:
          at = listDeleteEqual(keyspace, db, at, element, 0, element.length, 3, random.chance(0.5));
          break;
        default:
          at = listDelete(keyspace, db, at, random.chance(0.5) ? 0 : length - 1, 1);
      }
    }
    if (listLength(keyspace, at) === 0) keyspace.remove(db, at);
    else listShrink(keyspace, db, at);
  }
}

const cursor = new ListCursor();

/** The elements of a list in their order. */
const camera = cameraFor((keyspace, address) => {
  const found: string[] = [];
  cursor.start(keyspace, address, 0, true);
  while (cursor.next()) {
    const { bytes, length, offset } = cursor.element;
    found.push(Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1'));
  }
  return found.join(' ');
});

describe('long lists in a snapshot', () => {
  itHoldsWhatWas({
    world: (seed) => new ListWorld(seed),
    camera,
    partsMax: 6,
    movesMax: 30,
    kept: { numRuns: 60 },
    dropped: { numRuns: 25 },
  });

  it('cost a change the copy of a node, and are written a part at a time', () => {
    const keyspace = makeKeyspace(1);
    const db = keyspace.databases[0]!;
    const key = latin1('long');
    let at = listCreate(keyspace, db, key, 0, 4, 10_000, 1);
    const element = latin1('an element of some length');
    const count = 200_000;
    for (let i = 0; i < count; i++) {
      at = listPush(keyspace, db, at, element, 0, element.length, false);
    }
    const truth = camera.of(keyspace);
    const before = keyspace.arena.usedBytes;
    const snapshot = new HandSnapshot(keyspace);
    at = keyspace.lookupWrite(db, key, 0, 4);
    at = listSet(keyspace, db, at, count / 2, latin1('another'), 0, 7);
    expect(keyspace.arena.usedBytes - before).toBeLessThanOrEqual(8192);
    snapshot.walk(20);
    expect(snapshot.walker.isDone).toBe(false);
    expect(snapshot.queue.copiedBytes).toBeLessThan(1 << 20);
    keyspace.remove(db, keyspace.lookupWrite(db, key, 0, 4));
    expect(camera.in(snapshot.finish())).toEqual(truth);
    while (keyspace.freeSlice(1000));
    expect(db.dict.count).toBe(0);
  });

  it('leave the keys behind them in their databases, whatever was changed meanwhile', () => {
    const keyspace = makeKeyspace(2);
    const [db, other] = [keyspace.databases[0]!, keyspace.databases[1]!];
    const key = latin1('long');
    const element = latin1('an element of some length');
    let at = listCreate(keyspace, db, key, 0, 4, 10_000, 1);
    for (let i = 0; i < 10_000; i++) {
      at = listPush(keyspace, db, at, element, 0, element.length, false);
    }
    for (let i = 0; i < 20; i++) {
      put(keyspace, 0, `key:${i}`, `${i}`);
      put(keyspace, 1, `key:${i}`, `other ${i}`);
    }
    const truth = camera.of(keyspace);
    const snapshot = new HandSnapshot(keyspace);
    keyspace.lookupWrite(db, key, 0, 4);
    keyspace.remove(other, keyspace.lookupWrite(other, latin1('key:7'), 0, 5));
    expect(camera.in(snapshot.finish())).toEqual(truth);
  });
});
