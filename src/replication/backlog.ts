/**
 * The backlog: the last bytes of the replication stream, from which a replica that was away for a
 * moment goes on.
 *
 * The stream is a sequence of bytes that are counted from its beginning; an offset is a number of
 * bytes. The backlog is a window that ends where the stream ends:
 *
 *     stream   0 ................ start ====================== end
 *                                  | kept: at most sizeBytes    | the history's offset
 *
 *     blocks        [ .....=======][============][=======..... ]     64 KiB each, written once
 *              blocksStart         ^ whole blocks leave on the left     ^ the last one has room
 *
 * Bytes of a block are never changed once written, so what is appended is shared: `append` and
 * `views` give out views of the blocks, any number of replicas queue them, and a block lives until
 * the last of them has been sent. However many replicas there are, each byte of the stream is
 * copied once.
 *
 * A replica in a full sync will want the stream from where its snapshot began. `hold` keeps the
 * window open to there, whatever the size; so what is kept for one serves others, too, who were
 * away for longer than the size allows.
 *
 * Invariants: blocksStart <= start <= end <= blocksStart + blocks * BLOCK_BYTES; end - start <=
 * sizeBytes, or start <= heldFrom; start lies in the first block. `assertInvariants` checks them.
 *
 * PSYNC names the byte that a replica wants next, counted from 1: offset 1 wants the whole stream.
 */

const BLOCK_BYTES = 65_536;

export class ReplicationBacklog {
  /** Bytes of the stream before the first byte kept. */
  start: number;
  /** Bytes of the stream so far. */
  end: number;
  private sizeMax: number;
  private heldFrom = Number.POSITIVE_INFINITY;
  private readonly blocks: Uint8Array[] = [];
  private blocksStart: number;

  /** An empty backlog of at most `sizeBytes` for a stream that is `offset` bytes long. */
  constructor(sizeBytes: number, offset: number) {
    this.start = offset;
    this.end = offset;
    this.sizeMax = sizeBytes;
    this.blocksStart = offset;
  }

  get sizeBytes(): number {
    return this.sizeMax;
  }

  /** Bytes that are kept. */
  get length(): number {
    return this.end - this.start;
  }

  /** Bytes kept only because they are held. */
  get heldBytes(): number {
    return Math.max(0, this.length - this.sizeMax);
  }

  /** Bytes of memory that it takes. */
  get memoryBytes(): number {
    return this.blocks.length * BLOCK_BYTES;
  }

  /** Whether all bytes after the first `offset` are kept. */
  reaches(offset: number): boolean {
    return offset >= this.start && offset <= this.end;
  }

  /** Adds bytes, which are copied. `views`, if given, gets what was added, to be shared. */
  append(bytes: Uint8Array, from: number, length: number, views: Uint8Array[] | null): void {
    let done = 0;
    while (done < length) {
      const used = this.end - this.blocksStart - (this.blocks.length - 1) * BLOCK_BYTES;
      const full = this.blocks.length === 0 || used === BLOCK_BYTES;
      if (full) this.blocks.push(new Uint8Array(BLOCK_BYTES));
      const block = this.blocks[this.blocks.length - 1]!;
      const at = full ? 0 : used;
      const part = Math.min(length - done, BLOCK_BYTES - at);
      block.set(bytes.subarray(from + done, from + done + part), at);
      if (views !== null) views.push(block.subarray(at, at + part));
      this.end += part;
      done += part;
    }
    this.trim();
  }

  /** Views of everything after the first `offset` bytes, which `reaches` has been asked about. */
  views(offset: number): Uint8Array[] {
    if (!this.reaches(offset)) throw new Error(`the backlog does not reach back to ${offset}`);
    const views: Uint8Array[] = [];
    for (let at = offset; at < this.end; ) {
      const index = Math.floor((at - this.blocksStart) / BLOCK_BYTES);
      const blockStart = this.blocksStart + index * BLOCK_BYTES;
      const to = Math.min(this.end, blockStart + BLOCK_BYTES);
      views.push(this.blocks[index]!.subarray(at - blockStart, to - blockStart));
      at = to;
    }
    return views;
  }

  /** Keeps at most `sizeBytes` from now on; what fits stays. */
  resize(sizeBytes: number): void {
    this.sizeMax = sizeBytes;
    this.trim();
  }

  /** Everything after the first `offset` bytes stays until the next call; infinity lets all go. */
  hold(offset: number): void {
    this.heldFrom = offset;
    this.trim();
  }

  /** Throws when an invariant does not hold. */
  assertInvariants(): void {
    const blocksEnd = this.blocksStart + this.blocks.length * BLOCK_BYTES;
    const inFirst = this.blocks.length === 0 || this.start < this.blocksStart + BLOCK_BYTES;
    const isHeld = this.start <= this.heldFrom && this.heldFrom < this.end;
    const ordered = this.blocksStart <= this.start && this.start <= this.end;
    const filled = this.end <= blocksEnd && blocksEnd - this.end <= BLOCK_BYTES;
    if (ordered && filled && inFirst && (this.heldBytes === 0 || isHeld)) return;
    throw new Error(
      `backlog: blocks ${this.blocksStart}..${blocksEnd}, kept ${this.start}..${this.end}, ` +
        `at most ${this.sizeMax}`,
    );
  }

  private trim(): void {
    const wanted = Math.min(this.end - this.sizeMax, this.heldFrom);
    if (wanted > this.start) this.start = wanted;
    let gone = 0;
    while (gone < this.blocks.length && this.start - this.blocksStart >= BLOCK_BYTES) {
      gone++;
      this.blocksStart += BLOCK_BYTES;
    }
    if (gone > 0) this.blocks.splice(0, gone);
  }
}
