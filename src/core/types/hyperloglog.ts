/**
 * HyperLogLogs: the value API. A HyperLogLog is a string that looks like one.
 *
 *     +------+---+-----+----------+-----------------------------
 *     | HYLL | E | N/U | Cardin.  | registers
 *     +------+---+-----+----------+-----------------------------
 *        4     1    3       8       sparse: opcodes (hyperloglog-sparse.ts)
 *                                   dense:  12,288 bytes (hyperloglog-dense.ts)
 *
 *     E          0 dense, 1 sparse
 *     N/U        zeroes
 *     Cardin.    the estimate that was answered last, little-endian; its highest bit says that the
 *                registers have changed since
 *
 * A sparse HyperLogLog becomes dense when it would outgrow `hll-sparse-max-bytes`, or when a
 * register exceeds 32; there is no way back. The bytes are Redis's, for the same additions in the
 * same order.
 *
 * Callers of the functions that change one have come through `lookupWrite` and `hllOpen`. They
 * return the entry's address, which may be a new one. Registers in a plain array, a byte each, are
 * what several HyperLogLogs are united in.
 */
import type { Database } from '../database.ts';
import type { Keyspace } from '../keyspace.ts';
import { ByteView, ENC_INT, ENC_RAW, encodingOf, TYPE_STRING } from '../value.ts';
import {
  DENSE_BYTES,
  denseGet,
  denseHistogram,
  denseMerge,
  densePack,
  denseRaise,
  plainHistogram,
} from './hyperloglog-dense.ts';
import { HISTOGRAM_SIZE, hashed, hllEstimate, hllHash } from './hyperloglog-estimate.ts';
import {
  HLL_HEAD_BYTES,
  HLL_REGISTERS,
  SPARSE_CORRUPT,
  SPARSE_FULL,
  SPARSE_SAME,
  sparseApply,
  sparseEdit,
  sparseHistogram,
  sparseHolds,
  sparseInit,
  sparseMerge,
  sparsePlan,
} from './hyperloglog-sparse.ts';
import { stringFit, stringResize, stringView } from './string.ts';

const MAGIC = 0x4c4c_5948;
const DENSE = 0;
const SPARSE = 1;
const ENCODING_AT = 4;
const CARDINALITY_AT = 8;
const STALE_AT = 15;
const STALE = 0x80;
const TWO_32 = 0x1_0000_0000;
const TWO_63 = 2 ** 63;

/** A HyperLogLog that counted nothing. */
const FRESH = new Uint8Array(HLL_HEAD_BYTES + 2);
for (let i = 0; i < ENCODING_AT; i++) FRESH[i] = (MAGIC >> (i * 8)) & 255;
FRESH[ENCODING_AT] = SPARSE;
sparseInit(FRESH, HLL_HEAD_BYTES);

export const HLL_SAME = 0;
export const HLL_CHANGED = 1;
export const HLL_CORRUPT = 2;

/** What the last `hllAdd` or `hllRaise` did: HLL_SAME, HLL_CHANGED or HLL_CORRUPT. */
export const hllChange = { outcome: HLL_SAME };

/** A cardinality as two words, as the head of a HyperLogLog and the reply carry it. */
class Cardinality {
  low = 0;
  high = 0;
}

/** Registers that several HyperLogLogs are united in: a byte each, and four a word. */
export class HllRegisters {
  readonly bytes = new Uint8Array(HLL_REGISTERS);
  readonly words = new Int32Array(this.bytes.buffer);
}

/** What `hllCached`, `hllCount` or `hllCountOf` found. */
export const cardinality = new Cardinality();

const view = new ByteView();
const histogram = new Uint32Array(HISTOGRAM_SIZE);
const spread = new Uint8Array(HLL_REGISTERS);

// ---------------------------------------------------------------- looking

/** Whether a string looks like a HyperLogLog. Its opcodes are not looked at. */
export function hllIsValid(keyspace: Keyspace, address: number): boolean {
  if (encodingOf(keyspace.arena, address) === ENC_INT) return false;
  stringView(keyspace, address, view);
  const { bytes, offset, length } = view;
  if (length < HLL_HEAD_BYTES) return false;
  const magic =
    bytes[offset]! |
    (bytes[offset + 1]! << 8) |
    (bytes[offset + 2]! << 16) |
    (bytes[offset + 3]! << 24);
  if (magic !== MAGIC) return false;
  const encoding = bytes[offset + ENCODING_AT]!;
  return encoding === SPARSE || (encoding === DENSE && length === DENSE_BYTES);
}

/** Whether a HyperLogLog is dense. */
export function hllIsDense(keyspace: Keyspace, address: number): boolean {
  stringView(keyspace, address, view);
  return view.bytes[view.offset + ENCODING_AT] === DENSE;
}

/**
 * Whether counting an element would change nothing, as far as is seen without opening the value.
 * It is the value that `hllIsValid` has just looked at.
 */
export function hllHasCounted(
  keyspace: Keyspace,
  address: number,
  element: Uint8Array,
  offset: number,
  length: number,
): boolean {
  if (encodingOf(keyspace.arena, address) !== ENC_RAW) return false;
  hllHash(element, offset, length);
  const { bytes, offset: base } = view;
  const { count, register } = hashed;
  if (bytes[base + ENCODING_AT] === DENSE) return denseGet(bytes, base, register) >= count;
  return sparseHolds(bytes, base, view.length, register, count);
}

/** Shows the estimate that a HyperLogLog carries in `cardinality`; false when it is stale. */
export function hllCached(keyspace: Keyspace, address: number): boolean {
  stringView(keyspace, address, view);
  return isCached();
}

/** Like `hllCached`, for a raw value that `hllIsValid` has just looked at; else false. */
export function hllCachedRaw(keyspace: Keyspace, address: number): boolean {
  return encodingOf(keyspace.arena, address) === ENC_RAW && isCached();
}

function isCached(): boolean {
  const { bytes, offset } = view;
  if ((bytes[offset + STALE_AT]! & STALE) !== 0) return false;
  cardinality.low = wordAt(bytes, offset + CARDINALITY_AT);
  cardinality.high = wordAt(bytes, offset + CARDINALITY_AT + 4);
  return true;
}

/** Raises registers to those of a HyperLogLog; false when that is corrupt. */
export function hllMerge(keyspace: Keyspace, address: number, registers: HllRegisters): boolean {
  const isDense = hllIsDense(keyspace, address);
  if (!isDense) return sparseMerge(view.bytes, view.offset, view.length, registers.bytes);
  denseMerge(view.bytes, view.offset, registers.words);
  return true;
}

/** Estimates what registers have counted, into `cardinality`. */
export function hllCountOf(registers: HllRegisters): void {
  histogram.fill(0);
  plainHistogram(registers.words, histogram);
  estimate();
}

/** Estimates from `histogram`; what no elements can have made counts as the lowest integer. */
function estimate(): void {
  const count = hllEstimate(histogram);
  const isSane = count < TWO_63;
  cardinality.low = isSane ? count | 0 : 0;
  cardinality.high = isSane ? Math.floor(count / TWO_32) | 0 : STALE << 24;
}

// ---------------------------------------------------------------- changing

/** Adds a key with a HyperLogLog that counted nothing. Returns its address. */
export function hllCreate(
  keyspace: Keyspace,
  db: Database,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
): number {
  return keyspace.putBytes(
    db,
    key,
    keyOffset,
    keyLength,
    0,
    TYPE_STRING,
    ENC_RAW,
    FRESH,
    0,
    FRESH.length,
    false,
  );
}

/** Makes a HyperLogLog ready for changes in place. Returns its address. */
export function hllOpen(keyspace: Keyspace, db: Database, address: number): number {
  stringView(keyspace, address, view);
  return stringResize(keyspace, db, address, view.length, view);
}

/** The estimate that a HyperLogLog carries is stale from now on. */
export function hllInvalidate(keyspace: Keyspace, address: number): void {
  stringView(keyspace, address, view);
  view.bytes[view.offset + STALE_AT]! |= STALE;
}

/** Estimates anew, into `cardinality` and the value; false when that is corrupt. */
export function hllCount(keyspace: Keyspace, address: number): boolean {
  const isDense = hllIsDense(keyspace, address);
  const { bytes, offset, length } = view;
  histogram.fill(0);
  if (isDense) denseHistogram(bytes, offset, histogram);
  else if (!sparseHistogram(bytes, offset, length, histogram)) return false;
  estimate();
  for (let i = 0; i < 4; i++) {
    bytes[offset + CARDINALITY_AT + i] = (cardinality.low >> (i * 8)) & 255;
    bytes[offset + CARDINALITY_AT + 4 + i] = (cardinality.high >> (i * 8)) & 255;
  }
  return true;
}

/** Counts an element; `hllChange` tells what came of it. Returns the entry's address. */
export function hllAdd(
  keyspace: Keyspace,
  db: Database,
  address: number,
  element: Uint8Array,
  offset: number,
  length: number,
  sparseBytesMax: number,
): number {
  hllHash(element, offset, length);
  return hllRaise(keyspace, db, address, hashed.register, hashed.count, sparseBytesMax);
}

/** Raises a register to `count`; `hllChange` tells what came of it. Returns the entry's address. */
export function hllRaise(
  keyspace: Keyspace,
  db: Database,
  address: number,
  register: number,
  count: number,
  sparseBytesMax: number,
): number {
  hllChange.outcome = HLL_SAME;
  if (hllIsDense(keyspace, address)) {
    raiseDense(register, count);
    return address;
  }
  const { length } = view;
  const plan = sparsePlan(view.bytes, view.offset, length, register, count, sparseBytesMax);
  if (plan === SPARSE_SAME) return address;
  if (plan === SPARSE_FULL) {
    const dense = hllToDense(keyspace, db, address);
    if (dense !== 0) raiseDense(register, count);
    else hllChange.outcome = HLL_CORRUPT;
    return dense === 0 ? address : dense;
  }
  if (plan === SPARSE_CORRUPT) {
    hllChange.outcome = HLL_CORRUPT;
    return address;
  }
  const room = length + Math.max(sparseEdit.length - sparseEdit.oldLength, 0);
  let at = address;
  if (room > length) at = stringResize(keyspace, db, at, room, view);
  const now = sparseApply(view.bytes, view.offset, length);
  if (now < room) at = stringResize(keyspace, db, at, now, view);
  view.bytes[view.offset + STALE_AT]! |= STALE;
  hllChange.outcome = HLL_CHANGED;
  return at;
}

/** Raises a register of the dense HyperLogLog in `view`. */
function raiseDense(register: number, count: number): void {
  const { bytes, offset } = view;
  if (!denseRaise(bytes, offset, register, count)) return;
  bytes[offset + STALE_AT]! |= STALE;
  hllChange.outcome = HLL_CHANGED;
}

/** Makes a HyperLogLog dense. Returns the entry's address, 0 when the value is corrupt. */
export function hllToDense(keyspace: Keyspace, db: Database, address: number): number {
  if (hllIsDense(keyspace, address)) return address;
  spread.fill(0);
  if (!sparseMerge(view.bytes, view.offset, view.length, spread)) return 0;
  const at = stringFit(keyspace, db, address, DENSE_BYTES, view);
  view.bytes[view.offset + ENCODING_AT] = DENSE;
  densePack(spread, view.bytes, view.offset);
  return at;
}

/** Gives a dense HyperLogLog other registers. */
export function hllReplace(keyspace: Keyspace, address: number, registers: HllRegisters): void {
  stringView(keyspace, address, view);
  densePack(registers.bytes, view.bytes, view.offset);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
