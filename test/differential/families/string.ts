/** The 22 string commands with all their options, their wrong arguments and their limits. */
import type { Random } from '../../support/random.ts';
import { command } from '../command.ts';
import type { Family } from '../step.ts';
import * as values from '../values.ts';

const { keyOf, keysOf, stringValue, word } = values;

/** An expiry option of SET or GETEX with its time, now and then a wrong one. */
function expiryOption(random: Random): string[] {
  const name = random.pick(['EX', 'PX', 'EXAT', 'PXAT']);
  const time = {
    EX: values.farSeconds,
    PX: values.farMilliseconds,
    EXAT: values.momentSeconds,
    PXAT: values.momentMilliseconds,
  }[name];
  const text = time === undefined || random.chance(0.08) ? values.badTime(random) : time(random);
  return [word(random, name), text];
}

/** SET's options: any subset in any order, so that conflicts are met as well. */
function setOptions(random: Random): string[] {
  const options: string[][] = [];
  if (random.chance(0.3)) options.push([word(random, random.pick(['NX', 'XX']))]);
  if (random.chance(0.3)) options.push([word(random, 'GET')]);
  if (random.chance(0.3)) options.push(expiryOption(random));
  if (random.chance(0.15)) options.push([word(random, 'KEEPTTL')]);
  if (random.chance(0.03)) options.push(expiryOption(random));
  if (random.chance(0.03)) options.push([random.pick(['NX', 'XX', 'PERSIST', 'EX', 'FOO'])]);
  return random.shuffled(options).flat();
}

function getexOptions(random: Random): string[] {
  const options: string[][] = [];
  if (random.chance(0.5)) options.push(expiryOption(random));
  if (random.chance(0.25)) options.push([word(random, 'PERSIST')]);
  if (random.chance(0.05)) options.push([random.pick(['KEEPTTL', 'NX', 'GET', 'EX', 'FOO'])]);
  return random.shuffled(options).flat();
}

function lcsOptions(random: Random): string[] {
  const options: string[][] = [];
  if (random.chance(0.25)) options.push([word(random, 'LEN')]);
  if (random.chance(0.5)) options.push([word(random, 'IDX')]);
  if (random.chance(0.4)) options.push([word(random, 'WITHMATCHLEN')]);
  if (random.chance(0.4)) {
    options.push([word(random, 'MINMATCHLEN'), values.integerOrNot(random)]);
  }
  if (random.chance(0.05)) options.push([random.pick(['MINMATCHLEN', 'FOO', ''])]);
  return random.shuffled(options).flat();
}

/** Offsets stay small, since every byte is compared; the last ones are past the limit. */
function setrangeOffset(random: Random): string {
  if (random.chance(0.07)) return random.pick(['-1', '536870912', '9223372036854775807', 'x', '']);
  return String(random.chance(0.9) ? random.between(0, 60) : random.between(0, 3000));
}

function pairs(random: Random): string[] {
  const list = random.list(1, 4, () => [keyOf(random), stringValue(random)]).flat();
  if (random.chance(0.05)) list.pop();
  return list;
}

const timeOrBad = (random: Random, time: (random: Random) => string): string =>
  random.chance(0.15) ? values.badTime(random) : time(random);

export const stringFamily: Family = {
  name: 'string',
  generators: [
    command('SET', 10, (r) => [keyOf(r), stringValue(r), setOptions(r)]),
    command('GET', 6, (r) => [keyOf(r)]),
    command('APPEND', 4, (r) => [keyOf(r), stringValue(r)]),
    command('DECR', 2, (r) => [keyOf(r)]),
    command('DECRBY', 3, (r) => [keyOf(r), values.integerOrNot(r)]),
    command('INCR', 3, (r) => [keyOf(r)]),
    command('INCRBY', 3, (r) => [keyOf(r), values.integerOrNot(r)]),
    command('INCRBYFLOAT', 4, (r) => [keyOf(r), values.floatOrNot(r)]),
    command('GETDEL', 1, (r) => [keyOf(r)]),
    command('GETEX', 3, (r) => [keyOf(r), getexOptions(r)]),
    command('GETRANGE', 3, (r) => [keyOf(r), values.indexOrNot(r), values.indexOrNot(r)]),
    command('SUBSTR', 1, (r) => [keyOf(r), values.indexOrNot(r), values.indexOrNot(r)]),
    command('GETSET', 2, (r) => [keyOf(r), stringValue(r)]),
    command('LCS', 3, (r) => [keyOf(r), keyOf(r), lcsOptions(r)]),
    command('MGET', 3, (r) => [keysOf(r, 1, 5)]),
    command('MSET', 3, (r) => [pairs(r)]),
    command('MSETNX', 2, (r) => [pairs(r)]),
    command('SETEX', 2, (r) => [keyOf(r), timeOrBad(r, values.farSeconds), stringValue(r)]),
    command('PSETEX', 2, (r) => [keyOf(r), timeOrBad(r, values.farMilliseconds), stringValue(r)]),
    command('SETNX', 2, (r) => [keyOf(r), stringValue(r)]),
    command('SETRANGE', 3, (r) => [keyOf(r), setrangeOffset(r), stringValue(r)]),
    command('STRLEN', 2, (r) => [keyOf(r)]),
  ],
};
