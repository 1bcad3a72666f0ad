/**
 * CRC64 as it stands at the end of every RDB file and DUMP payload ("Jones", reflected, initial
 * value 0, no final xor; check value of "123456789" is e9c6d914c4b8d9ca).
 *
 * The remainder has 64 bits, so the loop is WebAssembly (core/machine/assembler.ts): sixteen bytes
 * a step, the first eight combined with the remainder, each byte looked up in a table of its own
 * (slicing, Kounavis and Berry 2005). Bytes are copied to where it works, a block at a time:
 *
 *     memory   [ polynomial, remainder | 16 tables of 256 x 8 bytes | block, 32 KiB ]
 *              0                       STATE_BYTES                  BLOCK
 *
 * Measured on Node 20, copies included: 1.5 GB/s where two 32-bit halves in JavaScript gave 0.6,
 * and nearly so from the first block on: 25 ms for the first 35 MB of a process instead of 60.
 */
import * as m from '../core/machine/assembler.ts';
import { copyBytes } from '../core/memory/copy.ts';

const POLY_LOW = 0xac4bc9b5 | 0;
const POLY_HIGH = 0x95ac9329 | 0;

/** The polynomial and the remainder, in that order. */
const STATE_BYTES = 16;
const REMAINDER = 8;
const TABLES = STATE_BYTES;
const SLICES = 16;
const TABLE_BYTES = 256 * 8;
const BLOCK = TABLES + SLICES * TABLE_BYTES;
const BLOCK_BYTES = 32_768;
const PAGES = 2;

/** The entry of table `slice` for the byte of a word whose lowest bit is `bit`. */
function entry(slice: number, local: number, bit: number): m.Code {
  const value = m.get(local);
  const scaled = bit === 0 ? m.shiftLeft(value, m.word(3)) : m.shiftRight(value, m.word(bit - 3));
  return m.load64(m.and(scaled, m.word(0x7f8)), TABLES + slice * TABLE_BYTES);
}

/** The entries for eight bytes, which are in two words, of the eight tables from `top` down. */
function entries(top: number, low: number, high: number): m.Code {
  const all = [0, 1, 2, 3].flatMap((i) => [
    entry(top - i, low, i * 8),
    entry(top - 4 - i, high, i * 8),
  ]);
  return all.reduce((sum, one) => m.xor64(sum, one));
}

/** Fills the tables: the first bit by bit, each other from the one before it. */
function fillTables(): m.MachineFunction {
  const [at, value] = [0, 1];
  const lowest = m.and64(m.get(value), m.long(1));
  const bit = m.set(
    value,
    m.xor64(
      m.shiftRight64(m.get(value), m.long(1)),
      m.and64(m.load64(m.word(0)), m.subtract64(m.long(0), lowest)),
    ),
  );
  const first = m.shiftLeft(m.and(m.low(m.get(value)), m.word(255)), m.word(3));
  return {
    parameters: 0,
    words: 1,
    longs: 1,
    code: [
      ...m.repeat(
        m.less(m.get(at), m.word(TABLE_BYTES)),
        m.set(value, m.widen(m.shiftRight(m.get(at), m.word(3)))),
        ...Array<m.Code>(8).fill(bit),
        m.store64(m.get(at), m.get(value), TABLES),
        m.advance(at, m.word(8)),
      ),
      ...m.repeat(
        m.less(m.get(at), m.word(SLICES * TABLE_BYTES)),
        m.set(value, m.load64(m.subtract(m.get(at), m.word(TABLE_BYTES)), TABLES)),
        m.store64(
          m.get(at),
          m.xor64(m.load64(first, TABLES), m.shiftRight64(m.get(value), m.long(8))),
          TABLES,
        ),
        m.advance(at, m.word(8)),
      ),
      ...m.word(0),
    ],
  };
}

/** Feeds `length` bytes of the block to the remainder. */
function feed(): m.MachineFunction {
  const [length, at, a, b, c, d, sum, first, second] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const halves = (from: number, low: number, high: number): m.Code[] => [
    m.set(low, m.low(m.get(from))),
    m.set(high, m.low(m.shiftRight64(m.get(from), m.long(32)))),
  ];
  const step = m.shiftLeft(
    m.and(m.xor(m.low(m.get(sum)), m.load8(m.get(at), BLOCK)), m.word(255)),
    m.word(3),
  );
  return {
    parameters: 1,
    words: 5,
    longs: 3,
    code: [
      ...m.set(sum, m.load64(m.word(REMAINDER))),
      ...m.repeat(
        m.atLeast(m.get(length), m.add(m.get(at), m.word(16))),
        m.set(first, m.xor64(m.get(sum), m.load64(m.get(at), BLOCK))),
        m.set(second, m.load64(m.get(at), BLOCK + 8)),
        ...halves(first, a, b),
        ...halves(second, c, d),
        m.set(sum, m.xor64(entries(7, c, d), entries(15, a, b))),
        m.advance(at, m.word(16)),
      ),
      ...m.repeat(
        m.less(m.get(at), m.get(length)),
        m.set(sum, m.xor64(m.load64(step, TABLES), m.shiftRight64(m.get(sum), m.long(8)))),
        m.advance(at, m.word(1)),
      ),
      ...m.store64(m.word(REMAINDER), m.get(sum)),
      ...m.word(0),
    ],
  };
}

const memory = m.newMemory(PAGES);
const call = m.assemble(memory, { fillTables: fillTables(), feed: feed() });
/** The polynomial and the remainder, in two words each. WebAssembly is little-endian everywhere. */
const state = new DataView(memory.buffer, 0, STATE_BYTES);
const staged = new Uint8Array(memory.buffer, BLOCK, BLOCK_BYTES);
state.setInt32(0, POLY_LOW, true);
state.setInt32(4, POLY_HIGH, true);
call.fillTables();

/** An incremental CRC64; `lo` and `hi` are the remainder's halves as signed 32-bit integers. */
export class Crc64 {
  lo: number;
  hi: number;

  constructor() {
    this.lo = 0;
    this.hi = 0;
  }

  reset(): void {
    this.lo = 0;
    this.hi = 0;
  }

  /** Feeds `buf[off .. off + len)`. */
  update(buf: Uint8Array, off: number, len: number): void {
    state.setInt32(REMAINDER, this.lo, true);
    state.setInt32(REMAINDER + 4, this.hi, true);
    for (let done = 0; done < len; done += BLOCK_BYTES) {
      const piece = Math.min(len - done, BLOCK_BYTES);
      copyBytes(buf, off + done, staged, 0, piece);
      call.feed(piece);
    }
    this.lo = state.getInt32(REMAINDER, true);
    this.hi = state.getInt32(REMAINDER + 4, true);
  }

  /** Writes the eight bytes of the remainder, little-endian, as an RDB file ends. */
  writeTo(buf: Uint8Array, off: number): void {
    writeWordLe(buf, off, this.lo);
    writeWordLe(buf, off + 4, this.hi);
  }

  /** Whether `buf[off .. off + 8)` holds this remainder, little-endian. */
  equalsAt(buf: Uint8Array, off: number): boolean {
    return readWordLe(buf, off) === this.lo && readWordLe(buf, off + 4) === this.hi;
  }

  /** The remainder as one unsigned number, for messages and tests. */
  toBigInt(): bigint {
    return (BigInt(this.hi >>> 0) << 32n) | BigInt(this.lo >>> 0);
  }
}

function writeWordLe(buf: Uint8Array, off: number, word: number): void {
  buf[off] = word & 0xff;
  buf[off + 1] = (word >>> 8) & 0xff;
  buf[off + 2] = (word >>> 16) & 0xff;
  buf[off + 3] = word >>> 24;
}

function readWordLe(buf: Uint8Array, off: number): number {
  return buf[off]! | (buf[off + 1]! << 8) | (buf[off + 2]! << 16) | (buf[off + 3]! << 24);
}
