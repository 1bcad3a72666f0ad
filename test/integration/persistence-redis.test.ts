/**
 * Folders change hands between Cairn and a real server: what one wrote the other starts from, and
 * DEBUG DIGEST, which is the same algorithm in both, says that the datasets are equal.
 */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { Random } from '../support/random.ts';
import type { RawClient } from '../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import { removeFolder } from '../support/remove-folder.ts';
import type { ServerOptions, ServerProcess } from '../support/server-process.ts';
import { knownMakers, writeDataset } from './random-dataset.ts';

const KEYS = 240;
const SEEDS = Array.from({ length: Number(process.env.CRASH_DATASETS ?? 3) }, (_, i) => i + 1);
/** What is done with a dataset, 1 to 3, goes round with the seeds. */
const wayOf = (seed: number): number => ((seed - 1) % 3) + 1;
const AOF: ServerOptions['config'] = {
  appendonly: 'yes',
  appendfsync: 'everysec',
  'enable-debug-command': 'yes',
  'auto-aof-rewrite-percentage': 0,
};
const RDB: ServerOptions['config'] = { 'enable-debug-command': 'yes' };

type Start = (options: ServerOptions) => Promise<ServerProcess>;

const servers: ServerProcess[] = [];
const startCairn: Start = async (options) => kept(await startCairnServer(options));
const startReal: Start = async (options) => kept(await startRealServer(options));

function kept(server: ServerProcess): ServerProcess {
  servers.push(server);
  return server;
}

const folders: string[] = [];
/** What Cairn has of the generator's commands; a real server has them all. */
let makers: string[] = [];

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'cairn-both-'));
  folders.push(dir);
  return dir;
}

function copyOf(dir: string): string {
  const copy = newFolder();
  cpSync(dir, copy, { recursive: true });
  return copy;
}

async function withClient<T>(
  server: ServerProcess,
  work: (client: RawClient) => Promise<T>,
): Promise<T> {
  const client = await server.connect();
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

async function digestOf(server: ServerProcess): Promise<string> {
  return String(await withClient(server, (client) => client.value('DEBUG', 'DIGEST')));
}

/** Starts a server on a folder, gives its digest, and ends it. */
async function digestIn(start: Start, dir: string, config: ServerOptions['config']) {
  const server = await start({ dir, config: config ?? {} });
  try {
    return await digestOf(server);
  } finally {
    await server.stop();
  }
}

async function rewrite(client: RawClient): Promise<void> {
  await client.send('BGREWRITEAOF');
  for (let left = 12_000; left > 0; left--) {
    const info = String(await client.value('INFO', 'persistence'));
    const pending = /aof_rewrite_(in_progress|scheduled):1/.test(info);
    if (!pending && info.includes('aof_last_bgrewrite_status:ok')) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('the rewrite of the AOF never ended');
}

/** Fills a server's AOF folder, with rewrites in between, and gives the digest at the end. */
async function fill(server: ServerProcess, seed: number, rewrites: number): Promise<string> {
  const random = new Random(seed);
  await withClient(server, async (client) => {
    await writeDataset(client, random, KEYS, makers);
    for (let i = 0; i < rewrites; i++) {
      await rewrite(client);
      await writeDataset(client, random, KEYS, makers);
    }
  });
  return digestOf(server);
}

async function end(server: ServerProcess, how: 'kill -9' | 'SIGTERM'): Promise<void> {
  if (how === 'SIGTERM') expect(await server.stop()).toEqual({ code: 0, signal: null });
  await server.kill();
}

beforeAll(async () => {
  const server = await startCairn({});
  makers = await withClient(server, knownMakers);
  await server.close();
  expect(makers.length).toBeGreaterThan(4);
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  for (const dir of folders.splice(0)) removeFolder(dir);
});

const redis = requireRedisServer();

describe.skipIf(redis === null)('a real server starts from what Cairn wrote', () => {
  const cases = SEEDS.flatMap((seed) =>
    (['kill -9', 'SIGTERM'] as const).map((how) => ({ seed, how, rewrites: wayOf(seed) - 1 })),
  );
  it.each(cases)('as an AOF after $rewrites rewrites, $how', async ({ seed, how, rewrites }) => {
    const dir = newFolder();
    const cairn = await startCairn({ dir, config: { ...AOF } });
    const digest = await fill(cairn, seed, rewrites);
    await end(cairn, how);
    expect(await digestIn(startReal, copyOf(dir), AOF)).toBe(digest);
    expect(await digestIn(startCairn, dir, AOF)).toBe(digest);
  });

  it.each(SEEDS)('as an RDB by SAVE, by BGSAVE and at the end (seed %i)', async (seed) => {
    const dir = newFolder();
    const cairn = await startCairn({ dir, config: { ...RDB } });
    const random = new Random(seed);
    await withClient(cairn, async (client) => {
      await writeDataset(client, random, KEYS, makers);
      if (wayOf(seed) === 1) await client.send('SAVE');
      else if (wayOf(seed) === 2) await client.send('BGSAVE');
    });
    const digest = await digestOf(cairn);
    if (wayOf(seed) === 2) {
      await expect.poll(() => existsSync(join(dir, 'dump.rdb'))).toBe(true);
    }
    if (wayOf(seed) === 3) {
      await withClient(cairn, async (client) => {
        client.write('SHUTDOWN SAVE\r\n');
        await client.waitClosed();
      });
    }
    await cairn.kill();
    expect(await digestIn(startReal, copyOf(dir), RDB)).toBe(digest);
    expect(await digestIn(startCairn, dir, RDB)).toBe(digest);
  });
});

describe.skipIf(redis === null)('Cairn starts from what a real server wrote', () => {
  const cases = SEEDS.flatMap((seed) =>
    (['yes', 'no'] as const).map((preamble) => ({ seed, preamble, rewrites: wayOf(seed) - 1 })),
  );
  it.each(cases)(
    'as an AOF after $rewrites rewrites, aof-use-rdb-preamble $preamble, and back again',
    async ({ seed, preamble, rewrites }) => {
      const dir = newFolder();
      const config = { ...AOF, 'aof-use-rdb-preamble': preamble };
      const real = await startReal({ dir, config });
      const digest = await fill(real, seed, rewrites);
      // A real server gives its buffer to the kernel before it replies, so kill -9 loses nothing.
      await end(real, wayOf(seed) === 2 ? 'SIGTERM' : 'kill -9');
      const cairn = await startCairn({ dir, config: { ...AOF } });
      expect(await digestOf(cairn)).toBe(digest);
      const next = await fill(cairn, seed + 100, wayOf(seed) === 1 ? 0 : 1);
      await end(cairn, 'kill -9');
      expect(await digestIn(startReal, copyOf(dir), AOF)).toBe(next);
      expect(await digestIn(startCairn, dir, AOF)).toBe(next);
    },
  );

  const single = SEEDS.filter((seed) => seed !== 3).map((seed) => ({
    seed,
    preamble: seed % 2 === 1 ? 'yes' : 'no',
  }));
  it.each(single)('as an AOF of a single file, RDB base $preamble (seed $seed)', async (one) => {
    const { seed, preamble } = one;
    const from = newFolder();
    const config = { ...AOF, 'aof-use-rdb-preamble': preamble };
    const real = await startReal({ dir: from, config });
    const digest = await fill(real, seed + 4, 1);
    await end(real, 'SIGTERM');
    const dir = newFolder();
    mkdirSync(dir, { recursive: true });
    for (const name of namesInOrder(join(from, 'appendonlydir'))) {
      appendFileSync(join(dir, 'appendonly.aof'), readFileSync(join(from, 'appendonlydir', name)));
    }
    const cairn = await startCairn({ dir, config: { ...AOF } });
    expect(await digestOf(cairn)).toBe(digest);
    const next = await fill(cairn, seed + 200, 1);
    await end(cairn, 'kill -9');
    expect(await digestIn(startReal, copyOf(dir), AOF)).toBe(next);
    expect(await digestIn(startCairn, dir, AOF)).toBe(next);
  });

  it.each(SEEDS)('as an RDB dump, which also begins an AOF (seed %i)', async (seed) => {
    const dir = newFolder();
    const real = await startReal({ dir, config: { ...RDB } });
    await withClient(real, async (client) => {
      await writeDataset(client, new Random(seed), KEYS, makers);
      await client.send('SAVE');
    });
    const digest = await digestOf(real);
    await end(real, 'kill -9');
    expect(await digestIn(startCairn, dir, RDB)).toBe(digest);
    expect(await digestIn(startCairn, dir, AOF)).toBe(digest);
    expect(await digestIn(startReal, dir, AOF)).toBe(digest);
  });
});

/** Base first, then increments: the order in which they are loaded. */
function namesInOrder(dir: string): string[] {
  const names = readdirSync(dir).filter((name) => !name.endsWith('.manifest'));
  return names.sort((a, b) => Number(b.includes('.base.')) - Number(a.includes('.base.')));
}
