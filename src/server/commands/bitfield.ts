/**
 * BITFIELD and BITFIELD_RO: integers of any width at any bit of a string, several a call.
 *
 *     BITFIELD k  OVERFLOW SAT  INCRBY u4 #2 9  GET i16 8
 *                 for what follows     ^ field 2 of that width: bit 8
 *
 * All operations are read and checked first. Then the string is made long enough for the last
 * written bit, and they are done in order, one answer each; null for one that failed.
 */
import {
  type FieldOverflow,
  fieldEnd,
  fieldGet,
  fieldIncrBy,
  fieldSet,
} from '../../core/bits/bit-field.ts';
import { parseInt64, parseInteger } from '../../core/text/integer.ts';
import { stringView } from '../../core/types/string.ts';
import { ByteView } from '../../core/value.ts';
import { command, DENYOOM, FAST, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { NOT_AN_INTEGER } from '../dispatch/errors.ts';
import { NOTIFY_STRING } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import { BAD_BIT_OFFSET, GROW_DONE, GROW_REFUSED, growBitmap, isBitOffset } from './bitmap.ts';

const BAD_TYPE =
  'ERR Invalid bitfield type. Use something like i16 u8. ' +
  'Note that u64 is not supported but i64 is.';
const HASH = 0x23;
const LETTER_I = 0x69;
const LETTER_U = 0x75;

/** One operation on a field. */
interface FieldOperation {
  readonly kind: 'get' | 'set' | 'incrby';
  readonly signed: boolean;
  readonly bits: number;
  /** Its first bit. */
  readonly at: number;
  /** What to set or to add. */
  readonly value: number | bigint;
  readonly overflow: FieldOverflow;
}

const options = new OptionReader();
const view = new ByteView();

function bitfieldCommand(c: Context): void {
  const operations = parseOperations(c);
  if (operations === null) return;
  if (operations.every((one) => one.kind === 'get')) answerFields(c, operations);
  else changeFields(c, operations);
}

function bitfieldRoCommand(c: Context): void {
  const operations = parseOperations(c);
  if (operations === null) return;
  if (operations.every((one) => one.kind === 'get')) answerFields(c, operations);
  else c.reply.error('ERR BITFIELD_RO only supports the GET subcommand');
}

/** The operations; null when an error was answered. */
function parseOperations(c: Context): FieldOperation[] | null {
  const operations: FieldOperation[] = [];
  let overflow: FieldOverflow = 'wrap';
  options.start(c.args, 2);
  while (options.more) {
    if (options.take('get', 2)) operations.push(parseOperation(c, 'get', overflow));
    else if (options.take('set', 3)) operations.push(parseOperation(c, 'set', overflow));
    else if (options.take('incrby', 3)) operations.push(parseOperation(c, 'incrby', overflow));
    else if (options.take('overflow', 1)) overflow = parseOverflow();
    else options.fail();
  }
  return options.refuse(c.reply) ? null : operations;
}

function parseOverflow(): FieldOverflow {
  if (options.take('wrap')) return 'wrap';
  if (options.take('sat')) return 'sat';
  if (!options.take('fail')) options.fail('ERR Invalid OVERFLOW type specified');
  return 'fail';
}

function parseOperation(
  c: Context,
  kind: FieldOperation['kind'],
  overflow: FieldOverflow,
): FieldOperation {
  const type = options.index();
  const { bytes, offsets, lengths } = c.args;
  const letter = lengths[type] === 0 ? 0 : bytes[type]![offsets[type]!];
  const signed = letter === LETTER_I;
  const bits = parseInteger(bytes[type]!, offsets[type]! + 1, lengths[type]! - 1);
  const known = signed || letter === LETTER_U;
  if (!known || !(bits >= 1 && bits <= (signed ? 64 : 63))) options.fail(BAD_TYPE);
  const at = parseFieldOffset(c, options.index(), bits);
  const value = kind === 'get' ? 0 : parseValue(c, options.index());
  return { kind, signed, bits, at, value, overflow };
}

/** A bit's offset, or behind a `#` the number of a field of this width. */
function parseFieldOffset(c: Context, i: number, bits: number): number {
  const { bytes, offsets, lengths } = c.args;
  const counted = lengths[i]! > 0 && bytes[i]![offsets[i]!] === HASH ? 1 : 0;
  const number = parseInteger(bytes[i]!, offsets[i]! + counted, lengths[i]! - counted);
  let offset = counted === 1 ? number * bits : number;
  if (counted === 1 && Number.isFinite(offset) && !Number.isSafeInteger(offset)) {
    // The real server multiplies 64-bit integers, which wrap around.
    const exact = parseInt64(bytes[i]!, offsets[i]! + 1, lengths[i]! - 1) ?? 0n;
    offset = Number(BigInt.asIntN(64, exact * BigInt(bits)));
  }
  if (!isBitOffset(c, offset)) options.fail(BAD_BIT_OFFSET);
  return offset;
}

function parseValue(c: Context, i: number): number | bigint {
  const { bytes, offsets, lengths } = c.args;
  const exact = parseInt64(bytes[i]!, offsets[i]!, lengths[i]!);
  if (exact === undefined) options.fail(NOT_AN_INTEGER);
  const number = Number(exact);
  return exact === undefined || Number.isSafeInteger(number) ? number : exact;
}

/** Only GETs: the string, or nothing, is read where it is. */
function answerFields(c: Context, operations: readonly FieldOperation[]): void {
  const address = c.readString(1);
  if (address < 0) return;
  if (address === 0) view.length = 0;
  else stringView(c.keyspace, address, view);
  c.reply.array(operations.length);
  for (const one of operations) answerNumber(c, getField(one));
}

function changeFields(c: Context, operations: readonly FieldOperation[]): void {
  let length = 0;
  for (const { kind, at, bits } of operations) {
    if (kind !== 'get') length = Math.max(length, fieldEnd(at, bits));
  }
  const address = c.writeString(1);
  if (address < 0) return;
  const grown = growBitmap(c, address, length, view);
  if (grown === GROW_REFUSED) return;
  let changes = 0;
  c.reply.array(operations.length);
  for (const one of operations) {
    const before = getField(one);
    const result = runOperation(one);
    if (result === undefined) c.reply.null();
    else answerNumber(c, result);
    if (one.kind === 'get' || result === undefined) continue;
    if (grown === GROW_DONE || before !== getField(one)) changes++;
  }
  if (changes > 0) {
    c.keyspace.dirty += changes - 1;
    c.changed(1, NOTIFY_STRING, 'setbit');
  } else if (grown === GROW_DONE) {
    // All writes failed, and yet the string has grown: the log has to hear of it, without an event.
    c.keyspace.dirty++;
  }
}

/** The answer of an operation; undefined when it failed. */
function runOperation(one: FieldOperation): number | bigint | undefined {
  const { bytes, offset } = view;
  const { kind, at, bits, signed, value, overflow } = one;
  if (kind === 'get') return getField(one);
  const run = kind === 'set' ? fieldSet : fieldIncrBy;
  return run(bytes, offset, at, bits, signed, value, overflow);
}

function getField(one: FieldOperation): number | bigint {
  return fieldGet(view.bytes, view.offset, view.length, one.at, one.bits, one.signed);
}

function answerNumber(c: Context, value: number | bigint): void {
  if (typeof value === 'number') c.reply.integer(value);
  else c.reply.bigint(value);
}

const field = 'encoding offset:integer';
const overflowSyntax = '[OVERFLOW overflow-block=(WRAP|SAT|FAIL)]';
const writeSyntax =
  `write-operation=(SET set-block={${field} value:integer}` +
  `|INCRBY incrby-block={${field} increment:integer})`;

export const bitfieldCommands = [
  command(
    'bitfield',
    'bitmap',
    {
      arity: -2,
      flags: WRITE | DENYOOM,
      keys: [
        {
          ...keyAt(1, 'RW', 'access', 'update', 'variable_flags'),
          notes: 'This command allows both access and modification of the key',
        },
      ],
      acl: ['bitmap'],
      since: '3.2.0',
      complexity: 'O(1) for each operation',
      summary: 'Reads and changes integers of any width in a string.',
      syntax:
        `key:key [operation=(GET get-block={${field}}` +
        `|write={${overflowSyntax} ${writeSyntax}})...]`,
    },
    bitfieldCommand,
  ),
  command(
    'bitfield_ro',
    'bitmap',
    {
      arity: -2,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['bitmap'],
      since: '6.0.0',
      complexity: 'O(1) for each operation',
      summary: 'Reads integers of any width in a string.',
      syntax: `key:key [GET... get-block={${field}}]`,
    },
    bitfieldRoCommand,
  ),
];
