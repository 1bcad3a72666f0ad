/**
 * What the log hears of long saves: with a clock that runs six seconds ahead at each look, a line
 * is always due.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Config } from '../../../src/server/config/config.ts';
import { silentLog } from '../../../src/server/log.ts';
import { SnapshotMaker } from '../../../src/server/persistence/snapshot-maker.ts';
import { SnapshotRunner } from '../../../src/server/persistence/snapshot-runner.ts';
import { makeKeyspace, put } from '../../persistence/rdb/rdb-support.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

const KEYS = 200;
let lines: string[];
let slices: (() => void)[];
let snapshots: SnapshotRunner;
let maker: SnapshotMaker;

beforeEach(() => {
  lines = [];
  slices = [];
  const log = { ...silentLog, notice: (line: string) => void lines.push(line) };
  const keyspace = makeKeyspace(2);
  for (let i = 0; i < KEYS; i++) put(keyspace, i % 2, `key:${i}`, `value ${i}`);
  snapshots = new SnapshotRunner(log, 1000, (slice) => slices.push(slice));
  const fs = new FaultyFileSystem();
  fs.mkdirSync('/data');
  maker = new SnapshotMaker({
    config: new Config(),
    log,
    keyspace,
    fs,
    helper: { begin: () => {}, data: () => {}, end: () => {}, leave: () => {}, resume: () => {} },
    snapshots,
    replicationAux: () => ({}),
    functions: () => [],
  });
  let nowMs = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => {
    nowMs += 6000;
    return nowMs;
  });
});

afterEach(() => vi.restoreAllMocks());

it('SAVE tells how many keys it has written', () => {
  maker.saveInPlace('/data/dump.rdb');
  expect(lines.length).toBeGreaterThan(2);
  expect(lines[0]).toMatch(/^Saving: \d+\.\d% of 200 keys after \d+ s$/);
  expect(lines.at(-1)).toMatch(/^Saving: 100\.0% of 200 keys after \d+ s$/);
});

it.each([
  ['save', 'Saving'],
  ['rewrite', 'Rewriting the AOF'],
  ['sync', 'Sending the dataset to replicas'],
] as const)('a snapshot that is a %s says so and how far it is', async (purpose, what) => {
  const target = { stream: { take: () => true, room: () => new Uint8Array(1) } };
  const done = maker.begin(purpose, target, { aux: {}, dataset: true, functions: true });
  slices.shift()?.();
  expect(lines).toEqual([`${what}: 0.0% of 200 keys after 6 s`]);
  snapshots.abort();
  await expect(done).rejects.toThrow('aborted');
});
