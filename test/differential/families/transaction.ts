/**
 * Transactions: whole ones with commands of every family inside (damaged by their own rules), bare
 * MULTI, EXEC and DISCARD that meet any state, WATCH against both connections, errors at queue time
 * that make EXEC abort.
 */
import { command } from '../command.ts';
import type { Context, Draft, Family, Generator } from '../step.ts';
import { keysOf, word } from '../values.ts';

const single = (context: Context, name: string): Draft => ({ args: [word(context.random, name)] });

/** Refused when queued: unknown command, wrong arity, not allowed inside MULTI. */
function queueError({ random }: Context): Draft {
  return {
    args: random.pick([
      ['FOO', 'bar'],
      ['GET'],
      ['SET', 'k1'],
      ['WATCH', 'k1'],
      ['MULTI'],
      ['OBJECT', 'FOO'],
    ]),
  };
}

const whole: Generator = {
  name: 'MULTI ... EXEC',
  weight: 6,
  alone: true,
  mangle: false,
  make: (context) => {
    const { random } = context;
    const inside = random.list(0, 6, () => context.anything()).flat();
    if (random.chance(0.12)) inside.push(queueError(context));
    const end = single(context, random.chance(0.85) ? 'EXEC' : 'DISCARD');
    return [single(context, 'MULTI'), ...random.shuffled(inside), end];
  },
};

/** Watches, changes perhaps, and tries; the other connection may write in between. */
const watched: Generator = {
  name: 'WATCH ... EXEC',
  weight: 4,
  alone: true,
  mangle: false,
  make: (context) => {
    const { random } = context;
    const drafts: Draft[] = [{ args: [word(random, 'WATCH'), ...keysOf(random, 1, 3)] }];
    if (random.chance(0.5)) drafts.push(...context.anything());
    if (random.chance(0.15)) drafts.push(single(context, 'UNWATCH'));
    drafts.push(single(context, 'MULTI'), ...context.anything(), single(context, 'EXEC'));
    return drafts;
  },
};

export const transactionFamily: Family = {
  name: 'transaction',
  generators: [
    whole,
    watched,
    command('WATCH', 2, (r) => [keysOf(r, 1, 3)]),
    command('UNWATCH', 1, () => []),
    command('MULTI', 0.5, () => []),
    command('EXEC', 2, () => []),
    command('DISCARD', 1, () => []),
  ],
};
