/**
 * Where the AOF stands in the replication stream: an annotation between turns, or at the end of
 * one.
 *
 *   #RP:p:<40 hex digits>:<offset>:<db>\r\n   what stands before is the stream up to `offset`;
 *                                             what follows goes on with it, byte for byte
 *   #RP:r:<40 hex digits>:<offset>:<db>\r\n   the same, but what follows is a replica's wording
 *   #RP:-\r\n                                 no stream: nobody can go on from here
 *
 * A primary writes its commands into the file and the stream alike, so one line tells the position
 * of everything behind it; another is due only when the stream gets something else (a ping). A
 * replica's file holds the effects of its primary's stream, and each turn ends with the position it
 * reached.
 *
 * So a server that starts again from its AOF knows which of its replicas, or which primary, it can
 * go on with, to the byte: after `kill -9` without a full sync, after power loss with one only
 * where the lost bytes had left. `db` is the database that the stream has selected. Redis skips
 * these lines.
 */
import type { Args } from '../../core/resp/args.ts';
import { parseInteger } from '../../core/text/integer.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';

export type AofPosition = {
  /** Whether the commands behind the line are the stream's own bytes. */
  readonly continues: boolean;
  readonly id: string;
  readonly offset: number;
  readonly db: number;
};

/**
 * The furthest offset that anybody goes on from. Streams are counted by doubles, which are exact up
 * to twice as much; further on one would stand still while bytes come.
 */
export const OFFSET_MAX = 2 ** 52;

const LINE = /^#RP:(?:-|([pr]):([0-9a-f]{40}):(\d{1,16}):(\d{1,10}))\r\n$/;
const LINE_BYTES_MAX = 100;
/** Hexadecimal digits of a replication id. */
const ID_LENGTH = 40;
const START = [0x23, 0x52, 0x50, 0x3a] as const;

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= OFFSET_MAX;
}

/** The line for a position; null says that there is none. */
export function encodePositionLine(position: AofPosition | null): Uint8Array {
  if (position === null) return latin1Bytes('#RP:-\r\n');
  const { continues, id, offset, db } = position;
  return latin1Bytes(`#RP:${continues ? 'p' : 'r'}:${id}:${offset}:${db}\r\n`);
}

/** What a line of `len` bytes says; undefined when it is another kind of line. */
export function decodePositionLine(
  buf: Uint8Array,
  off: number,
  len: number,
): AofPosition | null | undefined {
  if (len > LINE_BYTES_MAX || START.some((byte, i) => buf[off + i] !== byte)) return undefined;
  const found = LINE.exec(Buffer.from(buf.subarray(off, off + len)).toString('latin1'));
  if (found === null) return undefined;
  const [, kind, id, offset, db] = found;
  if (kind === undefined || id === undefined || !isOffset(Number(offset))) return null;
  return { continues: kind === 'p', id, offset: Number(offset), db: Number(db) };
}

/**
 * The position that an RDB tells in its AUX fields repl-id, repl-offset and repl-stream-db; null
 * where it tells none.
 */
export function positionOfAux(fields: ReadonlyMap<string, string>): AofPosition | null {
  const id = fields.get('repl-id');
  const offset = Number(fields.get('repl-offset'));
  if (id === undefined || id.length !== ID_LENGTH || !isOffset(offset)) return null;
  const db = Number(fields.get('repl-stream-db') ?? 0);
  return { continues: false, id, offset, db: Number.isSafeInteger(db) ? Math.max(0, db) : 0 };
}

/** Follows the position while an AOF is read. */
export class AofPositionTracker {
  #position: AofPosition | null = null;
  #bytesSince = 0;
  /** The database that is selected behind what was read. */
  #db = 0;

  /** The position at the end of what was read; null when it is not known. */
  get position(): AofPosition | null {
    const position = this.#position;
    if (position === null || this.#bytesSince === 0) return position;
    if (!position.continues) return null;
    return { ...position, offset: position.offset + this.#bytesSince, db: this.#db };
  }

  /** How much of the stream was read when what follows goes on with it; -1 when not. */
  get streamOffset(): number {
    const position = this.#position;
    return position?.continues === true ? position.offset + this.#bytesSince : -1;
  }

  /** A line was read, or the position of an RDB in front. */
  at(position: AofPosition | null): void {
    this.#position = position;
    this.#bytesSince = 0;
    this.#db = position?.db ?? 0;
  }

  /** A command is executed: the stream may go on in another database behind it. */
  executing(args: Args): void {
    if (args.count !== 2 || !args.is(0, 'select')) return;
    this.#db = parseInteger(args.bytes[1]!, args.offsets[1]!, args.lengths[1]!);
  }

  /** Commands of `bytes` bytes were read. */
  passed(bytes: number): void {
    this.#bytesSince += bytes;
  }
}
