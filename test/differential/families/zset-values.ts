/**
 * What the families of sorted-set commands have in common: members, scores, ends of ranges, and the
 * ZADDs that give them something to work on.
 *
 * Scores are few, so that many are equal, and mostly sums of few powers of two, so that sums hardly
 * depend on the order in which they are made; a 2^53 among them shows the order. Ranges by member
 * have a meaning only where all scores are equal: `lexKeyOf` names keys that nothing else writes.
 */
import type { Random } from '../../support/random.ts';
import { command, marked } from '../command.ts';
import type { Generator } from '../step.ts';
import * as values from '../values.ts';

const { keyOf, word } = values;

const commonMembers = ['a', 'b', 'c', 'd', 'e', 'm1', 'm2', '1', '2', '-3', '007', '', 'aa', 'ab'];
const oddMembers = [
  's'.repeat(20),
  't'.repeat(64),
  'u'.repeat(65),
  '\xff\x00',
  '\x00',
  'A',
  '70000',
];
const commonScores = ['0', '1', '1', '2', '2', '3', '-1', '5', '0.5', '1.25', '-2.75', '10'];
const oddScores = [
  ...['inf', '-inf', '+inf', '-0', '-0.0', '1e3', '9007199254740992', '-9007199254740992', '3.0'],
  ...['0.1', '0.3', '1e300', '-1e-300', '123456.789', '0x10', '1e16', '70000', '-300'],
];
const badScores = ['', 'x', 'nan', '1 ', ' 1', '1e400', '--1'];

export function memberOf(random: Random): string {
  if (random.chance(0.8)) return random.pick(commonMembers);
  return random.chance(0.6) ? random.pick(oddMembers) : values.stringValue(random).slice(0, 80);
}

export function scoreOf(random: Random): string {
  if (random.chance(0.8)) return random.pick(commonScores);
  return random.chance(0.9) ? random.pick(oddScores) : random.pick(badScores);
}

export function pairsOf(random: Random): string[] {
  if (!random.chance(0.07)) {
    return random.list(1, 5, () => [scoreOf(random), memberOf(random)]).flat();
  }
  const start = random.between(0, 50);
  const count = random.between(10, 160);
  const score = random.chance(0.5) ? () => random.pick(commonScores) : () => '1';
  return Array.from({ length: count }, (_, i) => [score(), `element ${start + i}`]).flat();
}

/** An index of a zset, its ends and the far beyond included. */
export function rankOf(random: Random): string {
  const dice = random.next();
  if (dice < 0.8) return String(random.between(-8, 12));
  return dice < 0.9 ? String(random.between(-200, 200)) : values.indexOrNot(random);
}

/** An end of a range by score. */
export function scoreBoundOf(random: Random): string {
  const dice = random.next();
  if (dice < 0.25) return random.pick(['-inf', '+inf', 'inf', '(-inf', '(+inf', '(inf']);
  const open = random.chance(0.25) ? '(' : '';
  if (dice < 0.96) return `${open}${scoreOf(random)}`;
  return random.pick(['(', '', '((1', '[1', 'x', 'nan', '(nan', ' 1', '1 ', '-', '+', '1e400']);
}

/** An end of a range by member. */
export function lexBoundOf(random: Random): string {
  const dice = random.next();
  if (dice < 0.25) return random.pick(['-', '+']);
  if (dice < 0.95) return `${random.pick(['[', '('])}${memberOf(random)}`;
  return random.pick(['', 'a', '--', '+1', '-inf', '(', '[', 'x', '\x00']);
}

export const lexKeyOf = (random: Random): string => random.pick(['lex1', 'lex2', 'lex3']);

/** LIMIT with an offset and a count, often negative, now and then huge or incomplete. */
export function limitOf(random: Random): string[] {
  const dice = random.next();
  const number = (): string =>
    random.chance(0.06) ? values.integerOrNot(random) : String(random.between(-2, 9));
  if (dice < 0.05) return random.pick([['LIMIT'], ['LIMIT', '1'], ['LIMIT', '0', 'x']]);
  const huge = random.pick(['9223372036854775807', '-9223372036854775808', '4294967296', '1000']);
  if (dice < 0.12) return [word(random, 'LIMIT'), huge, number()];
  if (dice < 0.16) return [word(random, 'LIMIT'), number(), huge];
  return [word(random, 'LIMIT'), number(), number()];
}

/** The commands that fill zsets and look at what has become of them. */
export const upkeep: readonly Generator[] = [
  command('ZADD', 12, (r) => [keyOf(r), pairsOf(r)]),
  command('ZINCRBY', 2, (r) => [keyOf(r), scoreOf(r), memberOf(r)]),
  command('ZREM', 3, (r) => [keyOf(r), r.list(1, 4, () => memberOf(r))]),
  command('ZSCORE', 1, (r) => [keyOf(r), memberOf(r)]),
  command('DEL', 0.7, (r) => [keyOf(r)]),
  marked(
    command('OBJECT ENCODING', 2, (r) => [keyOf(r)]),
    { mangle: false },
  ),
  marked(
    command('ZRANGE', 2, (r) => [keyOf(r), '0', '-1', 'WITHSCORES']),
    { mangle: false },
  ),
];
