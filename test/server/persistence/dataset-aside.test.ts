/**
 * A dataset that is loaded aside is all or nothing: whole, in whatever pieces it comes, it takes
 * the place of the old one; cut off at any byte, or damaged, it leaves nothing behind.
 */
import { expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import {
  DatasetAside,
  type DatasetAsideDeps,
} from '../../../src/server/persistence/dataset-aside.ts';
import { contents, loadInto, makeKeyspace, put, saved } from '../../persistence/rdb/rdb-support.ts';

function filled(name: string, keys: number): Keyspace {
  const keyspace = makeKeyspace();
  for (let i = 0; i < keys; i++) put(keyspace, i % 3, `${name}:${i}`, `value ${i}`.repeat(i % 50));
  return keyspace;
}

const THEIRS = filled('theirs', 200);
const FILE = Buffer.from(saved(THEIRS, { compress: false }));

function asideOf(
  keyspace: Keyspace,
  deps: Partial<DatasetAsideDeps> = {},
): { aside: DatasetAside; over: () => number } {
  const databases = keyspace.databasesAside();
  const reader = RdbReader.fed();
  let overs = 0;
  const aside = new DatasetAside({
    keyspace,
    databases,
    reader,
    load: loadInto(keyspace, reader, { databases, expired: 'keep' }),
    sliceMs: 5,
    rest: () => Promise.resolve(),
    onProgress: () => undefined,
    onOver: () => {
      overs++;
    },
    ...deps,
  });
  return { aside, over: () => overs };
}

async function feed(aside: DatasetAside, bytes: Uint8Array, piece: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += piece) {
    await aside.writeAll(bytes, at, Math.min(piece, bytes.length - at));
  }
  await aside.end();
}

/** Frees all that waits to be freed; what the arena holds then. */
function settledBytes(keyspace: Keyspace): number {
  while (keyspace.freeSlice(1000));
  return keyspace.arena.usedBytes;
}

it.each([1, 7, 500, 1 << 20])('in pieces of %i bytes takes the place of all', async (piece) => {
  const keyspace = filled('ours', 50);
  const before = contents(keyspace);
  const { aside, over } = asideOf(keyspace);
  await feed(aside, FILE, piece);
  expect(contents(keyspace)).toEqual(before);
  expect(over()).toBe(0);
  aside.install();
  expect(contents(keyspace)).toEqual(contents(THEIRS));
  aside.giveUp();
  expect(over()).toBe(1);
  while (keyspace.freeSlice(1000));
  expect(contents(keyspace)).toEqual(contents(THEIRS));
});

it('cut off or damaged leaves what stood, and no memory in use', async () => {
  const keyspace = filled('ours', 50);
  const before = contents(keyspace);
  const bytes = settledBytes(keyspace);
  const damaged = Buffer.from(FILE);
  damaged[damaged.length - 1]! ^= 1;
  const wrong: Uint8Array[] = [damaged, Buffer.concat([FILE, Buffer.from('x')])];
  for (let at = 0; at < FILE.length; at += 997) wrong.push(FILE.subarray(0, at));
  for (const one of wrong) {
    const { aside, over } = asideOf(keyspace);
    await expect(feed(aside, one, 333)).rejects.toThrow();
    aside.giveUp();
    expect(over()).toBe(1);
    expect(settledBytes(keyspace)).toBe(bytes);
  }
  expect(contents(keyspace)).toEqual(before);
});

it('lets the loop have its turn between its slices, whose time is that of the clock', async () => {
  const keyspace = makeKeyspace();
  const startMs = keyspace.nowMs;
  const heard: number[] = [];
  let rests = 0;
  const { aside } = asideOf(keyspace, {
    sliceMs: 0,
    rest: async () => {
      rests++;
    },
    onProgress: (bytes) => heard.push(bytes),
  });
  await feed(aside, FILE, FILE.length);
  expect(rests).toBeGreaterThan(3);
  expect(keyspace.nowMs).toBeGreaterThan(startMs);
  expect(heard.at(-1)).toBe(FILE.length);
  expect(heard).toEqual(heard.toSorted((a, b) => a - b));
});
