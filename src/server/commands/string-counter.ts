/**
 * The commands that count: INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT.
 *
 * Integers have 64 bits. As long as the old value, the increment and the sum are safe integers the
 * work is done with numbers and nothing is allocated; beyond, with BigInt.
 *
 * INCRBYFLOAT adds in extended precision and is propagated as the SET of its result, so that no
 * other machine's arithmetic can come to another one.
 */
import { type Addend, addendSum, NOTHING, parseAddend } from '../../core/text/addend.ts';
import { INT64_MAX, INT64_MIN, parseInt64 } from '../../core/text/integer.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import {
  stringInt64,
  stringNumber,
  stringSetInt64,
  stringSetNumber,
  stringSetText,
  stringView,
} from '../../core/types/string.ts';
import { ByteView } from '../../core/value.ts';
import { command, DENYOOM, FAST, keyAt, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { NOT_A_FLOAT, NOT_AN_INTEGER } from '../dispatch/errors.ts';
import { NOTIFY_NEW, NOTIFY_STRING } from '../dispatch/notify-classes.ts';

const OVERFLOW = 'ERR increment or decrement would overflow';
const view = new ByteView();

function incrCommand(c: Context): void {
  increment(c, 1);
}

function decrCommand(c: Context): void {
  increment(c, -1);
}

function incrbyCommand(c: Context): void {
  const by = c.integer(2);
  if (Number.isSafeInteger(by)) increment(c, by);
  else if (!Number.isNaN(by)) incrementExactly(c, exactArgument(c, 2));
}

function decrbyCommand(c: Context): void {
  const by = c.integer(2);
  if (Number.isSafeInteger(by)) increment(c, -by);
  else if (!Number.isNaN(by)) {
    const exact = exactArgument(c, 2);
    if (exact === INT64_MIN) c.reply.error('ERR decrement would overflow');
    else incrementExactly(c, -exact);
  }
}

function exactArgument(c: Context, i: number): bigint {
  return parseInt64(c.args.bytes[i]!, c.args.offsets[i]!, c.args.lengths[i]!) ?? 0n;
}

/** Adds a safe integer to the string in argument 1. */
function increment(c: Context, by: number): void {
  const address = c.writeString(1);
  if (address < 0) return;
  const old = address === 0 ? 0 : stringNumber(c.keyspace, address);
  const sum = old + by;
  if (!Number.isSafeInteger(old) || !Number.isSafeInteger(sum)) {
    if (Number.isNaN(old)) c.reply.error(NOT_AN_INTEGER);
    else storeExactSum(c, address, BigInt(by));
    return;
  }
  const { bytes, offsets, lengths } = c.args;
  stringSetNumber(c.keyspace, c.db, bytes[1]!, offsets[1]!, lengths[1]!, address, sum);
  changed(c, address, 'incrby');
  c.reply.integer(sum);
}

function incrementExactly(c: Context, by: bigint): void {
  const address = c.writeString(1);
  if (address >= 0) storeExactSum(c, address, by);
}

function storeExactSum(c: Context, address: number, by: bigint): void {
  const old = address === 0 ? 0n : stringInt64(c.keyspace, address);
  if (old === undefined) {
    c.reply.error(NOT_AN_INTEGER);
    return;
  }
  const sum = old + by;
  if (sum > INT64_MAX || sum < INT64_MIN) {
    c.reply.error(OVERFLOW);
    return;
  }
  const { bytes, offsets, lengths } = c.args;
  stringSetInt64(c.keyspace, c.db, bytes[1]!, offsets[1]!, lengths[1]!, address, sum);
  changed(c, address, 'incrby');
  c.reply.bigint(sum);
}

function incrbyfloatCommand(c: Context): void {
  const { args, keyspace, propagator } = c;
  const address = c.writeString(1);
  if (address < 0) return;
  const old = address === 0 ? NOTHING : floatOf(c, address);
  const by = parseAddend(args.bytes[2]!, args.offsets[2]!, args.lengths[2]!);
  if (old === undefined || by === undefined) {
    c.reply.error(NOT_A_FLOAT);
    return;
  }
  const sum = addendSum(old, by);
  if (sum === undefined) {
    c.reply.error('ERR increment would produce NaN or Infinity');
    return;
  }
  const text = latin1Bytes(sum);
  const { bytes, offsets, lengths } = args;
  stringSetText(keyspace, c.db, bytes[1]!, offsets[1]!, lengths[1]!, address, text);
  changed(c, address, 'incrbyfloat');
  c.reply.bulk(text, 0, text.length);
  if (propagator.begin(c.db.id, 4)) {
    propagator.word('SET');
    propagator.argument(args, 1);
    propagator.bytes(text, 0, text.length);
    propagator.word('KEEPTTL');
  }
  propagator.suppress();
}

function floatOf(c: Context, address: number): Addend | undefined {
  stringView(c.keyspace, address, view);
  return parseAddend(view.bytes, view.offset, view.length);
}

function changed(c: Context, existing: number, event: string): void {
  if (existing === 0) c.notify(1, NOTIFY_NEW, 'new');
  c.changed(1, NOTIFY_STRING, event);
}

const common = {
  flags: WRITE | DENYOOM | FAST,
  keys: [keyAt(1, 'RW', 'access', 'update')],
  acl: ['string'],
  complexity: 'O(1)',
};

export const stringCounterCommands = [
  command(
    'decr',
    'string',
    {
      ...common,
      arity: 2,
      since: '1.0.0',
      summary: 'Subtracts one from the integer at a key.',
      syntax: 'key:key',
    },
    decrCommand,
  ),
  command(
    'decrby',
    'string',
    {
      ...common,
      arity: 3,
      since: '1.0.0',
      summary: 'Subtracts a number from the integer at a key.',
      syntax: 'key:key decrement:integer',
    },
    decrbyCommand,
  ),
  command(
    'incr',
    'string',
    {
      ...common,
      arity: 2,
      since: '1.0.0',
      summary: 'Adds one to the integer at a key.',
      syntax: 'key:key',
    },
    incrCommand,
  ),
  command(
    'incrby',
    'string',
    {
      ...common,
      arity: 3,
      since: '1.0.0',
      summary: 'Adds a number to the integer at a key.',
      syntax: 'key:key increment:integer',
    },
    incrbyCommand,
  ),
  command(
    'incrbyfloat',
    'string',
    {
      ...common,
      arity: 3,
      since: '2.6.0',
      summary: 'Adds a number to the number at a key.',
      syntax: 'key:key increment:double',
    },
    incrbyfloatCommand,
  ),
];
