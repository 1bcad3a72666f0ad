/**
 * The arena's address space: chunks that are held from the system, and the pages in them.
 *
 *     chunk   4 MiB, one ArrayBuffer; the kernel gives its pages as they are first touched
 *     group   1 MiB, a quarter of a chunk
 *     span  256 KiB, a quarter of a group
 *     page   64 KiB, a quarter of a span
 *
 *     freeSpans[chunk]   a bit for each of the 16 spans: nobody uses it
 *     freePages[span]    a bit for each of the 4 pages of a span that is split: nobody uses it
 *
 * What is asked for is taken from the lowest address that has it, so that high chunks become empty
 * and can be given back. A span whose pages are all free is whole again. Of the chunks that are
 * empty one is kept, so that work at the edge does not map and unmap memory each time.
 *
 * The buffer of a chunk that is given up, and that of a huge block, would wait for the garbage
 * collector, which has no reason to run when there is little garbage otherwise. They are gathered
 * in `emptied` for the owner to give back; until then the next chunk takes one of them.
 *
 * Code that fills a fresh chunk waits for the kernel at each page's first touch. So `onLow` says in
 * time that one will be wanted, twice a chunk, and its listener may supply some (`spareChunks`).
 *
 * Invariant: a span with a bit set in `freeSpans` has none in `freePages`.
 */

/** Bytes of a chunk. */
export const CHUNK_BYTES = 1 << 22;
/** Granules of a page are 2 to the power of this. */
export const PAGE_SHIFT = 13;
const PAGES_PER_CHUNK = 64;
export const PAGES_PER_SPAN = 4;
export const PAGES_PER_GROUP = 16;
const SPANS_PER_CHUNK = 16;
const SPANS_PER_GROUP = 4;
const CHUNKS_MAX = 7680;
const ALL_SPANS = 0xffff;
const ALL_PAGES = 0xf;
const NONE = -1;
/** With this many unused spans or fewer, a chunk will be wanted soon. */
const LOW_SPANS = 4;
/** Less is not worth the trouble. */
const EMPTIED_BYTES_MIN = CHUNK_BYTES;
/** Further ones are left to the garbage collector, should nobody come for them. */
const EMPTIED_MAX = 1024;

const EMPTY_U8 = new Uint8Array(0);
const EMPTY_U32 = new Uint32Array(0);

export class ArenaFullError extends Error {
  constructor() {
    super('the arena is full: 30 GiB of blocks is the most that one server addresses');
    this.name = 'ArenaFullError';
  }
}

export class ChunkSpace {
  /** Bytes of each chunk. Index with `address >>> 19`, offset `(address & 0x7ffff) << 3`. */
  readonly u8: Uint8Array[] = [];
  /** The chunks of `u8` seen as 32-bit words, offset `(address & 0x7ffff) << 1`. */
  readonly u32: Uint32Array[] = [];
  /** The chunks of `u8` seen as DataViews, for words that begin at any byte. */
  protected readonly views: (DataView | null)[] = [];
  /** Bytes of all chunks and huge buffers held from the system. */
  reservedBytes = 0;

  /** Chunks of `CHUNK_BYTES` zeroes to take when one is wanted, the first first. */
  readonly spareChunks: ArrayBuffer[] = [];
  /** Called when a chunk will be wanted soon; `isLate`: the last one was not there in time. */
  onLow: (isLate: boolean) => void = () => {};

  private freeSpanCount = 0;
  private freeSpans = new Uint16Array(1);
  private freePages = new Uint8Array(PAGES_PER_CHUNK / PAGES_PER_SPAN);
  /** No chunk below has a free span, no span below has a free page. */
  private firstChunk = 0;
  private firstSplit = 0;
  /** A chunk that is empty and kept all the same. */
  private keptChunk = NONE;
  private isLate = false;
  private readonly freeChunks: number[] = [];
  private readonly emptied: ArrayBuffer[] = [];
  private emptiedBytes = 0;

  /** Whether the buffers that nobody uses any more are worth being given back. */
  get hasEmptied(): boolean {
    return this.emptiedBytes >= EMPTIED_BYTES_MIN;
  }

  /**
   * Buffers that nobody uses any more, each once: as many as have `bytes`, or one more, or all
   * there are. Whoever takes them may detach them.
   */
  takeEmptied(bytes: number): ArrayBuffer[] {
    const { emptied } = this;
    let first = emptied.length;
    let taken = 0;
    while (first > 0 && taken < bytes) taken += emptied[--first]!.byteLength;
    this.emptiedBytes -= taken;
    return emptied.splice(first);
  }

  /** Has the empty chunk that is kept given back as well. */
  protected dropKeptChunk(): void {
    if (this.keptChunk !== NONE) this.unmap(this.keptChunk);
    this.keptChunk = NONE;
  }

  /** The buffers of arrays that are no longer in use. */
  abandon(...arrays: ArrayBufferView[]): void {
    for (const { buffer } of arrays) {
      if (this.emptied.length === EMPTIED_MAX) return;
      this.emptied.push(buffer as ArrayBuffer);
      this.emptiedBytes += buffer.byteLength;
    }
  }

  /** The first of `count` pages, 1 or those of a span or a group, that nobody uses. */
  protected takePages(count: number): number {
    if (count === 1) return this.takePage();
    const chunk = this.chunkWith(count);
    const free = this.freeSpans[chunk]!;
    let span = 0;
    if (count === PAGES_PER_SPAN) span = 31 - Math.clz32(free & -free);
    else while (((free >>> span) & ALL_PAGES) !== ALL_PAGES) span += 4;
    this.takeSpans(chunk, count === PAGES_PER_SPAN ? 1 << span : ALL_PAGES << span);
    return (chunk << 6) + (span << 2);
  }

  /** Gives back what `takePages` gave. */
  protected releasePages(page: number, count: number): void {
    const span = page >>> 2;
    if (count !== 1) {
      const mask = count === PAGES_PER_SPAN ? 1 : ALL_PAGES;
      this.releaseSpans(span >>> 4, mask << (span & 15));
      return;
    }
    const free = this.freePages[span]! | (1 << (page & 3));
    if (free !== ALL_PAGES) {
      this.freePages[span] = free;
      if (span < this.firstSplit) this.firstSplit = span;
      return;
    }
    this.freePages[span] = 0;
    this.releaseSpans(span >>> 4, 1 << (span & 15));
  }

  private takePage(): number {
    const { freePages } = this;
    const spans = this.u8.length << 4;
    let span = this.firstSplit;
    while (span < spans && freePages[span] === 0) span++;
    this.firstSplit = span;
    if (span === spans) {
      const page = this.takePages(PAGES_PER_SPAN);
      this.firstSplit = Math.min(this.firstSplit, page >>> 2);
      this.freePages[page >>> 2] = ALL_PAGES & ~1;
      return page;
    }
    const free = freePages[span]!;
    freePages[span] = free & (free - 1);
    return (span << 2) + 31 - Math.clz32(free & -free);
  }

  /** The lowest chunk with `pages` free pages side by side, a fresh one if need be. */
  private chunkWith(pages: number): number {
    const { freeSpans } = this;
    const chunks = this.u8.length;
    let chunk = this.firstChunk;
    while (chunk < chunks && freeSpans[chunk] === 0) chunk++;
    this.firstChunk = chunk;
    if (pages === PAGES_PER_GROUP) {
      while (chunk < chunks && !hasGroup(freeSpans[chunk]!)) chunk++;
    }
    return chunk < chunks ? chunk : this.newChunk();
  }

  private takeSpans(chunk: number, mask: number): void {
    this.freeSpans[chunk]! &= ~mask;
    if (chunk === this.keptChunk) this.keptChunk = NONE;
    const before = this.freeSpanCount;
    const left = before - ((mask & (mask - 1)) === 0 ? 1 : SPANS_PER_GROUP);
    this.freeSpanCount = left;
    // Once when few are left, and at the last one again: what was ready may have been given back.
    const isLow = (before > LOW_SPANS && left <= LOW_SPANS) || (before > 1 && left <= 1);
    if (isLow && !this.hasEmptiedChunk) this.onLow(this.isLate);
  }

  private releaseSpans(chunk: number, mask: number): void {
    const free = this.freeSpans[chunk]! | mask;
    this.freeSpans[chunk] = free;
    this.freeSpanCount += (mask & (mask - 1)) === 0 ? 1 : SPANS_PER_GROUP;
    if (chunk < this.firstChunk) this.firstChunk = chunk;
    if (free !== ALL_SPANS) return;
    if (this.keptChunk === NONE) this.keptChunk = chunk;
    else this.unmap(chunk);
  }

  private unmap(chunk: number): void {
    this.abandon(this.u8[chunk]!);
    this.freeSpans[chunk] = 0;
    this.freeSpanCount -= SPANS_PER_CHUNK;
    this.u8[chunk] = EMPTY_U8;
    this.u32[chunk] = EMPTY_U32;
    this.views[chunk] = null;
    this.freeChunks.push(chunk);
    this.reservedBytes -= CHUNK_BYTES;
  }

  /** Maps one more chunk. */
  private newChunk(): number {
    const chunk = this.freeChunks.pop() ?? this.u8.length;
    if (chunk >= CHUNKS_MAX) throw new ArenaFullError();
    const buffer = this.chunkBuffer();
    this.u8[chunk] = new Uint8Array(buffer);
    this.u32[chunk] = new Uint32Array(buffer);
    this.views[chunk] = new DataView(buffer);
    this.reservedBytes += CHUNK_BYTES;
    this.reach((chunk + 1) * PAGES_PER_CHUNK);
    this.freeSpans[chunk] = ALL_SPANS;
    this.freeSpanCount += SPANS_PER_CHUNK;
    if (chunk < this.firstChunk) this.firstChunk = chunk;
    if (chunk === 0) {
      // Address 0 means nothing: the first span starts split, its first page taken.
      this.freeSpans[0] = ALL_SPANS & ~1;
      this.freeSpanCount--;
      this.freePages[0] = ALL_PAGES & ~1;
      this.firstSplit = 0;
    }
    return chunk;
  }

  private chunkBuffer(): ArrayBuffer {
    if (!this.hasEmptiedChunk) {
      const spare = this.spareChunks.shift();
      // Nobody could know of the first one.
      this.isLate = spare === undefined && this.u8.length > 0;
      return spare ?? new ArrayBuffer(CHUNK_BYTES);
    }
    this.emptiedBytes -= CHUNK_BYTES;
    return this.emptied.pop()!;
  }

  /** Whether the next chunk is one that nobody uses any more. */
  private get hasEmptiedChunk(): boolean {
    return this.emptied.at(-1)?.byteLength === CHUNK_BYTES;
  }

  /** Makes the tables reach `pages` pages. */
  protected reach(pages: number): void {
    const chunks = pages / PAGES_PER_CHUNK;
    const have = this.freeSpans.length;
    if (chunks <= have) return;
    const size = Math.max(chunks, have * 2);
    this.freeSpans = grown(this.freeSpans, new Uint16Array(size));
    const spans = (size * PAGES_PER_CHUNK) / PAGES_PER_SPAN;
    this.freePages = grown(this.freePages, new Uint8Array(spans));
  }
}

/** Whether four spans of one group are free. */
function hasGroup(free: number): boolean {
  return (free & (free >>> 1) & (free >>> 2) & (free >>> 3) & 0x1111) !== 0;
}

/** `fresh` with what is in `old`. */
export function grown<T extends Uint8Array | Uint16Array | Int32Array>(old: T, fresh: T): T {
  fresh.set(old);
  return fresh;
}
