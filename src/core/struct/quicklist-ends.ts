/**
 * The ends of a quicklist while they are pushed to and popped from.
 *
 * Most lists are queues and stacks: all that happens to them happens at their ends. So the node at
 * an end is opened by the first such change, and the next ones are a few bytes each:
 *
 *     closed    [ head | entry | entry | entry | end ][ room ]      a listpack, as it is saved
 *     open      [ room ][ entry | entry | entry ][ room ]           in the same block
 *                       from                     to
 *
 * In an open node the entries may stand anywhere in the block, so that one comes or goes at the
 * front without a move of all others (up to 8 KiB of them). The listpack's head and its end are not
 * there, and the directory is told nothing: whoever else wants to see the list reaches its
 * directory through `QuicklistNodes`, which closes the ends first.
 *
 * Invariants: both ends of a list of one node are one; an open node is no snapshot's, not
 * compressed, not PLAIN, not empty; `from` leaves room for the head and `to` for the end;
 * `directory.elements + pending` is the number of elements.
 */
import type { Arena } from '../memory/arena.ts';
import { copyBytes } from '../memory/copy.ts';
import { DirectoryPath } from './directory-path.ts';
import type { ListDirectory } from './list-directory.ts';
import {
  LP_EMPTY_BYTES,
  LP_HEAD_BYTES,
  lpEntryBytes,
  lpEntryLength,
  lpPrev,
  lpPut,
} from './listpack.ts';
import { NODE_LISTPACK, type NodeBlocks, setListpackHead } from './quicklist-node.ts';

const END = 0xff;
const NO_BYTES = new Uint8Array(0);
/** An entry takes at most so many bytes more than its text. */
const FRAME_BYTES_MAX = 10;

/** The node at an end, open. */
export class OpenEnd {
  /** The buffer that holds the block, in bytes[start .. stop). */
  bytes: Uint8Array = NO_BYTES;
  block = 0;
  start = 0;
  stop = 0;
  /** The entries: bytes[from .. to). */
  from = 0;
  to = 0;
  count = 0;
  /** Bytes that the node has when it is closed. */
  get size(): number {
    return this.to - this.from + LP_EMPTY_BYTES;
  }

  /** Where the first or last element stands in `bytes`. */
  entryAt(atHead: boolean): number {
    return atHead ? this.from : lpPrev(this.bytes, 0, this.to);
  }
}

const path = new DirectoryPath();

export class QuicklistEnds {
  /** The node at each end, while it is open. */
  head: OpenEnd | null = null;
  tail: OpenEnd | null = null;
  /** Elements that came to open nodes, less those that went: what the directory cannot know. */
  pending = 0;
  /**
   * Whether the last change was a push at the head. Moving all entries to the end of their block is
   * worth it when one follows another.
   */
  isHeadWarm = false;
  private readonly arena: Arena;
  private readonly blocks: NodeBlocks;
  private readonly directory: ListDirectory;
  /** What a node's block may grow to ahead of its content. */
  private readonly roomMax: number;
  private spare: OpenEnd | null = null;

  constructor(arena: Arena, blocks: NodeBlocks, directory: ListDirectory, roomMax: number) {
    this.arena = arena;
    this.blocks = blocks;
    this.directory = directory;
    this.roomMax = roomMax;
  }

  /** Whether the directory may say less than there is to know. */
  get isBusy(): boolean {
    return this.head !== null || this.tail !== null || this.isHeadWarm;
  }

  /** Opens the node of a path, a raw listpack of its own, that stands at an end. */
  open(node: DirectoryPath, atHead: boolean): OpenEnd {
    const end = this.spare ?? new OpenEnd();
    this.spare = null;
    end.count = node.count;
    this.place(end, node.address);
    end.from = end.start + LP_HEAD_BYTES;
    end.to = end.start + node.bytes - 1;
    const isOnly = this.directory.nodes === 1;
    if (atHead || isOnly) this.head = end;
    if (!atHead || isOnly) this.tail = end;
    return end;
  }

  private place(end: OpenEnd, block: number): void {
    end.block = block;
    end.bytes = this.arena.bytes(block);
    end.start = this.arena.byteOffset(block);
    end.stop = end.start + this.arena.sizeOf(block);
  }

  /** Adds an element in front of all others of the node. */
  pushFront(end: OpenEnd, value: Uint8Array, offset: number, length: number): void {
    const size = lpEntryBytes(value, offset, length);
    if (end.from - LP_HEAD_BYTES - end.start < size) this.makeRoom(end, size, true);
    end.from -= size;
    lpPut(end.bytes, end.from, value, offset, length);
    end.count++;
    this.pending++;
  }

  /** Adds an element behind all others of the node. */
  pushBack(end: OpenEnd, value: Uint8Array, offset: number, length: number): void {
    if (end.stop - 1 - end.to < length + FRAME_BYTES_MAX) {
      const size = lpEntryBytes(value, offset, length);
      if (end.stop - 1 - end.to < size) this.makeRoom(end, size, false);
    }
    end.to = lpPut(end.bytes, end.to, value, offset, length);
    end.count++;
    this.pending++;
  }

  /** Takes out the element at `at`, which `entryAt` gave; another must be left. */
  pop(end: OpenEnd, at: number, atHead: boolean): void {
    if (atHead) end.from += lpEntryLength(end.bytes, at);
    else end.to = at;
    end.count--;
    this.pending--;
    // Room is given back once more than half of it is unused.
    const { size } = end;
    if (end.stop - end.start > 64 + size * 2) this.move(end, size, false);
  }

  /** Makes `size` bytes of room in front of the entries or behind them. */
  private makeRoom(end: OpenEnd, size: number, atFront: boolean): void {
    const need = end.size + size;
    if (need > end.stop - end.start) {
      this.move(end, Math.max(need, Math.min(need + (need >>> 2), this.roomMax)), atFront);
      return;
    }
    const length = end.to - end.from;
    const to = atFront ? end.stop - 1 - length : end.start + LP_HEAD_BYTES;
    end.bytes.copyWithin(to, end.from, end.to);
    end.from = to;
    end.to = to + length;
  }

  /** Moves the node to a block of `size` bytes, which hold it: to its end, or to its beginning. */
  private move(end: OpenEnd, size: number, toEnd: boolean): void {
    const { block: old, bytes, from } = end;
    const length = end.to - from;
    this.place(end, this.blocks.alloc(size));
    end.from = toEnd ? end.stop - 1 - length : end.start + LP_HEAD_BYTES;
    end.to = end.from + length;
    copyBytes(bytes, from, end.bytes, end.from, length);
    this.blocks.free(old);
  }

  /** Closes what is open: the directory knows all. */
  close(): void {
    this.isHeadWarm = false;
    const { head, tail } = this;
    if (head !== null) this.closeOne(head, true);
    if (tail !== null && tail !== head) this.closeOne(tail, false);
  }

  /** Closes one end, if it is open. */
  closeEnd(atHead: boolean): void {
    const end = atHead ? this.head : this.tail;
    if (end !== null) this.closeOne(end, atHead);
  }

  private closeOne(end: OpenEnd, atHead: boolean): void {
    const { bytes, count, size, start } = end;
    const first = start + LP_HEAD_BYTES;
    if (end.from !== first) bytes.copyWithin(first, end.from, end.to);
    bytes[start + size - 1] = END;
    setListpackHead(bytes, start, size, count);
    if (atHead) this.directory.first(path);
    else this.directory.last(path);
    this.pending -= count - path.count;
    this.directory.put(path, end.block, count, NODE_LISTPACK, size);
    if (this.head === end) this.head = null;
    if (this.tail === end) this.tail = null;
    this.spare = end;
  }
}
