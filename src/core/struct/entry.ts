/**
 * The head that every entry of every dict begins with: one word that says where its key is.
 *
 *     word 0   bits 0-15   key length in bytes; 0xffff: the length is the word just before the key
 *              bits 16-18  offset of the key, in words (1 to 7)
 *              bits 19-31  the owner's (the keyspace keeps type, encoding and flags there)
 *     ...      the owner's words
 *     [word    key length, when word 0 says 0xffff]
 *     bytes    the key
 *     bytes    whatever the owner keeps behind the key
 *
 * An entry is one arena block. Because all dicts agree on this head, one dict class serves the
 * keyspace, hashes, sets and the member index of sorted sets, and its look-up stays monomorphic.
 */
import type { Arena } from '../memory/arena.ts';
import { halfSipHashView } from '../memory/halfsiphash.ts';
import { equalViews, viewed, viewOf, viewOfKey } from '../memory/view-of.ts';

/** Is shown every change of a dict's entries before it happens, by whoever makes the change. */
export interface EntryDoor {
  /** Called when the entry whose key has this hash is about to come, change or go. */
  changing(hash: number): void;
}

/** Key lengths from here on are kept in a word of their own. */
export const WIDE_KEY = 0xffff;
/** Bits of word 0 that belong to the owner. */
export const OWNER_SHIFT = 19;

/** Word 0 of an entry whose key of `keyLength` bytes begins `keyWords` words into it. */
export function entryHead(keyLength: number, keyWords: number, owner: number): number {
  const short = Math.min(keyLength, WIDE_KEY);
  return (short | (keyWords << 16) | (owner << OWNER_SHIFT)) >>> 0;
}

/** Words that the key's length takes besides word 0: 0 or 1. */
export function wideWords(keyLength: number): number {
  return keyLength < WIDE_KEY ? 0 : 1;
}

/** Length of the key of the entry at `address`, in bytes. */
export function entryKeyLength(arena: Arena, address: number): number {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  const head = words[at]!;
  const short = head & 0xffff;
  return short !== WIDE_KEY ? short : words[at + ((head >>> 16) & 7) - 1]!;
}

/** Offset of the key in `arena.bytes(address)`. */
export function entryKeyOffset(arena: Arena, address: number): number {
  const at = arena.wordOffset(address);
  return (at + ((arena.words(address)[at]! >>> 16) & 7)) << 2;
}

/** Whether the key of the entry at `address` is this one. */
export function entryKeyEquals(
  arena: Arena,
  address: number,
  key: Uint8Array,
  offset: number,
  length: number,
): boolean {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  const head = words[at]!;
  const keyWords = (head >>> 16) & 7;
  const short = head & 0xffff;
  if (short !== length && (short !== WIDE_KEY || words[at + keyWords - 1] !== length)) return false;
  const view = arena.view(address) ?? viewOf(arena.bytes(address));
  const other = viewOfKey(key, offset, length);
  return equalViews(view, (at + keyWords) << 2, other, viewed.at, length);
}

/** Hash of the key of the entry at `address`. */
export function entryKeyHash(arena: Arena, address: number, seed0: number, seed1: number): number {
  const length = entryKeyLength(arena, address);
  const view = arena.view(address) ?? viewOf(arena.bytes(address));
  return halfSipHashView(view, entryKeyOffset(arena, address), length, seed0, seed1);
}
