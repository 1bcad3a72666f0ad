/**
 * The time of SET, SETEX, PSETEX and GETEX: `EX seconds`, `PX milliseconds`, `EXAT` and `PXAT` with
 * a moment, read from an argument and turned into milliseconds since 1970.
 *
 * A time must be positive, and the moment below 2^63 ms, of which the last thousandth is beyond
 * what a number holds exactly. Such moments are computed with BigInt, kept as the nearest number,
 * and propagated exactly.
 */
import { INT64_MAX, parseInt64, parseInteger } from '../../core/text/integer.ts';
import type { Context } from '../dispatch/context.ts';
import { NOT_AN_INTEGER } from '../dispatch/errors.ts';
import type { OptionReader } from '../dispatch/option-reader.ts';

export const EX = 1 << 0;
export const PX = 1 << 1;
export const EXAT = 1 << 2;
export const PXAT = 1 << 3;
export const KEEPTTL = 1 << 4;
export const PERSIST = 1 << 5;
export const ANY_TIME = EX | PX | EXAT | PXAT;
const ANY_EXPIRY = ANY_TIME | KEEPTTL | PERSIST;

/** Times up to here stay exact as numbers, the seconds also when they are made milliseconds. */
const EXACT_SECONDS_MAX = 8e12;
const EXACT_MS_MAX = 8e15;

export class ExpiryOption {
  /** The moment in milliseconds since 1970. */
  atMs = 0;
  private valueAt = 0;
  /** The moment as text when it is no safe integer, else empty. */
  private exact = '';

  /**
   * Takes a time option. Returns `flags` with its flag; -1 when the next word is none. One kind may
   * come twice, and then the last one counts.
   */
  take(options: OptionReader, flags: number): number {
    if (options.take('ex', 1)) return this.join(options, flags, EX);
    if (options.take('px', 1)) return this.join(options, flags, PX);
    if (options.take('exat', 1)) return this.join(options, flags, EXAT);
    if (options.take('pxat', 1)) return this.join(options, flags, PXAT);
    return -1;
  }

  private join(options: OptionReader, flags: number, flag: number): number {
    this.valueAt = options.index();
    return options.join(flags, flag, ANY_EXPIRY & ~flag);
  }

  /** Computes the moment that the option taken last names; false when the error was answered. */
  resolve(c: Context, flags: number): boolean {
    return this.resolveArgument(c, this.valueAt, flags & ANY_TIME);
  }

  /** Computes the moment that argument `i` names as a time of this kind. */
  resolveArgument(c: Context, i: number, kind: number): boolean {
    const { bytes, offsets, lengths } = c.args;
    const value = parseInteger(bytes[i]!, offsets[i]!, lengths[i]!);
    const inSeconds = (kind & (EX | EXAT)) !== 0;
    this.exact = '';
    if (value > 0 && value <= (inSeconds ? EXACT_SECONDS_MAX : EXACT_MS_MAX)) {
      const ms = inSeconds ? value * 1000 : value;
      this.atMs = (kind & (EX | PX)) !== 0 ? ms + c.keyspace.nowMs : ms;
      return true;
    }
    if (Number.isNaN(value)) c.reply.error(NOT_AN_INTEGER);
    else if (value > 0 && this.resolveExactly(c, i, kind)) return true;
    else c.reply.error(`ERR invalid expire time in '${c.command.name}' command`);
    return false;
  }

  private resolveExactly(c: Context, i: number, kind: number): boolean {
    const { bytes, offsets, lengths } = c.args;
    let moment = parseInt64(bytes[i]!, offsets[i]!, lengths[i]!) ?? 0n;
    if ((kind & (EX | EXAT)) !== 0) moment *= 1000n;
    if ((kind & (EX | PX)) !== 0) moment += BigInt(c.keyspace.nowMs);
    if (moment > INT64_MAX) return false;
    this.atMs = Number(moment);
    if (!Number.isSafeInteger(this.atMs)) this.exact = moment.toString();
    return true;
  }

  /** Writes the moment as a word of the operation that is being propagated. */
  propagate(c: Context): void {
    if (this.exact === '') c.propagator.number(this.atMs);
    else c.propagator.word(this.exact);
  }
}
