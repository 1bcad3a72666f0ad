/**
 * Bits of strings: SETBIT, GETBIT, BITCOUNT, BITPOS, BITOP. BITFIELD has a file of its own.
 *
 * Bit 0 is the highest of the first byte. An offset is less than 8 times the longest string, 2^32
 * unless configured otherwise.
 */
import { bitCountRange, popcount } from '../../core/bits/bit-count.ts';
import {
  type BitOperation,
  type BitSource,
  bitOperation,
  bitOperationLength,
} from '../../core/bits/bit-operation.ts';
import { bitPosition } from '../../core/bits/bit-position.ts';
import { parseInteger } from '../../core/text/integer.ts';
import { bitmapForWrite, bitmapGet, bitmapSet, byteOfBit } from '../../core/types/bitmap.ts';
import { stringLength, stringSetRaw, stringView } from '../../core/types/string.ts';
import { ByteView, ENC_INT, encodingOf } from '../../core/value.ts';
import { command, DENYOOM, FAST, keyAt, keysFrom, READONLY, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { NOTIFY_NEW, NOTIFY_STRING } from '../dispatch/notify-classes.ts';
import { hasMemory, stringBytesMax } from './string-limit.ts';

export const BAD_BIT_OFFSET = 'ERR bit offset is not an integer or out of range';
const BAD_BIT = 'ERR bit is not an integer or out of range';
const view = new ByteView();

/** Whether a string may have a bit at this offset. Not at NaN. */
export function isBitOffset(c: Context, offset: number): boolean {
  return offset >= 0 && byteOfBit(offset) < stringBytesMax(c);
}

/** Argument 2 as the offset of a bit; -1 when it is none, which has been answered. */
function bitOffset(c: Context): number {
  const { bytes, offsets, lengths } = c.args;
  const offset = parseInteger(bytes[2]!, offsets[2]!, lengths[2]!);
  if (isBitOffset(c, offset)) return offset;
  c.reply.error(BAD_BIT_OFFSET);
  return -1;
}

/** What `growBitmap` did. */
export const GROW_REFUSED = -1;
export const GROW_NONE = 0;
export const GROW_DONE = 1;

/**
 * Makes the bitmap under the key in argument 1 at least `length` bytes long, for a change in
 * `target`. GROW_DONE also when it is new; GROW_REFUSED has been answered.
 */
export function growBitmap(c: Context, existing: number, length: number, target: ByteView): number {
  const { keyspace, db } = c;
  const { bytes, offsets, lengths } = c.args;
  const old = existing === 0 ? 0 : stringLength(keyspace, existing);
  if (!hasMemory(c, old, length)) return GROW_REFUSED;
  const key = bytes[1]!;
  bitmapForWrite(keyspace, db, key, offsets[1]!, lengths[1]!, existing, length, target);
  if (existing === 0) c.notify(1, NOTIFY_NEW, 'new');
  return target.length > old ? GROW_DONE : GROW_NONE;
}

function setbitCommand(c: Context): void {
  const offset = bitOffset(c);
  if (offset < 0) return;
  const bit = c.integerIn(3, 0, 1, BAD_BIT);
  if (Number.isNaN(bit)) return;
  const address = c.writeString(1);
  if (address < 0) return;
  const grown = growBitmap(c, address, byteOfBit(offset) + 1, view);
  if (grown === GROW_REFUSED) return;
  const old = bitmapGet(view, offset);
  if (grown === GROW_DONE || old !== bit) {
    bitmapSet(view, offset, bit);
    c.changed(1, NOTIFY_STRING, 'setbit');
  }
  c.reply.integer(old);
}

function getbitCommand(c: Context): void {
  const offset = bitOffset(c);
  if (offset < 0) return;
  const address = c.readString(1);
  if (address < 0) return;
  if (address > 0) stringView(c.keyspace, address, view);
  c.reply.integer(address === 0 ? 0 : bitmapGet(view, offset));
}

/** Whether argument `i` says BIT (1) or BYTE (0); -1 for neither. */
function rangeUnit(c: Context, i: number): number {
  if (c.is(i, 'bit')) return 1;
  return c.is(i, 'byte') ? 0 : -1;
}

function bitcountCommand(c: Context): void {
  if (c.argc === 2) {
    if (!viewString(c)) return;
    c.reply.integer(popcount(view.bytes, view.offset, view.length));
    return;
  }
  if (c.argc !== 4 && c.argc !== 5) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  const start = c.integer(2);
  if (Number.isNaN(start)) return;
  const end = c.integer(3);
  if (Number.isNaN(end)) return;
  const unit = c.argc === 5 ? rangeUnit(c, 4) : 0;
  if (unit < 0) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  if (!viewString(c)) return;
  if (start < 0 && end < 0 && start > end) {
    c.reply.integer(0);
    return;
  }
  const { bytes, offset, length } = view;
  c.reply.integer(bitCountRange(bytes, offset, length, start, end, unit === 1));
}

/** Views the string in argument 1; false when there is none, which has been answered with 0. */
function viewString(c: Context): boolean {
  const address = c.readString(1);
  if (address > 0) stringView(c.keyspace, address, view);
  else if (address === 0) c.reply.integer(0);
  return address > 0;
}

function bitposCommand(c: Context): void {
  const bit = c.integer(2);
  if (Number.isNaN(bit)) return;
  if (bit !== 0 && bit !== 1) {
    c.reply.error('ERR The bit argument must be 1 or 0.');
    return;
  }
  if (c.argc > 6) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  const start = c.argc > 3 ? c.integer(3) : 0;
  if (Number.isNaN(start)) return;
  const unit = c.argc > 5 ? rangeUnit(c, 5) : 0;
  if (unit < 0) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  const hasEnd = c.argc > 4;
  const end = hasEnd ? c.integer(4) : -1;
  if (Number.isNaN(end)) return;
  const address = c.readString(1);
  if (address <= 0) {
    if (address === 0) c.reply.integer(bit === 1 ? -1 : 0);
    return;
  }
  stringView(c.keyspace, address, view);
  const { bytes, offset, length } = view;
  c.reply.integer(bitPosition(bytes, offset, length, bit, start, end, hasEnd, unit === 1));
}

const OPERATIONS: readonly BitOperation[] = ['and', 'or', 'xor', 'not'];

function bitopCommand(c: Context): void {
  const operation = OPERATIONS.find((one) => c.is(1, one));
  if (operation === undefined) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  if (operation === 'not' && c.argc !== 4) {
    c.reply.error('ERR BITOP NOT must be called with a single source key.');
    return;
  }
  const sources: BitSource[] = [];
  for (let i = 3; i < c.argc; i++) {
    const address = c.readString(i);
    if (address < 0) return;
    sources.push(bitSource(c, address));
  }
  const length = bitOperationLength(sources);
  if (!hasMemory(c, 0, length)) return;
  if (length > 0) storeResult(c, operation, sources, length);
  else c.storeNothing(2);
  c.reply.integer(length);
}

function storeResult(
  c: Context,
  operation: BitOperation,
  sources: readonly BitSource[],
  length: number,
): void {
  const { bytes, offsets, lengths } = c.args;
  const { offered } = c.keyspace;
  // The target may be a source as well, so the result is made beside it.
  const result = offered.take(length);
  bitOperation(operation, result, 0, sources);
  const existing = c.lookupWrite(2);
  stringSetRaw(c.keyspace, c.db, bytes[2]!, offsets[2]!, lengths[2]!, existing, result, length);
  offered.letGo(result);
  if (existing === 0) c.notify(2, NOTIFY_NEW, 'new');
  c.changed(2, NOTIFY_STRING, 'set');
}

function bitSource(c: Context, address: number): BitSource {
  if (address === 0) return { bytes: view.bytes, offset: 0, length: 0 };
  stringView(c.keyspace, address, view);
  // An integer is shown in a scratch that the next source may need as well.
  if (encodingOf(c.keyspace.arena, address) !== ENC_INT) return { ...view };
  return { bytes: view.bytes.slice(0, view.length), offset: 0, length: view.length };
}

const range = 'range={start:integer end:integer [unit=(BYTE|BIT)@7.0.0]}';
const rangeFromStart =
  'range={start:integer [end-unit-block={end:integer [unit=(BYTE|BIT)@7.0.0]}]}';
const acl = ['bitmap'];

export const bitmapCommands = [
  command(
    'bitcount',
    'bitmap',
    {
      arity: -2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl,
      since: '2.6.0',
      complexity: 'O(N)',
      summary: 'Counts the one bits of a string.',
      syntax: `key:key [${range}]`,
      history: [['7.0.0', 'Added the `BYTE|BIT` option.']],
    },
    bitcountCommand,
  ),
  command(
    'bitop',
    'bitmap',
    {
      arity: -4,
      flags: WRITE | DENYOOM,
      keys: [keyAt(2, 'OW', 'update'), keysFrom(3, -1, 1, 'RO', 'access')],
      acl,
      since: '2.6.0',
      complexity: 'O(N)',
      summary: 'Combines strings bit by bit and stores the result.',
      syntax: 'operation=(AND|OR|XOR|NOT) destkey:key key:key...',
    },
    bitopCommand,
  ),
  command(
    'bitpos',
    'bitmap',
    {
      arity: -3,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl,
      since: '2.8.7',
      complexity: 'O(N)',
      summary: 'Finds the first one or zero bit of a string.',
      syntax: `key:key bit:integer [${rangeFromStart}]`,
      history: [['7.0.0', 'Added the `BYTE|BIT` option.']],
    },
    bitposCommand,
  ),
  command(
    'getbit',
    'bitmap',
    {
      arity: 3,
      flags: READONLY | FAST,
      keys: [keyAt(1, 'RO', 'access')],
      acl,
      since: '2.2.0',
      complexity: 'O(1)',
      summary: 'Returns one bit of a string.',
      syntax: 'key:key offset:integer',
    },
    getbitCommand,
  ),
  command(
    'setbit',
    'bitmap',
    {
      arity: 4,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'RW', 'access', 'update')],
      acl,
      since: '2.2.0',
      complexity: 'O(1)',
      summary: 'Sets or clears one bit of a string and returns what it was.',
      syntax: 'key:key offset:integer value:integer',
    },
    setbitCommand,
  ),
];
