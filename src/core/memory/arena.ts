/**
 * The arena: every byte of user data, outside the JavaScript heap.
 *
 * Memory is addressed in granules of 8 bytes by an unsigned 32-bit number, so that an address fits
 * a table slot of four bytes. Address 0 means "nothing".
 *
 *     0            1 << 19 (4 MiB)                         HUGE_BASE          2^32
 *     |  chunk 0   |  chunk 1   |  ...  up to 7,680 chunks  |  huge handles    |
 *
 *     chunk  4 MiB, one ArrayBuffer; the kernel gives its pages as they are first touched
 *     span   1 MiB, a quarter of a chunk: one slab of a medium class, or 16 pages
 *     page   64 KiB: one slab of a small class (blocks of one size)
 *     huge   a block over 64 KiB has an ArrayBuffer of its own, its address is HUGE_BASE + handle
 *
 * Size classes: 1 to 16 granules by one, then eight classes a doubling, so that a block is at most
 * one eighth larger than what was asked for. Up to 4 KiB is small, up to 64 KiB medium.
 *
 * A slab knows how many of its blocks are in use, a list of the freed ones threaded through the
 * blocks themselves (first word: next free block index + 1), and how many were ever handed out.
 * Slabs with room hang in a doubly linked list of their class. A slab that becomes empty returns to
 * the pool; a chunk whose four spans are free is given back to the system.
 *
 * Who fills a fresh chunk waits for the kernel at each page's first touch. So `onLow` says in time
 * that one will be wanted, and whoever listens may bring one along (`spareChunk`).
 *
 * Invariants: `usedBytes` is the sum of the sizes of all blocks in use, at every moment. A block's
 * size can be asked for at any time, so callers need not store their capacity.
 *
 * Limits: 30 GiB of blocks, plus huge blocks up to 2^32 - 1 bytes each.
 */

const CHUNK_SHIFT = 19;
const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;
/** Bytes of a chunk. */
export const CHUNK_BYTES = 1 << 22;
const PAGE_SHIFT = 13;
const PAGE_GRANULES = 1 << PAGE_SHIFT;
const PAGES_PER_CHUNK = 64;
const PAGES_PER_SPAN = 16;
const SPANS_PER_CHUNK = 4;
const SPAN_GRANULES = PAGE_GRANULES * PAGES_PER_SPAN;
const CHUNKS_MAX = 7680;

/** Addresses from here on name huge blocks: HUGE_BASE + handle. */
export const HUGE_BASE = 0xf0000000;
/** The largest block, in bytes, that shares a slab with others. */
export const BLOCK_BYTES_MAX = 65_536;

const SMALL_GRANULES_MAX = 512;
const CLASS_COUNT = 89;
const SMALL_CLASS_MAX = classOf(SMALL_GRANULES_MAX);
const PAGE_FREE = 0;
const PAGE_RESERVED = 255;
const NONE = -1;
/** With so few spans left that nobody uses, a chunk will be wanted soon. */
const LOW_SPANS = 1;

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
const CLASS_CAPACITY = Uint32Array.from({ length: CLASS_COUNT }, (_, cls) => {
  if (cls === 0) return 0;
  const room = cls <= SMALL_CLASS_MAX ? PAGE_GRANULES : SPAN_GRANULES;
  return Math.floor(room / granulesOf(cls));
});

const EMPTY_U8 = new Uint8Array(0);
const EMPTY_U32 = new Uint32Array(0);

export class ArenaFullError extends Error {
  constructor() {
    super('the arena is full: 30 GiB of blocks is the most that one server addresses');
    this.name = 'ArenaFullError';
  }
}

export class Arena {
  /** Bytes of each chunk. Index with `address >>> 19`, offset `(address & 0x7ffff) << 3`. */
  readonly u8: Uint8Array[] = [];
  /** The same chunks as 32-bit words, offset `(address & 0x7ffff) << 1`. */
  readonly u32: Uint32Array[] = [];
  /** The same chunks once more, for words that begin anywhere. */
  private readonly views: (DataView | null)[] = [];
  /** Bytes of all blocks in use. */
  usedBytes = 0;
  /** Bytes of structures that keep data beside the arena (expiry indexes) and count them here. */
  besideBytes = 0;
  /** Bytes of all chunks and huge buffers held from the system. */
  reservedBytes = 0;
  /** A chunk of `CHUNK_BYTES` zeroes to take when one is wanted. */
  spareChunk: ArrayBuffer | null = null;
  /** Called when a chunk will be wanted soon and there is no spare one. */
  onLow: () => void = () => {};

  private readonly hugeU8: Uint8Array[] = [];
  private readonly hugeU32: Uint32Array[] = [];
  private readonly hugeFree: number[] = [];

  private pageClass = new Uint8Array(PAGES_PER_CHUNK);
  private pageUsed = new Uint16Array(PAGES_PER_CHUNK);
  private pageBump = new Uint16Array(PAGES_PER_CHUNK);
  private pageFreed = new Uint16Array(PAGES_PER_CHUNK);
  private pageNext = new Int32Array(PAGES_PER_CHUNK);
  private pagePrev = new Int32Array(PAGES_PER_CHUNK);
  /** First slab with room, a class. */
  private readonly classHead = new Int32Array(CLASS_COUNT).fill(NONE);
  /** Free pages inside spans that are split into pages, as a stack; stale entries are skipped. */
  private readonly freePages: number[] = [];
  private readonly freeSpans: number[] = [];
  private readonly freeChunks: number[] = [];
  private readonly spanPagesUsed: number[] = [];
  private readonly chunkSpansUsed: number[] = [];

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
    if (used === CLASS_CAPACITY[cls]!) this.unlink(page, cls);
    this.usedBytes += granules << 3;
    return address;
  }

  /** Gives a block back. */
  free(address: number): void {
    if (address >= HUGE_BASE) {
      this.freeHuge(address - HUGE_BASE);
      return;
    }
    let page = address >>> PAGE_SHIFT;
    const cls = this.pageClass[page]!;
    if (cls > SMALL_CLASS_MAX) page &= ~(PAGES_PER_SPAN - 1);
    const granules = CLASS_GRANULES[cls]!;
    const used = this.pageUsed[page]! - 1;
    this.pageUsed[page] = used;
    this.usedBytes -= granules << 3;
    if (used === CLASS_CAPACITY[cls]! - 1) this.link(page, cls);
    if (used === 0 && (this.pageNext[page] !== NONE || this.pagePrev[page] !== NONE)) {
      this.unlink(page, cls);
      this.releaseSlab(page, cls);
      return;
    }
    this.u32[address >>> 19]![(address & CHUNK_MASK) << 1] = this.pageFreed[page]!;
    this.pageFreed[page] = (address - page * PAGE_GRANULES) / granules + 1;
  }

  /** Bytes of the block at `address`, its slack included. */
  sizeOf(address: number): number {
    if (address >= HUGE_BASE) return this.hugeU8[address - HUGE_BASE]!.length;
    return CLASS_GRANULES[this.pageClass[address >>> PAGE_SHIFT]!]! << 3;
  }

  private allocHuge(size: number): number {
    const buffer = new ArrayBuffer(Math.ceil(size / 8) * 8);
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
    this.hugeU8[handle] = EMPTY_U8;
    this.hugeU32[handle] = EMPTY_U32;
    this.hugeFree.push(handle);
  }

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
    const medium = cls > SMALL_CLASS_MAX;
    const page = medium ? this.takeSpan() : this.takePage();
    const pages = medium ? PAGES_PER_SPAN : 1;
    this.pageClass.fill(cls, page, page + pages);
    this.pageUsed[page] = 0;
    this.pageBump[page] = 0;
    this.pageFreed[page] = 0;
    this.link(page, cls);
    return page;
  }

  private releaseSlab(page: number, cls: number): void {
    const span = page >>> 4;
    if (cls > SMALL_CLASS_MAX) {
      this.pageClass.fill(PAGE_FREE, page, page + PAGES_PER_SPAN);
      this.releaseSpan(span);
      return;
    }
    this.pageClass[page] = PAGE_FREE;
    this.freePages.push(page);
    this.spanPagesUsed[span]!--;
    if (this.spanPagesUsed[span] === 0) this.releaseSplitSpan(span);
  }

  /**
   * A span none of whose pages is in use: its pages leave the stack, and it returns to the pool.
   */
  private releaseSplitSpan(span: number): void {
    const stack = this.freePages;
    let kept = 0;
    for (let i = 0; i < stack.length; i++) {
      const page = stack[i]!;
      if (page >>> 4 !== span) stack[kept++] = page;
    }
    stack.length = kept;
    this.releaseSpan(span);
  }

  private takePage(): number {
    const free = this.freePages.pop();
    if (free !== undefined) {
      this.spanPagesUsed[free >>> 4]!++;
      return free;
    }
    const first = this.takeSpan();
    const last = first + PAGES_PER_SPAN - 1;
    this.pageClass.fill(PAGE_FREE, first, last + 1);
    for (let page = last; page > first; page--) this.freePages.push(page);
    this.spanPagesUsed[first >>> 4] = 1;
    return first;
  }

  /** The first page of a span that nobody uses. */
  private takeSpan(): number {
    let span = this.freeSpans.pop();
    if (span === undefined) span = this.newChunk();
    if (this.freeSpans.length <= LOW_SPANS && this.spareChunk === null) this.onLow();
    this.chunkSpansUsed[span >>> 2]!++;
    this.pageClass.fill(PAGE_RESERVED, span << 4, (span + 1) << 4);
    return span << 4;
  }

  private releaseSpan(span: number): void {
    const chunk = span >>> 2;
    this.freeSpans.push(span);
    this.chunkSpansUsed[chunk]!--;
    // One chunk is kept so that work at the edge does not map and unmap memory each time.
    if (this.chunkSpansUsed[chunk] !== 0 || this.freeSpans.length < 2 * SPANS_PER_CHUNK) return;
    const kept = this.freeSpans.filter((one) => one >>> 2 !== chunk);
    this.freeSpans.length = 0;
    for (const one of kept) this.freeSpans.push(one);
    this.u8[chunk] = EMPTY_U8;
    this.u32[chunk] = EMPTY_U32;
    this.views[chunk] = null;
    this.freeChunks.push(chunk);
    this.reservedBytes -= CHUNK_BYTES;
  }

  /** Maps one more chunk, puts three of its spans into the pool and returns the first. */
  private newChunk(): number {
    const chunk = this.freeChunks.pop() ?? this.u8.length;
    if (chunk >= CHUNKS_MAX) throw new ArenaFullError();
    const buffer = this.spareChunk ?? new ArrayBuffer(CHUNK_BYTES);
    this.spareChunk = null;
    this.u8[chunk] = new Uint8Array(buffer);
    this.u32[chunk] = new Uint32Array(buffer);
    this.views[chunk] = new DataView(buffer);
    this.reservedBytes += CHUNK_BYTES;
    this.growPageTables((chunk + 1) * PAGES_PER_CHUNK);
    this.chunkSpansUsed[chunk] = 0;
    const first = chunk << 2;
    for (let span = first + SPANS_PER_CHUNK - 1; span > first; span--) this.freeSpans.push(span);
    if (chunk !== 0) return first;
    // Address 0 means nothing, so the first span of the first chunk starts split, its first page
    // taken.
    this.chunkSpansUsed[0] = 1;
    this.pageClass[0] = PAGE_RESERVED;
    for (let page = PAGES_PER_SPAN - 1; page > 0; page--) this.freePages.push(page);
    this.spanPagesUsed[0] = 1;
    return this.freeSpans.pop()!;
  }

  private growPageTables(pages: number): void {
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

function grown<T extends Uint8Array | Uint16Array | Int32Array>(old: T, fresh: T): T {
  fresh.set(old);
  return fresh;
}
