/**
 * What later servers write into their stream and AOF where earlier ones write it otherwise, so that
 * these can be followed and loaded.
 *
 *     HSETEX key KEEPTTL FIELDS n field value ...      Redis 8, for HINCRBYFLOAT
 *     HSET key field value ...                         the same, where no field expires
 */
import type { Args } from '../../core/resp/args.ts';

const HSET = Buffer.from('HSET');
/** Words of HSETEX before the first field. */
const HSETEX_HEAD = 5;

/** Puts a command of a later server in the words that are known here, in place. */
export function inKnownWords(args: Args): void {
  if (!args.is(0, 'hsetex') || args.count <= HSETEX_HEAD) return;
  if (!args.is(2, 'keepttl') || !args.is(3, 'fields')) return;
  if (Number(args.text(4, 16)) * 2 !== args.count - HSETEX_HEAD) return;
  const { bytes, offsets, lengths } = args;
  const count = args.count - HSETEX_HEAD;
  args.clear();
  args.push(HSET, 0, HSET.length);
  args.push(bytes[1]!, offsets[1]!, lengths[1]!);
  for (let i = HSETEX_HEAD; i < HSETEX_HEAD + count; i++) {
    args.push(bytes[i]!, offsets[i]!, lengths[i]!);
  }
}
