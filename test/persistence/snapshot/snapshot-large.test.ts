/**
 * Large strings in hashes, sets, zsets, lists and streams, and large keys: a snapshot sends them
 * piece by piece, each as it was, and holds no more of them than its queue may.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../../src/core/database.ts';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { Args } from '../../../src/core/resp/args.ts';
import { StreamId } from '../../../src/core/struct/stream-id.ts';
import { hashCreate, hashDelete, hashLength, hashSet } from '../../../src/core/types/hash.ts';
import { HashCursor } from '../../../src/core/types/hash-cursor.ts';
import {
  listCreate,
  listDelete,
  listGrow,
  listLength,
  listPush,
  listQuicklist,
  listSet,
} from '../../../src/core/types/list.ts';
import { ListCursor } from '../../../src/core/types/list-cursor.ts';
import { setAdd, setCreate, setLength, setRemove } from '../../../src/core/types/set.ts';
import { streamCreate, streamOf } from '../../../src/core/types/stream.ts';
import { zsetAdd, zsetCreate, zsetLength, zsetRemove } from '../../../src/core/types/zset.ts';
import { ZsetCursor } from '../../../src/core/types/zset-view.ts';
import {
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_ZSET,
  typeOf,
} from '../../../src/core/value.ts';
import { LARGE_BYTES_MIN } from '../../../src/persistence/rdb/rdb-large.ts';
import { QUEUE_BYTES_MAX } from '../../../src/persistence/snapshot/snapshot-queue.ts';
import { listpackOf } from '../rdb/rdb-forms.ts';
import { latin1, makeKeyspace } from '../rdb/rdb-support.ts';
import { HandSnapshot } from './snapshot-support.ts';
import { cameraFor, itHoldsWhatWas, World } from './snapshot-world.ts';

const KEYS = ['key:0', 'key:1', 'key:2', 'k'.repeat(LARGE_BYTES_MIN)].map(latin1);
const TYPES = [TYPE_HASH, TYPE_SET, TYPE_LIST, TYPE_ZSET] as const;
/** What a snapshot may write behind a full queue: a chunk, and the heads before the next look. */
const OVER_BYTES = 1 << 19;

/** Few keys, of few elements, of which some are large; and changes to them. */
class LargeWorld extends World {
  constructor(seed: number) {
    super(seed, KEYS);
    const { limits } = this.keyspace;
    limits.setMaxListpackEntries = 0;
    limits.listPackedThreshold = this.random.pick([1 << 30, 900]);
  }

  #text(): Buffer {
    const { random } = this;
    const size = random.pick([3, 70, 5000, LARGE_BYTES_MIN, LARGE_BYTES_MIN + 77_777]);
    return Buffer.alloc(size, `${random.between(0, 9)} ${random.between(0, 9)}`);
  }

  protected create(db: Database, key: Uint8Array): number {
    const { keyspace, random } = this;
    const type = random.pick(TYPES);
    const first = this.#text();
    let at = 0;
    if (type === TYPE_HASH) at = hashCreate(keyspace, db, key, 0, key.length, 10);
    else if (type === TYPE_ZSET) at = zsetCreate(keyspace, db, key, 0, key.length, 10, 10);
    else if (type === TYPE_LIST) at = listCreate(keyspace, db, key, 0, key.length, 10_000, 1);
    else at = setCreate(keyspace, db, key, 0, key.length, first, 0, first.length, 0);
    for (let i = random.pick([1, 4, 9]); i > 0; i--) at = this.#grow(db, at);
    return at;
  }

  #grow(db: Database, at: number): number {
    const { keyspace } = this;
    const text = this.#text();
    const { length } = text;
    const type = typeOf(keyspace.arena, at);
    if (type === TYPE_SET) return setAdd(keyspace, db, at, text, 0, length);
    if (type === TYPE_ZSET) {
      return zsetAdd(keyspace, db, at, text, 0, length, this.random.between(0, 5), 0);
    }
    if (type === TYPE_LIST) {
      const grown = listGrow(keyspace, db, at, length, 1);
      return listPush(keyspace, db, grown, text, 0, length, this.random.chance(0.5));
    }
    const field = this.random.chance(0.2) ? this.#text() : latin1(`f${this.random.between(0, 9)}`);
    return hashSet(keyspace, db, at, field, 0, field.length, text, 0, length);
  }

  #shrink(db: Database, at: number): void {
    const { keyspace, random } = this;
    const text = this.#text();
    const type = typeOf(keyspace.arena, at);
    let left = 0;
    if (type === TYPE_SET) {
      setRemove(keyspace, db, at, text, 0, text.length);
      left = setLength(keyspace, at);
    } else if (type === TYPE_ZSET) {
      zsetRemove(keyspace, db, at, text, 0, text.length);
      left = zsetLength(keyspace, at);
    } else if (type === TYPE_HASH) {
      const field = latin1(`f${random.between(0, 9)}`);
      hashDelete(keyspace, db, at, field, 0, field.length);
      left = hashLength(keyspace, at);
    } else {
      const index = random.between(0, listLength(keyspace, at) - 1);
      const grown = listGrow(keyspace, db, at, text.length, 1);
      const list = random.chance(0.5)
        ? listSet(keyspace, db, grown, index, text, 0, text.length)
        : listDelete(keyspace, db, grown, index, 1);
      left = listLength(keyspace, list);
      if (left === 0) keyspace.remove(db, list);
      return;
    }
    if (left === 0) keyspace.remove(db, at);
  }

  protected changeValue(db: Database, address: number): void {
    if (this.random.chance(0.5)) this.#grow(db, address);
    else this.#shrink(db, address);
  }
}

const digest = ({ bytes, offset, length }: Shown): string =>
  createHash('sha1')
    .update(bytes.subarray(offset, offset + length))
    .digest('hex');

type Shown = { readonly bytes: Uint8Array; readonly offset: number; readonly length: number };

const hashes = new HashCursor();
const lists = new ListCursor();
const zsets = new ZsetCursor();

/** Sets are tables here, whatever is in them: a cursor of hashes can show those. */
function tableSets(): Keyspace {
  const keyspace = makeKeyspace();
  keyspace.limits.setMaxListpackEntries = 0;
  return keyspace;
}

/** The digests of the elements, of a stream those of its nodes. */
const camera = cameraFor((keyspace, address) => {
  const type = typeOf(keyspace.arena, address);
  const found: string[] = [];
  if (type === TYPE_LIST) {
    lists.start(keyspace, address, 0, true);
    while (lists.next()) found.push(digest(lists.element));
    return found.join(' ');
  }
  if (type === TYPE_ZSET) {
    zsets.start(keyspace, address);
    while (zsets.next()) found.push(`${zsets.score} ${digest(zsets.member)}`);
    return found.join(' ');
  }
  if (type === TYPE_STREAM) {
    const log = streamOf(keyspace, address);
    for (let i = 0; i < log.nodeCount; i++) {
      const block = log.nodeBlock(i);
      const bytes = log.arena.bytes(block);
      const offset = log.arena.byteOffset(block);
      const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
      found.push(digest({ bytes, offset, length: view.getUint32(0, true) }));
    }
    return found.join(' ');
  }
  hashes.start(keyspace, address);
  while (hashes.next()) found.push(`${digest(hashes.field)}=${digest(hashes.value)}`);
  return found.sort().join(' ');
}, tableSets);

/** One key of each type, with an element of so many bytes. */
function filled(bytes: number): Keyspace {
  const keyspace = makeKeyspace(1);
  const db = keyspace.databases[0]!;
  const text = Buffer.alloc(bytes, 'some text ');
  let at = hashCreate(keyspace, db, latin1('h'), 0, 1, 10);
  at = hashSet(keyspace, db, at, latin1('f'), 0, 1, latin1('small'), 0, 5);
  hashSet(keyspace, db, at, text, 0, bytes - 1, text, 0, bytes);
  at = setCreate(keyspace, db, latin1('s'), 0, 1, text, 0, bytes, 0);
  setAdd(keyspace, db, at, text, 0, bytes);
  at = listCreate(keyspace, db, latin1('l'), 0, 1, bytes, 1);
  at = listPush(keyspace, db, at, latin1('head'), 0, 4, false);
  at = listGrow(keyspace, db, at, bytes, 1);
  listPush(keyspace, db, at, text, 0, bytes, false);
  const log = streamCreate(keyspace, db, latin1('x'), 0, 1);
  const words = new Args();
  words.setTo([latin1('field'), text]);
  log.append(new StreamId().set(0, 1, 0, 1), words, 0, 1, 4096, 100);
  at = zsetCreate(keyspace, db, latin1('z'), 0, 1, bytes, 0);
  zsetAdd(keyspace, db, at, text, 0, bytes, 1, 0);
  hashCreate(keyspace, db, text, 0, bytes, 10);
  hashSet(keyspace, db, keyspace.lookupWrite(db, text, 0, bytes), text, 0, 3, text, 0, 3);
  return keyspace;
}

describe('large strings in a snapshot', () => {
  itHoldsWhatWas({
    world: (seed) => new LargeWorld(seed),
    camera,
    partsMax: 12,
    movesMax: 20,
    kept: { numRuns: 25 },
    dropped: { numRuns: 10 },
  });

  const forms = [
    { version: 10, compress: true },
    { version: 10, compress: false },
    { version: 9, compress: true },
    { version: 9, compress: false },
  ] as const;
  for (const form of forms) {
    it(`stand in the queue in part only: ${JSON.stringify(form)}`, () => {
      const keyspace = filled(5 * QUEUE_BYTES_MAX);
      const truth = camera.of(keyspace);
      const snapshot = new HandSnapshot(keyspace, form);
      let most = 0;
      while (!snapshot.walker.isDone) {
        snapshot.walk(1000);
        most = Math.max(most, snapshot.queue.memoryBytes);
        snapshot.transport.deliver(3);
      }
      expect(camera.in(snapshot.finish())).toEqual(truth);
      expect(most).toBeLessThan(QUEUE_BYTES_MAX + OVER_BYTES);
    });
  }

  it('stay as they were, on their way, where a list or a stream would change them in place', () => {
    const keyspace = makeKeyspace();
    const db = keyspace.databases[0]!;
    const text = Buffer.alloc(LARGE_BYTES_MIN, 'some text ');
    let list = listCreate(keyspace, db, latin1('l'), 0, 1, text.length, 1);
    list = listGrow(keyspace, db, list, text.length, 1);
    list = listPush(keyspace, db, list, text, 0, text.length, false);
    const packed = Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(5000, 'w'));
    const pack = listpackOf(packed);
    listQuicklist(keyspace, list)!.appendListpack(pack, 0, pack.length, packed.length);
    const log = streamCreate(keyspace, db, latin1('x'), 0, 1);
    const words = new Args();
    const append = (sequence: number, value: Buffer): void => {
      words.setTo([latin1('field'), value]);
      log.append(new StreamId().set(0, 1, 0, sequence), words, 0, 1, 0, 100);
    };
    for (const [i, value] of [text, latin1('small'), latin1('other')].entries()) append(i, value);
    expect(log.nodeCount).toBe(1);
    const truth = camera.of(keyspace);
    const snapshot = new HandSnapshot(keyspace);
    snapshot.walk(100);
    expect(snapshot.walker.isDone).toBe(true);
    listSet(keyspace, db, list, 0, text.fill('x'), 0, text.length);
    listSet(keyspace, db, list, 5, text, 0, 5000);
    log.remove(new StreamId().set(0, 1, 0, 1));
    append(9, latin1('late'));
    expect(camera.of(keyspace)).not.toEqual(truth);
    expect(camera.in(snapshot.finish())).toEqual(truth);
  });

  it('are kept once when a hash changes while they are on their way', () => {
    const keyspace = makeKeyspace();
    const db = keyspace.databases[0]!;
    const text = Buffer.alloc(5 * QUEUE_BYTES_MAX, 'some text ');
    let at = hashCreate(keyspace, db, latin1('h'), 0, 1, 10);
    const set = (field: string, bytes: Buffer): void => {
      at = hashSet(keyspace, db, at, latin1(field), 0, field.length, bytes, 0, bytes.length);
    };
    for (const field of ['a', 'b', 'c']) set(field, text);
    const truth = camera.of(keyspace);
    const snapshot = new HandSnapshot(keyspace);
    for (let i = 0; i < 20; i++) snapshot.walk(1);
    const before = keyspace.arena.usedBytes;
    set('small', latin1('new'));
    expect(snapshot.queue.memoryBytes).toBeLessThan(QUEUE_BYTES_MAX + OVER_BYTES);
    text.fill('x');
    set('a', text);
    hashDelete(keyspace, db, at, latin1('b'), 0, 1);
    expect(snapshot.queue.memoryBytes).toBeLessThan(2 * text.length + QUEUE_BYTES_MAX);
    expect(keyspace.arena.usedBytes).toBeLessThan(before + text.length + 1000);
    expect(camera.in(snapshot.finish())).toEqual(truth);
    expect(snapshot.queue.memoryBytes).toBe(0);
    expect(keyspace.arena.usedBytes).toBeLessThan(before - text.length + 1000);
  });
});
