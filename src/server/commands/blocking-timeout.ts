/**
 * How long a command may wait: BLPOP and its kin say it in seconds with any fraction, XREAD, WAIT
 * and CLIENT PAUSE in whole milliseconds; 0 is for ever. The moment at which the wait ends, in
 * milliseconds since 1970, must fit in 64 bits.
 *
 * Redis multiplies a long double by 1,000 and rounds up to whole milliseconds, so that the least
 * wait is one millisecond and nothing above 0 becomes for ever. What is rounded there is rounded
 * here: the product is cut to the 64 bits of a long double's mantissa first, which decides about
 * -0.001.
 */
import { parseInt64, parseInteger } from '../../core/text/integer.ts';
import { isFiniteLongDouble, parseLongDouble } from '../../core/text/long-double.ts';
import type { Context } from '../dispatch/context.ts';

const NOT_AN_INTEGER = 'ERR timeout is not an integer or out of range';
const NOT_A_TIMEOUT = 'ERR timeout is not a float or out of range';
const NEGATIVE_TIMEOUT = 'ERR timeout is negative';
const LONG_TIMEOUT = 'ERR timeout is out of range';

const MANTISSA_BITS = 64;
const INT64_LIMIT = 1n << 63n;
const INT64_MAX = INT64_LIMIT - 1n;
/** Whole seconds below this need no long arithmetic. */
const PLAIN_SECONDS_MAX = 1e9;

/**
 * The timeout in argument `i`, which is in milliseconds, NaN when it is none: then the error has
 * been answered.
 */
export function readTimeoutMs(c: Context, i: number): number {
  const { bytes, lengths, offsets } = c.args;
  const ms = parseInt64(bytes[i]!, offsets[i]!, lengths[i]!);
  if (ms !== undefined && ms >= 0n && hasMoment(ms)) return Number(ms);
  if (ms === undefined) c.reply.error(NOT_AN_INTEGER);
  else c.reply.error(ms < 0n ? NEGATIVE_TIMEOUT : LONG_TIMEOUT);
  return Number.NaN;
}

/** Whether the moment that is so many milliseconds away can be said. */
function hasMoment(ms: bigint): boolean {
  return ms <= INT64_MAX - BigInt(Date.now());
}

/**
 * The timeout in argument `i`, which is in seconds, in milliseconds; NaN when it is none: then the
 * error has been answered.
 */
export function readTimeout(c: Context, i: number): number {
  const { bytes, lengths, offsets } = c.args;
  const seconds = parseInteger(bytes[i]!, offsets[i]!, lengths[i]!);
  if (seconds >= 0 && seconds < PLAIN_SECONDS_MAX) return seconds * 1000;
  const value = parseLongDouble(bytes[i]!, offsets[i]!, lengths[i]!);
  if (value === undefined) {
    c.reply.error(NOT_A_TIMEOUT);
    return Number.NaN;
  }
  const ms = isFiniteLongDouble(value)
    ? roundedUp(value.negative, value.mantissa * 1000n, value.exponent)
    : INT64_LIMIT;
  if (ms >= 0n && hasMoment(ms)) return Number(ms);
  c.reply.error(value.negative ? NEGATIVE_TIMEOUT : LONG_TIMEOUT);
  return Number.NaN;
}

/** mantissa * 2^exponent, rounded to a long double and then up to an integer. */
function roundedUp(negative: boolean, mantissa: bigint, exponent: number): bigint {
  const excess = Math.max(0, mantissa.toString(2).length - MANTISSA_BITS);
  const kept = roundedToEven(mantissa, excess);
  const shift = exponent + excess;
  if (shift > MANTISSA_BITS * 2) return kept === 0n ? 0n : INT64_LIMIT;
  if (shift >= 0) return negative ? -(kept << BigInt(shift)) : kept << BigInt(shift);
  const whole = kept >> BigInt(-shift);
  if (negative) return -whole;
  return whole << BigInt(-shift) === kept ? whole : whole + 1n;
}

/** value / 2^bits, to the nearest integer, half to even. */
function roundedToEven(value: bigint, bits: number): bigint {
  if (bits === 0) return value;
  const whole = value >> BigInt(bits);
  const rest = value - (whole << BigInt(bits));
  const half = 1n << BigInt(bits - 1);
  const up = rest > half || (rest === half && (whole & 1n) === 1n);
  return up ? whole + 1n : whole;
}
