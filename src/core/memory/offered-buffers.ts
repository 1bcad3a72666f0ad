/**
 * Buffers on offer: filled by somebody, and to be taken over as they are by whoever wants to keep
 * just these bytes. So a large argument becomes the value of a key without being copied, and so
 * does the result of an operation that was made beside its sources.
 *
 *     take     somebody fills it         [ 200 MB ........ ]   no block, counted by who holds it
 *     adopt    it became a block         [ 200 MB ........ ]   a value's, lent to who filled it
 *     letGo    who filled it is done     the block is the value's alone; what nobody adopted goes
 *
 * A block is lent until it is let go, so that the command that it came with can be written into the
 * journal, and shown to monitors, from where it lies, even when its value has gone again meanwhile.
 *
 * Offered is what a block of the same size would have a buffer of its own for. Shorter buffers, and
 * some that were used before and are longer than what is asked for, only look alike and are used
 * again (spare-buffer.ts). A larger one that nobody adopted goes back to the system at once.
 */
import { type Arena, BLOCK_BYTES_MAX } from './arena.ts';
import { giveSpare, SPARE_BYTES_MAX, takeSpare } from './spare-buffer.ts';

interface Offer {
  /** The block that it became, 0 while nobody has adopted it. */
  block: number;
  holders: number;
}

export class OfferedBuffers {
  private readonly arena: Arena;
  private readonly offers = new Map<ArrayBufferLike, Offer>();

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** A buffer of at least `length` bytes, which hold anything, until it is let go. */
  take(length: number): Uint8Array {
    if (length <= BLOCK_BYTES_MAX) return takeSpare(length);
    const size = Math.ceil(length / 8) * 8;
    const bytes = size > SPARE_BYTES_MAX ? new Uint8Array(size) : takeSpare(size);
    if (bytes.length === size) this.offers.set(bytes.buffer, { block: 0, holders: 1 });
    return bytes;
  }

  /** Somebody else needs these bytes, too, and lets them go; false when they are not on offer. */
  hold(bytes: Uint8Array): boolean {
    const offer = this.offerOf(bytes);
    if (offer === undefined) return false;
    offer.holders++;
    return true;
  }

  /** The block that a whole buffer becomes; 0 when these bytes are not on offer. */
  adopt(bytes: Uint8Array, offset: number, length: number): number {
    const offer = this.offerOf(bytes);
    if (offer === undefined || offer.block !== 0) return 0;
    const { buffer, byteOffset } = bytes;
    if (byteOffset + offset !== 0 || buffer.byteLength !== Math.ceil(length / 8) * 8) return 0;
    offer.block = this.arena.adopt(buffer as ArrayBuffer);
    this.arena.lend(offer.block);
    return offer.block;
  }

  /**
   * Ends one use of these bytes, by who filled or held them; memory that nobody uses any more goes
   * back.
   */
  letGo(bytes: Uint8Array): void {
    const offer = this.offerOf(bytes);
    if (offer === undefined) {
      giveSpare(bytes);
      return;
    }
    if (--offer.holders > 0) return;
    this.offers.delete(bytes.buffer);
    if (offer.block !== 0) this.arena.giveBack(offer.block);
    else if (bytes.length > SPARE_BYTES_MAX) this.arena.abandon(bytes);
    else giveSpare(bytes);
  }

  /** Short arrays have no buffer until they are asked for it, so they are not. */
  private offerOf(bytes: Uint8Array): Offer | undefined {
    return bytes.length > BLOCK_BYTES_MAX ? this.offers.get(bytes.buffer) : undefined;
  }
}
