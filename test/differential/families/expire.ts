/**
 * Times to live. Moments lie decades away or in the past and durations are so spread that no reply
 * depends on the clock; what counts down is compared with a tolerance.
 */
import type { Random } from '../../support/random.ts';
import { command } from '../command.ts';
import { within } from '../comparators.ts';
import type { Family } from '../step.ts';
import * as values from '../values.ts';

const { keyOf, word } = values;

/** NX, XX, GT, LT in any combination, so that the incompatible ones are met. */
function conditions(random: Random): string[] {
  if (random.chance(0.55)) return [];
  if (random.chance(0.1)) return [random.pick(['FOO', '', 'NXX', '100'])];
  return random.list(1, random.chance(0.8) ? 1 : 3, () =>
    word(random, random.pick(['NX', 'XX', 'GT', 'LT'])),
  );
}

function orBad(random: Random, time: string): string {
  return random.chance(0.1) ? values.badTime(random) : time;
}

const seconds = within(5);
const milliseconds = within(5000);

export const expireFamily: Family = {
  name: 'expire',
  generators: [
    command('EXPIRE', 3, (r) => [keyOf(r), orBad(r, values.farSeconds(r)), conditions(r)]),
    command('PEXPIRE', 3, (r) => [keyOf(r), orBad(r, values.farMilliseconds(r)), conditions(r)]),
    command('EXPIREAT', 4, (r) => [keyOf(r), orBad(r, values.momentSeconds(r)), conditions(r)]),
    command('PEXPIREAT', 4, (r) => [
      keyOf(r),
      orBad(r, values.momentMilliseconds(r)),
      conditions(r),
    ]),
    command('PERSIST', 2, (r) => [keyOf(r)]),
    command('TTL', 2, (r) => [keyOf(r)], seconds),
    command('PTTL', 2, (r) => [keyOf(r)], milliseconds),
    command('EXPIRETIME', 2, (r) => [keyOf(r)], seconds),
    command('PEXPIRETIME', 2, (r) => [keyOf(r)], milliseconds),
  ],
};
