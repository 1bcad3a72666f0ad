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
import { command, keyAt, READONLY } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { MemberScan, SCAN_COMPLEXITY } from './member-scan.ts';
import { pickRequest, readPicks, replyPick, replyPicks } from './random-reply.ts';

const view = new ZsetView();
const cursor = new ZsetCursor();
const scan = new MemberScan();
const scoreText = new Uint8Array(SCORE_TEXT_MAX);
const packedScore = new ElementView();

function replyMember(c: Context): void {
  const { bytes, length, offset } = cursor.member;
  c.reply.bulk(bytes, offset, length);
}

function zrandmemberCommand(c: Context): void {
  if (c.argc > 2) randomMembers(c);
  else replyPick(c, TYPE_ZSET, cursor, replyMember);
}

/** ZRANDMEMBER with a count: negative ones let a member come again. */
function randomMembers(c: Context): void {
  if (!readPicks(c, 'withscores')) return;
  const { count, paired } = pickRequest;
  const address = c.readTyped(1, TYPE_ZSET);
  if (address === WRONG) return;
  if (address === 0 || count === 0) {
    c.reply.array(0);
    return;
  }
  // All of them come from the highest down, as in Redis.
  view.open(c.keyspace, address);
  cursor.startView(view, view.count - 1, true);
  replyPicks(c, cursor, count, paired, paired ? replyPair : replyMember);
}

function replyPair(c: Context): void {
  replyMember(c);
  c.reply.double(cursor.score);
}

function zscanCommand(c: Context): void {
  const address = scan.begin(c, TYPE_ZSET, 'noscores');
  if (address === 0) return;
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
      complexity: SCAN_COMPLEXITY,
      summary: 'Goes over the members of a sorted set, with their scores, step by step.',
      syntax:
        'key:key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOSCORES@8.0.0]',
    },
    zscanCommand,
  ),
];
