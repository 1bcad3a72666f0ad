/**
 * What an entry of the keyspace looks like: one arena block a key.
 *
 *     word 0   the dict's head (struct/entry.ts); its owner bits are
 *                bits 0-2   type        bits 3-6  encoding
 *                bit  7     EXPIRES: a word of the entry is its place in the expiry index
 *                bit  8     EXTERNAL: the value's bytes are in a block of their own
 *                bit  9     LARGE: the value is a large collection, word 2 is its handle
 *     word 1   bits 0-23 LRU clock, or LFU (minutes << 8 | counter); bits 24-31 snapshot generation
 *     word 2   length of the value's bytes | low word of an integer | handle of a large collection
 *     word 3   (integers) high word  |  (EXTERNAL) address of the value's block
 *     [word    place in the expiry index, when EXPIRES]
 *     [word    length of the key, when 65,535 or more]
 *     bytes    the key
 *     bytes    the value, when neither integer, EXTERNAL nor LARGE
 *
 * An entry whose key was written before its value was known has all these words (ALL_WORDS), used
 * or not.
 *
 * Types and encodings carry Redis's own numbers, but for those that are packed.
 */
import type { Arena } from './memory/arena.ts';
import { OWNER_SHIFT, WIDE_KEY } from './struct/entry.ts';
import { latin1Text } from './text/latin1.ts';

export const TYPE_STRING = 0;
export const TYPE_LIST = 1;
export const TYPE_SET = 2;
export const TYPE_ZSET = 3;
export const TYPE_HASH = 4;
export const TYPE_STREAM = 6;

export const ENC_RAW = 0;
export const ENC_INT = 1;
export const ENC_HASHTABLE = 2;
/** A small hash or set that Redis has as a table, and files too: in memory it is a listpack. */
export const ENC_PACKED_TABLE = 3;
/** A small sorted set that Redis has as a skiplist, and files too: in memory it is a listpack. */
export const ENC_PACKED_SKIPLIST = 4;
export const ENC_INTSET = 6;
/** What Redis calls a large sorted set, whatever orders it. */
export const ENC_SKIPLIST = 7;
export const ENC_EMBSTR = 8;
export const ENC_QUICKLIST = 9;
export const ENC_STREAM = 10;
export const ENC_LISTPACK = 11;

export const TYPE_NAMES = ['string', 'list', 'set', 'zset', 'hash', 'module', 'stream'] as const;
const ENCODING_NAMES: readonly string[] = [
  'raw',
  'int',
  'hashtable',
  'hashtable',
  'skiplist',
  '',
  'intset',
  'skiplist',
  'embstr',
  'quicklist',
  'stream',
  'listpack',
];

export const EXPIRES = 1 << 7;
export const EXTERNAL = 1 << 8;
export const LARGE = 1 << 9;

export const HEAD_EXPIRES = (EXPIRES << OWNER_SHIFT) >>> 0;
export const HEAD_EXTERNAL = (EXTERNAL << OWNER_SHIFT) >>> 0;
export const HEAD_LARGE = (LARGE << OWNER_SHIFT) >>> 0;

/** Words before the key when there are all that there can be. */
export const ALL_WORDS = 6;

/** Owner bits of an entry of this type and encoding, with these flags. */
export function ownerBits(type: number, encoding: number, flags: number): number {
  return type | (encoding << 3) | flags;
}

export function headOf(arena: Arena, address: number): number {
  return arena.words(address)[arena.wordOffset(address)]!;
}

/** Whether the entry has every word before its key that it may come to need. */
export function hasAllWords(arena: Arena, address: number): boolean {
  return ((headOf(arena, address) >>> 16) & 7) === ALL_WORDS;
}

export function typeOf(arena: Arena, address: number): number {
  return (headOf(arena, address) >>> OWNER_SHIFT) & 7;
}

export function encodingOf(arena: Arena, address: number): number {
  return (headOf(arena, address) >>> (OWNER_SHIFT + 3)) & 15;
}

/** The same value in another encoding: the bytes are as that has them already. */
export function setEncoding(arena: Arena, address: number, encoding: number): void {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  const mask = (15 << (OWNER_SHIFT + 3)) >>> 0;
  words[at] = (words[at]! & ~mask) | (encoding << (OWNER_SHIFT + 3));
}

export function typeName(arena: Arena, address: number): string {
  return TYPE_NAMES[typeOf(arena, address)]!;
}

export function encodingName(encoding: number): string {
  return ENCODING_NAMES[encoding] ?? 'unknown';
}

/** Word of the entry in which the expiry index keeps its place. Only for entries with EXPIRES. */
export function placeWord(arena: Arena, address: number): number {
  const head = headOf(arena, address);
  const keyWords = (head >>> 16) & 7;
  return (head & 0xffff) === WIDE_KEY ? keyWords - 2 : keyWords - 1;
}

/** A borrowed range of bytes: valid until the next command, or the next change of what it shows. */
export class ByteView {
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  length = 0;

  /** The bytes as text, a character for each. */
  latin1(): string {
    return latin1Text(this.bytes, this.offset, this.length);
  }

  /** The bytes themselves, to keep. */
  copy(): Uint8Array {
    return this.bytes.slice(this.offset, this.offset + this.length);
  }
}
