/**
 * BGSAVE while clients write as fast as they can: the dump holds the dataset at its first instant,
 * no write before it is missing, no write after it is in. A real server loads the dumps.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { OPTIONAL_COMMANDS } from '../crash/kill-operations.ts';
import { observe } from '../crash/observe.ts';
import { startCairnServer } from '../support/cairn-server.ts';
import { Random } from '../support/random.ts';
import type { RawClient } from '../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { SnapshotWriter } from './snapshot-load.ts';

const ROUNDS = Number(process.env.CRASH_SNAPSHOTS ?? 8);
const SEED = Number(process.env.CRASH_SEED ?? 1);
const ROUND_MS_MAX = 30_000;
const WRITERS = 3;
const KEYS_OF_A_KIND = 200;
const BALLAST = 30_000;

const servers: ServerProcess[] = [];
let writers: SnapshotWriter[] = [];
afterEach(async () => {
  for (const writer of writers) writer.close();
  for (const server of servers.splice(0)) await server.close();
});

async function putBallast(client: RawClient): Promise<void> {
  await client.send('SELECT', 9);
  for (let i = 0; i < BALLAST; i += 5000) {
    await client.pipeline(
      Array.from({ length: 5000 }, (_, k) => ['SET', `b${i + k}`, 'v'.repeat(k % 100)]),
    );
  }
  await client.send('SELECT', 0);
}

async function saves(client: RawClient): Promise<number> {
  const info = String(await client.value('INFO', 'persistence'));
  expect(info).toContain('rdb_last_bgsave_status:ok');
  return Number(/rdb_saves:(\d+)/.exec(info)?.[1]);
}

const redis = requireRedisServer();
describe.skipIf(redis === null)('BGSAVE and BGREWRITEAOF in a transaction', () => {
  it('wait for its end', async () => {
    const answers: string[] = [];
    for (const start of [startCairnServer, startRealServer]) {
      const server = await start();
      servers.push(server);
      const client = await server.connect();
      for (const name of ['BGSAVE', 'BGREWRITEAOF']) {
        await client.send('MULTI');
        await client.send(name);
        answers.push(String((await client.send('EXEC')).raw));
      }
      client.close();
    }
    expect(answers.slice(0, 2)).toEqual(answers.slice(2));
    expect(answers[0]).toContain('scheduled');
  });
});

describe('an AOF that is switched on while a dump is written', () => {
  it('makes its base behind that, and says so', async () => {
    const server = await startCairnServer({ config: { 'rdb-key-save-delay': 20_000_000 } });
    servers.push(server);
    const client = await server.connect();
    await client.send('SET', 'a', '1');
    await client.send('BGSAVE');
    expect(await client.value('CONFIG', 'SET', 'appendonly', 'yes')).toBe('OK');
    const info = String(await client.value('INFO', 'persistence'));
    expect(info).toMatch(/rdb_bgsave_in_progress:1[\s\S]*aof_rewrite_scheduled:1/);
    expect(await client.value('CONFIG', 'SET', 'appendonly', 'no')).toBe('OK');
    const after = String(await client.value('INFO', 'persistence'));
    expect(after).toMatch(/rdb_bgsave_in_progress:1[\s\S]*aof_rewrite_scheduled:0/);
    // The loop was at work while it served these commands.
    expect(after).toMatch(/\r\nsnapshot_longest_turn_usec:[1-9]/);
    client.close();
  });
});

describe.skipIf(redis === null)('a snapshot under load', () => {
  it(
    `equals the dataset at its first instant, ${ROUNDS} times`,
    async () => {
      const random = new Random(SEED);
      const cairn = await startCairnServer();
      const real = await startRealServer({ config: { 'enable-debug-command': 'yes' } });
      servers.push(cairn, real);
      const client = await cairn.connect({ timeoutMs: 120_000 });
      const loader = await real.connect({ timeoutMs: 120_000 });
      await putBallast(client);
      const infos = await client.value('COMMAND', 'INFO', ...OPTIONAL_COMMANDS);
      const known = OPTIONAL_COMMANDS.filter((_, i) => Array.isArray(infos) && infos[i] !== null);
      writers = Array.from({ length: WRITERS }, (_, id) => {
        const own = new Random(random.between(1, 1e9));
        return new SnapshotWriter(id, cairn.port, own, KEYS_OF_A_KIND, known);
      });
      let meanwhile = 0;
      const startMs = performance.now();
      for (let round = 0; round < ROUNDS; round++) {
        await new Promise((resolve) => setTimeout(resolve, random.between(0, 100)));
        const before = await saves(client);
        const marker = random.pick(writers);
        const marked = await marker.mark();
        const sentThen = writers.reduce((sum, one) => sum + one.sent, 0);
        while ((await saves(client)) === before) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        meanwhile += writers.reduce((sum, one) => sum + one.answered, 0) - sentThen;
        copyFileSync(join(cairn.dir, 'dump.rdb'), join(real.dir, 'dump.rdb'));
        expect(await loader.value('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
        const nowMs = Date.now();
        const observed = await observe(loader, 0);
        const numberOf = (key: string) => Number(observed.get(key)?.content.slice(7) ?? '0');
        const seqs = writers.map((one) => numberOf(`${one.prefix}seq`));
        expect(seqs[writers.indexOf(marker)], `round ${round}`).toBe(marked);
        expect(seqs.reduce((sum, one) => sum + one, 0)).toBe(numberOf('total'));
        for (const [i, writer] of writers.entries()) {
          const own = [...observed].filter(
            ([key]) => key.startsWith(writer.prefix) && !key.endsWith('seq'),
          );
          expect(writer.errors).toEqual([]);
          expect(writer.difference(seqs[i] ?? 0, new Map(own), nowMs), `round ${round}`).toBeNull();
        }
        await loader.send('SELECT', 9);
        expect(await loader.value('DBSIZE')).toBe(BALLAST);
      }
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      const sent = writers.reduce((sum, one) => sum + one.sent, 0);
      process.stderr.write(
        `${ROUNDS} snapshots in ${seconds} s, ${sent} transactions, ${meanwhile} during them\n`,
      );
      // Without writes while a snapshot runs, nothing was shown.
      expect(meanwhile).toBeGreaterThan(ROUNDS * 20);
      client.close();
      loader.close();
    },
    60_000 + ROUNDS * ROUND_MS_MAX,
  );
});
