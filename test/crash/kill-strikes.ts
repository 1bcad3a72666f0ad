/**
 * The ways in which the crash tests end a server that is being written to.
 */
import { readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../support/random.ts';
import type { ServerProcess } from '../support/server-process.ts';

export type Strike =
  | 'any moment'
  | 'during BGSAVE'
  | 'during BGREWRITEAOF'
  | 'after BGREWRITEAOF'
  | 'at a change of files'
  | 'after BGSAVE lost its child'
  | 'while the policy changes'
  | 'after the AOF was off and on'
  | 'during SIGTERM'
  | 'SIGTERM alone';

export const STRIKES: readonly Strike[] = [
  'any moment',
  'any moment',
  'during BGSAVE',
  'during BGREWRITEAOF',
  'after BGREWRITEAOF',
  'at a change of files',
  'at a change of files',
  'after BGSAVE lost its child',
  'while the policy changes',
  'after the AOF was off and on',
  'during SIGTERM',
  'SIGTERM alone',
];

/** File events of one rewrite are about this many. */
const FILE_EVENTS_MAX = 18;
/** How long a process may take to be seen as ended. */
const EXIT_WAIT_MS = 2000;
const FILE_EVENTS_WAIT_MS = 1200;
const AOF_WAIT_MS_MAX = 60_000;

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Ends the server, which has been under load for a moment. */
export async function strike(kind: Strike, server: ServerProcess, random: Random): Promise<void> {
  switch (kind) {
    case 'any moment':
      await sleep(random.between(0, 120));
      break;
    case 'during BGSAVE':
      await tell(server, 'BGSAVE');
      await sleep(random.between(0, 250));
      break;
    case 'during BGREWRITEAOF':
      await tell(server, 'BGREWRITEAOF');
      await sleep(random.between(0, 400));
      break;
    case 'after BGREWRITEAOF':
      await tell(server, 'BGREWRITEAOF');
      await waitForAof(server);
      await sleep(random.between(0, 60));
      break;
    case 'at a change of files':
      await killAtFileEvent(server, random.between(1, FILE_EVENTS_MAX));
      break;
    case 'after BGSAVE lost its child':
      await tell(server, random.pick(['BGSAVE', 'BGREWRITEAOF']));
      await sleep(random.between(0, 20));
      for (const pid of childrenOf(server.pid)) process.kill(pid, 'SIGKILL');
      await sleep(random.between(0, 60));
      break;
    case 'while the policy changes':
      for (const policy of random.shuffled(['always', 'everysec', 'no', 'always'])) {
        await tell(server, 'CONFIG', 'SET', 'appendfsync', policy);
        await sleep(random.between(0, 20));
      }
      break;
    case 'after the AOF was off and on':
      await switchAof(server, random);
      await waitForAof(server);
      await sleep(random.between(0, 60));
      break;
    case 'during SIGTERM':
      process.kill(server.pid, 'SIGTERM');
      await sleep(random.between(0, 30));
      break;
    case 'SIGTERM alone':
      await server.stop();
      break;
  }
  const { code, signal } = await server.kill();
  const mayEnd = kind === 'during SIGTERM' || kind === 'SIGTERM alone';
  if (signal === 'SIGKILL' || (mayEnd && code === 0)) return;
  throw new Error(`${kind}: the server ended by itself with ${code ?? signal}\n${server.logText}`);
}

/** Sends a command and waits for its answer, an error included; a dead server is no error here. */
export async function tell(server: ServerProcess, ...words: string[]): Promise<void> {
  try {
    const client = await server.connect();
    await client.send(...words).finally(() => client.close());
  } catch (error) {
    // The end of a connection may be seen before that of the process.
    for (let ms = 0; ms < EXIT_WAIT_MS && server.isRunning; ms += 10) await sleep(10);
    if (server.isRunning) throw new Error(`${words.join(' ')} was not answered`, { cause: error });
  }
}

/** Switches the AOF off and on, a few times, with rewrites asked for before and in between. */
async function switchAof(server: ServerProcess, random: Random): Promise<void> {
  for (let times = random.between(1, 3); times > 0; times--) {
    if (random.chance(0.5)) await tell(server, 'BGREWRITEAOF');
    await sleep(random.between(0, 30));
    await tell(server, 'CONFIG', 'SET', 'appendonly', 'no');
    if (random.chance(0.4)) await tell(server, 'BGREWRITEAOF');
    await sleep(random.between(0, 30));
    await tell(server, 'CONFIG', 'SET', 'appendonly', 'yes');
  }
}

/** Waits until the AOF is on and no rewrite runs; the first one brings everything into it. */
export async function waitForAof(server: ServerProcess): Promise<void> {
  const client = await server.connect();
  try {
    for (const endMs = Date.now() + AOF_WAIT_MS_MAX; Date.now() < endMs; await sleep(5)) {
      const info = String(await client.value('INFO', 'persistence'));
      const isBusy = /aof_rewrite_(in_progress|scheduled):1/.test(info);
      if (isBusy) continue;
      if (info.includes('aof_enabled:1') && info.includes('aof_last_bgrewrite_status:ok')) return;
    }
  } finally {
    client.close();
  }
  throw new Error('a rewrite of the AOF never ended');
}

/** Rewrites, and kills as soon as the AOF folder has seen so many changes of names. */
async function killAtFileEvent(server: ServerProcess, events: number): Promise<void> {
  let left = events;
  const watcher = watch(join(server.dir, 'appendonlydir'), (kind) => {
    if (kind === 'rename' && --left === 0) void server.kill();
  });
  try {
    await tell(server, 'BGREWRITEAOF');
    for (let ms = 0; ms < FILE_EVENTS_WAIT_MS && left > 0; ms += 5) await sleep(5);
  } finally {
    watcher.close();
  }
}

/** PIDs of a process's children; none where the system does not tell. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) =>
        readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
      )
      .map(Number);
  } catch {
    return [];
  }
}
