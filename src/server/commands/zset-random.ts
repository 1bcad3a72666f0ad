/**
 * The commands that show elements of a sorted set by chance, and the one that goes over them:
 * ZRANDMEMBER, ZSCAN.
 *
 * ZSCAN shows scores with seventeen digits, as a small zset keeps them: that is how Redis writes
 * them here, and only here.
 */
import { lpNext } from '../../core/struct/listpack.ts';
import { SCORE_TEXT_MAX, writeScore } from '../../core/text/score.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { ZsetCursor, ZsetView } from '../../core/types/zset-view.ts';
import { TYPE_ZSET } from '../../core/value.ts';
import { command, keyAt, READONLY } from '../command.ts';
import { type Context, WRONG } from '../context.ts';
import { SYNTAX_ERROR } from '../errors.ts';
import { MemberScan } from './member-scan.ts';
import { pickCount } from './pick-count.ts';
import { RandomPicks } from './random-picks.ts';

/** So many members with their scores are no number that a reply's head could hold. */
const PAIRS_MAX = 2 ** 62;

const view = new ZsetView();
const cursor = new ZsetCursor();
const picks = new RandomPicks();
const scan = new MemberScan();
const scoreText = new Uint8Array(SCORE_TEXT_MAX);
const packedScore = new ElementView();

function replyMember(c: Context): void {
  const { bytes, length, offset } = cursor.member;
  c.reply.bulk(bytes, offset, length);
}

export function zrandmemberCommand(c: Context): void {
  const { argc, keyspace, reply } = c;
  if (argc > 2) {
    randomMembers(c);
    return;
  }
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  if (address === 0) {
    reply.null();
    return;
  }
  cursor.start(keyspace, address);
  cursor.show(cursor.pick(keyspace.random));
  replyMember(c);
}

/** ZRANDMEMBER with a count: negative ones let a member come again. */
function randomMembers(c: Context): void {
  const { argc, keyspace, reply } = c;
  const wanted = pickCount(c, 2);
  if (Number.isNaN(wanted)) return;
  const withScores = argc === 4 && c.is(3, 'withscores');
  if (argc > 4 || (argc === 4 && !withScores)) {
    reply.error(SYNTAX_ERROR);
    return;
  }
  if (withScores && Math.abs(wanted) >= PAIRS_MAX) {
    reply.error('ERR value is out of range');
    return;
  }
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  if (address === 0 || wanted === 0) {
    reply.array(0);
    return;
  }
  // All of them come from the highest down, as in Redis.
  view.open(keyspace, address);
  cursor.startView(view, view.count - 1, true);
  if (wanted < 0) replyRepeated(c, -wanted, withScores);
  else replyDistinct(c, wanted, withScores);
}

/** As an array of two in RESP3, flat in RESP2. */
function replyPicked(c: Context, withScores: boolean): void {
  if (withScores && c.reply.protocol === 3) c.reply.array(2);
  replyMember(c);
  if (withScores) c.reply.double(cursor.score);
}

function replyCount(c: Context, count: number, withScores: boolean): void {
  c.reply.array(withScores && c.reply.protocol === 2 ? count * 2 : count);
}

function replyRepeated(c: Context, count: number, withScores: boolean): void {
  replyCount(c, count, withScores);
  picks.repeated(cursor, c.keyspace.random);
  for (let i = 0; i < count && !c.client.closed; i++) {
    cursor.show(picks.one());
    replyPicked(c, withScores);
  }
}

function replyDistinct(c: Context, wanted: number, withScores: boolean): void {
  const { count } = cursor;
  replyCount(c, Math.min(wanted, count), withScores);
  if (wanted >= count) {
    while (cursor.next()) replyPicked(c, withScores);
    return;
  }
  picks.distinct(cursor, wanted, c.keyspace.random);
  for (let i = 0; i < picks.count; i++) {
    cursor.show(picks.refs[i]!);
    replyPicked(c, withScores);
  }
}

export function zscanCommand(c: Context): void {
  if (!scan.readCursor(c, 2)) return;
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  if (address === 0) {
    scan.replyNothing(c);
    return;
  }
  if (!scan.readOptions(c, 3, 'noscores')) return;
  view.open(c.keyspace, address);
  cursor.startView(view, 0, false);
  scan.gather(c, cursor, cursor.member);
  scan.replyHead(c, scan.bare ? scan.count : scan.count * 2);
  for (let i = 0; i < scan.count; i++) {
    cursor.show(scan.refs[i]!);
    replyMember(c);
    if (!scan.bare) replyScoreText(c);
  }
}

/** The score of the element that the cursor shows, as text. */
function replyScoreText(c: Context): void {
  if (view.large === null) {
    const { base, bytes } = view;
    packedScore.showListpack(bytes, base, lpNext(bytes, base, cursor.ref));
    c.reply.bulk(packedScore.bytes, packedScore.offset, packedScore.length);
    return;
  }
  c.reply.bulk(scoreText, 0, writeScore(scoreText, 0, cursor.score));
}

export const zsetRandomCommands = [
  command(
    'zrandmember',
    'sorted-set',
    {
      arity: -2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      tips: ['nondeterministic_output'],
      since: '6.2.0',
      complexity: 'O(N) where N is the number of elements returned',
      summary: 'Returns members of a sorted set picked by chance.',
      syntax: 'key:key [options={count:integer [WITHSCORES]}]',
    },
    zrandmemberCommand,
  ),
  command(
    'zscan',
    'sorted-set',
    {
      arity: -3,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['sortedset'],
      tips: ['nondeterministic_output'],
      since: '2.8.0',
      complexity:
        'O(1) for every call. O(N) for a complete iteration, including enough command ' +
        'calls for the cursor to return back to 0. N is the number of elements inside the ' +
        'collection..',
      summary: 'Goes over the members of a sorted set, with their scores, step by step.',
      syntax:
        'key:key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOSCORES@8.0.0]',
    },
    zscanCommand,
  ),
];
