/** Whether bytes from outside are a node of a stream that can be walked safely, either way. */
import { lpElement, lpFirst, lpGet, lpNext } from './listpack.ts';
import { lpValid } from './listpack-valid.ts';
import { StreamId } from './stream-id.ts';
import {
  ENTRY_DELETED,
  ENTRY_SAME_FIELDS,
  entryId,
  firstEntryAt,
  masterFieldsAt,
  nextEntryAt,
  numberAt,
} from './stream-node.ts';

const entry = new StreamId();
let position = 0;
let value = 0;

/**
 * Whether `length` bytes from `base` are a node: entries complete, counted right, lp-counts
 * true.
 */
export function nodeValid(bytes: Uint8Array, base: number, length: number): boolean {
  if (!lpValid(bytes, base, length, true)) return false;
  position = lpFirst(bytes, base);
  if (!takeCount(bytes, base)) return false;
  const live = value;
  if (!takeCount(bytes, base)) return false;
  const deleted = value;
  if (!takeCount(bytes, base)) return false;
  const masterFields = value;
  if (!takeAny(bytes, base, masterFields)) return false;
  if (!takeCount(bytes, base) || value !== 0) return false;
  let found = 0;
  let gone = 0;
  while (position !== 0) {
    if (!takeCount(bytes, base)) return false;
    const flags = value;
    if (!takeInteger(bytes, base) || !takeInteger(bytes, base)) return false;
    let elements = 3 + masterFields;
    let data = masterFields;
    if ((flags & ENTRY_SAME_FIELDS) === 0) {
      if (!takeCount(bytes, base)) return false;
      elements = 4 + value * 2;
      data = value * 2;
    }
    if (!takeAny(bytes, base, data)) return false;
    if (!takeCount(bytes, base) || value !== elements) return false;
    if ((flags & ENTRY_DELETED) !== 0) gone++;
    else found++;
  }
  return found === live && gone === deleted && found + gone > 0;
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

/** Passes an integer into `value`; false at the end, and for a string. */
function takeInteger(bytes: Uint8Array, base: number): boolean {
  if (position === 0) return false;
  lpGet(bytes, base, position);
  if (!lpElement.isInteger) return false;
  value = lpElement.number;
  position = lpNext(bytes, base, position);
  return true;
}

/** Like `takeInteger`, for one that is not negative. */
function takeCount(bytes: Uint8Array, base: number): boolean {
  return takeInteger(bytes, base) && value >= 0;
}

/** Passes `count` elements, whatever they are. */
function takeAny(bytes: Uint8Array, base: number, count: number): boolean {
  for (let i = 0; i < count; i++) {
    if (position === 0) return false;
    position = lpNext(bytes, base, position);
  }
  return true;
}
