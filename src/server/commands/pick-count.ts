/** The count of HRANDFIELD, SRANDMEMBER, ZRANDMEMBER and LREM. */
import { INT64_MAX, INT64_MIN, parseInt64 } from '../../core/text/integer.ts';
import type { Context } from '../dispatch/context.ts';

const OUT_OF_RANGE = `ERR value is out of range, value must between -${INT64_MAX} and ${INT64_MAX}`;

/**
 * The count in argument `i`, which may be negative; the nearest number past 2^53. NaN when an error
 * has been answered. The one integer without an opposite, -2^63, is no count.
 */
export function pickCount(c: Context, i: number): number {
  const count = c.integer(i);
  if (count !== -(2 ** 63)) return count;
  const { bytes, lengths, offsets } = c.args;
  if (parseInt64(bytes[i]!, offsets[i]!, lengths[i]!) !== INT64_MIN) return count;
  c.reply.error(OUT_OF_RANGE);
  return Number.NaN;
}
