/**
 * Keys of the other types, so that the families above meet WRONGTYPE and move, copy, rename and
 * expire more than strings. Only plain writes: the types' own families test the rest.
 */
import { command } from '../command.ts';
import type { Family } from '../step.ts';
import { keyOf, stringValue } from '../values.ts';

export const otherTypesFamily: Family = {
  name: 'other types',
  generators: [
    command('RPUSH', 3, (r) => [keyOf(r), r.list(1, 4, () => stringValue(r))]),
    command('LPOP', 1, (r) => [keyOf(r)]),
    command('HSET', 3, (r) => [keyOf(r), r.pick(['f1', 'f2', 'f3']), stringValue(r)]),
    command('SADD', 3, (r) => [keyOf(r), r.list(1, 4, () => stringValue(r))]),
    command('ZADD', 3, (r) => [
      keyOf(r),
      r.list(1, 4, () => [String(r.between(-9, 9)), stringValue(r)]).flat(),
    ]),
    command('XADD', 2, (r) => [keyOf(r), `${r.between(1, 99)}-${r.between(1, 9)}`, 'f', 'v']),
  ],
};
