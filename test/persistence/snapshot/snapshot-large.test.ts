/**
 * Large strings in hashes, sets, lists and streams: a snapshot writes them piece by piece, each as
 * it was, and holds no more of them than its queue may.
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
  listSet,
} from '../../../src/core/types/list.ts';
import { ListCursor } from '../../../src/core/types/list-cursor.ts';
import { setAdd, setCreate, setLength, setRemove } from '../../../src/core/types/set.ts';
import { streamCreate, streamOf } from '../../../src/core/types/stream.ts';
import { TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_STREAM, typeOf } from '../../../src/core/value.ts';
import { LARGE_BYTES_MIN } from '../../../src/persistence/rdb/rdb-large.ts';
import { QUEUE_BYTES_MAX } from '../../../src/persistence/snapshot/snapshot-queue.ts';
import { fileReader, latin1, loaded, makeKeyspace } from '../rdb/rdb-support.ts';
import {
  HandSnapshot,
  itHoldsWhatWas,
  type Picture,
  pictureOf,
  World,
} from './snapshot-support.ts';

const KEYS = 3;
const DATABASES = 2;
const TYPES = [TYPE_HASH, TYPE_SET, TYPE_LIST] as const;
/** What a snapshot may write behind a full queue: a chunk, and the heads before the next look. */
const OVER_BYTES = 1 << 19;

/** Few keys, of few elements, of which some are large; and changes to them. */
class LargeWorld extends World {
  constructor(seed: number) {
    super(seed, DATABASES);
    const { limits } = this.keyspace;
    limits.setMaxListpackEntries = 0;
    limits.listPackedThreshold = this.random.pick([1 << 30, 900]);
  }

  fill(): void {
    for (let i = 0; i < KEYS; i++) this.#create(latin1(`key:${i}`));
  }

  #text(): Buffer {
    const { random } = this;
    const size = random.pick([3, 70, 5000, LARGE_BYTES_MIN, LARGE_BYTES_MIN + 77_777]);
    return Buffer.alloc(size, `${random.between(0, 9)} ${random.between(0, 9)}`);
  }

  #create(key: Buffer): void {
    const { keyspace, random } = this;
    const db = this.db();
    this.clear(db, key);
    const type = random.pick(TYPES);
    const first = this.#text();
    let at =
      type === TYPE_HASH
        ? hashCreate(keyspace, db, key, 0, key.length, 10)
        : type === TYPE_SET
          ? setCreate(keyspace, db, key, 0, key.length, first, 0, first.length, 0)
          : listCreate(keyspace, db, key, 0, key.length, 10_000, 1);
    for (let i = random.pick([1, 4, 9]); i > 0; i--) at = this.#grow(db, at);
  }

  #grow(db: Database, at: number): number {
    const { keyspace } = this;
    const text = this.#text();
    const { length } = text;
    const type = typeOf(keyspace.arena, at);
    if (type === TYPE_SET) return setAdd(keyspace, db, at, text, 0, length);
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

  change(): void {
    const { keyspace, random } = this;
    const db = this.db();
    const key = latin1(`key:${random.between(0, KEYS - 1)}`);
    const address = keyspace.lookupWrite(db, key, 0, key.length);
    const dice = random.between(0, 99);
    if (address === 0) {
      if (dice < 30) this.#create(key);
    } else if (dice < 5) keyspace.remove(db, address);
    else if (dice < 7) keyspace.flush(db.id);
    else if (dice < 12) keyspace.swap(db.id, this.db().id);
    else if (dice < 17) this.rename(db, address, this.db(), key);
    else if (dice < 27) keyspace.freeSlice(100);
    else if (dice < 60) this.#grow(db, address);
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

function picture(keyspace: Keyspace): Picture {
  return pictureOf(keyspace, (_, address) => {
    const type = typeOf(keyspace.arena, address);
    const found: string[] = [];
    if (type === TYPE_LIST) {
      lists.start(keyspace, address, 0, true);
      while (lists.next()) found.push(digest(lists.element));
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
  });
}

/** Sets are tables here, whatever is in them: a cursor of hashes can show those. */
function tableSets(): Keyspace {
  const keyspace = makeKeyspace();
  keyspace.limits.setMaxListpackEntries = 0;
  return keyspace;
}

const shown = (rdb: Uint8Array): Picture =>
  picture(loaded(fileReader(rdb), { expired: 'keep', keyspace: tableSets() }).keyspace);

/** One key of each type, with an element of so many bytes. */
function filled(bytes: number): Keyspace {
  const keyspace = makeKeyspace(DATABASES);
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
  return keyspace;
}

describe('large strings in a snapshot', () => {
  itHoldsWhatWas({
    world: (seed) => new LargeWorld(seed),
    picture,
    shown,
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
      const truth = picture(keyspace);
      const snapshot = new HandSnapshot(keyspace, form);
      let most = 0;
      while (!snapshot.walker.isDone) {
        snapshot.walk(1000);
        most = Math.max(most, snapshot.queue.memoryBytes);
        snapshot.transport.deliver(3);
      }
      expect(shown(snapshot.finish())).toEqual(truth);
      expect(most).toBeLessThan(QUEUE_BYTES_MAX + OVER_BYTES);
    });
  }
});
