/**
 * A replica with an AOF of its own ends at every call of a full sync and of the first writes behind
 * it. A start on what it leaves, with the power gone at that moment or not, finds the dataset
 * before or the new one, whole; and what a WAIT on the primary has counted, in any case.
 *
 *     calls   receive, fsync | last fsync of the old AOF, new increment | rename, manifest | turns
 *     finds   the dataset before ..................................... | the new one
 *                                                                         WAIT counts from here
 *
 * Some calls here, all of them with `npm run crash -- --only sync`.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { Failure, FaultyFileSystem, NameLoss } from '../support/faulty-file-system.ts';
import { ask, InProcessScene, until } from '../support/in-process-scene.ts';
import { emptyDisk, type InProcessServer } from '../support/in-process-server.ts';
import { Random } from '../support/random.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { Policy } from './server-look.ts';

const POINTS = Math.ceil(Number(process.env.CRASH_POWER ?? 32) / 2);
const SEED = Number(process.env.CRASH_SEED ?? 1);
const LOSSES: readonly NameLoss[] = ['none', 'all', 'prefix', 'some'];
const OLD_KEYS = 5;
const NEW_KEYS = 40;
/** So many writes behind the sync are waited for. */
const WRITES = 4;

const scene = new InProcessScene({ 'repl-diskless-sync': false });
afterEach(() => scene.end());

interface Pair {
  readonly fs: FaultyFileSystem;
  readonly primary: InProcessServer;
  readonly writer: RawClient;
  readonly replica: InProcessServer;
}

/** A primary, and a server with a dataset of its own that is to follow it. */
async function pair(policy: Policy): Promise<Pair> {
  const primary = await scene.start(emptyDisk(), { appendonly: false });
  const writer = await scene.connect(primary);
  for (let i = 0; i < NEW_KEYS; i++) await ask(writer, 'SET', `new:${i}`, 'v'.repeat(i * 50));
  const fs = emptyDisk();
  const replica = await scene.start(fs, { appendfsync: policy });
  const client = await scene.connect(replica);
  for (let i = 0; i < OLD_KEYS; i++) await ask(client, 'SET', `old:${i}`, i);
  await replica.server.persistence.aof.flush();
  return { fs, primary, writer, replica };
}

/** Syncs and writes, as far as the replica lives; gives the last write that WAIT has counted. */
async function sync({ fs, primary, writer, replica }: Pair): Promise<number> {
  const { replication } = replica.server;
  replication.follow('127.0.0.1', primary.port);
  await until('the link is up', () => fs.dead || replication.follower?.isConnected === true);
  let counted = 0;
  for (let i = 1; i <= WRITES && !fs.dead; i++) {
    await ask(writer, 'SET', 'count', i);
    // What was sent before the end may be counted after it.
    let got: unknown = 0;
    for (let looks = 0; got === 0 && looks < (fs.dead ? 2 : 100); looks++) {
      got = await ask(writer, 'WAIT', 1, 20);
    }
    if (got === 1) counted = i;
  }
  return counted;
}

/** What a start on the disk finds: the old dataset (null), or the new one with the last write. */
async function foundOn(fs: FaultyFileSystem, policy: Policy): Promise<number | null> {
  const server = await scene.start(fs, { appendfsync: policy });
  const client = await scene.connect(server);
  const size = await ask(client, 'DBSIZE');
  const count = await ask(client, 'GET', 'count');
  const isOld = (await ask(client, 'EXISTS', 'old:0')) === 1;
  expect(size).toBe(isOld ? OLD_KEYS : NEW_KEYS + (count === null ? 0 : 1));
  for (let i = 0; i < (isOld ? 0 : NEW_KEYS); i++) {
    expect(await ask(client, 'STRLEN', `new:${i}`)).toBe(i * 50);
  }
  return isOld ? null : Number(count ?? 0);
}

/** Ends the replica at a call; whether it was reached. */
async function endAt(policy: Policy, call: number, random: Random): Promise<boolean> {
  const one = await pair(policy);
  const { fs } = one;
  const when = random.pick(['before', 'half', 'after']) as 'before' | 'half' | 'after';
  const failure: Failure = { kind: 'kill', when };
  fs.breakCall(fs.calls.length + call, failure);
  const counted = await sync(one);
  const isReached = fs.dead;
  const loss = random.pick(LOSSES) as NameLoss;
  const [power, alive] = [fs.cutPower(call, loss), fs.kill()];
  await scene.end();
  const what = `${when} call ${call}, ${loss} lost, ${counted} counted`;
  const kept = await foundOn(alive, policy);
  if (counted > 0) expect(kept, what).toBeGreaterThanOrEqual(counted);
  const left = await foundOn(power, policy);
  if (counted > 0) expect(left, what).not.toBe(null);
  if (policy === 'always') expect(left ?? 0, what).toBeGreaterThanOrEqual(counted);
  await scene.end();
  return isReached;
}

describe.each(['always', 'everysec'] as const)('under appendfsync %s', (policy) => {
  it(
    'a replica that ends in a full sync has the dataset before or the new one',
    async () => {
      const whole = await pair(policy);
      const before = whole.fs.calls.length;
      expect(await sync(whole)).toBe(WRITES);
      const calls = whole.fs.calls.slice(before);
      await scene.end();
      expect(calls).toContain('rename appendonly.aof.2.base.rdb');
      const random = new Random(SEED);
      const numbers = random.shuffled(calls.map((_, i) => i + 1)).slice(0, POINTS);
      let reached = 0;
      for (const number of numbers) {
        const isReached = await endAt(policy, number, random).catch((error) => {
          throw new Error(`call ${number}, seed ${SEED}: ${String(error)}`, { cause: error });
        });
        if (isReached) reached++;
      }
      expect(reached).toBeGreaterThan(numbers.length / 2);
    },
    60_000 + POINTS * 5_000,
  );
});
