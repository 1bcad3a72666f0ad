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
 * Bytes of a block are not changed while anyone may read them, so what is appended is shared: the
 * connections of any number of replicas queue views of the blocks, and each byte of the stream is
 * copied once. A block that has left the window is filled again once all who were given it have
 * sent it. Fresh blocks would be off-heap memory that only the garbage collector gives back, in the
 * amount of the whole stream.
 *
 * A replica in a full sync will want the stream from where its snapshot began. `hold` keeps the
 * window open from there on, whatever the size; what is kept for one replica also serves others
 * that were away for longer than the size allows.
 *
 * Invariants: blocksStart <= start <= end <= blocksStart + blocks * BLOCK_BYTES; end - start <=
 * sizeBytes, or start <= heldFrom; start lies in the first block. `assertInvariants` checks them.
 *
 * PSYNC names the byte that a replica wants next, counted from 1: offset 1 wants the whole stream.
 */
import { copyBytes } from '../core/memory/copy.ts';
import { type Sender, Senders } from './senders.ts';

const BLOCK_BYTES = 65_536;
/** Blocks that have been sent and are kept for what comes next. */
const SPARE_BLOCKS = 4;

class Block {
  readonly bytes = new Uint8Array(BLOCK_BYTES);
  readonly senders = new Senders();
}

export class ReplicationBacklog {
  /** Bytes of the stream before the first byte kept. */
  start: number;
  /** Bytes of the stream so far. */
  end: number;
  private sizeMax: number;
  private heldFrom = Number.POSITIVE_INFINITY;
  private readonly blocks: Block[] = [];
  private blocksStart: number;
  /** Blocks that have left the window, the oldest first. */
  private readonly left: Block[] = [];

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

  /** Adds bytes, which are copied, and queues what was added for these. */
  append(bytes: Uint8Array, from: number, length: number, senders: readonly Sender[]): void {
    let done = 0;
    while (done < length) {
      const used = this.end - this.blocksStart - (this.blocks.length - 1) * BLOCK_BYTES;
      const full = this.blocks.length === 0 || used === BLOCK_BYTES;
      if (full) this.blocks.push(this.takeBlock());
      const block = this.blocks[this.blocks.length - 1]!;
      const at = full ? 0 : used;
      const part = Math.min(length - done, BLOCK_BYTES - at);
      copyBytes(bytes, from + done, block.bytes, at, part);
      if (senders.length > 0) {
        const view = block.bytes.subarray(at, at + part);
        for (const sender of senders) block.senders.share(sender, view);
      }
      this.end += part;
      done += part;
    }
    this.trim();
  }

  /** Queues everything after the first `offset` bytes, which `reaches` has been asked about. */
  share(offset: number, sender: Sender): void {
    if (!this.reaches(offset)) throw new Error(`the backlog does not reach back to ${offset}`);
    for (let at = offset; at < this.end; ) {
      const index = Math.floor((at - this.blocksStart) / BLOCK_BYTES);
      const blockStart = this.blocksStart + index * BLOCK_BYTES;
      const to = Math.min(this.end, blockStart + BLOCK_BYTES);
      const block = this.blocks[index]!;
      block.senders.share(sender, block.bytes.subarray(at - blockStart, to - blockStart));
      at = to;
    }
  }

  /** Keeps at most `sizeBytes` from now on; what fits stays. */
  resize(sizeBytes: number): void {
    this.sizeMax = sizeBytes;
    this.trim();
  }

  /** Keeps what follows the first `offset` bytes until the next call; infinity keeps nothing. */
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

  /** A block that nobody reads. */
  private takeBlock(): Block {
    const oldest = this.left[0];
    if (oldest === undefined || !oldest.senders.areDone) return new Block();
    this.left.shift();
    oldest.senders.clear();
    return oldest;
  }

  private trim(): void {
    const wanted = Math.min(this.end - this.sizeMax, this.heldFrom);
    if (wanted > this.start) this.start = wanted;
    const done = Math.floor((this.start - this.blocksStart) / BLOCK_BYTES);
    const gone = Math.min(this.blocks.length, done);
    if (gone > 0) for (const block of this.blocks.splice(0, gone)) this.left.push(block);
    this.blocksStart += gone * BLOCK_BYTES;
    while (this.left.length > SPARE_BLOCKS && this.left[0]!.senders.areDone) this.left.shift();
  }
}
