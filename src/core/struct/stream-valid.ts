/** Whether bytes from outside are a node of a stream that can be walked safely, either way. */
import { STAGE_BYTES } from './block-stage.ts';
import { LP_HEAD_BYTES, lpElement, lpGet } from './listpack.ts';
import { lpBehind, lpValid } from './listpack-valid.ts';
import { StreamId } from './stream-id.ts';
import { countElements, WALK_COUNT_MAX } from './stream-machine.ts';
import {
  ENTRY_DELETED,
  ENTRY_SAME_FIELDS,
  entryId,
  firstEntryAt,
  masterFieldsAt,
  nextEntryAt,
  numberAt,
} from './stream-node.ts';

const COUNT_UNKNOWN = 0xffff;

const entry = new StreamId();
/** The integer that was passed last. */
let value = 0;

/**
 * Whether `length` bytes from `base` are a node: a listpack, entries complete, counted right,
 * lp-counts true. One walk over the elements looks at both.
 */
export function nodeValid(bytes: Uint8Array, base: number, length: number): boolean {
  if (!lpValid(bytes, base, length, false)) return false;
  const found =
    length <= STAGE_BYTES
      ? countElements(bytes, base, length)
      : countLongNode(bytes, base, base + length - 1);
  if (found < 0) return false;
  const counted = bytes[base + 4]! | (bytes[base + 5]! << 8);
  return counted === COUNT_UNKNOWN || counted === found;
}

/** Number of the elements of a node, -1 when one is damaged or an entry is not whole. */
export function countLongNode(bytes: Uint8Array, base: number, end: number): number {
  let at = passCount(bytes, base + LP_HEAD_BYTES, end);
  const live = value;
  at = passCount(bytes, at, end);
  const deleted = value;
  at = passCount(bytes, at, end);
  const masterFields = value;
  at = passCount(bytes, passAny(bytes, at, end, masterFields), end);
  if (at < 0 || value !== 0) return -1;
  let elements = 4 + masterFields;
  let found = 0;
  let gone = 0;
  while (at < end) {
    at = passCount(bytes, at, end);
    const flags = value;
    at = passInteger(bytes, passInteger(bytes, at, end), end);
    let own = 3 + masterFields;
    let data = masterFields;
    if ((flags & ENTRY_SAME_FIELDS) === 0) {
      at = passCount(bytes, at, end);
      own = 4 + value * 2;
      data = value * 2;
    }
    at = passCount(bytes, passAny(bytes, at, end, data), end);
    if (at < 0 || value !== own) return -1;
    elements += own + 1;
    if ((flags & ENTRY_DELETED) !== 0) gone++;
    else found++;
  }
  return found === live && gone === deleted && found + gone > 0 ? elements : -1;
}

/**
 * Whether the entries of a sound node, whose first id is `master`, come in order: none before
 * `master`, each behind `last`, which is set to the last one's id.
 */
export function nodeInOrder(
  bytes: Uint8Array,
  base: number,
  master: StreamId,
  last: StreamId,
): boolean {
  const fields = numberAt(bytes, base, masterFieldsAt(bytes, base));
  let at = firstEntryAt(bytes, base);
  while (at !== 0) {
    entryId(bytes, base, at, master, entry);
    if (entry.compare(master) < 0 || entry.compare(last) <= 0) return false;
    last.copy(entry);
    at = nextEntryAt(bytes, base, at, fields);
  }
  return true;
}

/**
 * Passes an integer into `value`: where it ends, -1 when there is none. That is then passed on: so
 * a row of these is looked at once, at its end.
 */
function passInteger(bytes: Uint8Array, at: number, end: number): number {
  if (at < 0 || at >= end) return -1;
  const first = bytes[at]!;
  if (first < 0x80) {
    value = first;
    return at + 1 < end && bytes[at + 1] === 1 ? at + 2 : -1;
  }
  const behind = lpBehind(bytes, at, end);
  if (behind < 0) return -1;
  lpGet(bytes, 0, at);
  if (!lpElement.isInteger) return -1;
  value = lpElement.number;
  return behind;
}

/** Like `passInteger`, for one that is not negative, nor more than anything can count. */
function passCount(bytes: Uint8Array, at: number, end: number): number {
  const behind = passInteger(bytes, at, end);
  return value < 0 || value > WALK_COUNT_MAX ? -1 : behind;
}

/** Passes `count` elements, whatever they are. */
function passAny(bytes: Uint8Array, at: number, end: number, count: number): number {
  let behind = at;
  for (let i = 0; i < count && behind >= 0; i++) {
    behind = behind < end ? lpBehind(bytes, behind, end) : -1;
  }
  return behind;
}
