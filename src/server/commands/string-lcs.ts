/**
 * LCS: the longest common subsequence of two strings, its length, or where it stands in them.
 */
import { lcs, lcsLength, lcsRefusal } from '../../core/text/lcs.ts';
import { stringView } from '../../core/types/string.ts';
import { ByteView, ENC_INT, encodingOf, TYPE_STRING, typeOf } from '../../core/value.ts';
import { isError } from '../../persistence/file-system.ts';
import { command, keysFrom, READONLY } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { OptionReader } from '../dispatch/option-reader.ts';

const LEN = 1 << 0;
const IDX = 1 << 1;
const WITHMATCHLEN = 1 << 2;

const options = new OptionReader();

function lcsCommand(c: Context): void {
  const first = c.lookupRead(1);
  const second = c.lookupRead(2);
  if (!isStringOrNothing(c, first) || !isStringOrNothing(c, second)) {
    c.reply.error('ERR The specified keys must contain string values');
    return;
  }
  let flags = 0;
  let lengthMin = 0;
  options.start(c.args, 3);
  while (options.more) {
    if (options.take('idx')) flags |= IDX;
    else if (options.take('len')) flags |= LEN;
    else if (options.take('withmatchlen')) flags |= WITHMATCHLEN;
    else if (options.take('minmatchlen', 1)) lengthMin = Math.max(options.integer(), 0);
    else options.fail();
  }
  if (options.refuse(c.reply)) return;
  if ((flags & IDX) !== 0 && (flags & LEN) !== 0) {
    c.reply.error('ERR If you want both the length and indexes, please just use IDX.');
    return;
  }
  answer(c, bytesOf(c, first), bytesOf(c, second), flags, lengthMin);
}

function answer(c: Context, a: ByteView, b: ByteView, flags: number, lengthMin: number): void {
  const refusal = lcsRefusal(a.length, b.length, c.services.config.values.protoMaxBulkLen);
  if (refusal !== undefined) {
    c.reply.error(refusal);
    return;
  }
  if ((flags & LEN) !== 0) {
    c.reply.integer(lcsLength(a.bytes, a.offset, a.length, b.bytes, b.offset, b.length));
    return;
  }
  const found = compute(a, b, lengthMin);
  if (found === null) {
    c.reply.error('ERR Insufficient memory, failed allocating transient memory for LCS');
    return;
  }
  if ((flags & IDX) === 0) {
    c.reply.bulk(found.text, 0, found.text.length);
    return;
  }
  const withLengths = (flags & WITHMATCHLEN) !== 0;
  c.reply.map(2);
  c.reply.bulkText('matches');
  c.reply.array(found.ranges.length);
  for (const { aStart, bStart, length } of found.ranges) {
    c.reply.array(withLengths ? 3 : 2);
    answerRange(c, aStart, length);
    answerRange(c, bStart, length);
    if (withLengths) c.reply.integer(length);
  }
  c.reply.bulkText('len');
  c.reply.integer(found.text.length);
}

function answerRange(c: Context, start: number, length: number): void {
  c.reply.array(2);
  c.reply.integer(start);
  c.reply.integer(start + length - 1);
}

/** Null when there is no memory for the table. */
function compute(a: ByteView, b: ByteView, lengthMin: number): ReturnType<typeof lcs> | null {
  try {
    return lcs(a.bytes, a.offset, a.length, b.bytes, b.offset, b.length, lengthMin);
  } catch (error) {
    if (isError(error) && error.name === 'RangeError') return null;
    throw error;
  }
}

function isStringOrNothing(c: Context, address: number): boolean {
  return address === 0 || typeOf(c.keyspace.arena, address) === TYPE_STRING;
}

/** The bytes of a string, of which both must be there at once; none for a key that is not there. */
function bytesOf(c: Context, address: number): ByteView {
  const view = new ByteView();
  if (address === 0) return view;
  stringView(c.keyspace, address, view);
  // An integer is shown in a scratch that the other string may need as well.
  if (encodingOf(c.keyspace.arena, address) === ENC_INT) {
    view.bytes = view.copy();
    view.offset = 0;
  }
  return view;
}

export const stringLcsCommands = [
  command(
    'lcs',
    'string',
    {
      arity: -3,
      flags: READONLY,
      keys: [keysFrom(1, 1, 1, 'RO', 'access')],
      acl: ['string'],
      since: '7.0.0',
      complexity: 'O(N*M) with N and M the lengths of the strings',
      summary: 'Returns the longest common subsequence of two strings.',
      syntax:
        'key1:key#0 key2:key#0 [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]',
    },
    lcsCommand,
  ),
];
