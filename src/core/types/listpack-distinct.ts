/**
 * Whether the elements of a listpack are all different: asked of bytes that come from outside.
 *
 * The elements are put into a small open-addressing table by their hash, so that a listpack of many
 * elements costs no more than each of them once. Those of very many are taken in several rounds,
 * each of some hashes, so that the table stays small. Two encodings of one text count as the same.
 */
import { halfSipHash } from '../memory/halfsiphash.ts';
import { lpCount, lpEquals, lpFirst, lpNext } from '../struct/listpack.ts';
import { ElementView } from './element-view.ts';

const FIRST_SLOTS = 1024;
const SLOTS_MAX = 1 << 22;
/** A table that grew past this is not kept. */
const SLOTS_KEPT = 1 << 18;
const LOAD_SHIFT = 1;

const element = new ElementView();
let slots = new Int32Array(FIRST_SLOTS);

/** Whether no two of the elements 0, `step`, 2 x `step`, ... of a sound listpack are equal. */
export function lpDistinct(bytes: Uint8Array, base: number, step: number): boolean {
  const wanted = Math.ceil(lpCount(bytes, base) / step) << LOAD_SHIFT;
  const rounds = Math.ceil(wanted / SLOTS_MAX);
  const room = Math.min(wanted, SLOTS_MAX);
  while (slots.length < room) slots = new Int32Array(slots.length * 2);
  let size = 8;
  while (size < room) size *= 2;
  let isDistinct = true;
  for (let round = 0; isDistinct && round < rounds; round++) {
    isDistinct = distinctInRound(bytes, base, step, size, round, rounds);
  }
  if (slots.length > SLOTS_KEPT) slots = new Int32Array(FIRST_SLOTS);
  return isDistinct;
}

function distinctInRound(
  bytes: Uint8Array,
  base: number,
  step: number,
  size: number,
  round: number,
  rounds: number,
): boolean {
  slots.fill(0, 0, size);
  for (let at = lpFirst(bytes, base); at !== 0; ) {
    element.showListpack(bytes, base, at);
    const { length, offset } = element;
    const hash = halfSipHash(element.bytes, offset, length, 0, 0);
    if (rounds === 1 || (hash >>> 0) % rounds === round) {
      let slot = hash & (size - 1);
      for (; slots[slot] !== 0; slot = (slot + 1) & (size - 1)) {
        if (lpEquals(bytes, base, slots[slot]!, element.bytes, offset, length)) return false;
      }
      slots[slot] = at;
    }
    for (let i = 0; i < step && at !== 0; i++) at = lpNext(bytes, base, at);
  }
  return true;
}
