/**
 * Watched keys, subscriptions and tracked keys count with what their names take, and to the byte
 * no longer once they have been let go.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyDisk, InProcessServer } from '../../support/in-process-server.ts';
import type { RawClient } from '../../support/raw-client.ts';

const LONG = 'x'.repeat(100_000);

let one: InProcessServer;
let client: RawClient;
let other: RawClient;
let atRest = 0;
beforeAll(async () => {
  one = await InProcessServer.start(emptyDisk(), { appendonly: false });
});
afterAll(() => one.abandon());
beforeEach(async () => {
  client = await one.connect();
  other = await one.connect();
  for (const each of [client, other]) await each.send('PING');
  atRest = grown(0);
});
afterEach(async () => {
  for (const each of [client, other]) each.close();
  await expect.poll(() => one.server.clients.size).toBe(0);
  await one.server.config.set([['tracking-table-max-keys', '1000000']], {
    loading: false,
    local: true,
  });
});

/** Bytes that are used now, beyond `before`. */
function grown(before = atRest): number {
  return one.server.memory.usedBytes - before;
}

async function clientsLeft(count: number): Promise<void> {
  await expect.poll(() => one.server.clients.size).toBe(count);
}

describe('watched keys', () => {
  it.each([
    ['UNWATCH', ['UNWATCH']],
    ['DISCARD', ['MULTI', 'DISCARD']],
    ['EXEC', ['MULTI', 'EXEC']],
    ['RESET', ['RESET']],
  ])('count until %s', async (_, words) => {
    await client.send('WATCH', `${LONG}1`, 'k', `${LONG}1`);
    const once = grown();
    expect(once).toBeGreaterThan(2 * LONG.length);
    expect(once).toBeLessThan(2 * LONG.length + 2000);
    await other.send('WATCH', `${LONG}1`, 'k');
    expect(grown()).toBe(2 * once);
    await other.send('UNWATCH');
    for (const word of words) await client.send(word);
    expect(grown()).toBe(0);
  });

  it('count no longer when their client has gone', async () => {
    const gone = await one.connect();
    await gone.send('WATCH', LONG);
    gone.close();
    await clientsLeft(2);
    expect(grown()).toBe(0);
  });
});

describe('keys that are waited for', () => {
  it.each([
    ['BLPOP', (name: string) => ['BLPOP', name, 'k', 0]],
    ['XREAD', (name: string) => ['XREAD', 'BLOCK', 0, 'STREAMS', name, 'k', '$', '$']],
  ])('by %s count until the wait is over', async (_, commandOf) => {
    const id = String(await client.value('CLIENT', 'ID'));
    const answer = client.send(...commandOf(LONG));
    await expect.poll(() => one.server.blocking.size).toBe(1);
    expect(grown()).toBeGreaterThan(3 * LONG.length);
    expect(grown()).toBeLessThan(3 * LONG.length + 2000);
    await other.send('CLIENT', 'UNBLOCK', id);
    await answer;
    expect(grown()).toBe(0);
  });
});

describe('subscriptions', () => {
  it.each([
    ['SUBSCRIBE', 'UNSUBSCRIBE', 1],
    ['PSUBSCRIBE', 'PUNSUBSCRIBE', 2],
    ['SSUBSCRIBE', 'SUNSUBSCRIBE', 1],
  ])('of %s count until they are taken back', async (begin, end, copies) => {
    await client.send(begin, LONG);
    const once = grown();
    expect(once).toBeGreaterThan(copies * LONG.length);
    expect(once).toBeLessThan(copies * LONG.length + 2000);
    await client.send(begin, LONG);
    expect(grown()).toBe(once);
    await client.send(begin, 'other');
    const both = grown();
    await client.send(end, LONG);
    expect(both - grown()).toBeGreaterThan(copies * LONG.length);
    await client.send(end, 'other');
    expect(grown()).toBe(0);
    await client.send(begin, LONG);
    await client.send(end);
    expect(grown()).toBe(0);
    await client.send(begin, LONG);
    await client.send('RESET');
    expect(grown()).toBe(0);
  });

  it('count no longer when their client has gone', async () => {
    const gone = await one.connect();
    await gone.send('SUBSCRIBE', LONG);
    await gone.send('PSUBSCRIBE', LONG);
    gone.close();
    await clientsLeft(2);
    expect(grown()).toBe(0);
  });
});

describe('the table of tracked keys', () => {
  const track = async (who: RawClient, ...options: string[]): Promise<void> => {
    await who.send('HELLO', 3);
    await who.send('CLIENT', 'TRACKING', 'ON', ...options);
  };

  it('counts names and readers until keys change', async () => {
    await track(client);
    const tracking = grown();
    await client.send('GET', LONG);
    const once = grown();
    expect(once - tracking).toBeGreaterThan(LONG.length);
    expect(once - tracking).toBeLessThan(LONG.length + 1000);
    await client.send('GET', LONG);
    expect(grown()).toBe(once);
    await track(other);
    await other.send('GET', LONG);
    expect(grown()).toBeGreaterThan(once);
    expect(grown()).toBeLessThan(once + 300);
    await other.send('DEL', LONG);
    await other.send('SET', LONG, 'v');
    await other.send('DEL', LONG);
    expect(grown()).toBe(tracking);
  });

  it('counts until a database is emptied, also for a client that has gone', async () => {
    const gone = await one.connect();
    await track(gone);
    await gone.send('GET', LONG);
    gone.close();
    await clientsLeft(2);
    expect(grown()).toBeGreaterThan(LONG.length);
    await other.send('FLUSHALL');
    expect(grown()).toBe(0);
  });

  it('counts no keys that tracking-table-max-keys has forgotten', async () => {
    await track(client);
    const tracking = grown();
    await client.send('GET', `${LONG}1`);
    const once = grown();
    await other.send('CONFIG', 'SET', 'tracking-table-max-keys', 1);
    await client.send('GET', `${LONG}2`);
    expect(grown()).toBe(once);
    await other.send('FLUSHALL');
    expect(grown()).toBe(tracking);
  });

  it('counts prefixes until tracking ends', async () => {
    await track(client, 'BCAST', 'PREFIX', LONG, 'PREFIX', 'a');
    expect(grown()).toBeGreaterThan(LONG.length + 600);
    await client.send('CLIENT', 'TRACKING', 'OFF');
    expect(grown()).toBe(0);
  });
});

it('CLIENT LIST shows them with their client', async () => {
  const total = async (): Promise<number> => {
    const line = String(await client.value('CLIENT', 'INFO'));
    return Number(/tot-mem=(\d+)/.exec(line)?.[1]);
  };
  const before = await total();
  await client.send('WATCH', LONG);
  expect((await total()) - before).toBeGreaterThan(2 * LONG.length);
});
