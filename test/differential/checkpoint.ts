/**
 * Compares what two servers hold: the digest of all data, and for every key its type, encoding and
 * expiry. Keys that are past their time but not yet removed are no difference, so every database
 * is scanned first, which removes them on both servers.
 */
import type { Argument } from '../support/raw-client.ts';
import type { Reply, ReplyValue } from '../support/resp-reader.ts';
import { within } from './comparators.ts';
import { knownDifferenceOf } from './known-differences.ts';
import { printArgument, printReply } from './print.ts';
import type { Target } from './target.ts';
import { databases } from './values.ts';

/** Expiry times set relative to now may lie this far apart (both servers run at the same time). */
const expiryToleranceMs = 5000;

const perKey: readonly (readonly string[])[] = [
  ['TYPE'],
  ['OBJECT', 'ENCODING'],
  ['PEXPIRETIME'],
  ['DEBUG', 'DIGEST-VALUE'],
];

function ask(target: Target, commands: readonly (readonly Argument[])[]): Promise<Reply[]> {
  return target.checker.pipeline(commands);
}

/** Scans away expired keys and gives the rest of a database, sorted. */
async function keysOfDatabase(target: Target, database: string): Promise<string[]> {
  const purge = ['SCAN', '0', 'COUNT', '1000000'];
  const replies = await ask(target, [['SELECT', database], purge, ['KEYS', '*']]);
  const names: ReplyValue = replies[2]?.value ?? null;
  if (!Array.isArray(names)) throw new Error(`${target.name} gave no list of keys`);
  return names.map(String).sort();
}

/** Whether two replies about a key of a type may differ: listed differences, a running clock. */
function excused(command: readonly string[], type: string, left: Buffer, right: Buffer): boolean {
  if (knownDifferenceOf({ args: command, type }, left, right) !== null) return true;
  return command[0] === 'PEXPIRETIME' && within(expiryToleranceMs).same(left, right);
}

async function compareKeys(left: Target, right: Target, keys: string[]): Promise<string | null> {
  const commands = keys.flatMap((key) => perKey.map((command) => [...command, key]));
  const [mine, theirs] = await Promise.all([ask(left, commands), ask(right, commands)]);
  for (const [i, command] of commands.entries()) {
    const [a, b] = [mine[i]?.raw, theirs[i]?.raw];
    if (a === undefined || b === undefined || a.equals(b)) continue;
    const type = theirs[i - (i % perKey.length)]?.value;
    if (excused(command, String(type), a, b)) continue;
    const line = command.map(printArgument).join(' ');
    return `${line}\n  ${left.name}  ${printReply(a)}\n  ${right.name}  ${printReply(b)}`;
  }
  return null;
}

async function compareDatabase(
  left: Target,
  right: Target,
  database: string,
): Promise<string | null> {
  const [mine, theirs] = await Promise.all([
    keysOfDatabase(left, database),
    keysOfDatabase(right, database),
  ]);
  if (mine.join('\n') !== theirs.join('\n')) {
    const show = (keys: string[]) => keys.map(printArgument).join(' ');
    return `KEYS *\n  ${left.name}  ${show(mine)}\n  ${right.name}  ${show(theirs)}`;
  }
  return compareKeys(left, right, mine);
}

/** Null when both servers hold the same; otherwise what differs, in words. */
export async function compareState(left: Target, right: Target): Promise<string | null> {
  try {
    for (const database of databases) {
      const text = await compareDatabase(left, right, database);
      if (text !== null) return `the data differs in database ${database}: ${text}`;
    }
    const digests = await Promise.all([left, right].map((t) => t.checker.value('DEBUG', 'DIGEST')));
    if (digests[0] === digests[1]) return null;
    return `DEBUG DIGEST differs\n  ${left.name}  ${digests[0]}\n  ${right.name}  ${digests[1]}`;
  } catch (error) {
    return `the data could not be compared: ${error instanceof Error ? error.message : error}`;
  }
}
