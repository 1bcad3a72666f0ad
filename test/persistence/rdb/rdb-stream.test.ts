/**
 * Streams from outside that contradict themselves: refused from a payload, a file and a socket, and
 * nothing of them stays. Others of their like are taken.
 */
import { describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { RDB_STREAM_LISTPACKS } from '../../../src/persistence/rdb/rdb-format.ts';
import { RdbWalk } from '../../../src/persistence/rdb/rdb-walk.ts';
import { checkRdb } from '../../../src/persistence/tools/check-rdb.ts';
import { listpackOf, rdbLength, rdbString } from './rdb-forms.ts';
import { restored } from './rdb-large-support.ts';
import {
  entriesOf,
  fileOf,
  fileReader,
  fromFile,
  loaded,
  loadedInPieces,
  makeKeyspace,
  rdbOf,
  text,
  usedBytes,
} from './rdb-support.ts';

type Id = readonly [ms: number, seq: number];

const raw = ([ms, seq]: Id): string => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(ms, 4);
  bytes.writeUInt32BE(seq, 12);
  return bytes.toString('latin1');
};
const lengths = ([ms, seq]: Id): string =>
  Buffer.concat([rdbLength(ms), rdbLength(seq)]).toString('latin1');

/** A node behind its first id, with entries that are so far behind it. */
function node(first: Id, ...entries: readonly Id[]): string {
  const all = [String(entries.length), '0', '1', 'field', '0'];
  for (const [ms, seq] of entries) all.push('2', String(ms), String(seq), 'value', '4');
  return text(raw(first)) + rdbString(listpackOf(all)).toString('latin1');
}

const EIGHT = '\x01\0\0\0\0\0\0\0';
const pending = (id: Id): string => `${raw(id)}${EIGHT}\x01`;
const consumer = (name: string, ...own: readonly Id[]): string =>
  text(name) + EIGHT + String.fromCharCode(own.length) + own.map(raw).join('');
const counted = (parts: readonly string[]): string =>
  String.fromCharCode(parts.length) + parts.join('');
const group = (name: string, waiting: readonly string[], consumers: readonly string[]): string =>
  text(name) + lengths([5, 1]) + counted(waiting) + counted(consumers);

const NODES = [node([1, 0], [0, 0], [0, 1]), node([5, 0], [0, 0], [0, 1])];
const WAITING = [pending([1, 0]), pending([1, 1])];
const CONSUMERS = [consumer('a', [1, 0]), consumer('b', [1, 1])];
const GROUPS = [group('g', WAITING, CONSUMERS), group('h', [], [consumer('a')])];

type Parts = {
  readonly nodes?: readonly string[];
  readonly length?: number;
  readonly last?: Id;
  readonly groups?: readonly string[];
};

/** A stream, its type byte before it. */
function streamOf({ nodes = NODES, length = 4, last = [5, 1], groups = GROUPS }: Parts): string {
  const type = String.fromCharCode(RDB_STREAM_LISTPACKS);
  return type + counted(nodes) + String.fromCharCode(length) + lengths(last) + counted(groups);
}

const WAYS: Readonly<Record<string, (keyspace: Keyspace, value: string) => unknown>> = {
  payload: (keyspace, value) => {
    const result = restored(keyspace, value);
    if (result instanceof RdbError) throw result;
  },
  file: (keyspace, value) => fromFile(keyspace, fileOf(value)),
  socket: (keyspace, value) => loadedInPieces(fileOf(value), 7, keyspace),
};

const REFUSED: readonly (readonly [string, RegExp, Parts])[] = [
  ['two nodes with one id', /out of order/, { nodes: [NODES[0]!, NODES[0]!], last: [1, 1] }],
  ['nodes in the wrong order', /out of order/, { nodes: [NODES[1]!, NODES[0]!] }],
  ['a node with half an id', /not 16 bytes/, { nodes: [text(raw([1, 0]).slice(8)), NODES[1]!] }],
  ['more entries than its nodes have', /of 5 entries whose nodes hold 4/, { length: 5 }],
  ['fewer entries than its nodes have', /of 3 entries whose nodes hold 4/, { length: 3 }],
  ['a group twice', /group twice/, { groups: [GROUPS[0]!, GROUPS[0]!] }],
  [
    'an entry that waits twice',
    /pending twice/,
    { groups: [group('g', [...WAITING, pending([1, 1])], CONSUMERS)] },
  ],
  [
    'a consumer twice',
    /consumer twice/,
    { groups: [group('g', WAITING, [...CONSUMERS, consumer('a')])] },
  ],
  [
    'an entry that waits for a consumer only',
    /not for its group/,
    { groups: [group('g', WAITING, [...CONSUMERS, consumer('c', [5, 0])])] },
  ],
  [
    'an entry that waits for two consumers',
    /for two consumers/,
    { groups: [group('g', WAITING, [...CONSUMERS, consumer('c', [1, 1])])] },
  ],
  [
    'an entry that waits for nobody',
    /for nobody/,
    { groups: [group('g', WAITING, CONSUMERS.slice(1)), GROUPS[1]!] },
  ],
];

describe.each(Object.entries(WAYS))('a stream from a %s', (_from, load) => {
  it('is taken when all of it agrees', () => {
    const keyspace = makeKeyspace();
    load(keyspace, streamOf({}));
    expect([...entriesOf(keyspace)]).toHaveLength(1);
  });

  it.each(REFUSED)('is refused with %s, and nothing stays', (_what, message, parts) => {
    const keyspace = makeKeyspace();
    const before = usedBytes(keyspace);
    expect(() => load(keyspace, streamOf(parts))).toThrow(message);
    expect([...entriesOf(keyspace)]).toEqual([]);
    expect(usedBytes(keyspace)).toBe(before);
  });
});

describe('the entries of a stream', () => {
  const deep = (file: Uint8Array) => loaded(fileReader(file), { deep: true }).load.keys;

  it.each([
    ['one of which stands behind the last id', { last: [5, 0] }],
    ['out of order', { nodes: [NODES[0]!, node([5, 0], [0, 1], [0, 0])] }],
    [
      'in a node that begins within the one before',
      { nodes: [node([1, 0], [0, 0], [5, 0]), NODES[1]!] },
    ],
  ] as const)('are looked at where that is wished: %s', (_what, parts) => {
    const file = fileOf(streamOf(parts));
    expect(loaded(fileReader(file)).load.keys).toBe(1);
    expect(() => deep(file)).toThrow(RdbError);
  });

  it('are in order for each stream alone', () => {
    const late = streamOf({});
    const early = streamOf({ nodes: [node([0, 1], [0, 0])], length: 1, last: [0, 1], groups: [] });
    const parts = [late, early].map(
      (value, i) => value.slice(0, 1) + text(`k${i}`) + value.slice(1),
    );
    expect(deep(rdbOf('REDIS0010', ...parts, 0xff))).toBe(2);
  });
});

describe('a check of a stream', () => {
  const error = (value: string): string => checkRdb(fileReader(fileOf(value)), 0).error ?? '';

  it('finds nothing where all of it agrees, also in groups that are alike', () => {
    expect(error(streamOf({}))).toBe('');
    const alike = ['g', 'h'].map((name) => group(name, WAITING, CONSUMERS));
    expect(error(streamOf({ groups: alike }))).toBe('');
  });

  it.each(REFUSED)('finds %s', (_what, message, parts) => {
    expect(error(streamOf(parts))).toMatch(new RegExp(`${message.source}|pending .* out of order`));
  });

  it('finds a damaged node', () => {
    const torn = rdbString(listpackOf(['2', '0', '1', 'field', '0', '2', '0'])).toString('latin1');
    const nodes = [text(raw([1, 0])) + torn, NODES[1]!];
    expect(error(streamOf({ nodes }))).toMatch(/damaged node/);
  });

  it('tells when each entry was delivered, and what an old file does not know', () => {
    const ids = Array.from({ length: 200 }, (_, i): Id => [1, i]);
    const waiting = ids.map((id, i) => `${raw(id)}${String.fromCharCode(i)}${EIGHT.slice(1)}\x01`);
    const size = '\x40\xc8';
    const own = text('a') + EIGHT + size + ids.map(raw).join('');
    const groups = [text('g') + lengths([5, 1]) + size + waiting.join('') + counted([own])];
    const told: [string, number][] = [];
    const seen: unknown[] = [];
    new RdbWalk(fileReader(fileOf(streamOf({ groups }))), {
      pending: (id, deliveredMs) => told.push([`${id}`, deliveredMs]),
      consumer: (name, seenMs, activeMs) => seen.push([name, seenMs, activeMs]),
      streamFacts: ({ entriesAdded, length }) => seen.push([entriesAdded, length]),
    }).run();
    expect(told).toEqual(ids.map(([ms, seq], i) => [`${ms}-${seq}`, i]));
    expect(seen).toEqual([
      [4n, 4],
      ['a', 1, 1],
    ]);
  });

  it('does not count or show an entry that was deleted', () => {
    const all = [
      '1',
      '1',
      '1',
      'field',
      '0',
      '3',
      '0',
      '0',
      'gone',
      '4',
      '2',
      '0',
      '1',
      'here',
      '4',
    ];
    const deleted = text(raw([1, 0])) + rdbString(listpackOf(all)).toString('latin1');
    const shown: string[] = [];
    const value = streamOf({ nodes: [deleted], length: 1, last: [1, 1], groups: [] });
    new RdbWalk(fileReader(fileOf(value)), {
      streamEntry: (id) => shown.push(`${id}`),
      streamField: (_, word) => shown.push(word.latin1()),
    }).run();
    expect(shown).toEqual(['1-1', 'here']);
  });
});
