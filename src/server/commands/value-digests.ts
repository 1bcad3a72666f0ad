/**
 * Digests of values, type by type, and of the whole dataset: see core/digest.ts for what they are
 * made of.
 */
import type { Database } from '../../core/database.ts';
import { Digest } from '../../core/digest.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { StreamCursor } from '../../core/struct/stream-cursor.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { SCORE_TEXT_MAX, writeScore } from '../../core/text/score.ts';
import { HashCursor } from '../../core/types/hash-cursor.ts';
import { ListCursor } from '../../core/types/list-cursor.ts';
import { SetCursor } from '../../core/types/set-view.ts';
import { streamOf } from '../../core/types/stream.ts';
import { stringView } from '../../core/types/string.ts';
import { ZsetCursor } from '../../core/types/zset-view.ts';
import {
  ByteView,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
  typeOf,
} from '../../core/value.ts';

/** Takes the value of the entry at `address` into `digest`. */
type ValueDigest = (keyspace: Keyspace, address: number, digest: Digest) => void;

const view = new ByteView();
const keyDigest = new Digest();
const pairDigest = new Digest();
const fields = new HashCursor();
const members = new SetCursor();
const entries = new StreamCursor();
const elements = new ListCursor();
const scored = new ZsetCursor();
const scoreText = new Uint8Array(SCORE_TEXT_MAX);

function digestString(keyspace: Keyspace, address: number, digest: Digest): void {
  stringView(keyspace, address, view);
  digest.mix(view.bytes, view.offset, view.length);
}

function digestList(keyspace: Keyspace, address: number, digest: Digest): void {
  elements.start(keyspace, address, 0, true);
  while (elements.next()) {
    const { bytes, length, offset } = elements.element;
    digest.mix(bytes, offset, length);
  }
}

function digestSet(keyspace: Keyspace, address: number, digest: Digest): void {
  members.start(keyspace, address);
  while (members.next()) {
    const { bytes, length, offset } = members.member;
    digest.xor(bytes, offset, length);
  }
}

function digestZset(keyspace: Keyspace, address: number, digest: Digest): void {
  scored.start(keyspace, address);
  while (scored.next()) {
    const { bytes, length, offset } = scored.member;
    pairDigest.clear();
    pairDigest.mix(bytes, offset, length);
    pairDigest.mix(scoreText, 0, writeScore(scoreText, 0, scored.score));
    digest.xorDigest(pairDigest);
  }
}

function digestHash(keyspace: Keyspace, address: number, digest: Digest): void {
  fields.start(keyspace, address);
  while (fields.next()) {
    const { field, value } = fields;
    pairDigest.clear();
    pairDigest.mix(field.bytes, field.offset, field.length);
    pairDigest.mix(value.bytes, value.offset, value.length);
    digest.xorDigest(pairDigest);
  }
}

function digestStream(keyspace: Keyspace, address: number, digest: Digest): void {
  entries.start(streamOf(keyspace, address), new StreamId(), new StreamId().setMax(), false);
  while (entries.next()) {
    digest.mixText(entries.id.toString().replace('-', '.'));
    while (entries.nextField()) {
      const { field, value } = entries;
      digest.mix(field.bytes, field.offset, field.length);
      digest.mix(value.bytes, value.offset, value.length);
    }
  }
}

const DIGESTS = new Map<number, ValueDigest>([
  [TYPE_STRING, digestString],
  [TYPE_LIST, digestList],
  [TYPE_SET, digestSet],
  [TYPE_ZSET, digestZset],
  [TYPE_HASH, digestHash],
  [TYPE_STREAM, digestStream],
]);

const EXPIRES = latin1Bytes('!!expire!!');

/** Takes a value, its type, and whether it expires into `digest`. */
export function digestValue(keyspace: Keyspace, address: number, digest: Digest): void {
  const type = typeOf(keyspace.arena, address);
  digest.mixNumber(type);
  const own = DIGESTS.get(type);
  if (own === undefined) throw new Error(`there is no digest of values of type ${type}`);
  own(keyspace, address, digest);
  if (keyspace.hasExpiry(address)) digest.xor(EXPIRES, 0, EXPIRES.length);
}

/** Sets `digest` to that of all databases. */
export function digestDataset(keyspace: Keyspace, digest: Digest): void {
  digest.clear();
  for (const db of keyspace.databases) {
    if (db.dict.count === 0) continue;
    digest.mixNumber(db.id);
    digestDatabase(keyspace, db, digest);
  }
}

function digestDatabase(keyspace: Keyspace, db: Database, digest: Digest): void {
  const { arena } = keyspace;
  let cursor = 0;
  do {
    cursor = db.dict.collect(cursor);
    for (let i = 0; i < db.dict.collectedCount; i++) {
      const address = db.dict.collected[i]!;
      keyDigest.clear();
      const at = keyspace.keyOffset(address);
      keyDigest.mix(arena.bytes(address), at, keyspace.keyLength(address));
      digestValue(keyspace, address, keyDigest);
      digest.xorDigest(keyDigest);
    }
  } while (cursor !== 0);
}
