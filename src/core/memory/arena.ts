/**
 * The arena: every byte of user data, outside the JavaScript heap.
 *
 * Memory is addressed in granules of 8 bytes by an unsigned 32-bit number, so that an address fits
 * a table slot of four bytes. Address 0 means "nothing".
 *
 *     0            1 << 19 (4 MiB)                         HUGE_BASE          2^32
 *     |  chunk 0   |  chunk 1   |  ...  up to 7,680 chunks  |  huge handles    |
 *
 *     chunk  4 MiB, cut into pages of 64 KiB, spans of 4 pages and groups of 16 (chunk-space.ts)
 *     slab   blocks of one size: a page of small ones, a span or a group of medium ones
 *     huge   a block over 64 KiB has an ArrayBuffer of its own, its address is HUGE_BASE + handle
 *
 * Size classes: 1 to 16 granules by one, then eight classes a doubling, so that a block is at most
 * one eighth larger than what was asked for. Up to 4 KiB is small, up to 64 KiB medium. A medium
 * slab is a span, unless that would leave more than 1/64 of it unused: then it is a group.
 *
 * A slab knows how many of its blocks are in use, a list of the freed ones threaded through the
 * blocks themselves (first word: next free block index + 1), and how many were ever handed out.
 * Slabs with room hang in a doubly linked list of their class. Of the slabs that are empty one of
 * each class is kept until the next `tidy`, the others return to the pool of pages.
 *
 * A huge block can be lent to somebody who reads it over a while, a snapshot that sends it from
 * where it lies. Whoever wants to change what it holds makes a new block of it (`isLent`); whoever
 * frees it need not care: it goes, and its handle with it, when the last reader gives it back.
 *
 * Invariants: `usedBytes` is the sum of the sizes of all blocks in use, at every moment, those that
 * were freed while they are lent included. A block's size can be asked for at any time, so callers
 * need not store their capacity.
 *
 * Limits: 30 GiB of blocks, plus huge blocks up to 2^32 - 1 bytes each.
 */
import { ChunkSpace, grown, PAGE_SHIFT, PAGES_PER_GROUP, PAGES_PER_SPAN } from './chunk-space.ts';

const CHUNK_MASK = (1 << 19) - 1;
const PAGE_GRANULES = 1 << PAGE_SHIFT;

/** Addresses from here on name huge blocks: HUGE_BASE + handle. */
export const HUGE_BASE = 0xf0000000;
/** The largest block, in bytes, that shares a slab with others. */
export const BLOCK_BYTES_MAX = 65_536;

const SMALL_GRANULES_MAX = 512;
const CLASS_COUNT = 89;
const SMALL_CLASS_MAX = classOf(SMALL_GRANULES_MAX);
const NONE = -1;

/** Size class of a block of `granules` (1 to 8,192). */
function classOf(granules: number): number {
  if (granules <= 16) return granules;
  const x = granules - 1;
  const k = 31 - Math.clz32(x);
  return 9 + ((k - 3) << 3) + ((x >>> (k - 3)) & 7);
}

/** Granules of one block of size class `cls`. */
function granulesOf(cls: number): number {
  if (cls <= 16) return cls;
  const index = cls - 9;
  return (9 + (index & 7)) << (index >>> 3);
}

const CLASS_GRANULES = Uint32Array.from({ length: CLASS_COUNT }, (_, cls) => granulesOf(cls));
/** Pages of a slab of each class. */
const CLASS_PAGES = Int32Array.from({ length: CLASS_COUNT }, (_, cls) => {
  if (cls <= SMALL_CLASS_MAX) return 1;
  const span = PAGES_PER_SPAN * PAGE_GRANULES;
  return (span % granulesOf(cls)) * 64 <= span ? PAGES_PER_SPAN : PAGES_PER_GROUP;
});
/** What leaves the first page of a slab of one of its pages. */
const CLASS_PAGE_MASK = CLASS_PAGES.map((pages) => -pages);
const CLASS_CAPACITY = Uint32Array.from({ length: CLASS_COUNT }, (_, cls) => {
  return cls === 0 ? 0 : Math.floor((CLASS_PAGES[cls]! * PAGE_GRANULES) / granulesOf(cls));
});

const EMPTY_U8 = new Uint8Array(0);
const EMPTY_U32 = new Uint32Array(0);

export class Arena extends ChunkSpace {
  /** Bytes of all blocks in use. */
  usedBytes = 0;
  /** Bytes of blocks that were freed while lent and are still read; `usedBytes` counts them too. */
  freedWhileLentBytes = 0;
  /** Bytes of structures that keep data beside the arena (expiry indexes) and count them here. */
  besideBytes = 0;

  private readonly hugeU8: Uint8Array[] = [];
  private readonly hugeU32: Uint32Array[] = [];
  private readonly hugeFree: number[] = [];
  /** The number of readers of each block that is lent. */
  private readonly readers = new Map<number, number>();
  private readonly freedWhileLent = new Set<number>();

  private pageClass = new Uint8Array(0);
  private pageUsed = new Uint16Array(0);
  private pageBump = new Uint16Array(0);
  private pageFreed = new Uint16Array(0);
  private pageNext = new Int32Array(0);
  private pagePrev = new Int32Array(0);
  /** First slab with room, a class. */
  private readonly classHead = new Int32Array(CLASS_COUNT).fill(NONE);
  /** A slab that is empty and kept all the same, a class. */
  private readonly emptySlab = new Int32Array(CLASS_COUNT).fill(NONE);

  /** Bytes of the chunk or huge buffer that holds `address`. */
  bytes(address: number): Uint8Array {
    return address >= HUGE_BASE ? this.hugeU8[address - HUGE_BASE]! : this.u8[address >>> 19]!;
  }

  /** Words of the chunk or huge buffer that holds `address`. */
  words(address: number): Uint32Array {
    return address >= HUGE_BASE ? this.hugeU32[address - HUGE_BASE]! : this.u32[address >>> 19]!;
  }

  /** The chunk that holds `address` as a DataView; null for a huge buffer. */
  view(address: number): DataView | null {
    return address >= HUGE_BASE ? null : this.views[address >>> 19]!;
  }

  /** Where the block begins in `bytes(address)`. */
  byteOffset(address: number): number {
    return address >= HUGE_BASE ? 0 : (address & CHUNK_MASK) << 3;
  }

  /** Where the block begins in `words(address)`. */
  wordOffset(address: number): number {
    return address >= HUGE_BASE ? 0 : (address & CHUNK_MASK) << 1;
  }

  /** The bytes that a block of `size` bytes would really take. */
  static roundUp(size: number): number {
    if (size > BLOCK_BYTES_MAX) return (size + 7) & ~7;
    return CLASS_GRANULES[classOf((size + 7) >>> 3 || 1)]! << 3;
  }

  /** A block of at least `size` bytes. Its content is whatever was there before. */
  alloc(size: number): number {
    if (size > BLOCK_BYTES_MAX) return this.allocHuge(size);
    const cls = classOf((size + 7) >>> 3 || 1);
    let page = this.classHead[cls]!;
    if (page === NONE) page = this.newSlab(cls);
    const granules = CLASS_GRANULES[cls]!;
    const used = this.pageUsed[page]! + 1;
    this.pageUsed[page] = used;
    let index = this.pageFreed[page]! - 1;
    let address: number;
    if (index >= 0) {
      address = page * PAGE_GRANULES + index * granules;
      this.pageFreed[page] = this.u32[address >>> 19]![(address & CHUNK_MASK) << 1]!;
    } else {
      index = this.pageBump[page]!;
      this.pageBump[page] = index + 1;
      address = page * PAGE_GRANULES + index * granules;
    }
    if (used === 1 && this.emptySlab[cls] === page) this.emptySlab[cls] = NONE;
    if (used === CLASS_CAPACITY[cls]!) this.unlink(page, cls);
    this.usedBytes += granules << 3;
    return address;
  }

  /** Gives a block back. */
  free(address: number): void {
    if (address >= HUGE_BASE) {
      if (this.isLent(address)) this.freeWhenReturned(address);
      else this.freeHuge(address - HUGE_BASE);
      return;
    }
    const anyPage = address >>> PAGE_SHIFT;
    const cls = this.pageClass[anyPage]!;
    const page = anyPage & CLASS_PAGE_MASK[cls]!;
    const granules = CLASS_GRANULES[cls]!;
    const used = this.pageUsed[page]! - 1;
    this.pageUsed[page] = used;
    this.usedBytes -= granules << 3;
    if (used === CLASS_CAPACITY[cls]! - 1) this.link(page, cls);
    if (used === 0) {
      if (this.emptySlab[cls] !== NONE) {
        this.releaseSlab(page, cls);
        return;
      }
      this.emptySlab[cls] = page;
    }
    this.u32[address >>> 19]![(address & CHUNK_MASK) << 1] = this.pageFreed[page]!;
    this.pageFreed[page] = (address - page * PAGE_GRANULES) / granules + 1;
  }

  /** Bytes of the block at `address`, its slack included. */
  sizeOf(address: number): number {
    if (address >= HUGE_BASE) return this.hugeU8[address - HUGE_BASE]!.length;
    return CLASS_GRANULES[this.pageClass[address >>> PAGE_SHIFT]!]! << 3;
  }

  /** Returns the empty slabs that were kept; with `all` the empty chunk as well. */
  tidy(all: boolean): void {
    for (let cls = 1; cls < CLASS_COUNT; cls++) {
      const page = this.emptySlab[cls]!;
      if (page === NONE) continue;
      this.emptySlab[cls] = NONE;
      this.releaseSlab(page, cls);
    }
    if (all) this.dropKeptChunk();
  }

  // ---------------------------------------------------------------- lending

  /** Lends a huge block to a reader, which gives it back when it is done. */
  lend(address: number): void {
    this.readers.set(address, (this.readers.get(address) ?? 0) + 1);
  }

  /** Whether the bytes of a block must stay as they are. */
  isLent(address: number): boolean {
    return address >= HUGE_BASE && this.readers.size > 0 && this.readers.has(address);
  }

  giveBack(address: number): void {
    const readers = this.readers.get(address)! - 1;
    if (readers > 0) {
      this.readers.set(address, readers);
      return;
    }
    this.readers.delete(address);
    if (!this.freedWhileLent.delete(address)) return;
    this.freedWhileLentBytes -= this.sizeOf(address);
    this.freeHuge(address - HUGE_BASE);
  }

  private freeWhenReturned(address: number): void {
    this.freedWhileLent.add(address);
    this.freedWhileLentBytes += this.sizeOf(address);
  }

  // ---------------------------------------------------------------- huge blocks

  private allocHuge(size: number): number {
    return this.adopt(new ArrayBuffer(Math.ceil(size / 8) * 8));
  }

  /** Makes a block of a buffer, whole granules of it and more than BLOCK_BYTES_MAX bytes. */
  adopt(buffer: ArrayBuffer): number {
    const handle = this.hugeFree.pop() ?? this.hugeU8.length;
    this.hugeU8[handle] = new Uint8Array(buffer);
    this.hugeU32[handle] = new Uint32Array(buffer);
    this.usedBytes += buffer.byteLength;
    this.reservedBytes += buffer.byteLength;
    return HUGE_BASE + handle;
  }

  private freeHuge(handle: number): void {
    const size = this.hugeU8[handle]!.length;
    this.usedBytes -= size;
    this.reservedBytes -= size;
    this.abandon(this.hugeU8[handle]!);
    this.hugeU8[handle] = EMPTY_U8;
    this.hugeU32[handle] = EMPTY_U32;
    this.hugeFree.push(handle);
  }

  // ---------------------------------------------------------------- slabs

  private link(page: number, cls: number): void {
    const head = this.classHead[cls]!;
    this.pageNext[page] = head;
    this.pagePrev[page] = NONE;
    if (head !== NONE) this.pagePrev[head] = page;
    this.classHead[cls] = page;
  }

  private unlink(page: number, cls: number): void {
    const next = this.pageNext[page]!;
    const prev = this.pagePrev[page]!;
    if (prev === NONE) this.classHead[cls] = next;
    else this.pageNext[prev] = next;
    if (next !== NONE) this.pagePrev[next] = prev;
    this.pageNext[page] = NONE;
    this.pagePrev[page] = NONE;
  }

  private newSlab(cls: number): number {
    const pages = CLASS_PAGES[cls]!;
    const page = this.takePages(pages);
    this.pageClass.fill(cls, page, page + pages);
    this.pageUsed[page] = 0;
    this.pageBump[page] = 0;
    this.pageFreed[page] = 0;
    this.link(page, cls);
    return page;
  }

  /** A slab with no block in use goes. */
  private releaseSlab(page: number, cls: number): void {
    this.unlink(page, cls);
    this.releasePages(page, CLASS_PAGES[cls]!);
  }

  protected override reach(pages: number): void {
    super.reach(pages);
    const have = this.pageClass.length;
    if (pages <= have) return;
    const size = Math.max(pages, have * 2);
    this.pageClass = grown(this.pageClass, new Uint8Array(size));
    this.pageUsed = grown(this.pageUsed, new Uint16Array(size));
    this.pageBump = grown(this.pageBump, new Uint16Array(size));
    this.pageFreed = grown(this.pageFreed, new Uint16Array(size));
    this.pageNext = grown(this.pageNext, new Int32Array(size));
    this.pagePrev = grown(this.pagePrev, new Int32Array(size));
  }
}
