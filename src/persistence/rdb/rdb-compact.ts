/**
 * Compact values in an RDB: hashes, sets and zsets that are one string, which holds in the file
 * what it holds in memory, a listpack or an intset; or a ziplist, of which a listpack is made.
 */
import type { Database } from '../../core/database.ts';
import type { EncodingLimits } from '../../core/encoding-limits.ts';
import type { Keyspace, LargeValue } from '../../core/keyspace.ts';
import { lpCount } from '../../core/struct/listpack.ts';
import { lpValid } from '../../core/struct/listpack-valid.ts';
import type { ByteView } from '../../core/value.ts';
import type { PackedForm } from './packed-form.ts';
import type { FrameWriter } from './rdb-frame-writer.ts';
import type { RdbReader } from './rdb-reader.ts';
import type { LargeTaker } from './rdb-taker.ts';
import { ZiplistReader } from './ziplist.ts';
import { ziplistAsListpack } from './ziplist-listpack.ts';

const ziplist = new ZiplistReader();

/** A type of collections, in a form in which a file has it. */
export interface PackedKind {
  /** Walks one value: it remembers where it is, and other loads may be under way. */
  form(): PackedForm;
  /** Whether an element is two strings. */
  readonly isPair: boolean;
  readonly type: number;
  /** The encoding that the collection has with many elements. */
  readonly largeEncoding: number;
  /** The error text for a damaged value of this form. */
  readonly damage: string;
  /** Makes a large collection without elements, and what fills it. */
  grow(keyspace: Keyspace): LargeTaker;
}

/** A form of a type that is kept compact while it has few elements. */
export interface CompactKind extends PackedKind {
  readonly encoding: number;
  /** Whether it is kept as it is in the file; else it is a ziplist. */
  readonly isKept: boolean;
  /** The most elements that a compact value may have. */
  most(limits: EncodingLimits): number;
  /** What is wrong with a value from outside in the form in which it is kept, or ''. */
  fault(bytes: Uint8Array, offset: number, length: number): string;
  /** Number of elements. */
  count(bytes: Uint8Array, offset: number): number;
  /** Makes a large collection with the same elements. */
  enlarged(keyspace: Keyspace, bytes: Uint8Array, offset: number): LargeValue;
}

/** Writes a compact value. */
export function emitCompact(keyspace: Keyspace, address: number, writer: FrameWriter): void {
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  writer.string(bytes, keyspace.valueOffset(address), keyspace.valueLength(address));
}

/** Whether these bytes are a listpack of pairs. */
export function arePairs(bytes: Uint8Array, offset: number, length: number): boolean {
  return lpValid(bytes, offset, length, true) && lpCount(bytes, offset) % 2 === 0;
}

/** Number of pairs in a listpack. */
export function countPairs(bytes: Uint8Array, offset: number): number {
  return lpCount(bytes, offset) >>> 1;
}

/**
 * Stores what `view` shows, all of one that was read, under a key that does not exist. Returns the
 * entry's address, 0 for one without elements.
 */
export function storeCompact(
  keyspace: Keyspace,
  reader: RdbReader,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  kind: CompactKind,
  view: ByteView,
): number {
  if (!kind.isKept) {
    const isSound = ziplist.open(view.bytes, view.offset, view.length);
    if (!isSound || (kind.isPair && ziplist.count % 2 !== 0)) throw reader.fail(kind.damage);
    ziplistAsListpack(ziplist, view);
  }
  const { bytes, length: size, offset: from } = view;
  const fault = kind.fault(bytes, from, size);
  if (fault !== '') throw reader.fail(fault);
  const count = kind.count(bytes, from);
  if (count === 0) return 0;
  const { encoding, largeEncoding, type } = kind;
  if (count <= kind.most(keyspace.limits)) {
    return keyspace.putBytes(db, key, offset, length, 0, type, encoding, bytes, from, size, false);
  }
  const large = kind.enlarged(keyspace, bytes, from);
  return keyspace.putLarge(db, key, offset, length, 0, type, largeEncoding, large, false);
}
