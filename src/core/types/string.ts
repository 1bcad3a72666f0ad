/**
 * Strings: the value API.
 *
 *     int     a 64-bit integer in the entry's words 2 and 3, when the text is that of one (at
 *             most 20 characters)
 *     embstr  bytes, at most 44 when they were stored
 *     raw     bytes, longer ones, and whatever was changed in place (APPEND, SETRANGE, SETBIT)
 *
 * embstr and raw differ only in the name that OBJECT ENCODING gives; both are bytes in the entry's
 * own block, or past 64 KiB in a block of their own.
 *
 * What grows in place keeps room for as much again, up to 1 MiB, or for an eighth of itself where
 * that is more, so that many small APPENDs do not copy the string each time, nor those of 1 MiB one
 * of 400. The system gives a huge block the memory for such room only as it is used.
 *
 * Limits: `proto-max-bulk-len` (512 MB unless configured), which the commands enforce, and
 * STRING_BYTES_MAX, the largest block.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { HUGE_BASE } from '../memory/arena.ts';
import { copyBytes } from '../memory/copy.ts';
import { parseInt64, parseInteger, writeInt64 } from '../text/integer.ts';
import { ByteView, ENC_EMBSTR, ENC_INT, ENC_RAW, encodingOf, TYPE_STRING } from '../value.ts';

/** The longest string there can be: the largest block, less what is kept for growth. */
export const STRING_BYTES_MAX = 0xffe0_0000;

const EMBSTR_MAX = 44;
const INT_TEXT_MAX = 20;
const TWO_32 = 0x1_0000_0000;
const SAFE_HIGH = 0x20_0000;
const DIGITS_ROOM = 24;
const SPARE_BYTES = 1 << 20;
const SPARE_SHARE = 1 / 8;
const BLOCK_BYTES_MOST = 0xffff_fff8;
const digits = new Uint8Array(DIGITS_ROOM);
/** What short new bitmaps begin as. */
const ZEROES = new Uint8Array(1024);
const scratch = new ByteView();

/** Shows the bytes of a string in `view`; an integer is written out into a shared scratch. */
export function stringView(keyspace: Keyspace, address: number, view: ByteView): void {
  const { arena } = keyspace;
  if (encodingOf(arena, address) !== ENC_INT) {
    keyspace.viewValue(address, view);
    return;
  }
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  view.bytes = digits;
  view.offset = 0;
  view.length = writeInt64(digits, 0, words[at + 2]! | 0, words[at + 3]! | 0);
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
 * Stores a string under a key, in the encoding that suits it. `existing` is what `lookupWrite`
 * returned for the key. Returns the entry's address.
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
      if (Number.isSafeInteger(number)) {
        const high = Math.floor(number / TWO_32);
        const low = number | 0;
        return keyspace.putInteger(db, key, keyOffset, keyLength, existing, low, high, keepExpiry);
      }
      const exact = parseInt64(value, offset, length) ?? 0n;
      return putInt64(keyspace, db, key, keyOffset, keyLength, existing, exact, keepExpiry);
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

/** The integer of an int-encoded string when a double holds it exactly, else NaN. */
function stringSafeInteger(keyspace: Keyspace, address: number): number {
  const { arena } = keyspace;
  if (encodingOf(arena, address) !== ENC_INT) return Number.NaN;
  const words = arena.words(address);
  const at = arena.wordOffset(address);
  const high = words[at + 3]! | 0;
  if (high >= SAFE_HIGH || high < -SAFE_HIGH) return Number.NaN;
  return high * TWO_32 + words[at + 2]!;
}

/**
 * The number that the string is the text of, NaN when it is none. Exact up to 2^53, the nearest
 * double beyond.
 */
export function stringNumber(keyspace: Keyspace, address: number): number {
  const safe = stringSafeInteger(keyspace, address);
  if (!Number.isNaN(safe)) return safe;
  stringView(keyspace, address, scratch);
  return parseInteger(scratch.bytes, scratch.offset, scratch.length);
}

/** The 64-bit integer that the string is the text of, exactly, or undefined. Allocates. */
export function stringInt64(keyspace: Keyspace, address: number): bigint | undefined {
  stringView(keyspace, address, scratch);
  return parseInt64(scratch.bytes, scratch.offset, scratch.length);
}

/** Stores a safe integer under a key, whose expiry stays. See `stringSet`. */
export function stringSetNumber(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  existing: number,
  value: number,
): number {
  const high = Math.floor(value / TWO_32);
  return keyspace.putInteger(db, key, keyOffset, keyLength, existing, value | 0, high, true);
}

/** Stores any 64-bit integer under a key, whose expiry stays. See `stringSet`. */
export function stringSetInt64(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  existing: number,
  value: bigint,
): number {
  return putInt64(keyspace, db, key, keyOffset, keyLength, existing, value, true);
}

function putInt64(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  existing: number,
  value: bigint,
  keepExpiry: boolean,
): number {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(value >> 32n);
  return keyspace.putInteger(db, key, keyOffset, keyLength, existing, low, high, keepExpiry);
}

/** Stores bytes under a key, never as an integer; its expiry stays. See `stringSet`. */
export function stringSetText(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  existing: number,
  value: Uint8Array,
): number {
  const encoding = value.length <= EMBSTR_MAX ? ENC_EMBSTR : ENC_RAW;
  return keyspace.putBytes(
    db,
    key,
    keyOffset,
    keyLength,
    existing,
    TYPE_STRING,
    encoding,
    value,
    0,
    value.length,
    true,
  );
}

/** Stores bytes under a key as a raw string that does not expire. See `stringSet`. */
export function stringSetRaw(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  existing: number,
  value: Uint8Array,
  length: number,
): number {
  return keyspace.putBytes(
    db,
    key,
    keyOffset,
    keyLength,
    existing,
    TYPE_STRING,
    ENC_RAW,
    value,
    0,
    length,
    false,
  );
}

/**
 * Makes the string `length` bytes long for a change in place, with zeroes where it grows, and shows
 * it in `view`. It is raw from now on. Returns the entry's address.
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
  return resize(keyspace, db, entry, length, length > old ? spareFor(length) : 0, view);
}

/** Like `stringResize`, for a string that will not grow any more. */
export function stringFit(
  keyspace: Keyspace,
  db: Database,
  address: number,
  length: number,
  view: ByteView,
): number {
  return resize(keyspace, db, address, length, 0, view);
}

/** Adds a raw string of zeroes under a key that does not exist, and shows it in `view`. */
export function stringAddZeroes(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  length: number,
  view: ByteView,
): number {
  const isShort = length <= ZEROES.length;
  const entry = keyspace.putBytes(
    db,
    key,
    keyOffset,
    keyLength,
    0,
    TYPE_STRING,
    ENC_RAW,
    ZEROES,
    0,
    isShort ? length : 0,
    false,
  );
  if (!isShort) return resize(keyspace, db, entry, length, 0, view);
  stringView(keyspace, entry, view);
  return entry;
}

/** Appends bytes, not its own, to a string, which is raw from now on. Returns its address. */
export function stringAppend(
  keyspace: Keyspace,
  db: Database,
  address: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  let entry = address;
  if (encodingOf(keyspace.arena, entry) === ENC_INT) entry = stringFromInteger(keyspace, db, entry);
  const old = keyspace.valueLength(entry);
  const total = old + length;
  entry = keyspace.resizeValue(db, entry, total, length > 0 ? spareFor(total) : 0);
  keyspace.setEncoding(entry, ENC_RAW);
  const target = keyspace.arena.bytes(keyspace.valueBlock(entry));
  copyBytes(bytes, offset, target, keyspace.valueOffset(entry) + old, length);
  return entry;
}

/** The room that a string of so many bytes keeps for growth. */
function spareFor(length: number): number {
  const spare = Math.max(Math.min(length, SPARE_BYTES), Math.floor(length * SPARE_SHARE));
  return Math.min(spare, BLOCK_BYTES_MOST - length);
}

function resize(
  keyspace: Keyspace,
  db: Database,
  address: number,
  length: number,
  spare: number,
  view: ByteView,
): number {
  const old = keyspace.valueLength(address);
  const block = keyspace.valueBlock(address);
  let entry = address;
  if (length === old) keyspace.ownValue(address);
  else entry = keyspace.resizeValue(db, address, length, spare);
  keyspace.setEncoding(entry, ENC_RAW);
  stringView(keyspace, entry, view);
  // A huge block that was just allocated is zero, and its pages take no memory until written.
  const fresh = keyspace.valueBlock(entry);
  const isZero = fresh >= HUGE_BASE && fresh !== block;
  if (length > old && !isZero) view.bytes.fill(0, view.offset + old, view.offset + length);
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
