/**
 * A large dump of a real server loads with an equal DEBUG DIGEST; what BGSAVE makes of it passes
 * the real checker and gives the real server the same digest again. `CRASH_KEYS` says how many
 * keys.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { Random } from '../support/random.ts';
import { encodeCommand, type RawClient } from '../support/raw-client.ts';
import { findTool, requireRedisServer, startRealServer } from '../support/real-server.ts';
import type { ServerProcess } from '../support/server-process.ts';

const KEYS = Number(process.env.CRASH_KEYS ?? 50_000);
const BATCH = 2000;
const DAY_MS = 86_400_000;
const CONFIG = { 'enable-debug-command': 'yes' };
const TIMEOUT_MS = 600_000;

const servers: ServerProcess[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** An int, embstr or raw value; one in a thousand is large. */
function value(random: Random): string {
  const kind = random.next();
  if (kind < 0.25) return `${random.between(-1e15, 1e15)}`;
  if (kind < 0.35) return `${random.between(0, 9999)}`;
  if (kind < 0.65) return random.bytes(random.between(1, 44));
  if (kind < 0.85) return 'text '.repeat(random.between(9, 60));
  if (kind < 0.999) return random.bytes(random.between(45, 200));
  return 'large '.repeat(random.between(2000, 8000));
}

async function fill(client: RawClient, random: Random): Promise<void> {
  for (let from = 0; from < KEYS; from += BATCH) {
    const parts: Buffer[] = [];
    for (let i = from; i < Math.min(KEYS, from + BATCH); i++) {
      const words = ['SET', `key:${i}`, value(random)];
      if (i % 3 === 0) words.push('PXAT', `${Date.now() + DAY_MS + random.between(0, DAY_MS)}`);
      parts.push(encodeCommand(words));
    }
    client.write(Buffer.concat(parts));
    for (const _ of parts) await client.read();
  }
}

async function saved(client: RawClient): Promise<void> {
  expect(await client.value('BGSAVE')).toBe('Background saving started');
  for (const endMs = Date.now() + TIMEOUT_MS; Date.now() < endMs; ) {
    const info = String(await client.value('INFO', 'persistence'));
    expect(info).toContain('rdb_last_bgsave_status:ok');
    if (info.includes('rdb_bgsave_in_progress:0')) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('BGSAVE never ended');
}

const checker = findTool('redis-check-rdb');
describe.skipIf(requireRedisServer() === null || checker === null)('a large dump', () => {
  it(
    `of ${KEYS} keys keeps its digest on both ways`,
    async () => {
      const real = await startRealServer({ config: CONFIG });
      servers.push(real);
      const realClient = await real.connect({ timeoutMs: TIMEOUT_MS });
      await fill(realClient, new Random(1));
      expect(await realClient.value('SAVE')).toBe('OK');
      const digest = await realClient.value('DEBUG', 'DIGEST');
      const dump = join(real.dir, 'dump.rdb');

      // An empty server first, so that its folder is its own.
      const cairn = await startCairnServer({ config: CONFIG });
      servers.push(cairn);
      await cairn.kill();
      copyFileSync(dump, join(cairn.dir, 'dump.rdb'));
      const startMs = performance.now();
      await cairn.startAgain({ readyTimeoutMs: TIMEOUT_MS });
      const loadMs = performance.now() - startMs;
      const client = await cairn.connect({ timeoutMs: TIMEOUT_MS });
      expect(await client.value('DBSIZE')).toBe(KEYS);
      expect(await client.value('DEBUG', 'DIGEST')).toBe(digest);

      const saveMs = performance.now();
      await saved(client);
      process.stderr.write(
        `${KEYS} keys, ${statSync(dump).size} bytes: started in ${Math.round(loadMs)} ms, ` +
          `saved in ${Math.round(performance.now() - saveMs)} ms\n`,
      );
      const own = join(cairn.dir, 'dump.rdb');
      expect(execFileSync(checker ?? '', [own], { encoding: 'utf8' })).toContain('RDB looks OK');
      copyFileSync(own, dump);
      expect(await realClient.value('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
      expect(await realClient.value('DEBUG', 'DIGEST')).toBe(digest);
      client.close();
      realClient.close();
    },
    TIMEOUT_MS,
  );
});
