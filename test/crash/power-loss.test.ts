/**
 * Power loss under a running server: its clients, its turns, its rewrites, on a disk that forgets
 * what was not fsynced.
 *
 *   always           every acknowledged transaction is found again
 *   everysec, no     a prefix of what was executed, with everything that had been fsynced
 *
 * The transactions are those of the snapshot tests: a total that is the sum of the writers' own
 * numbers tells a hole from a prefix, over all clients.
 */
import { describe, expect, it } from 'vitest';
import { SnapshotWriter } from '../integration/snapshot-load.ts';
import type { NameLoss } from '../support/faulty-file-system.ts';
import { emptyDisk, InProcessServer } from '../support/in-process-server.ts';
import { Random } from '../support/random.ts';
import { type Floor, lookAt, type Policy, SETTINGS } from './server-look.ts';

const SEEDS = Number(process.env.CRASH_POWER ?? 12);
const FIRST_SEED = Number(process.env.CRASH_SEED ?? 1);
const LOSSES: readonly NameLoss[] = ['none', 'all', 'prefix', 'some'];
const WRITERS = 3;
const COMMANDS = ['HSET', 'SADD'];

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs a load for a while, with rewrites; gives what had been answered when last all was synced.
 */
async function load(
  server: InProcessServer,
  writers: readonly SnapshotWriter[],
  random: Random,
  loadMsMax: number,
): Promise<Floor> {
  const { aof } = server.server.persistence.aof;
  let floor: Floor = writers.map(() => 0);
  const client = await server.connect();
  const endMs = performance.now() + random.between(20, loadMsMax);
  while (performance.now() < endMs) {
    await sleep(random.between(1, 12));
    // Read before: what was answered then was appended before the fsync that is over now.
    const answered = writers.map((one) => one.answered);
    if (aof.syncedBytes === aof.appendedBytes) floor = answered;
    if (random.chance(0.05)) await client.send('BGREWRITEAOF');
  }
  client.close();
  return floor;
}

/** Gives how many acknowledged transactions the policy did not promise to keep. */
async function round(policy: Policy, seed: number): Promise<number> {
  const random = new Random(seed);
  const loss = random.pick(LOSSES);
  const fs = emptyDisk();
  const server = await InProcessServer.start(fs, { ...SETTINGS, appendfsync: policy });
  const writers = Array.from(
    { length: WRITERS },
    (_, id) => new SnapshotWriter(id, server.port, new Random(seed * 10 + id), 8, COMMANDS),
  );
  const synced = await load(server, writers, random, policy === 'always' ? 400 : 1800);
  const cut = fs.cutPower(seed, loss);
  // Replies that had left the server arrive; the dead disk lets no others go.
  await sleep(20);
  const answered = writers.map((one) => one.answered);
  const floor = policy === 'always' ? answered : synced;
  for (const writer of writers) writer.close();
  await server.abandon().catch(() => undefined);
  const before = server.log.join('\n');
  await lookAt(cut, policy, writers, floor).catch((error) => {
    throw new Error(`${policy}, seed ${seed}, ${loss}: ${String(error)}\n${before}`);
  });
  // What a start has shown to clients is there after the next cut as well.
  await lookAt(cut.cutPower(seed + 1, loss), policy, writers, floor);
  return answered.reduce((sum, one, i) => sum + one - (floor[i] ?? 0), 0);
}

describe('power loss', () => {
  it.each(['always', 'everysec', 'no'] as const)(
    'takes no more than it may under appendfsync %s',
    async (policy) => {
      let atRisk = 0;
      for (let seed = 0; seed < SEEDS; seed += 4) {
        const rounds = Array.from({ length: 4 }, (_, i) => round(policy, FIRST_SEED + seed + i));
        for (const one of await Promise.all(rounds)) atRisk += one;
      }
      // Without `always` something must be at risk, or the disk is too kind.
      if (policy === 'always') expect(atRisk).toBe(0);
      else expect(atRisk).toBeGreaterThan(0);
    },
    240_000 + SEEDS * 5000,
  );
});

describe('power loss after an end or a save', () => {
  const digestOf = async (server: InProcessServer): Promise<unknown> => {
    const client = await server.connect();
    const digest = await client.value('DEBUG', 'DIGEST');
    client.close();
    return digest;
  };

  it.each(['always', 'everysec', 'no'])('costs nothing after SHUTDOWN under %s', async (policy) => {
    const settings = { ...SETTINGS, appendfsync: policy };
    for (const [seed, loss] of LOSSES.entries()) {
      const fs = emptyDisk();
      const server = await InProcessServer.start(fs, settings);
      const writer = new SnapshotWriter(0, server.port, new Random(seed), 8, COMMANDS);
      while (writer.answered <= 10) await sleep(5);
      await sleep(60);
      while (writer.answered <= 10) await sleep(5);
      expect(await server.server.close({ save: undefined, now: false, force: false })).toBe(
        undefined,
      );
      await sleep(20);
      writer.close();
      const answered = writer.answered;
      expect(answered).toBeGreaterThan(10);
      await lookAt(fs.cutPower(seed, loss), policy as Policy, [writer], [answered]);
    }
  });

  it('costs nothing that SAVE has answered', async () => {
    for (const [seed, loss] of LOSSES.entries()) {
      const fs = emptyDisk();
      const server = await InProcessServer.start(fs, { ...SETTINGS, appendonly: false });
      const client = await server.connect();
      const commands = Array.from({ length: 300 }, (_, i) => ['SET', `k${i}`, 'v'.repeat(i)]);
      await client.pipeline(commands);
      expect(await client.value('SAVE')).toBe('OK');
      const digest = await digestOf(server);
      const cut = fs.cutPower(seed, loss);
      client.close();
      await server.abandon().catch(() => undefined);
      const again = await InProcessServer.start(cut, { ...SETTINGS, appendonly: false });
      expect(await digestOf(again)).toBe(digest);
      await again.abandon();
    }
  });
});
