/**
 * The answers of HRANDFIELD, SRANDMEMBER and ZRANDMEMBER.
 *
 *     no count     one element, null where there is none
 *     count >= 0   that many different elements, all of them when there are no more
 *     count < 0    -count elements of which each may be any; more than 2^32 are refused
 *
 * HRANDFIELD and ZRANDMEMBER show a value with each element when asked to: as an array of two in
 * RESP3, flat in RESP2.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { pickCount } from './pick-count.ts';
import { type PickSource, RandomPicks } from './random-picks.ts';

const OUT_OF_RANGE = 'ERR value is out of range';
/** More elements with their values are no number that a reply's head could hold. */
const PAIRS_MAX = 2 ** 62;

/**
 * More elements that may come again are refused: each takes six bytes of the reply at least, and 24
 * GiB of it would never be sent. Real servers gather them until there is no memory left.
 */
const REPEATED_MAX = 2 ** 32;

/** Elements between two looks at whether the client may be sent so much. */
const LOOK_EVERY = 1024;

/** The cursors of the type APIs, which show what they are sent to. */
interface ShownSource extends PickSource {
  start(keyspace: Keyspace, address: number): void;
  next(): boolean;
  show(ref: number): void;
}

/** Answers the element that its cursor shows, with its value where values are wanted. */
type ReplyShown = (c: Context) => void;

const picks = new RandomPicks();

/** What HRANDFIELD and ZRANDMEMBER are asked for; set by `readPicks`. */
export const pickRequest = { count: 0, paired: false };

/** Reads "count [word]" from argument 2 on; false when an error has been answered. */
export function readPicks(c: Context, word: string): boolean {
  const { argc, reply } = c;
  const count = pickCount(c, 2);
  if (Number.isNaN(count)) return false;
  const paired = argc === 4 && c.is(3, word);
  if (argc > 4 || (argc === 4 && !paired)) {
    reply.error(SYNTAX_ERROR);
    return false;
  }
  if (paired && Math.abs(count) >= PAIRS_MAX) {
    reply.error(OUT_OF_RANGE);
    return false;
  }
  pickRequest.count = count;
  pickRequest.paired = paired;
  return true;
}

/** Answers one element of the collection of `type` in argument 1, without a count. */
export function replyPick(
  c: Context,
  type: number,
  source: ShownSource,
  replyShown: ReplyShown,
): void {
  const address = c.readTyped(1, type);
  if (address === WRONG) return;
  if (address === 0) {
    c.reply.null();
    return;
  }
  source.start(c.keyspace, address);
  source.show(source.pick(c.keyspace.random));
  replyShown(c);
}

/** Answers `wanted` elements, as above, of a source that stands before its first one. */
export function replyPicks(
  c: Context,
  source: ShownSource,
  wanted: number,
  paired: boolean,
  replyShown: ReplyShown,
): void {
  if (wanted < -REPEATED_MAX) {
    c.reply.error(OUT_OF_RANGE);
    return;
  }
  const replied = wanted < 0 ? -wanted : Math.min(wanted, source.count);
  const nested = paired && c.reply.protocol === 3;
  c.reply.array(paired && !nested ? replied * 2 : replied);
  if (wanted < 0) {
    picks.repeated(source, c.keyspace.random);
    const { limits } = c.services.desk;
    for (let i = 0; i < replied; i++) {
      if (i % LOOK_EVERY === 0 && limits.cutsOff(c.client)) return;
      source.show(picks.one());
      replyOne(c, nested, replyShown);
    }
  } else if (replied === source.count) {
    while (source.next()) {
      replyOne(c, nested, replyShown);
    }
  } else {
    picks.distinct(source, replied, c.keyspace.random);
    for (let i = 0; i < replied; i++) {
      source.show(picks.refs[i]!);
      replyOne(c, nested, replyShown);
    }
  }
}

function replyOne(c: Context, nested: boolean, replyShown: ReplyShown): void {
  if (nested) c.reply.array(2);
  replyShown(c);
}
