/**
 * DEBUG RELOAD and LOADAOF of a server that is at work: nothing that was acknowledged is lost, and
 * nothing is run between what goes and what is loaded.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startCairnServer } from '../../support/cairn-server.ts';
import { ask } from '../../support/in-process-scene.ts';
import type { RawClient } from '../../support/raw-client.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const CLIENTS = 4;
const LOADS = 8;
const KEYS = 2000;

let server: ServerProcess;
afterEach(() => server.close());

async function start(appendfsync: string): Promise<RawClient> {
  const config = { 'enable-debug-command': 'yes', appendonly: 'yes', appendfsync };
  server = await startCairnServer({ config });
  return server.connect();
}

async function startAgain(): Promise<RawClient> {
  await server.kill();
  await server.startAgain();
  return server.connect();
}

/** Counts up, two at a time, until told to stop: every answer must be one more than the last. */
async function countUp(key: string, isOver: () => boolean): Promise<number> {
  const client = await server.connect();
  let last = 0;
  while (!isOver()) {
    const replies = await client.pipeline([
      ['INCR', key],
      ['INCR', key],
    ]);
    for (const { value } of replies) if (typeof value === 'number') expect(value).toBe(++last);
  }
  client.close();
  return last;
}

describe('LOADAOF under load', () => {
  it.each(['everysec', 'always'])(
    'keeps what was acknowledged, and its order: %s',
    async (policy) => {
      let client = await start(policy);
      let over = false;
      const keys = Array.from({ length: CLIENTS }, (_, i) => `c${i}`);
      const counting = keys.map((key) => countUp(key, () => over));
      for (let i = 0; i < LOADS; i++) {
        const [, loaded] = await client.pipeline([
          ['SET', 'before', String(i)],
          ['DEBUG', 'LOADAOF'],
        ]);
        expect(loaded?.value).toBe('OK');
        expect(await client.value('GET', 'before')).toBe(String(i));
      }
      over = true;
      const counts = (await Promise.all(counting)).map(String);
      expect(await client.value('MGET', ...keys)).toEqual(counts);
      client = await startAgain();
      expect(await client.value('MGET', ...keys)).toEqual(counts);
    },
  );
});

describe('who waits for a key while the dataset is loaded', () => {
  const group = ['XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>'];

  it.each([
    ['a list', 'LOADAOF', ['BLPOP', 'q', '0'], ['RPUSH', 'q', '2'], ['q', '2']],
    ['a list', 'RELOAD', ['BLPOP', 'q', '0'], ['RPUSH', 'q', '2'], ['q', '2']],
    ['a group', 'LOADAOF', group, ['XADD', 's', '2', 'f', 'v'], [['s', [['2-0', ['f', 'v']]]]]],
    ['a group', 'RELOAD', group, ['XADD', 's', '2', 'f', 'v'], [['s', [['2-0', ['f', 'v']]]]]],
  ])('gets nothing that had gone, and goes on waiting: %s, %s', async (_, name, wait, act, got) => {
    const client = await start('everysec');
    const waiting = await server.connect();
    await client.pipeline([
      ['RPUSH', 'q', '1'],
      ['LPOP', 'q'],
      ['XADD', 's', '1', 'f', 'v'],
      ['XGROUP', 'CREATE', 's', 'g', '$'],
    ]);
    const answer = waiting.send(...wait);
    const clients = async (): Promise<string> => String(await client.value('INFO', 'clients'));
    await expect.poll(clients).toContain('blocked_clients:1\r\n');
    expect(await client.value('DEBUG', name)).toBe('OK');
    expect(await clients()).toContain('blocked_clients:1\r\n');
    await client.send(...act);
    expect((await answer).value).toEqual(got);
  });

  it('is served when it has come with the dataset, and that is kept', async () => {
    let client = await start('everysec');
    const waiting = await server.connect();
    await client.pipeline([['RPUSH', 'q', '1'], ['SAVE'], ['LPOP', 'q'], ['SET', 'after', '1']]);
    const answer = waiting.send('BLPOP', 'q', '0');
    const clients = async (): Promise<string> => String(await client.value('INFO', 'clients'));
    await expect.poll(clients).toContain('blocked_clients:1\r\n');
    await client.pipeline([['DEBUG', 'RELOAD', 'NOSAVE'], ['BGREWRITEAOF']]);
    expect((await answer).value).toEqual(['q', '1']);
    expect(await client.value('EXISTS', 'q')).toBe(0);
    client = await startAgain();
    expect(await client.value('EXISTS', 'q')).toBe(0);
  });
});

describe('a second load', () => {
  const FEW = 50;

  /** A server with some keys, of which each takes so many microseconds to be loaded. */
  async function slow(delayUs: number): Promise<RawClient> {
    const client = await start('everysec');
    await client.pipeline(Array.from({ length: FEW }, (_, i) => ['SET', `k${i}`, 'v']));
    await client.value('BGREWRITEAOF');
    const info = async (): Promise<string> => String(await client.value('INFO', 'persistence'));
    await expect.poll(info, { timeout: 60_000 }).toContain('aof_rewrites:1\r\n');
    await client.value('CONFIG', 'SET', 'key-load-delay', delayUs);
    return client;
  }

  it.each([
    ['RELOAD', 'RELOAD'],
    ['RELOAD', 'LOADAOF'],
    ['LOADAOF', 'RELOAD'],
    ['LOADAOF', 'LOADAOF'],
  ])('is refused while the first is under way: %s, then %s', async (one, other) => {
    const client = await slow(1_000_000);
    const second = await server.connect();
    const answer = client.value('DEBUG', one);
    const info = async (): Promise<string> => String(await second.value('INFO', 'persistence'));
    await expect.poll(info, { interval: 1 }).toContain('loading:1\r\n');
    expect(await second.value('DEBUG', other)).toMatchObject({
      error: expect.stringMatching(/^LOADING/),
    });
    expect(await second.value('CONFIG', 'SET', 'key-load-delay', '0')).toBe('OK');
    expect(await answer).toBe('OK');
    expect(await client.value('DBSIZE')).toBe(FEW);
    expect(await client.value('DEBUG', one, ...(one === 'RELOAD' ? ['NOSAVE'] : []))).toBe('OK');
    expect(await client.value('DBSIZE')).toBe(FEW);
  });

  it('that waits for the same rewrite is refused when the first begins', async () => {
    const client = await slow(5000);
    const second = await server.connect();
    await client.pipeline([['CONFIG', 'SET', 'rdb-key-save-delay', '5000'], ['BGREWRITEAOF']]);
    const info = async (): Promise<string> => String(await client.value('INFO', 'persistence'));
    // It may be over by when it is looked for.
    await expect.poll(info).toMatch(/aof_rewrite_in_progress:1|aof_rewrites:2/);
    const third = await server.connect();
    const answers = [second, third].map((one) => ask(one, 'DEBUG', 'LOADAOF'));
    const [refused, loaded] = (await Promise.all(answers)).sort();
    expect([refused, loaded]).toEqual([expect.stringMatching(/^LOADING/), 'OK']);
    expect(await client.value('DBSIZE')).toBe(FEW);
  });
});

describe('a rewrite that was asked for just before', () => {
  it.each(['RELOAD', 'LOADAOF'])('holds the whole dataset after DEBUG %s', async (name) => {
    let client = await start('everysec');
    await client.pipeline(Array.from({ length: KEYS }, (_, i) => ['SET', `k${i}`, 'v']));
    await client.value('CONFIG', 'SET', 'key-load-delay', '50');
    const commands = [['BGREWRITEAOF'], ['DEBUG', name], ['DBSIZE']];
    const [, loaded, size] = await client.pipeline(commands);
    expect([loaded?.value, size?.value]).toEqual(['OK', KEYS]);
    await vi.waitFor(
      async () => {
        const info = String(await client.value('INFO', 'persistence'));
        expect(info).toContain('aof_rewrites:1\r\n');
      },
      { timeout: 60_000, interval: 20 },
    );
    client = await startAgain();
    expect(await client.value('DBSIZE')).toBe(KEYS);
  });
});
