/**
 * Strings: the value API.
 *
 *     int     a 64-bit integer in the entry's words 2 and 3, when the text is that of one (at most 20 characters)
 *     embstr  bytes, at most 44 when they were stored
 *     raw     bytes, longer ones, and whatever was changed in place (APPEND, SETRANGE, SETBIT)
 *
 * embstr and raw differ only in the name that OBJECT ENCODING gives; both are bytes in the entry's own block, or past
 * 64 KiB in a block of their own.
 *
 * Limits: 512 MB a string (`proto-max-bulk-len`), which the commands enforce.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { isInt64Text, parseInt64, parseInteger, writeInt64 } from '../text/integer.ts';
import { type ByteView, ENC_EMBSTR, ENC_INT, ENC_RAW, encodingOf, TYPE_STRING } from '../value.ts';

const EMBSTR_MAX = 44;
const INT_TEXT_MAX = 20;
const TWO_32 = 0x1_0000_0000;
const SAFE_HIGH = 0x20_0000;
const DIGITS_ROOM = 24;
const SPARE_MAX = 1 << 20;
const digits = new Uint8Array(DIGITS_ROOM);

/** Shows the bytes of a string in `view`; an integer is written out into a shared scratch. */
export function stringView(keyspace: Keyspace, address: number, view: ByteView): void {
  const { arena } = keyspace;
  if (encodingOf(arena, address) === ENC_INT) {
    const words = arena.words(address);
    const at = arena.wordOffset(address);
    view.bytes = digits;
    view.offset = 0;
    view.length = writeInt64(digits, 0, words[at + 2]! | 0, words[at + 3]! | 0);
    return;
  }
  view.bytes = arena.bytes(keyspace.valueBlock(address));
  view.offset = keyspace.valueOffset(address);
  view.length = keyspace.valueLength(address);
}

/** Bytes of a string. */
export function stringLength(keyspace: Keyspace, address: number): number {
  const { arena } = keyspace;
  if (encodingOf(arena, address) !== ENC_INT) return keyspace.valueLength(address);
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  return writeInt64(digits, 0, words[at + 2]! | 0, words[at + 3]! | 0);
}

/**
 * Stores a string under a key, in the encoding that suits it. `existing` is what `lookupWrite` returned for the key.
 * Returns the entry's address.
 */
export function stringSet(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  existing: number,
  value: Uint8Array,
  offset: number,
  length: number,
  keepExpiry: boolean,
): number {
  if (length <= INT_TEXT_MAX) {
    const number = parseInteger(value, offset, length);
    if (!Number.isNaN(number)) {
      let low = number | 0;
      let high = Math.floor(number / TWO_32);
      if (number > Number.MAX_SAFE_INTEGER || number < Number.MIN_SAFE_INTEGER) {
        const exact = parseInt64(value, offset, length) ?? 0n;
        low = Number(BigInt.asIntN(32, exact));
        high = Number(exact >> 32n);
      }
      return keyspace.putInteger(db, key, keyOffset, keyLength, existing, low, high, keepExpiry);
    }
  }
  const encoding = length <= EMBSTR_MAX ? ENC_EMBSTR : ENC_RAW;
  return keyspace.putBytes(
    db,
    key,
    keyOffset,
    keyLength,
    existing,
    TYPE_STRING,
    encoding,
    value,
    offset,
    length,
    keepExpiry,
  );
}

/** Whether the string is the text of a 64-bit integer. */
export function stringIsInteger(keyspace: Keyspace, address: number, view: ByteView): boolean {
  if (encodingOf(keyspace.arena, address) === ENC_INT) return true;
  stringView(keyspace, address, view);
  return isInt64Text(view.bytes, view.offset, view.length);
}

/** The integer of an int-encoded string when a double holds it exactly, else NaN. */
export function stringSafeInteger(keyspace: Keyspace, address: number): number {
  const { arena } = keyspace;
  if (encodingOf(arena, address) !== ENC_INT) return Number.NaN;
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  const high = words[at + 3]! | 0;
  if (high >= SAFE_HIGH || high < -SAFE_HIGH) return Number.NaN;
  return high * TWO_32 + words[at + 2]!;
}

/**
 * Makes the string `length` bytes long for a change in place, with zeroes where it grows, and shows it in `view`.
 * It is raw from now on; growing keeps room for more, as much again up to 1 MiB. Returns the entry's address.
 */
export function stringResize(
  keyspace: Keyspace,
  db: Database,
  address: number,
  length: number,
  view: ByteView,
): number {
  let entry = address;
  if (encodingOf(keyspace.arena, entry) === ENC_INT) entry = stringFromInteger(keyspace, db, entry);
  const old = keyspace.valueLength(entry);
  const spare = length > old ? Math.min(length, SPARE_MAX) : 0;
  entry = keyspace.resizeValue(db, entry, length, spare);
  keyspace.setEncoding(entry, ENC_RAW);
  stringView(keyspace, entry, view);
  if (length > old) view.bytes.fill(0, view.offset + old, view.offset + length);
  return entry;
}

/** Turns an int-encoded string into bytes. Returns the entry's address. */
function stringFromInteger(keyspace: Keyspace, db: Database, address: number): number {
  const { arena } = keyspace;
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  const length = writeInt64(digits, 0, words[at + 2]! | 0, words[at + 3]! | 0);
  return keyspace.putBytes(
    db,
    arena.bytes(address),
    keyspace.keyOffset(address),
    keyspace.keyLength(address),
    address,
    TYPE_STRING,
    ENC_RAW,
    digits,
    0,
    length,
    true,
  );
}
