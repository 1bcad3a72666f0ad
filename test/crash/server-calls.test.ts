/**
 * A whole server, with clients, rewrites to both kinds of base and a save, on a disk that breaks at
 * the n-th call of a kind:
 *
 *   the process ends, before, half way through or after it; what a start finds then on the disk as
 *                      it is, and on what is left of it when the power goes at the same moment
 *   the call fails     with EIO or ENOSPC: writes are refused or the process ends (`always`), and
 *                      when the disk is well again so is the server, its rewrite and its save
 *
 * The calls of snapshots are among them: here they go through the same disk. Some points here, more
 * with `npm run crash -- --only calls --rounds N`.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { SnapshotWriter } from '../integration/snapshot-load.ts';
import type { Failure, FaultyFileSystem, NameLoss } from '../support/faulty-file-system.ts';
import { emptyDisk, InProcessServer } from '../support/in-process-server.ts';
import { Random } from '../support/random.ts';
import type { RawClient } from '../support/raw-client.ts';
import { ReplyError } from '../support/resp-reader.ts';
import { type Floor, lookAt, type Policy, SETTINGS } from './server-look.ts';

const POINTS = Math.ceil(Number(process.env.CRASH_POWER ?? 32) / 8);
const SEED = Number(process.env.CRASH_SEED ?? 1);
const LOSSES: readonly NameLoss[] = ['none', 'all', 'prefix', 'some'];
const WRITERS = 3;
const WAIT_MS_MAX = 60_000;
/** These change nothing on the disk. */
const HARMLESS = new Set(['read', 'stat', 'fstat', 'readdir', 'statfs', 'mkdir']);

const open: InProcessServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.abandon().catch(() => undefined);
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for something, and no longer than the process lives. */
async function until(fs: FaultyFileSystem, what: string, holds: () => boolean): Promise<void> {
  for (const endMs = Date.now() + WAIT_MS_MAX; Date.now() < endMs; ) {
    if (fs.dead || holds()) return;
    await sleep(2);
  }
  throw new Error(`never: ${what}`);
}

/** Sends a command; null when the process ends, or its connection does, before the answer. */
async function ask(fs: FaultyFileSystem, client: RawClient, ...words: string[]): Promise<unknown> {
  let value: unknown = null;
  let isOver = false;
  client.value(...words).then(
    (answer) => {
      value = answer instanceof ReplyError ? answer.error : answer;
      isOver = true;
    },
    () => {
      isOver = true;
    },
  );
  await until(fs, `an answer to ${words[0]}`, () => isOver);
  return value;
}

/** A rewrite to an RDB, a save, a rewrite to commands, as far as the process lives. */
async function acts(fs: FaultyFileSystem, server: InProcessServer): Promise<void> {
  const client = await server.connect({ timeoutMs: WAIT_MS_MAX });
  const { persistence } = server.server;
  const isDone = (): boolean => server.exitCode !== undefined || !persistence.isBusy;
  for (const command of ['BGREWRITEAOF', 'BGSAVE', 'CONFIG SET aof-use-rdb-preamble no']) {
    await ask(fs, client, ...command.split(' '));
    await until(fs, `${command} is over`, isDone);
  }
  await ask(fs, client, 'BGREWRITEAOF');
  await until(fs, 'the rewrite is over', isDone);
  client.close();
}

/** The points to be broken: some of each kind of call that the acts make, in random order. */
async function points(policy: Policy, random: Random): Promise<[kind: string, n: number][]> {
  const fs = emptyDisk();
  const server = await InProcessServer.start(fs, { ...SETTINGS, appendfsync: policy });
  open.push(server);
  const writer = new SnapshotWriter(0, server.port, random, 8, ['HSET', 'SADD']);
  await acts(fs, server);
  writer.close();
  await server.abandon();
  const all = [...fs.kindCalls].flatMap(([kind, count]) =>
    HARMLESS.has(kind)
      ? []
      : Array.from({ length: Math.min(count, 40) }, (_, i): [string, number] => [kind, i + 1]),
  );
  expect(all.length).toBeGreaterThan(80);
  return random.shuffled(all);
}

/** Ends the process at a call, and looks at what is left, without power and with it. */
async function endAt(policy: Policy, kind: string, n: number, failure: Failure): Promise<boolean> {
  const random = new Random(SEED + n);
  const fs = emptyDisk();
  fs.breakCallOf(kind, n, failure);
  const server = await InProcessServer.start(fs, { ...SETTINGS, appendfsync: policy }).catch(
    () => undefined,
  );
  if (server === undefined) {
    await lookAt(fs.kill(), policy, [], []);
    return true;
  }
  open.push(server);
  const writers = Array.from(
    { length: WRITERS },
    (_, id) => new SnapshotWriter(id, server.port, new Random(n * 10 + id), 8, ['HSET', 'SADD']),
  );
  let answered: Floor = [];
  fs.onDeath = () => {
    answered = writers.map((one) => one.answered);
  };
  await acts(fs, server).catch((error) => {
    if (!fs.dead) throw error;
  });
  const hasEnded = fs.dead;
  if (!hasEnded) answered = writers.map((one) => one.answered);
  const [power, alive] = [fs.cutPower(n, random.pick(LOSSES)), fs.kill()];
  for (const writer of writers) writer.close();
  await server.abandon().catch(() => undefined);
  // Less is left without power, and a writer goes forward only.
  await lookAt(power, policy, writers, policy === 'always' ? answered : writers.map(() => 0));
  await lookAt(alive, policy, writers, answered);
  return hasEnded;
}

/** One client that writes a key at a time, and knows of each what the server may hold. */
class CarefulWriter {
  readonly may = new Map<string, Set<string>>();
  refused = 0;
  acknowledged = 0;
  readonly #client: RawClient;
  readonly #prefix: string;
  #number = 0;
  #stopped = false;
  readonly done: Promise<void>;

  constructor(id: number, client: RawClient) {
    this.#prefix = `w${id}:`;
    this.#client = client;
    this.done = this.#run();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const key = `${this.#prefix}${++this.#number % 7}`;
      const value = `${this.#number}`;
      const before = this.may.get(key) ?? new Set(['']);
      this.may.set(key, new Set([...before, value]));
      const answer = await this.#client.value('SET', key, value).catch(() => null);
      if (answer === null) return;
      const isRefused = answer instanceof ReplyError;
      this.may.set(key, isRefused ? before : new Set([value]));
      if (!isRefused) this.acknowledged++;
      else if (/^MISCONF/.test(answer.error)) this.refused++;
      else throw new Error(answer.error);
      await sleep(isRefused ? 5 : 0);
    }
  }
}

/** What the keys of the careful writers hold on a disk. */
async function expectKept(fs: FaultyFileSystem, writers: readonly CarefulWriter[]): Promise<void> {
  const server = await InProcessServer.start(fs, SETTINGS);
  open.push(server);
  const client = await server.connect();
  for (const [key, may] of writers.flatMap((writer) => [...writer.may])) {
    const found = await client.value('GET', key);
    expect([...may], key).toContain(found === null ? '' : String(found));
  }
  client.close();
  await server.abandon();
}

/** After the failure: writes are taken, and a rewrite and a save succeed. */
async function expectWell(
  fs: FaultyFileSystem,
  server: InProcessServer,
  writers: readonly CarefulWriter[],
): Promise<void> {
  const before = writers.map((one) => one.acknowledged);
  const hasEnded = (): boolean => server.exitCode !== undefined;
  await until(fs, 'writes are taken again', () => {
    return hasEnded() || writers.every((one, i) => one.acknowledged > (before[i] ?? 0));
  });
  const client = await server.connect({ timeoutMs: WAIT_MS_MAX });
  const { persistence } = server.server;
  const areWell = (): boolean => persistence.aof.rewrites.lastOk && persistence.rdb.lastOk;
  // It may be in one of these that the call fails; then the next attempt succeeds.
  for (let attempt = 0; attempt === 0 || (attempt < 3 && !areWell()); attempt++) {
    for (const command of ['BGREWRITEAOF', 'BGSAVE']) {
      await until(fs, 'nothing is going on', () => hasEnded() || !persistence.isBusy);
      await client.value(command);
      await until(fs, `${command} is over`, () => hasEnded() || !persistence.isBusy);
    }
  }
  expect(areWell()).toBe(true);
  client.close();
}

/** Fails one call; gives whether the server went on, or ended as it must under `always`. */
async function failAt(policy: Policy, kind: string, n: number, code: string): Promise<boolean> {
  const fs = emptyDisk();
  fs.breakCallOf(kind, n, { kind: 'error', code });
  const settings = { ...SETTINGS, appendfsync: policy };
  const server = await InProcessServer.start(fs, settings).catch(() => undefined);
  if (server === undefined) {
    await expectKept(fs.kill(), []);
    return false;
  }
  open.push(server);
  // All connections stand before the first write, which may be the one that fails.
  const clients = Array.from({ length: WRITERS }, () => {
    return server.connect({ timeoutMs: WAIT_MS_MAX });
  });
  const writers = (await Promise.all(clients)).map((one, i) => new CarefulWriter(i, one));
  await acts(fs, server)
    .then(() => expectWell(fs, server, writers))
    .catch((error) => {
      if (server.exitCode === undefined) throw error;
    });
  const hasEnded = server.exitCode !== undefined;
  if (hasEnded) expect(policy).toBe('always');
  for (const writer of writers) writer.stop();
  if (!hasEnded) await Promise.all(writers.map((writer) => writer.done));
  const disk = fs.kill();
  await server.abandon().catch(() => undefined);
  await Promise.all(writers.map((writer) => writer.done));
  await expectKept(disk, writers);
  return !hasEnded;
}

const POLICIES = ['always', 'everysec', 'no'] as const;

describe.each(POLICIES)('a server under appendfsync %s', (policy) => {
  it(
    'that ends at a call keeps what it must, with and without power',
    async () => {
      const random = new Random(SEED * 7);
      let ended = 0;
      for (const [i, [kind, n]] of (await points(policy, random)).entries()) {
        // The number of turns differs from run to run: further points are tried for those not met.
        if (i >= POINTS && (ended * 2 > POINTS || i === POINTS * 4)) break;
        const moments = kind === 'write' ? ['before', 'half', 'after'] : ['before', 'after'];
        const when = random.pick(moments) as 'before' | 'half' | 'after';
        const hasEnded = await endAt(policy, kind, n, { kind: 'kill', when }).catch((error) => {
          throw new Error(`${when} ${kind} ${n}, seed ${SEED}: ${String(error)}`, { cause: error });
        });
        if (hasEnded) ended++;
      }
      expect(ended).toBeGreaterThan(POINTS / 2);
    },
    240_000 + POINTS * 20_000,
  );

  it(
    'one of whose calls fails goes on, or ends, and loses nothing',
    async () => {
      const random = new Random(SEED * 13);
      for (const [kind, n] of (await points(policy, random)).slice(0, POINTS)) {
        const code = random.pick(['EIO', 'ENOSPC']);
        await failAt(policy, kind, n, code).catch((error) => {
          throw new Error(`${code} at ${kind} ${n}, seed ${SEED}: ${String(error)}`, {
            cause: error,
          });
        });
      }
    },
    240_000 + POINTS * 30_000,
  );
});
