/**
 * The HyperLogLog commands: PFADD, PFCOUNT, PFMERGE, PFDEBUG, PFSELFTEST.
 *
 * PFCOUNT of one key may write: the estimate is kept in the value. That counts as a change, is
 * propagated, and raises no event.
 *
 * A string that does not look like a HyperLogLog is refused before anything is done. Opcodes that
 * are wrong are found on the way: elements counted before that stay counted.
 */
import * as hll from '../../core/types/hyperloglog.ts';
import { denseGet } from '../../core/types/hyperloglog-dense.ts';
import { hllSelfTest } from '../../core/types/hyperloglog-self-test.ts';
import { HLL_REGISTERS, sparseText } from '../../core/types/hyperloglog-sparse.ts';
import { stringView } from '../../core/types/string.ts';
import { ByteView } from '../../core/value.ts';
import {
  ADMIN,
  command,
  DENYOOM,
  FAST,
  keyAt,
  keysFrom,
  MAY_REPLICATE,
  READONLY,
  WRITE,
} from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { NOTIFY_NEW, NOTIFY_STRING } from '../dispatch/notify-classes.ts';

const NOT_A_HYPERLOGLOG = 'WRONGTYPE Key is not a valid HyperLogLog string value.';
const CORRUPT = 'INVALIDOBJ Corrupted HLL object detected';

const registers = new hll.HllRegisters();
const view = new ByteView();

/** The address of a HyperLogLog, 0 when there is none, or WRONG, which has been answered. */
function checked(c: Context, address: number): number {
  if (address <= 0 || hll.hllIsValid(c.keyspace, address)) return address;
  c.reply.error(NOT_A_HYPERLOGLOG);
  return WRONG;
}

/** Adds a HyperLogLog under the key in argument 1. */
function create(c: Context): number {
  const { bytes, lengths, offsets } = c.args;
  const address = hll.hllCreate(c.keyspace, c.db, bytes[1]!, offsets[1]!, lengths[1]!);
  c.notify(1, NOTIFY_NEW, 'new');
  return address;
}

function pfaddCommand(c: Context): void {
  const { keyspace, db, args } = c;
  const { hllSparseMaxBytes } = c.services.config.values;
  const existing = checked(c, c.writeString(1));
  if (existing < 0) return;
  let next = 2;
  if (existing > 0) {
    while (next < args.count && isCounted(c, existing, next)) next++;
    if (next === args.count && next > 2) {
      c.reply.integer(0);
      return;
    }
  }
  let address = existing === 0 ? create(c) : hll.hllOpen(keyspace, db, existing);
  let changes = existing === 0 ? 1 : 0;
  for (let i = next; i < args.count; i++) {
    const element = args.bytes[i]!;
    const offset = args.offsets[i]!;
    const length = args.lengths[i]!;
    address = hll.hllAdd(keyspace, db, address, element, offset, length, hllSparseMaxBytes);
    const { outcome } = hll.hllChange;
    if (outcome === hll.HLL_CHANGED) changes++;
    if (outcome === hll.HLL_CORRUPT) {
      c.reply.error(CORRUPT);
      return;
    }
  }
  c.reply.integer(changes > 0 ? 1 : 0);
  if (changes === 0) return;
  hll.hllInvalidate(keyspace, address);
  c.changed(1, NOTIFY_STRING, 'pfadd');
  // Every element that was new counts, and so does the key.
  keyspace.dirty += changes - 1;
}

function isCounted(c: Context, address: number, i: number): boolean {
  const { bytes, lengths, offsets } = c.args;
  return hll.hllHasCounted(c.keyspace, address, bytes[i]!, offsets[i]!, lengths[i]!);
}

/** Unites the HyperLogLogs of the keys from argument 1 on; what came of it. */
const union = { isDense: false };

function unite(c: Context): boolean {
  registers.bytes.fill(0);
  union.isDense = false;
  for (let i = 1; i < c.argc; i++) {
    const address = checked(c, c.readString(i));
    if (address < 0) return false;
    if (address === 0) continue;
    if (hll.hllIsDense(c.keyspace, address)) union.isDense = true;
    if (!hll.hllMerge(c.keyspace, address, registers)) {
      c.reply.error(CORRUPT);
      return false;
    }
  }
  return true;
}

function replyCardinality(c: Context): void {
  c.reply.integer64(hll.cardinality.low, hll.cardinality.high);
}

function pfcountCommand(c: Context): void {
  const { keyspace, db, args } = c;
  if (args.count > 2) {
    if (!unite(c)) return;
    hll.hllCountOf(registers);
    replyCardinality(c);
    return;
  }
  let address = checked(c, c.readString(1));
  if (address < 0) return;
  if (address === 0) {
    c.reply.integer(0);
    return;
  }
  if (hll.hllCachedRaw(keyspace, address)) {
    replyCardinality(c);
    return;
  }
  address = hll.hllOpen(keyspace, db, c.lookupWrite(1));
  if (!hll.hllCached(keyspace, address)) {
    if (!hll.hllCount(keyspace, address)) {
      c.reply.error(CORRUPT);
      return;
    }
    keyspace.dirty++;
    c.services.keyChanged(db, args.bytes[1]!, args.offsets[1]!, args.lengths[1]!);
  }
  replyCardinality(c);
}

function pfmergeCommand(c: Context): void {
  const { keyspace, db } = c;
  if (!unite(c)) return;
  const existing = c.lookupWrite(1);
  let address = existing === 0 ? create(c) : hll.hllOpen(keyspace, db, existing);
  // Every source was whole, so that nothing can be found to be corrupt any more.
  if (union.isDense) address = hll.hllToDense(keyspace, db, address);
  if (hll.hllIsDense(keyspace, address)) hll.hllReplace(keyspace, address, registers);
  else address = raiseAll(c, address);
  hll.hllInvalidate(keyspace, address);
  c.changed(1, NOTIFY_STRING, 'pfadd');
  c.ok();
}

/** Raises the registers of a sparse HyperLogLog to those of the union. Its address. */
function raiseAll(c: Context, sparse: number): number {
  const { db, keyspace } = c;
  const { hllSparseMaxBytes } = c.services.config.values;
  const { bytes, words } = registers;
  let address = sparse;
  for (let word = 0; word < words.length; word++) {
    if (words[word] === 0) continue;
    for (let i = word * 4; i < word * 4 + 4; i++) {
      const count = bytes[i]!;
      if (count > 0) address = hll.hllRaise(keyspace, db, address, i, count, hllSparseMaxBytes);
    }
  }
  return address;
}

function pfdebugCommand(c: Context): void {
  const { keyspace, db } = c;
  const found = c.writeString(2);
  if (found < 0) return;
  if (found === 0) {
    c.reply.error('ERR The specified key does not exist');
    return;
  }
  if (checked(c, found) < 0) return;
  const address = hll.hllOpen(keyspace, db, found);
  const isDense = hll.hllIsDense(keyspace, address);
  if (c.is(1, 'getreg')) replyRegisters(c, address);
  else if (c.is(1, 'decode')) replyDecoded(c, address);
  else if (c.is(1, 'encoding')) c.reply.simple(isDense ? 'dense' : 'sparse');
  else if (c.is(1, 'todense')) {
    if (toDense(c, address) !== 0) c.reply.integer(isDense ? 0 : 1);
  } else c.reply.error(`ERR Unknown PFDEBUG subcommand '${c.args.shown(1)}'`);
}

/** Makes a HyperLogLog dense, which is propagated. Its address, or 0: the error was answered. */
function toDense(c: Context, address: number): number {
  const { keyspace, db } = c;
  if (hll.hllIsDense(keyspace, address)) return address;
  const dense = hll.hllToDense(keyspace, db, address);
  if (dense === 0) c.reply.error(CORRUPT);
  else keyspace.dirty++;
  return dense;
}

function replyRegisters(c: Context, address: number): void {
  const dense = toDense(c, address);
  if (dense === 0) return;
  stringView(c.keyspace, dense, view);
  c.reply.array(HLL_REGISTERS);
  for (let i = 0; i < HLL_REGISTERS; i++) c.reply.integer(denseGet(view.bytes, view.offset, i));
}

function replyDecoded(c: Context, address: number): void {
  if (hll.hllIsDense(c.keyspace, address)) {
    c.reply.error('ERR HLL encoding is not sparse');
    return;
  }
  stringView(c.keyspace, address, view);
  c.reply.bulkText(sparseText(view.bytes, view.offset, view.length));
}

function pfselftestCommand(c: Context): void {
  const wrong = hllSelfTest(c.keyspace.random);
  if (wrong === undefined) c.ok();
  else c.reply.error(`ERR TESTFAILED ${wrong}`);
}

export const hyperloglogCommands = [
  command(
    'pfadd',
    'hyperloglog',
    {
      arity: -2,
      flags: WRITE | DENYOOM | FAST,
      keys: [keyAt(1, 'RW', 'insert')],
      acl: ['hyperloglog'],
      since: '2.8.9',
      complexity: 'O(1) to add every element.',
      summary: 'Counts elements in a HyperLogLog, which is created where there is none.',
      syntax: 'key:key [element]...',
    },
    pfaddCommand,
  ),
  command(
    'pfcount',
    'hyperloglog',
    {
      arity: -2,
      flags: READONLY | MAY_REPLICATE,
      keys: [
        {
          ...keysFrom(1, -1, 1, 'RW', 'access'),
          notes:
            'RW because it may change the internal representation of the key, and propagate ' +
            'to replicas',
        },
      ],
      acl: ['hyperloglog'],
      since: '2.8.9',
      complexity:
        'O(1) with a very small average constant time when called with a single key. O(N) with ' +
        'N being the number of keys, and much bigger constant times, when called with multiple ' +
        'keys.',
      summary: 'Estimates how many different elements were counted, by all keys together.',
      syntax: 'key:key...',
    },
    pfcountCommand,
  ),
  command(
    'pfdebug',
    'hyperloglog',
    {
      arity: 3,
      flags: WRITE | DENYOOM | ADMIN,
      keys: [keyAt(2, 'RW', 'access')],
      acl: ['hyperloglog'],
      since: '2.8.9',
      complexity: 'N/A',
      internal: true,
      summary: 'Shows how a HyperLogLog is kept, for those who work on the server.',
      syntax: 'subcommand key:key',
    },
    pfdebugCommand,
  ),
  command(
    'pfmerge',
    'hyperloglog',
    {
      arity: -2,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'RW', 'access', 'insert'), keysFrom(2, -1, 1, 'RO', 'access')],
      acl: ['hyperloglog'],
      since: '2.8.9',
      complexity: 'O(N) to merge N HyperLogLogs, but with high constant times.',
      summary: 'Makes a HyperLogLog that has counted what others have.',
      syntax: 'destkey:key [sourcekey:key]...',
    },
    pfmergeCommand,
  ),
  command(
    'pfselftest',
    'hyperloglog',
    {
      arity: 1,
      flags: ADMIN,
      acl: ['hyperloglog'],
      since: '2.8.9',
      complexity: 'N/A',
      internal: true,
      summary: 'Checks that HyperLogLogs count right on this machine.',
    },
    pfselftestCommand,
  ),
];
