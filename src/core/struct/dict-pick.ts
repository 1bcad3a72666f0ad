/**
 * Fair random picks from a dict (dict.ts draws its buckets).
 *
 * A pick draws a bucket and one of 32 slots: those of the bucket and of the overflow buckets that
 * may hang from it. Most draws hit an empty slot, and waiting for a bucket's memory at each would
 * take long, so several are drawn and read together (measured, SRANDMEMBER from 1,000,000 members:
 * 1.5 us instead of 2.2).
 *
 * Where a chain has more slots than that, more are drawn from, since what lies beyond them would
 * never be picked. Among many buckets there is such a chain by chance; and removing what SCAN
 * shows, in its order, leaves a table whose entries all hang from a few buckets.
 */
import type { Arena } from '../memory/arena.ts';

const SLOTS = 12;
const CHAINED = 1 << 12;
const SLOT_BITS = 5;
const SLOT_MASK = (1 << SLOT_BITS) - 1;

/** Slots that are drawn from at least. */
const SLOTS_DRAWN = 1 << SLOT_BITS;
const TWO_32 = 0x1_0000_0000;

/**
 * How many slots the longest chain of a dict has, or more: what a pick must draw from.
 *
 * It grows with what is put into the table. Nobody reports that a chain has become shorter, so
 * where the longest is long, each draw that hits nothing looks at one more bucket of the table:
 *
 *     buckets   0 ............ at ............ buckets
 *               [ seen: `found` | not yet seen ]
 *
 * An entry may move from one that is not yet seen to one that is, but whatever is put is noted in
 * `found` too. So at the end `found` is at least what the longest chain has.
 */
export class SlotReach {
  slots = SLOTS_DRAWN;
  /** The bucket that is looked at next. */
  at = 0;
  private found = SLOTS_DRAWN;

  /** An entry was put into this slot, counted from the first bucket of its chain. */
  note(slot: number): void {
    if (slot >= this.slots) this.slots = slot + 1;
    if (slot >= this.found) this.found = slot + 1;
  }

  /** A draw hit nothing: looks at bucket number `at` of the table's `buckets`. */
  look(arena: Arena, bucket: number, buckets: number): void {
    if (this.slots === SLOTS_DRAWN) return;
    this.found = Math.max(this.found, slotsOf(arena, bucket));
    if (++this.at < buckets) return;
    this.slots = this.found;
    this.found = SLOTS_DRAWN;
    this.at = 0;
  }
}

/** Slots of a bucket and of what hangs from it. */
function slotsOf(arena: Arena, first: number): number {
  let slots = SLOTS;
  let bucket = first;
  for (;;) {
    const words = arena.u32[bucket >>> 19]!;
    const at = (bucket & 0x7ffff) << 1;
    if ((words[at]! & CHAINED) === 0) return slots;
    slots += SLOTS;
    bucket = words[at + 15]!;
  }
}

/** Buckets that are drawn together. */
export const PICKS_AHEAD = 6;
/** The addresses of the buckets that were drawn. */
export const pickedBuckets = new Uint32Array(PICKS_AHEAD);
const metas = new Uint32Array(PICKS_AHEAD);

/** The first entry that is hit in `pickedBuckets` with a slot below `slots` each, 0 for none. */
export function firstPicked(arena: Arena, random: () => number, slots: number): number {
  const bits = random();
  const isPlain = slots === SLOTS_DRAWN;
  for (let i = 0; i < PICKS_AHEAD; i++) {
    const bucket = pickedBuckets[i]!;
    metas[i] = arena.u32[bucket >>> 19]![(bucket & 0x7ffff) << 1]!;
  }
  for (let i = 0; i < PICKS_AHEAD; i++) {
    const slot = isPlain
      ? (bits >>> (i * SLOT_BITS)) & SLOT_MASK
      : Math.floor((random() * slots) / TWO_32);
    const meta = metas[i]!;
    if (slot < SLOTS ? ((meta >>> slot) & 1) === 0 : (meta & CHAINED) === 0) continue;
    const address = slotEntry(arena, pickedBuckets[i]!, slot);
    if (address !== 0) return address;
  }
  return 0;
}

/** The entry in a slot of a bucket and those that hang from it, 0 where there is none. */
function slotEntry(arena: Arena, first: number, slot: number): number {
  let bucket = first;
  for (;;) {
    const words = arena.u32[bucket >>> 19]!;
    const at = (bucket & 0x7ffff) << 1;
    const meta = words[at]!;
    if (slot < SLOTS) return ((meta >>> slot) & 1) !== 0 ? words[at + 4 + slot]! : 0;
    if ((meta & CHAINED) === 0) return 0;
    bucket = words[at + 15]!;
    slot -= SLOTS;
  }
}
