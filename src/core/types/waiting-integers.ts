/**
 * The integers of an intset that has become a table but is too large to be moved at once: those
 * that are not in the table yet.
 *
 *     block    [ intset ........................ ][ bits ]     one arena block
 *                       ^ next                      a bit an integer: it has been taken out
 *
 * They leave in order, some at a time, or one by one when somebody asks for them. An integer is
 * here or in the table, never in both, so that the set is the sum of the two at every moment.
 *
 * The intset itself never changes. So a snapshot that holds the block and has a copy of the bits
 * knows for good which integers waited when it began (`HeldIntegers`).
 */
import type { Arena } from '../memory/arena.ts';
import { copyBytes } from '../memory/copy.ts';
import { intsetBytes, intsetCount, intsetFind, intsetGet, intsetSlot } from '../struct/intset.ts';
import type { ElementView } from './element-view.ts';
import { int64Words, readInt64 } from './int64-words.ts';

export class WaitingIntegers {
  /** Integers that wait. */
  count: number;
  private readonly arena: Arena;
  private readonly block: number;
  private readonly total: number;
  /** Where the bits begin, from the beginning of the block. */
  private readonly bits: number;
  private next = 0;
  private isHeld = false;
  /** Given back by the set, but still held. */
  private isFree = false;

  /** Copies the intset at `base`; all of its integers wait. */
  constructor(arena: Arena, bytes: Uint8Array, base: number) {
    this.arena = arena;
    this.total = intsetCount(bytes, base);
    this.count = this.total;
    this.bits = intsetBytes(bytes, base);
    const size = this.bits + Math.ceil(this.total / 8);
    this.block = arena.alloc(size);
    const to = arena.byteOffset(this.block);
    copyBytes(bytes, base, arena.bytes(this.block), to, this.bits);
    arena.bytes(this.block).fill(0, to + this.bits, to + size);
  }

  /** Bytes that this takes of the arena. */
  get blockBytes(): number {
    return this.arena.sizeOf(this.block);
  }

  /** Gives the memory back; when it is held, once it is let go. */
  free(): void {
    this.isFree = true;
    if (!this.isHeld) this.arena.free(this.block);
  }

  /**
   * Keeps the integers that wait now as they are until they are let go. Throws when they are held
   * already.
   */
  hold(): HeldIntegers {
    if (this.isHeld) throw new Error('the integers that wait are held already');
    this.isHeld = true;
    const from = this.arena.byteOffset(this.block) + this.bits;
    const taken = this.arena.bytes(this.block).slice(from, from + Math.ceil(this.total / 8));
    return new HeldIntegers(this.arena, this.block, taken, () => {
      this.isHeld = false;
      if (this.isFree) this.arena.free(this.block);
    });
  }

  /** Whether this text is that of an integer that waits. */
  has(text: Uint8Array, offset: number, length: number): boolean {
    return (
      isInIntset(this.arena, this.block, text, offset, length) && !this.isTaken(intsetSlot.index)
    );
  }

  /** Takes out the integer with this text. Whether it was here. */
  take(text: Uint8Array, offset: number, length: number): boolean {
    if (!this.has(text, offset, length)) return false;
    this.mark(intsetSlot.index);
    return true;
  }

  /** Takes out the next integer and shows it. False at the end. */
  takeNext(view: ElementView): boolean {
    const { arena, block, total } = this;
    while (this.next < total && this.isTaken(this.next)) this.next++;
    if (this.next === total) return false;
    this.mark(this.next);
    intsetGet(arena.bytes(block), arena.byteOffset(block), this.next++);
    view.showInteger(intsetSlot.low, intsetSlot.high);
    return true;
  }

  private isTaken(place: number): boolean {
    const { arena, block } = this;
    const at = arena.byteOffset(block) + this.bits + (place >>> 3);
    return (arena.bytes(block)[at]! & (1 << (place & 7))) !== 0;
  }

  private mark(place: number): void {
    const { arena, block } = this;
    const at = arena.byteOffset(block) + this.bits + (place >>> 3);
    arena.bytes(block)[at]! |= 1 << (place & 7);
    this.count--;
  }
}

/** The integers that waited at one moment. */
export class HeldIntegers {
  private readonly arena: Arena;
  private readonly block: number;
  /** A bit an integer: it did not wait any more. */
  private readonly taken: Uint8Array;
  private readonly total: number;
  private readonly onLetGo: () => void;
  private next = 0;

  constructor(arena: Arena, block: number, taken: Uint8Array, onLetGo: () => void) {
    this.arena = arena;
    this.block = block;
    this.taken = taken;
    this.total = intsetCount(arena.bytes(block), arena.byteOffset(block));
    this.onLetGo = onLetGo;
  }

  /** Whether this text is that of an integer that waited. */
  has(text: Uint8Array, offset: number, length: number): boolean {
    return (
      isInIntset(this.arena, this.block, text, offset, length) && !this.wasTaken(intsetSlot.index)
    );
  }

  /** Shows the next of them. False at the end. */
  showNext(view: ElementView): boolean {
    const { arena, block, total } = this;
    while (this.next < total && this.wasTaken(this.next)) this.next++;
    if (this.next === total) return false;
    intsetGet(arena.bytes(block), arena.byteOffset(block), this.next++);
    view.showInteger(intsetSlot.low, intsetSlot.high);
    return true;
  }

  /** Ends the hold, so that the set may have its memory back. */
  letGo(): void {
    this.onLetGo();
  }

  private wasTaken(place: number): boolean {
    return (this.taken[place >>> 3]! & (1 << (place & 7))) !== 0;
  }
}

/** Whether a block's intset has the integer with this text: `intsetSlot.index` says where. */
function isInIntset(
  arena: Arena,
  block: number,
  text: Uint8Array,
  offset: number,
  length: number,
): boolean {
  if (!readInt64(text, offset, length)) return false;
  const { low, high } = int64Words;
  return intsetFind(arena.bytes(block), arena.byteOffset(block), low, high);
}
