/**
 * The commands that count in a field of a hash: HINCRBY, HINCRBYFLOAT.
 *
 * Integers have 64 bits. As long as the old value, the increment and the sum are safe integers the
 * work is done with numbers and nothing is allocated; beyond, with BigInt.
 *
 * HINCRBYFLOAT adds in extended precision and is propagated as the HSET of its result, so that no
 * other machine's arithmetic can come to another one.
 */
import {
  type Addend,
  addendSum,
  isFiniteAddend,
  NOTHING,
  parseAddend,
} from '../../core/text/addend.ts';
import { INT64_MAX, INT64_MIN, parseInt64, writeInteger } from '../../core/text/integer.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { hashFind, hashGet, hashSet } from '../../core/types/hash.ts';
import { hashNumber, hashSetNumber } from '../../core/types/hash-number.ts';
import { TYPE_HASH } from '../../core/value.ts';
import { command, DENYOOM, FAST, keyAt, WRITE } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { NOT_A_FLOAT } from '../dispatch/errors.ts';
import { NOTIFY_HASH } from '../dispatch/notify-classes.ts';
import { createHash } from './hash.ts';

const DIGITS_ROOM = 24;

const view = new ElementView();
const digits = new Uint8Array(DIGITS_ROOM);

function hincrbyCommand(c: Context): void {
  const { bytes, lengths, offsets } = c.args;
  const by = c.integer(3);
  if (Number.isNaN(by)) return;
  const address = c.writeTyped(1, TYPE_HASH);
  if (address === WRONG) return;
  const { keyspace } = c;
  let old = 0;
  let ref = 0;
  if (address !== 0) ref = hashFind(keyspace, address, bytes[2]!, offsets[2]!, lengths[2]!);
  if (ref !== 0) {
    old = hashNumber(keyspace, address, ref);
    if (Number.isNaN(old)) {
      c.reply.error('ERR hash value is not an integer');
      return;
    }
  }
  const sum = old + by;
  if (Number.isSafeInteger(old) && Number.isSafeInteger(by) && Number.isSafeInteger(sum)) {
    if (ref === 0 || !hashSetNumber(keyspace, c.db, address, ref, lengths[2]!, sum)) {
      setField(c, address, digits, writeInteger(digits, 0, sum));
    }
    c.reply.integer(sum);
    c.changed(1, NOTIFY_HASH, 'hincrby');
    return;
  }
  addExactly(c, address, ref === 0 ? 0n : exactly(c, address));
}

/** The integer in the field in argument 2. */
function exactly(c: Context, address: number): bigint {
  const { bytes, lengths, offsets } = c.args;
  hashGet(c.keyspace, address, bytes[2]!, offsets[2]!, lengths[2]!, view);
  return parseInt64(view.bytes, view.offset, view.length) ?? 0n;
}

/** Adds argument 3 to a value, one of them or their sum being no safe integer. */
function addExactly(c: Context, address: number, old: bigint): void {
  const { bytes, lengths, offsets } = c.args;
  const sum = old + (parseInt64(bytes[3]!, offsets[3]!, lengths[3]!) ?? 0n);
  if (sum > INT64_MAX || sum < INT64_MIN) {
    c.reply.error('ERR increment or decrement would overflow');
    return;
  }
  const text = latin1Bytes(sum.toString());
  setField(c, address, text, text.length);
  c.reply.bigint(sum);
  c.changed(1, NOTIFY_HASH, 'hincrby');
}

function hincrbyfloatCommand(c: Context): void {
  const { bytes, lengths, offsets } = c.args;
  const by = parseAddend(bytes[3]!, offsets[3]!, lengths[3]!);
  if (by === undefined || !isFiniteAddend(by)) {
    c.reply.error(by === undefined ? NOT_A_FLOAT : 'ERR value is NaN or Infinity');
    return;
  }
  const address = c.writeTyped(1, TYPE_HASH);
  if (address === WRONG) return;
  let old: Addend | undefined = NOTHING;
  if (address !== 0 && hashGet(c.keyspace, address, bytes[2]!, offsets[2]!, lengths[2]!, view)) {
    old = parseAddend(view.bytes, view.offset, view.length);
  }
  if (old === undefined) {
    c.reply.error('ERR hash value is not a float');
    return;
  }
  const sum = addendSum(old, by);
  if (sum === undefined) {
    c.reply.error('ERR increment would produce NaN or Infinity');
    return;
  }
  const text = latin1Bytes(sum);
  setField(c, address, text, text.length);
  c.reply.bulk(text, 0, text.length);
  c.changed(1, NOTIFY_HASH, 'hincrbyfloat');
  propagateAsHset(c, text);
}

function propagateAsHset(c: Context, text: Uint8Array): void {
  const { propagator } = c;
  if (propagator.begin(c.db.id, 4)) {
    propagator.word('HSET');
    propagator.argument(c.args, 1);
    propagator.argument(c.args, 2);
    propagator.bytes(text, 0, text.length);
  }
  propagator.suppress();
}

/** Sets the field in argument 2, making the key if `address` is 0. */
function setField(c: Context, address: number, text: Uint8Array, length: number): void {
  const { bytes, lengths, offsets } = c.args;
  const at = address === 0 ? createHash(c, lengths[2]! + length) : address;
  hashSet(c.keyspace, c.db, at, bytes[2]!, offsets[2]!, lengths[2]!, text, 0, length);
}

export const hashCounterCommands = [
  command(
    'hincrby',
    'hash',
    {
      arity: 4,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'access', 'update')],
      acl: ['hash'],
      since: '2.0.0',
      complexity: 'O(1)',
      summary: 'Adds an integer to a field of a hash.',
      syntax: 'key:key field increment:integer',
    },
    hincrbyCommand,
  ),
  command(
    'hincrbyfloat',
    'hash',
    {
      arity: 4,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'access', 'update')],
      acl: ['hash'],
      since: '2.6.0',
      complexity: 'O(1)',
      summary: 'Adds a number to a field of a hash.',
      syntax: 'key:key field increment:double',
    },
    hincrbyfloatCommand,
  ),
];
