/**
 * The commands that take or show members of a set by chance, and the one that goes over them: SPOP,
 * SRANDMEMBER, SSCAN.
 *
 * What SPOP took is propagated by name, as SREM of at most BATCH members, or as a DEL when nothing
 * is left: the dice fall once.
 */
import type { ElementView } from '../../core/types/element-view.ts';
import { setLength, setRemoveRef } from '../../core/types/set.ts';
import { SetCursor } from '../../core/types/set-view.ts';
import { TYPE_SET } from '../../core/value.ts';
import { command, FAST, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { NOT_POSITIVE, SYNTAX_ERROR } from '../dispatch/errors.ts';
import { NOTIFY_GENERIC, NOTIFY_SET } from '../dispatch/notify-classes.ts';
import { MemberScan, SCAN_COMPLEXITY } from './member-scan.ts';
import { pickCount } from './pick-count.ts';
import { RandomPicks } from './random-picks.ts';
import { replyPick, replyPicks } from './random-reply.ts';

/** Members that one SREM names. */
const BATCH = 1024;

const cursor = new SetCursor();
const picks = new RandomPicks();
const scan = new MemberScan();

function spopCommand(c: Context): void {
  const { argc, db, keyspace } = c;
  if (argc === 3) {
    popSeveral(c);
    return;
  }
  if (argc > 3) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  const address = c.writeTyped(1, TYPE_SET);
  if (address === WRONG) return;
  if (address === 0) {
    c.reply.null();
    return;
  }
  cursor.start(keyspace, address);
  cursor.show(cursor.pick(keyspace.random));
  c.notify(1, NOTIFY_SET, 'spop');
  if (beginRemoval(c, 1)) propagateMember(c, cursor.member);
  replyMember(c);
  const after = setRemoveRef(keyspace, db, address, cursor.ref);
  const emptied = setLength(keyspace, after) === 0;
  if (emptied) keyspace.remove(db, after);
  countPopped(c, 1);
  if (emptied) c.notify(1, NOTIFY_GENERIC, 'del');
}

/** SPOP with a count. */
function popSeveral(c: Context): void {
  const { keyspace, reply } = c;
  const wanted = c.integerIn(2, 0, Number.POSITIVE_INFINITY, NOT_POSITIVE);
  if (Number.isNaN(wanted)) return;
  const address = c.writeTyped(1, TYPE_SET);
  if (address === WRONG) return;
  if (address === 0 || wanted === 0) {
    reply.set(0);
    return;
  }
  cursor.start(keyspace, address);
  c.notify(1, NOTIFY_SET, 'spop');
  if (wanted >= cursor.count) popAll(c, address);
  else popSome(c, address, wanted);
}

function popAll(c: Context, address: number): void {
  const { propagator, reply } = c;
  const { count } = cursor;
  reply.set(count);
  while (cursor.next()) replyMember(c);
  // Where Redis takes the whole set it reads it as SUNION does, which is a hit.
  c.keyspace.hits++;
  c.keyspace.remove(c.db, address);
  if (propagator.begin(c.db.id, 2)) {
    propagator.word(c.services.config.values.lazyfreeLazyServerDel ? 'UNLINK' : 'DEL');
    propagator.argument(c.args, 1);
  }
  propagator.suppress();
  countPopped(c, count);
  c.notify(1, NOTIFY_GENERIC, 'del');
}

function popSome(c: Context, address: number, wanted: number): void {
  const { db, keyspace } = c;
  picks.distinct(cursor, wanted, keyspace.random);
  c.reply.set(wanted);
  let isRead = false;
  for (let i = 0; i < wanted; i++) {
    if (i % BATCH === 0) isRead = beginRemoval(c, Math.min(BATCH, wanted - i));
    cursor.show(picks.refs[i]!);
    replyMember(c);
    if (isRead) propagateMember(c, cursor.member);
  }
  // From the last to the first, so that in a compact set the places of the others hold.
  let at = address;
  for (let i = wanted - 1; i >= 0; i--) at = setRemoveRef(keyspace, db, at, picks.refs[i]!);
  countPopped(c, wanted);
}

/** Counts the change; the event has been told before. */
function countPopped(c: Context, members: number): void {
  const { bytes, lengths, offsets } = c.args;
  c.keyspace.dirty += members;
  c.services.keyChanged(c.db, bytes[1]!, offsets[1]!, lengths[1]!);
}

/** Begins an SREM of so many members, which are to follow; false when nobody reads it. */
function beginRemoval({ args, db, propagator }: Context, members: number): boolean {
  propagator.suppress();
  if (!propagator.begin(db.id, members + 2)) return false;
  propagator.word('SREM');
  propagator.argument(args, 1);
  return true;
}

function propagateMember({ propagator }: Context, member: ElementView): void {
  propagator.bytes(member.bytes, member.offset, member.length);
}

function replyMember(c: Context): void {
  const { bytes, length, offset } = cursor.member;
  c.reply.bulk(bytes, offset, length);
}

function srandmemberCommand(c: Context): void {
  if (c.argc > 3) c.reply.error(SYNTAX_ERROR);
  else if (c.argc === 3) randomMembers(c);
  else replyPick(c, TYPE_SET, cursor, replyMember);
}

/** SRANDMEMBER with a count: negative ones let a member come again. */
function randomMembers(c: Context): void {
  const { keyspace, reply } = c;
  const wanted = pickCount(c, 2);
  if (Number.isNaN(wanted)) return;
  const address = c.readTyped(1, TYPE_SET);
  if (address === WRONG) return;
  if (address === 0 || wanted === 0) {
    reply.array(0);
    return;
  }
  cursor.start(keyspace, address);
  replyPicks(c, cursor, wanted, false, replyMember);
}

function sscanCommand(c: Context): void {
  const address = scan.begin(c, TYPE_SET, '');
  if (address === 0) return;
  cursor.start(c.keyspace, address);
  scan.gather(c, cursor, cursor.member);
  scan.replyHead(c, scan.count);
  for (let i = 0; i < scan.count; i++) {
    cursor.show(scan.refs[i]!);
    replyMember(c);
  }
}

export const setRandomCommands = [
  command(
    'spop',
    'set',
    {
      arity: -2,
      flags: WRITE | FAST,
      keys: [keyAt(1, 'RW', 'access', 'delete')],
      acl: ['set'],
      tips: ['nondeterministic_output'],
      since: '1.0.0',
      complexity:
        'Without the count argument O(1), otherwise O(N) where N is the value of the ' +
        'passed count.',
      summary: 'Takes members picked by chance out of a set; the key goes with the last one.',
      syntax: 'key:key [count:integer@3.2.0]',
      history: [['3.2.0', 'The `count` argument.']],
    },
    spopCommand,
  ),
  command(
    'srandmember',
    'set',
    {
      arity: -2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['set'],
      tips: ['nondeterministic_output'],
      since: '1.0.0',
      complexity:
        'Without the count argument O(1), otherwise O(N) where N is the absolute value of ' +
        'the passed count.',
      summary: 'Returns members of a set picked by chance.',
      syntax: 'key:key [count:integer@2.6.0]',
      history: [['2.6.0', 'The optional `count` argument.']],
    },
    srandmemberCommand,
  ),
  command(
    'sscan',
    'set',
    {
      arity: -3,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['set'],
      tips: ['nondeterministic_output'],
      since: '2.8.0',
      complexity: SCAN_COMPLEXITY,
      summary: 'Goes over the members of a set step by step.',
      syntax: 'key:key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
    },
    sscanCommand,
  ),
];
