/**
 * The id of a stream's entry: milliseconds and a number within them, 64 bits each, unsigned.
 *
 *     1700000000000-3      msHigh:msLow - seqHigh:seqLow, four unsigned words
 *
 * Ids are ordered by milliseconds, then by number. 0-0 is less than every entry's id.
 */
import { writeInt64 } from '../text/integer.ts';

const WORD_MAX = 0xffff_ffff;
const TWO_32 = 0x1_0000_0000;
/** Bytes of the longest id as text. */
export const STREAM_ID_TEXT_MAX = 41;

export class StreamId {
  msHigh = 0;
  msLow = 0;
  seqHigh = 0;
  seqLow = 0;

  set(msHigh: number, msLow: number, seqHigh: number, seqLow: number): this {
    this.msHigh = msHigh;
    this.msLow = msLow;
    this.seqHigh = seqHigh;
    this.seqLow = seqLow;
    return this;
  }

  copy(from: StreamId): this {
    return this.set(from.msHigh, from.msLow, from.seqHigh, from.seqLow);
  }

  clear(): this {
    return this.set(0, 0, 0, 0);
  }

  /** The greatest id. */
  setMax(): this {
    return this.set(WORD_MAX, WORD_MAX, WORD_MAX, WORD_MAX);
  }

  /** The first id of a moment, in milliseconds. */
  setTime(ms: number): this {
    return this.set(Math.floor(ms / TWO_32), ms >>> 0, 0, 0);
  }

  setBig(ms: bigint, seq: bigint): this {
    return this.set(highWord(ms), lowWord(ms), highWord(seq), lowWord(seq));
  }

  get isZero(): boolean {
    return (this.msHigh | this.msLow | this.seqHigh | this.seqLow) === 0;
  }

  get isMax(): boolean {
    return this.isLastOfMs && this.msHigh === WORD_MAX && this.msLow === WORD_MAX;
  }

  /** Whether no greater id has the same milliseconds. */
  get isLastOfMs(): boolean {
    return this.seqHigh === WORD_MAX && this.seqLow === WORD_MAX;
  }

  sameMs(other: StreamId): boolean {
    return this.msHigh === other.msHigh && this.msLow === other.msLow;
  }

  /** Compares this id with `other`. Returns less than 0, 0 or more than 0. */
  compare(other: StreamId): number {
    if (this.msHigh !== other.msHigh) return this.msHigh - other.msHigh;
    if (this.msLow !== other.msLow) return this.msLow - other.msLow;
    if (this.seqHigh !== other.seqHigh) return this.seqHigh - other.seqHigh;
    return this.seqLow - other.seqLow;
  }

  /** Becomes the next id; false, and 0-0, behind the greatest. */
  increment(): boolean {
    if (this.seqLow < WORD_MAX) this.seqLow++;
    else {
      this.seqLow = 0;
      if (this.seqHigh < WORD_MAX) this.seqHigh++;
      else {
        this.seqHigh = 0;
        return this.incrementMs();
      }
    }
    return true;
  }

  /** Becomes the id before; false, and the greatest, in front of 0-0. */
  decrement(): boolean {
    if (this.seqLow > 0) this.seqLow--;
    else {
      this.seqLow = WORD_MAX;
      if (this.seqHigh > 0) this.seqHigh--;
      else {
        this.seqHigh = WORD_MAX;
        return this.decrementMs();
      }
    }
    return true;
  }

  /** Writes it as text at `to[off]`; gives the number of bytes, at most STREAM_ID_TEXT_MAX. */
  write(to: Uint8Array, off: number): number {
    const dash = off + writeUint64(to, off, this.msLow, this.msHigh);
    to[dash] = 45;
    return dash + 1 - off + writeUint64(to, dash + 1, this.seqLow, this.seqHigh);
  }

  toString(): string {
    const ms = BigInt(this.msHigh) * BigInt(TWO_32) + BigInt(this.msLow);
    const seq = BigInt(this.seqHigh) * BigInt(TWO_32) + BigInt(this.seqLow);
    return `${ms}-${seq}`;
  }

  private incrementMs(): boolean {
    if (this.msLow < WORD_MAX) this.msLow++;
    else {
      this.msLow = 0;
      this.msHigh = this.msHigh < WORD_MAX ? this.msHigh + 1 : 0;
      return this.msHigh !== 0;
    }
    return true;
  }

  private decrementMs(): boolean {
    if (this.msLow > 0) this.msLow--;
    else {
      this.msLow = WORD_MAX;
      this.msHigh = this.msHigh > 0 ? this.msHigh - 1 : WORD_MAX;
      return this.msHigh !== WORD_MAX;
    }
    return true;
  }
}

/** Text of one id after another, which most often have their milliseconds in common. */
export class StreamIdText {
  readonly bytes = new Uint8Array(STREAM_ID_TEXT_MAX);
  private msHigh = -1;
  private msLow = -1;
  /** Bytes up to the number, the dash included. */
  private head = 0;

  /** Writes an id at the beginning of `bytes`; gives the number of bytes. */
  write(id: StreamId): number {
    const { bytes } = this;
    if (id.msLow !== this.msLow || id.msHigh !== this.msHigh) {
      this.msLow = id.msLow;
      this.msHigh = id.msHigh;
      this.head = writeUint64(bytes, 0, id.msLow, id.msHigh) + 1;
      bytes[this.head - 1] = 45;
    }
    const { head } = this;
    if (id.seqHigh !== 0 || id.seqLow > 9) {
      return head + writeUint64(bytes, head, id.seqLow, id.seqHigh);
    }
    bytes[head] = 48 + id.seqLow;
    return head + 1;
  }
}

function writeUint64(to: Uint8Array, off: number, low: number, high: number): number {
  if (high < 0x8000_0000) return writeInt64(to, off, low, high);
  const text = (BigInt(high) * BigInt(TWO_32) + BigInt(low)).toString();
  for (let i = 0; i < text.length; i++) to[off + i] = text.charCodeAt(i);
  return text.length;
}

function lowWord(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

function highWord(value: bigint): number {
  return Number(BigInt.asUintN(32, value >> 32n));
}
