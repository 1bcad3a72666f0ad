/**
 * Compact zsets in an RDB: a listpack, or the ziplist of older servers, with members and scores in
 * turn, in their order.
 *
 * Bytes from outside are never believed: an odd number of entries, a score that is no number, a
 * member that comes twice and a wrong order are errors.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import { lpElement, lpFirst, lpGet, lpNext } from '../../core/struct/listpack.ts';
import { parseDouble } from '../../core/text/double.ts';
import { parseScore } from '../../core/text/score.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { lpDistinct } from '../../core/types/listpack-distinct.ts';
import { largeOfPack } from '../../core/types/zset.ts';
import { LargeZset } from '../../core/types/zset-large.ts';
import { compareText, packCompare, packScore } from '../../core/types/zset-pack.ts';
import { ENC_LISTPACK, ENC_SKIPLIST, TYPE_ZSET } from '../../core/value.ts';
import { ListpackForm } from './packed-forms.ts';
import { arePairs, type CompactKind, countPairs } from './rdb-compact.ts';
import { late } from './rdb-pieces.ts';
import { LargeTaker } from './rdb-taker.ts';
import { ZiplistReader } from './ziplist.ts';

export const TWICE = 'a member twice in a sorted set';
export const NO_SCORE = 'a score of a sorted set that is not a number';
const NO_ORDER = 'a sorted set that is not in order';

const previous = new ElementView();

/** Brings members with their scores into a large zset. */
class ZsetTaker extends LargeTaker {
  readonly value: LargeZset;
  /** The entry of the member that came last, and its score; NaN before the first. */
  #last = 0;
  #score = Number.NaN;

  constructor({ arena, seed }: Keyspace) {
    super();
    this.value = new LargeZset(arena, seed);
  }

  take(member: ElementView, text: ElementView): string {
    const fault = this.#next(member, text);
    if (fault !== '') return fault;
    if (late.isFull && !this.value.settle(late)) return TWICE;
    const { bytes, length, offset } = member;
    this.#last = this.value.addLate(late, bytes, offset, length, this.#score);
    return '';
  }

  open(member: ElementView, text: ElementView): string {
    const fault = this.#next(member, text);
    if (fault !== '') return fault;
    this.value.openMember(member.length);
    this.block = this.value.opened;
    this.at = this.value.openAt;
    this.#last = this.block;
    text.length = 0;
    return '';
  }

  place(): string {
    return this.value.place(this.#score) ? '' : TWICE;
  }

  /** Looks at the next element and notes its score. */
  #next(member: ElementView, { bytes, length, offset }: ElementView): string {
    if (Number.isNaN(parseDouble(bytes, offset, length))) return NO_SCORE;
    const score = parseScore(bytes, offset, length);
    const fault = this.#orderFault(member, score);
    this.#score = score;
    return fault;
  }

  #orderFault(member: ElementView, score: number): string {
    const last = this.#score;
    if (score > last || Number.isNaN(last)) return '';
    if (score < last) return NO_ORDER;
    this.value.showMember(this.#last, previous);
    const order = compareText(member, previous.bytes, previous.offset, previous.length);
    return order > 0 ? '' : order === 0 ? TWICE : NO_ORDER;
  }

  override settle(): string {
    return this.value.settle(late) ? '' : TWICE;
  }
}

export const ZSET_LISTPACK: CompactKind = {
  form: () => new ListpackForm(),
  isPair: true,
  type: TYPE_ZSET,
  encoding: ENC_LISTPACK,
  largeEncoding: ENC_SKIPLIST,
  damage: 'a damaged listpack of a sorted set',
  isKept: true,
  most: (limits) => limits.zsetMaxListpackEntries,
  fault(bytes, offset, length) {
    return arePairs(bytes, offset, length) ? pairsFault(bytes, offset) : this.damage;
  },
  count: countPairs,
  enlarged: largeOfPack,
  grow: (keyspace) => new ZsetTaker(keyspace),
};

export const ZSET_ZIPLIST: CompactKind = {
  ...ZSET_LISTPACK,
  form: () => new ZiplistReader(),
  damage: 'a damaged ziplist of a sorted set',
  isKept: false,
};

/** What is wrong with the pairs of a sound listpack, or ''. */
function pairsFault(bytes: Uint8Array, base: number): string {
  if (!lpDistinct(bytes, base, 2)) return TWICE;
  let last = Number.NEGATIVE_INFINITY;
  for (let at = lpFirst(bytes, base), before = 0; at !== 0; ) {
    const scoreAt = lpNext(bytes, base, at);
    lpGet(bytes, base, scoreAt);
    const { isInteger, length, offset } = lpElement;
    if (!isInteger && Number.isNaN(parseDouble(bytes, offset, length))) return NO_SCORE;
    const score = packScore(bytes, base, at);
    if (score < last || (score === last && before !== 0 && !follows(bytes, base, at, before))) {
      return NO_ORDER;
    }
    last = score;
    before = at;
    at = lpNext(bytes, base, scoreAt);
  }
  return '';
}

/** Whether the member at `at` belongs behind the one at `before`, which has the same score. */
function follows(bytes: Uint8Array, base: number, at: number, before: number): boolean {
  previous.showListpack(bytes, base, before);
  return packCompare(bytes, base, at, previous.bytes, previous.offset, previous.length) > 0;
}
