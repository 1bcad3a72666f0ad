/**
 * Ids and trimming options among the arguments of the stream commands.
 *
 *     1700000000000-3    1700000000000 (the number is given by the command)    - and +, the ends
 *     (5-1               behind 5-1, in front of 5-1: in ranges            5-*  XADD: the next
 * number
 *
 * A number is read as C's `strtoull` does: blanks and a sign may stand in front, and a zero byte
 * ends it.
 */
import { StreamId } from '../../core/struct/stream-id.ts';
import type { TrimTarget } from '../../core/struct/stream-trim.ts';
import { UINT64_MAX } from '../../core/text/integer.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';

const INVALID_ID = 'ERR Invalid stream ID specified as stream command argument';
const ID_TEXT_MAX = 127;
const LIMIT_MAX = 1_000_000;
const WORD_MAX = 0xffff_ffff;
const TWO_32 = 0x1_0000_0000;
/** Digits that a number surely holds exactly. */
const PLAIN_DIGITS = 15;
const PLUS = 43;
const DASH = 45;
const ZERO = 48;
const NINE = 57;

/** How an id in an argument is read. */
interface IdForm {
  /** `-` and `+` are no ids. */
  readonly strict: boolean;
  /** The number of an id that has none. */
  readonly missingSeq: bigint;
  /** `5-*` is an id. */
  readonly autoSeq: boolean;
}

const STRICT: IdForm = { strict: true, missingSeq: 0n, autoSeq: false };
const AUTO: IdForm = { strict: true, missingSeq: 0n, autoSeq: true };
const LOOSE: IdForm = { strict: false, missingSeq: 0n, autoSeq: false };

/** What was read last: whether the number of the id was given, not left to XADD. */
const idRead = { hasSeq: true };

/** Reads the id in argument `i` into `id`; false when it is none, which has been answered. */
export function strictId(c: Context, i: number, id: StreamId): boolean {
  return readOrRefuse(c, i, id, STRICT);
}

/** Like `strictId`, but takes `-` and `+` for the ends. */
export function looseId(c: Context, i: number, id: StreamId): boolean {
  return readOrRefuse(c, i, id, LOOSE);
}

/** Like `strictId`, but takes `5-*`, whose number the stream gives. */
function newId(c: Context, i: number, id: StreamId): boolean {
  return readOrRefuse(c, i, id, AUTO);
}

/** Like `strictId`, but answers nothing. */
export function isStrictId(c: Context, i: number, id: StreamId): boolean {
  return readPlain(c, i, id, 0) || readId(c.args.text(i), id, STRICT);
}

/**
 * Argument `i` as a count that is kept, NaN when it is none: then the error has been answered. What
 * is past 2^53 - 1 is taken as that.
 */
export function keptCount(c: Context, i: number, error?: string): number {
  return Math.min(c.integer(i, error), Number.MAX_SAFE_INTEGER);
}

/** The beginning of a range in argument `i`; false when it is none, which has been answered. */
export function rangeStart(c: Context, i: number, id: StreamId): boolean {
  if (readEdge(c, i, id, 0)) return true;
  const text = c.args.text(i);
  const exclusive = text.length > 1 && text.startsWith('(');
  const form = { strict: exclusive, missingSeq: 0n, autoSeq: false };
  if (!readId(exclusive ? text.slice(1) : text, id, form)) return c.refuse(INVALID_ID);
  return !exclusive || id.increment() || c.refuse('ERR invalid start ID for the interval');
}

/** The end of a range in argument `i`; false when it is none, which has been answered. */
export function rangeEnd(c: Context, i: number, id: StreamId): boolean {
  if (readEdge(c, i, id, WORD_MAX)) return true;
  const text = c.args.text(i);
  const exclusive = text.length > 1 && text.startsWith('(');
  const form = { strict: exclusive, missingSeq: UINT64_MAX, autoSeq: false };
  if (!readId(exclusive ? text.slice(1) : text, id, form)) return c.refuse(INVALID_ID);
  return !exclusive || id.decrement() || c.refuse('ERR invalid end ID for the interval');
}

function readOrRefuse(c: Context, i: number, id: StreamId, form: IdForm): boolean {
  if (readPlain(c, i, id, 0)) return true;
  return readId(c.args.text(i), id, form) || c.refuse(INVALID_ID);
}

/** `-`, `+` or a plain id in argument `i`; false when it is anything else. */
function readEdge(c: Context, i: number, id: StreamId, missing: number): boolean {
  if (c.args.lengths[i] !== 1) return readPlain(c, i, id, missing);
  const byte = c.args.bytes[i]![c.args.offsets[i]!]!;
  if (byte === DASH) id.clear();
  else if (byte === PLUS) id.setMax();
  else return readPlain(c, i, id, missing);
  return true;
}

/**
 * The id in argument `i` when its numbers have up to 15 digits and nothing else stands there; false
 * when it is to be read with all that is allowed. `missing` is both words of the number of an id
 * that has none.
 */
function readPlain(c: Context, i: number, id: StreamId, missing: number): boolean {
  const bytes = c.args.bytes[i]!;
  const first = c.args.offsets[i]!;
  const end = c.args.offsets[i]! + c.args.lengths[i]!;
  const dash = digitsEnd(bytes, first, end);
  if (dash < 0) return false;
  if (dash === end) {
    id.seqHigh = missing;
    id.seqLow = missing;
  } else {
    if (bytes[dash] !== DASH || digitsEnd(bytes, dash + 1, end) !== end) return false;
    const seq = numberOf(bytes, dash + 1, end);
    id.seqHigh = Math.floor(seq / TWO_32);
    id.seqLow = seq >>> 0;
  }
  const ms = numberOf(bytes, first, dash);
  id.msHigh = Math.floor(ms / TWO_32);
  id.msLow = ms >>> 0;
  idRead.hasSeq = true;
  return true;
}

/** Where the digits end that begin at `from`; -1 when there are none, or too many. */
function digitsEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  return at > from && at - from <= PLAIN_DIGITS ? at : -1;
}

function numberOf(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at++) value = value * 10 + (bytes[at]! - ZERO);
  return value;
}

function readId(argument: string, id: StreamId, form: IdForm): boolean {
  if (argument.length > ID_TEXT_MAX) return false;
  idRead.hasSeq = true;
  if (argument === '-' || argument === '+') {
    if (form.strict) return false;
    if (argument === '-') id.clear();
    else id.setMax();
    return true;
  }
  const zero = argument.indexOf('\0');
  const text = zero < 0 ? argument : argument.slice(0, zero);
  const dash = text.indexOf('-');
  const ms = readUint64(dash < 0 ? text : text.slice(0, dash));
  if (ms === null) return false;
  if (dash < 0) {
    id.setBig(ms, form.missingSeq);
    return true;
  }
  const seqText = text.slice(dash + 1);
  if (form.autoSeq && seqText === '*') {
    idRead.hasSeq = false;
    id.setBig(ms, 0n);
    return true;
  }
  const seq = readUint64(seqText);
  if (seq === null) return false;
  id.setBig(ms, seq);
  return true;
}

function readUint64(text: string): bigint | null {
  if (/^-[1-9][0-9]*$/.test(text) && BigInt(text) >= -(1n << 63n)) return null;
  const match = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)$/.exec(text);
  if (match === null) return null;
  const value = BigInt(match[2]!);
  if (value > UINT64_MAX) return null;
  return match[1] === '-' ? BigInt.asUintN(64, -value) : value;
}

// ---------------------------------------------------------------- trimming

/** The options of XADD and XTRIM in front of their data, as `readTrim` found them. */
export class TrimOptions implements TrimTarget {
  /** Whether there is anything to trim. */
  given = false;
  byLength = false;
  maxLength = 0;
  readonly minId = new StreamId();
  approximate = false;
  limit = 0;
  /** The argument that holds the length or id; its operator, if any, stands in front. */
  valueAt = 0;
  noStream = false;
  /** XADD: the id, unless it is `*`. */
  readonly id = new StreamId();
  hasId = false;
  hasSeq = true;
}

/**
 * Reads the options from argument 2 on; for XADD up to its id, whose index is the result. -1 when
 * there was an error, which has been answered.
 */
export function readTrim(c: Context, to: TrimOptions, isAdd: boolean): number {
  to.given = false;
  to.byLength = false;
  to.approximate = false;
  to.limit = 0;
  to.noStream = false;
  to.hasId = false;
  to.hasSeq = true;
  let hasLimit = false;
  let i = 2;
  for (; i < c.argc; i++) {
    const more = c.argc - 1 - i;
    if (isAdd && isByte(c, i, 42)) break;
    if (more > 0 && (c.is(i, 'maxlen') || c.is(i, 'minid'))) {
      i = readThreshold(c, to, i);
      if (i < 0) return -1;
    } else if (more > 0 && c.is(i, 'limit')) {
      to.limit = c.integer(++i);
      if (Number.isNaN(to.limit)) return -1;
      if (to.limit < 0) return fail(c, 'ERR The LIMIT argument must be >= 0.');
      hasLimit = true;
    } else if (isAdd && c.is(i, 'nomkstream')) to.noStream = true;
    else if (isAdd) {
      if (!newId(c, i, to.id)) return -1;
      to.hasId = true;
      to.hasSeq = idRead.hasSeq;
      break;
    } else return fail(c, SYNTAX_ERROR);
  }
  return settleLimit(c, to, isAdd, hasLimit) ? i : -1;
}

/** Reads MAXLEN or MINID at argument `i`. Index of its value, or -1. */
function readThreshold(c: Context, to: TrimOptions, i: number): number {
  if (to.given) {
    const text = 'MAXLEN and MINID options at the same time are not compatible';
    return fail(c, `ERR syntax error, ${text}`);
  }
  const hasOperator = c.argc - 1 - i >= 2 && (isByte(c, i + 1, 126) || isByte(c, i + 1, 61));
  to.approximate = hasOperator && isByte(c, i + 1, 126);
  const at = i + (hasOperator ? 2 : 1);
  to.byLength = c.is(i, 'maxlen');
  if (to.byLength) {
    to.maxLength = c.integer(at);
    if (Number.isNaN(to.maxLength)) return -1;
    if (to.maxLength < 0) return fail(c, 'ERR The MAXLEN argument must be >= 0.');
  } else if (!strictId(c, at, to.minId)) return -1;
  to.given = true;
  to.valueAt = at;
  return at;
}

/** A limit must go with `~`, which has one unless it is given. What others decided has none. */
function settleLimit(c: Context, to: TrimOptions, isAdd: boolean, hasLimit: boolean): boolean {
  if (to.limit > 0 && !to.given) {
    const text = 'LIMIT cannot be used without specifying a trimming strategy';
    return c.refuse(`ERR syntax error, ${text}`);
  }
  if (!isAdd && !to.given) {
    return c.refuse('ERR syntax error, XTRIM must be called with a trimming strategy');
  }
  if (c.client.isPrimary || c.client.link === null) {
    to.limit = 0;
    return true;
  }
  if (hasLimit) {
    if (to.approximate) return true;
    const text = 'LIMIT cannot be used without the special ~ option';
    return c.refuse(`ERR syntax error, ${text}`);
  }
  if (!to.approximate) return true;
  const limit = 100 * c.keyspace.limits.streamNodeMaxEntries;
  to.limit = limit <= 0 ? 10_000 : Math.min(limit, LIMIT_MAX);
  return true;
}

function isByte(c: Context, i: number, byte: number): boolean {
  return c.args.lengths[i] === 1 && c.args.bytes[i]![c.args.offsets[i]!] === byte;
}

function fail(c: Context, error: string): -1 {
  c.reply.error(error);
  return -1;
}
