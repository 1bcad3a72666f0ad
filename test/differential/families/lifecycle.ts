/**
 * What happens to keys of every type alike: values of all types and encodings are restored, keys
 * expire for real, the whole dataset is saved and loaded again in the middle of a run.
 */
import { command, marked } from '../command.ts';
import type { Draft, Family, Generator } from '../step.ts';
import { keyOf, keysOf, word } from '../values.ts';

/**
 * The time to live is over when the server has slept; what follows must not find the key. Both in
 * one transaction: nothing may look at the key while its time runs.
 */
const expired: Generator = {
  name: 'PEXPIRE and SLEEP',
  weight: 0.4,
  mangle: false,
  alone: true,
  make: ({ random }): Draft[] => {
    const key = keyOf(random);
    return [
      { args: ['DISCARD'] },
      { args: ['MULTI'] },
      { args: ['PEXPIRE', key, '100'] },
      { args: ['DEBUG', 'SLEEP', '0.12'] },
      { args: ['EXEC'] },
      { args: [random.pick(['EXISTS', 'TYPE', 'TTL', 'PERSIST', 'DEL', 'DUMP']), key] },
    ];
  },
};

/** Never in a transaction: Cairn loads in slices, and refuses it there. */
const reload: Generator = {
  name: 'DEBUG RELOAD',
  weight: 0.3,
  mangle: false,
  alone: true,
  make: (): Draft[] => [{ args: ['DISCARD'] }, { args: ['DEBUG', 'RELOAD'] }],
};

/** Commands on keys of any type, with values that a real server has dumped. */
export function lifecycleFamily(payloads: readonly string[]): Family {
  return {
    name: 'lifecycle',
    generators: [
      expired,
      marked(
        command('RESTORE', 8, (r) => [keyOf(r), '0', r.pick(payloads), word(r, 'REPLACE')]),
        { mangle: false },
      ),
      command('RENAME', 4, (r) => [keyOf(r), keyOf(r)]),
      command('COPY', 4, (r) => [keyOf(r), keyOf(r), 'REPLACE']),
      command('MOVE', 3, (r) => [keyOf(r), r.pick(['0', '1', '2'])]),
      command('OBJECT ENCODING', 4, (r) => [keyOf(r)]),
      command('DEL', 1, (r) => [keysOf(r, 1, 3)]),
      reload,
    ],
  };
}

/** Commands that make one key, `k`, of each type and encoding, small and large. */
export const samples: readonly (readonly (readonly string[])[])[] = [
  [['SET', 'k', '12345']],
  [['SET', 'k', 'text '.repeat(30)]],
  [['SETBIT', 'k', '999', '1']],
  [['PFADD', 'k', ...numbers(40)]],
  [['RPUSH', 'k', ...numbers(5)]],
  [['RPUSH', 'k', ...numbers(60), 'x'.repeat(300), ...numbers(9)]],
  [['SADD', 'k', ...numbers(5)]],
  [['SADD', 'k', ...numbers(30)]],
  [['SADD', 'k', 'a', 'b', '1', 'y'.repeat(70)]],
  [['HSET', 'k', 'f1', '1', 'f2', 'two', 'f3', '']],
  [['HSET', 'k', ...numbers(40)]],
  [['ZADD', 'k', '1', 'a', '-2.5', 'b', 'inf', 'c']],
  [['ZADD', 'k', ...numbers(40).flatMap((n) => [`${Number(n) / 3}`, `m${n}`])]],
  [['GEOADD', 'k', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania']],
  [['XADD', 'k', '1-1', 'f', 'v']],
  [
    ...numbers(12).map((n) => ['XADD', 'k', `${n}-1`, 'f', n, 'g', 'text']),
    ['XGROUP', 'CREATE', 'k', 'g1', '3'],
    ['XDEL', 'k', '5-1'],
  ],
];

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}
