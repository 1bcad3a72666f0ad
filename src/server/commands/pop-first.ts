/**
 * Taking elements from the first of several keys that holds some, as lists and sorted sets have it:
 * LMPOP, BLPOP, BRPOP, BLMPOP, ZMPOP, BZPOPMIN, BZPOPMAX, BZMPOP.
 *
 * Those with a B let their client wait (blocking.ts) when there are no elements, and the same
 * handler runs once more when some appear. Inside EXEC nobody may wait: the answer is null at
 * once. What was taken is propagated as the command that takes it from the one key.
 */
import type { Client } from '../clients/client.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { readTimeout } from './blocking-timeout.ts';

const BAD_KEY_COUNT = 'ERR numkeys should be greater than 0';
const BAD_COUNT = 'ERR count should be greater than 0';

/** What the last `readPopRequest` read: `fromEnd` is RIGHT or MAX. */
export const popRequest = { firstKey: 0, keyCount: 0, fromEnd: false, count: 0 };

/**
 * Reads "numkeys key... START|END [COUNT n]" from argument `at` on, where `start` and `end` are the
 * words for the two ends. False when an error has been answered.
 */
export function readPopRequest(c: Context, at: number, start: string, end: string): boolean {
  const keyCount = c.integerIn(at, 1, Number.POSITIVE_INFINITY, BAD_KEY_COUNT);
  if (Number.isNaN(keyCount)) return false;
  const where = at + keyCount + 1;
  const fromEnd = where < c.argc && c.is(where, end);
  if (where >= c.argc || !(fromEnd || c.is(where, start))) {
    c.reply.error(SYNTAX_ERROR);
    return false;
  }
  let count = -1;
  for (let i = where + 1; i < c.argc; i += 2) {
    if (count !== -1 || !c.is(i, 'count') || i + 1 === c.argc) {
      c.reply.error(SYNTAX_ERROR);
      return false;
    }
    count = c.integerIn(i + 1, 1, Number.POSITIVE_INFINITY, BAD_COUNT);
    if (Number.isNaN(count)) return false;
  }
  popRequest.firstKey = at + 1;
  popRequest.keyCount = keyCount;
  popRequest.fromEnd = fromEnd;
  popRequest.count = count === -1 ? 1 : count;
  return true;
}

/** The argument of the key that the last `findFirst` came to. */
export const found = { argument: 0 };

/**
 * The address of the first entry under `count` keys from argument `first` on, 0 when there is none,
 * WRONG when it is not of `type`, which has been answered.
 */
export function findFirst(c: Context, first: number, count: number, type: number): number {
  for (let i = first; i < first + count; i++) {
    const address = c.writeTyped(i, type);
    if (address === 0) continue;
    found.argument = i;
    return address;
  }
  return 0;
}

/**
 * Like `findFirst`, for "key... timeout" from argument 1 on. 0 when the client waits now, or an
 * error has been answered.
 */
export function findFirstOrWait(c: Context, type: number): number {
  const keys = c.argc - 2;
  const timeoutMs = readTimeout(c, keys + 1);
  if (Number.isNaN(timeoutMs)) return 0;
  const address = findFirst(c, 1, keys, type);
  if (address === WRONG) return 0;
  if (address === 0) waitForKeys(c, 1, keys, type, timeoutMs);
  return address;
}

/** Answers the head of an array of `length`, and the key in argument `i` as its first element. */
export function replyKeyAhead(c: Context, length: number, i: number): void {
  const { bytes, lengths, offsets } = c.args;
  c.reply.array(length);
  c.reply.bulk(bytes[i]!, offsets[i]!, lengths[i]!);
}

/** Propagates "word key", and `count` behind them unless it is 0. */
export function propagatePop(c: Context, word: string, i: number, count: number): void {
  const { propagator } = c;
  if (propagator.begin(c.db.id, count === 0 ? 2 : 3)) {
    propagator.word(word);
    propagator.argument(c.args, i);
    if (count > 0) propagator.number(count);
  }
  propagator.suppress();
}

/** What those who waited in vain are told, whatever they asked for. */
function answerNothing(client: Client): void {
  client.reply.nullArray();
}

/**
 * Has the client wait, where it may, for a value of `type` under the `count` keys from argument
 * `first` on, after none was found.
 */
export function waitForKeys(
  c: Context,
  first: number,
  count: number,
  type: number,
  timeoutMs: number,
): void {
  if (!c.services.mayWait(c.client)) {
    c.reply.nullArray();
    return;
  }
  const keys: Uint8Array[] = [];
  for (let i = first; i < first + count; i++) keys.push(c.args.copy(i));
  c.services.blocking.block(c, { keys, type, timeoutMs, onTimeout: answerNothing });
}
