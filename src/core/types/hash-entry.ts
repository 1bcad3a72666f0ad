/**
 * An entry of the "hashtable" encoding of large hashes and sets: one arena block.
 *
 *     word 0   the dict's head (struct/entry.ts); its 13 owner bits are the value's length,
 *              0x1fff: the length has a word of its own
 *     [word    length of the value, when 8,191 or more]
 *     [word    length of the field, when 65,535 or more]
 *     bytes    the field
 *     bytes    the value
 *
 * A set's member is a field whose value is empty.
 */
import type { Arena } from '../memory/arena.ts';
import {
  entryHead,
  entryKeyLength,
  entryKeyOffset,
  OWNER_SHIFT,
  wideWords,
} from '../struct/entry.ts';

/** Value lengths from here on are kept in a word of their own. */
export const WIDE_VALUE = 0x1fff;
const HEAD_MASK = (1 << OWNER_SHIFT) - 1;

/** Words before the field. */
export function fieldWords(fieldLength: number, valueLength: number): number {
  return 1 + (valueLength < WIDE_VALUE ? 0 : 1) + wideWords(fieldLength);
}

/** Writes the head of an entry of `fieldWords` words; where its field is to be written. */
export function putHead(
  arena: Arena,
  address: number,
  keyWords: number,
  fieldLength: number,
  valueLength: number,
): number {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  words[at] = entryHead(fieldLength, keyWords, Math.min(valueLength, WIDE_VALUE));
  if (valueLength >= WIDE_VALUE) words[at + 1] = valueLength;
  if (wideWords(fieldLength) !== 0) words[at + keyWords - 1] = fieldLength;
  return (at + keyWords) << 2;
}

/** Length of the value of an entry. */
export function valueLengthOf(arena: Arena, address: number): number {
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  const short = words[at]! >>> OWNER_SHIFT;
  return short < WIDE_VALUE ? short : words[at + 1]!;
}

/** The first word of an entry, with another length of the value. */
export function withValueLength(head: number, length: number): number {
  return ((head & HEAD_MASK) | (Math.min(length, WIDE_VALUE) << OWNER_SHIFT)) >>> 0;
}

/** Where the value begins in the bytes of the arena. */
export function valueOffsetOf(arena: Arena, address: number): number {
  return entryKeyOffset(arena, address) + entryKeyLength(arena, address);
}
