/**
 * What the compact encodings of collections share: a listpack or intset that is the value of an
 * entry, changed in place.
 *
 * Blocks of the arena come in sizes an eighth apart, so a value that grows piece by piece is copied
 * a logarithmic number of times without any spare of its own; only huge blocks, which come in any
 * size, keep one.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { BLOCK_BYTES_MAX } from '../memory/arena.ts';
import { LP_EMPTY_BYTES, lpBytes, lpInit, lpInsert } from '../struct/listpack.ts';
import { ENC_LISTPACK } from '../value.ts';

/** Bytes that a listpack may take: Redis's limit, far below what its head could say. */
export const LISTPACK_BYTES_MAX = 1 << 30;
const FIRST_ROOM_MAX = 4096;
/**
 * With more, looking one up takes longer than in a table, and a change moves too much (measured
 * with 32 fields of 90 bytes: 1.7 times as long), and what is saved is little beside the rest.
 */
const PACKED_ELEMENTS_MAX = 16;
const PACKED_BYTES_MAX = 2048;

/** An empty listpack, and room behind it to be copied along. */
const EMPTY = new Uint8Array(FIRST_ROOM_MAX);
lpInit(EMPTY, 0);

/**
 * Adds a key with an empty listpack, to which `room` bytes of entries will be added at once.
 * Returns its address.
 */
export function listpackCreate(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  type: number,
  room: number,
): number {
  const length = Math.min(LP_EMPTY_BYTES + room, FIRST_ROOM_MAX);
  const address = keyspace.putBytes(
    db,
    key,
    keyOffset,
    keyLength,
    0,
    type,
    ENC_LISTPACK,
    EMPTY,
    0,
    length,
    false,
  );
  return keyspace.resizeValue(db, address, LP_EMPTY_BYTES, length);
}

/** Whether so many elements, fields or members, of so many bytes are packed as a small table. */
export function isPacked(elements: number, bytes: number): boolean {
  return elements <= PACKED_ELEMENTS_MAX && bytes <= PACKED_BYTES_MAX;
}

/** Makes the value `more` bytes longer. Returns the entry's address. */
export function growValue(keyspace: Keyspace, db: Database, address: number, more: number): number {
  const length = keyspace.valueLength(address) + more;
  return keyspace.resizeValue(db, address, length, length > BLOCK_BYTES_MAX ? length >>> 3 : 0);
}

/**
 * Makes the value as long as its block has room for, whose bytes then hold anything; `resizeValue`
 * gives back what is not used. Returns the entry's address.
 */
export function fillBlock(keyspace: Keyspace, db: Database, address: number): number {
  const { arena } = keyspace;
  const block = keyspace.valueBlock(address);
  const start = keyspace.valueOffset(address) - arena.byteOffset(block);
  return keyspace.resizeValue(db, address, arena.sizeOf(block) - start, 0);
}

/** Appends an entry to a listpack that has room for it. */
export function listpackAppend(
  keyspace: Keyspace,
  address: number,
  text: Uint8Array,
  offset: number,
  length: number,
): void {
  const bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
  const base = keyspace.valueOffset(address);
  lpInsert(bytes, base, lpBytes(bytes, base) - 1, text, offset, length);
}
