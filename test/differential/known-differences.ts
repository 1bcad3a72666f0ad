/**
 * Where Cairn speaks as Redis 7.2 does and the oracle, 7.0, does not yet. One entry a difference,
 * each with its reason; whatever is not listed here is a failure.
 *
 * `left` is the server under test, `right` the oracle. An entry must be as narrow as it can be:
 * it names the command and recognises both replies.
 */
import { formatDouble17 } from '../../src/core/text/double.ts';
import { splitReply } from '../support/resp-reader.ts';
import type { Step } from './step.ts';

export type KnownDifference = {
  readonly id: string;
  readonly reason: string;
  readonly applies: (step: KnownStep, left: string, right: string) => boolean;
};

/** What was asked, and the type of the key where the checkpoint knows it. */
export type KnownStep = Pick<Step, 'args'> & { readonly type?: string };

/** The command and, where there is one, its second word, in lower case. */
function named(step: KnownStep, command: string, subcommand?: string): boolean {
  if (step.args[0]?.toLowerCase() !== command) return false;
  return subcommand === undefined || step.args[1]?.toLowerCase() === subcommand;
}

/** The text of a reply that is a double: a bulk string in RESP2. */
const doubleText = /^(?:,|\$\d+\r\n)(-?[\d.]+(?:e[+-]?\d+)?)\r\n$/;

/** Whether two replies are the same, but that the right one prints doubles with 17 digits. */
function sameDoubles(left: Buffer, right: Buffer): boolean {
  if (left.equals(right)) return true;
  const a = splitReply(left);
  const b = splitReply(right);
  if (a.children.length > 0) {
    if (!a.head.equals(b.head) || a.children.length !== b.children.length) return false;
    return a.children.every((one, i) => sameDoubles(one, b.children[i] ?? one));
  }
  const [mine, real] = [left, right].map((one) => doubleText.exec(one.toString('latin1'))?.[1]);
  if (mine === undefined || real === undefined) return false;
  return Number(mine) === Number(real) && real === formatDouble17(Number(mine));
}

const isInteger = (reply: string): boolean => /^:-?\d+\r\n$/.test(reply);

const knownDifferences: readonly KnownDifference[] = [
  {
    id: 'double-digits',
    reason: '7.2 replies with the fewest digits that make the same double, 7.0 with 17',
    applies: (step, left, right) =>
      /^(?:b?z|geo)/i.test(step.args[0] ?? '') &&
      sameDoubles(Buffer.from(left, 'latin1'), Buffer.from(right, 'latin1')),
  },
  {
    id: 'command-count',
    reason: '7.2 has one top-level command more (WAITAOF); servers differ in what they ship',
    applies: (step, left, right) =>
      named(step, 'command', 'count') && isInteger(left) && isInteger(right),
  },
  {
    id: 'command-getkeys-arity',
    reason: '7.2 looks at a command that stands alone in COMMAND GETKEYS, too',
    applies: (step, left, right) =>
      named(step, 'command') &&
      step.args.length === 3 &&
      /^getkeys(?:andflags)?$/i.test(step.args[1] ?? '') &&
      /^[-*]/.test(left) &&
      /^-ERR wrong number of arguments for 'command\|getkeys(?:andflags)?' command/.test(right),
  },
  {
    id: 'set-listpack',
    reason: '7.2 keeps small sets of strings in a listpack, 7.0 in a hash table',
    applies: (step, left, right) =>
      named(step, 'object', 'encoding') &&
      left === '$8\r\nlistpack\r\n' &&
      right === '$9\r\nhashtable\r\n' &&
      (step.type === undefined || step.type === 'set'),
  },
  {
    id: 'list-listpack',
    reason: '7.2 keeps small lists in one listpack, 7.0 in a quicklist of one node',
    applies: (step, left, right) =>
      named(step, 'object', 'encoding') &&
      left === '$8\r\nlistpack\r\n' &&
      right === '$9\r\nquicklist\r\n' &&
      (step.type === undefined || step.type === 'list'),
  },
  {
    id: 'bits-arguments-first',
    reason: '7.2 reads the arguments of BITCOUNT and BITPOS before it looks for the key',
    applies: (step, left, right) =>
      (named(step, 'bitcount') || named(step, 'bitpos')) &&
      left.startsWith('-ERR') &&
      /^(?::(?:0|-1)\r\n$|-WRONGTYPE |-ERR syntax error|-ERR value is not an integer)/.test(right),
  },
  {
    id: 'lpos-lowest-rank',
    reason: '7.2 refuses the rank whose opposite is no 64-bit integer',
    applies: (step, left) =>
      named(step, 'lpos') && left.startsWith('-ERR value is out of range, value must between '),
  },
  {
    id: 'long-timeout',
    reason: '7.2 tells a timeout that is too long from one that is negative',
    applies: (_step, left, right) =>
      left === '-ERR timeout is out of range\r\n' && right === '-ERR timeout is negative\r\n',
  },
  {
    id: 'xread-unbalanced',
    reason: '7.2 names the command and the mark that it takes',
    applies: (_step, left, right) =>
      /^-ERR Unbalanced 'xread(?:group)?' list /.test(left) &&
      right.startsWith('-ERR Unbalanced XREAD list '),
  },
  {
    id: 'xread-last',
    reason: 'XREAD takes + for the last entry',
    applies: (step, _left, right) =>
      /^xread(?:group)?$/i.test(step.args[0] ?? '') &&
      step.args.some((one) => one === '+') &&
      right.startsWith('-ERR Invalid stream ID '),
  },
  {
    id: 'debug-jmap',
    reason: '7.0 has no JMAP; here it shows where the memory is',
    applies: (step, left, right) =>
      named(step, 'debug', 'jmap') && /^[$=]/.test(left) && right.startsWith('-ERR unknown'),
  },
  {
    id: 'lrem-lowest',
    reason: '7.2 refuses the count that has no opposite; 7.0 takes it, and finds nothing here',
    applies: (step, left, right) =>
      named(step, 'lrem') &&
      left.startsWith('-ERR value is out of range, value must between -9223372036854775807 and ') &&
      right === ':0\r\n',
  },
  {
    id: 'debug-object-listpack',
    reason: 'the same two encodings as DEBUG OBJECT shows them, with the quicklist figures of 7.0',
    applies: (step, left, right) =>
      named(step, 'debug', 'object') &&
      /^\+Value at:\S+ refcount:1 encoding:listpack serializedlength:\d+ /.test(left) &&
      /^\+Value at:\S+ refcount:1 encoding:(?:hashtable|quicklist) /.test(right),
  },
];

/** The entry that explains why these replies differ, or null. */
export function knownDifferenceOf(
  step: KnownStep,
  left: Buffer,
  right: Buffer,
): KnownDifference | null {
  const [a, b] = [left.toString('latin1'), right.toString('latin1')];
  return knownDifferences.find((known) => known.applies(step, a, b)) ?? null;
}
