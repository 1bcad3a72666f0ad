/**
 * The large arguments of the command that a parser reads: each is received into a buffer of its
 * own, so that 512 MB are copied once and never moved.
 *
 *     complete   [ argument ][ argument ]            until the command has run
 *     current    [ received: 0 .. filled )[ to come .. length ]
 *
 * The buffers are on offer (memory/offered-buffers.ts): a command that stores such an argument as
 * it is need not copy it. Room for what is announced is asked for at once, as it is zero; the
 * system gives its pages as they are filled.
 */
import type { OfferedBuffers } from '../memory/offered-buffers.ts';
import type { Args } from './args.ts';

export class LargeArguments {
  /** The argument that is being received; null while there is none. */
  private current: Uint8Array | null = null;
  private length = 0;
  private filled = 0;
  private readonly complete: Uint8Array[] = [];
  /** Bytes of the arguments of the present command that have arrived whole. */
  completeBytes = 0;
  private readonly buffers: OfferedBuffers;

  constructor(buffers: OfferedBuffers) {
    this.buffers = buffers;
  }

  /** Whether an argument is being received. */
  get isReceiving(): boolean {
    return this.current !== null;
  }

  /** Whether the argument that is being received has arrived whole. */
  get isFull(): boolean {
    return this.filled === this.length;
  }

  /** Bytes that have been announced, whether they have come or not. */
  get announcedBytes(): number {
    return this.current === null ? 0 : this.length;
  }

  /** Begins an argument of `length` bytes; false when the system has no memory for it. */
  begin(length: number): boolean {
    try {
      this.current = this.buffers.take(length);
    } catch {
      return false;
    }
    this.length = length;
    this.filled = 0;
    return true;
  }

  /** Takes what belongs to the argument from the front of `bytes[from .. to)`: how many. */
  fill(bytes: Uint8Array, from: number, to: number): number {
    const taken = Math.min(to - from, this.length - this.filled);
    this.current!.set(bytes.subarray(from, from + taken), this.filled);
    this.filled += taken;
    return taken;
  }

  /** The argument that is full is one of the command's. */
  addTo(args: Args): void {
    args.push(this.current!, 0, this.length);
    this.complete.push(this.current!);
    this.completeBytes += this.length;
    this.current = null;
  }

  /** Lets go of the complete arguments, after their command has run. */
  letGo(): void {
    if (this.completeBytes === 0) return;
    this.completeBytes = 0;
    for (let one = this.complete.pop(); one !== undefined; one = this.complete.pop()) {
      this.buffers.letGo(one);
    }
  }

  /** Lets go of everything received, because the command will never be complete. */
  drop(): void {
    this.letGo();
    if (this.current !== null) this.buffers.letGo(this.current);
    this.current = null;
  }
}
