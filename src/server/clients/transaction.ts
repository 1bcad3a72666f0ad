/**
 * The commands that a client has queued between MULTI and EXEC.
 *
 * There may be millions of them, so they are no objects: their words lie one behind the other in
 * pages of bytes, which maxmemory and maxmemory-clients count as they are.
 *
 *     page      [ 3 | 3 SET | 3 key | 5 value ][ 2 | 4 INCR | 1 n ][ ...
 *                 |   length of a word, then its bytes
 *                 number of words; each number takes 4 bytes
 *     commands  [ SET, INCR, ... ]
 *     held      [ a large argument, where it arrived: in the page its length is HELD ]
 *
 * No number and no word is parted by the end of a page: what does not fit begins the next, and
 * `ends` says where each page stopped. A page is twice as large as the one before it, up to
 * PAGE_BYTES_MAX; a larger word has a page of its own.
 *
 * Most are small and over at once. A page is no small object to make, and the views through which
 * keys are seen are of the pages seen last, so a transaction that fitted into one is used again.
 */
import { copyBytes } from '../../core/memory/copy.ts';
import type { OfferedBuffers } from '../../core/memory/offered-buffers.ts';
import type { Args } from '../../core/resp/args.ts';
import type { Command } from '../dispatch/command.ts';

const PAGE_BYTES_MIN = 256;
const PAGE_BYTES_MAX = 65_536;
const NUMBER_BYTES = 4;
/** Instead of a length: the word is the next of those that are held. */
const HELD = 0xffffffff;
/** What the reference to a command takes. */
const REFERENCE_BYTES = 8;
/** As many are kept to be used again: about those of the clients that answer one another. */
const SPARE_MAX = 64;
const NONE_HELD: readonly Uint8Array[] = [];

export class Transaction {
  readonly commands: Command[] = [];
  /** Arguments that lie where they arrived, held until the transaction is over. */
  held: Uint8Array[] = [];
  readonly heldLengths: number[] = [];
  readonly pages: Uint8Array[] = [];
  readonly ends: number[] = [];
  /** Where the last page goes on. */
  private at = 0;
  private pageBytes = 0;
  private heldBytes = 0;
  /** Flags of all queued commands, or-ed. */
  flags = 0;
  /** Flags that one or more of them lack. */
  lacking = 0;
  /** A command was refused while queueing: EXEC will refuse too. */
  spoiled = false;
  /** Bytes of all words. */
  bytes = 0;

  /** Bytes that the queue takes. */
  get memoryBytes(): number {
    return this.pageBytes + this.heldBytes + this.commands.length * REFERENCE_BYTES;
  }

  /** Queues the command: a copy of it, but for the arguments that can be held. */
  add(command: Command, args: Args, buffers: OfferedBuffers): void {
    this.putNumber(args.count);
    for (let i = 0; i < args.count; i++) {
      const bytes = args.bytes[i]!;
      const length = args.lengths[i]!;
      if (buffers.hold(bytes)) {
        this.putNumber(HELD);
        this.held.push(bytes);
        this.heldLengths.push(length);
        this.heldBytes += bytes.length;
      } else this.putWord(bytes, args.offsets[i]!, length);
      this.bytes += length;
    }
    this.commands.push(command);
    this.flags |= command.flags;
    this.lacking |= ~command.flags;
  }

  /** Leaves it to the caller to let go what is held; a cursor that is there keeps seeing it. */
  takeHeld(): readonly Uint8Array[] {
    const { held } = this;
    if (held.length === 0) return NONE_HELD;
    this.held = [];
    return held;
  }

  /** Makes it as good as new, if it has not grown: true when it may be used again. */
  renew(): boolean {
    if (this.pageBytes !== PAGE_BYTES_MIN || this.heldBytes > 0) return false;
    this.commands.length = 0;
    this.ends[0] = 0;
    this.at = 0;
    this.flags = 0;
    this.lacking = 0;
    this.spoiled = false;
    this.bytes = 0;
    return true;
  }

  private putWord(bytes: Uint8Array, offset: number, length: number): void {
    const page = this.pageFor(NUMBER_BYTES + length);
    writeNumber(page, this.at, length);
    copyBytes(bytes, offset, page, this.at + NUMBER_BYTES, length);
    this.advance(NUMBER_BYTES + length);
  }

  private putNumber(value: number): void {
    const page = this.pageFor(NUMBER_BYTES);
    writeNumber(page, this.at, value);
    this.advance(NUMBER_BYTES);
  }

  private advance(size: number): void {
    this.at += size;
    this.ends[this.ends.length - 1] = this.at;
  }

  /** The page that has room for `size` bytes at `at`. */
  private pageFor(size: number): Uint8Array {
    const last = this.pages.at(-1);
    if (last !== undefined && this.at + size <= last.length) return last;
    const next = last === undefined ? PAGE_BYTES_MIN : Math.min(PAGE_BYTES_MAX, last.length * 2);
    const page = new Uint8Array(Math.max(size, next));
    this.pages.push(page);
    this.ends.push(0);
    this.pageBytes += page.length;
    this.at = 0;
    return page;
  }
}

/** Transactions that are over, to be used again. */
export class SpareTransactions {
  private readonly spare: Transaction[] = [];

  /** An empty one. */
  take(): Transaction {
    return this.spare.pop() ?? new Transaction();
  }

  /** Gives back one of which nobody sees any word any more. */
  giveBack(transaction: Transaction): void {
    if (this.spare.length < SPARE_MAX && transaction.renew()) this.spare.push(transaction);
  }
}

/** Goes through the commands of a transaction, from the first on. */
export class TransactionCursor {
  private readonly transaction: Transaction;
  private readonly held: readonly Uint8Array[];
  private index = 0;
  private page = 0;
  private at = 0;
  private heldIndex = 0;

  constructor(transaction: Transaction) {
    this.transaction = transaction;
    this.held = transaction.held;
  }

  /** The next command, its words in `args` as long as the transaction lasts; null at the end. */
  next(args: Args): Command | null {
    const { held } = this;
    const { commands, heldLengths, pages } = this.transaction;
    if (this.index === commands.length) return null;
    args.clear();
    for (let count = this.number(); count > 0; count--) {
      const length = this.number();
      if (length === HELD) {
        args.push(held[this.heldIndex]!, 0, heldLengths[this.heldIndex]!);
        this.heldIndex++;
      } else {
        args.push(pages[this.page]!, this.at, length);
        this.at += length;
      }
    }
    return commands[this.index++]!;
  }

  private number(): number {
    const { ends, pages } = this.transaction;
    if (this.at === ends[this.page]) {
      this.page++;
      this.at = 0;
    }
    const value = readNumber(pages[this.page]!, this.at);
    this.at += NUMBER_BYTES;
    return value;
  }
}

function writeNumber(page: Uint8Array, at: number, value: number): void {
  page[at] = value;
  page[at + 1] = value >>> 8;
  page[at + 2] = value >>> 16;
  page[at + 3] = value >>> 24;
}

function readNumber(page: Uint8Array, at: number): number {
  const low = page[at]! | (page[at + 1]! << 8) | (page[at + 2]! << 16);
  return (low | (page[at + 3]! << 24)) >>> 0;
}
