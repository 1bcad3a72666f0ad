/** Memory of what was flushed comes back in slices; FLUSHALL SYNC answers when it has. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CHUNK_BYTES, ChunkSpace } from '../../../src/core/memory/chunk-space.ts';
import { startCairnServer } from '../../support/cairn-server.ts';
import { InsideServer } from '../../support/inside.ts';
import type { RawClient } from '../../support/raw-client.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const KEYS = 100_000;
let server: ServerProcess;
let client: RawClient;
let inside: InsideServer;

beforeAll(async () => {
  server = await startCairnServer({ config: { 'enable-debug-command': 'yes' } });
  client = await server.connect();
  inside = await InsideServer.open();
});
afterAll(async () => {
  await inside?.close();
  await server?.close();
});

async function usedBytes(): Promise<number> {
  const stats = (await client.value('MEMORY', 'STATS')) as unknown[];
  return Number(stats[stats.indexOf('total.allocated') + 1]);
}

async function fill(): Promise<number> {
  await client.value('DEBUG', 'POPULATE', KEYS, 'k', 100);
  const used = await usedBytes();
  expect(used).toBeGreaterThan(KEYS * 100);
  return used;
}

describe('flushing', () => {
  it('SYNC answers when the memory is back', async () => {
    const full = await fill();
    const replies = await client.pipeline([['FLUSHALL', 'SYNC'], ['DBSIZE'], ['MEMORY', 'STATS']]);
    expect(replies[0]?.value).toBe('OK');
    expect(replies[1]?.value).toBe(0);
    const stats = replies[2]?.value as unknown[];
    const used = Number(stats[stats.indexOf('total.allocated') + 1]);
    expect(used).toBeLessThan(full / 100);
  });

  it('ASYNC answers at once, and the memory follows', async () => {
    const full = await fill();
    expect(await client.value('FLUSHDB', 'ASYNC')).toBe('OK');
    expect(await client.value('DBSIZE')).toBe(0);
    await vi.waitFor(async () => expect(await usedBytes()).toBeLessThan(full / 100), {
      timeout: 60_000,
    });
  });

  it('other clients go on while one waits for SYNC', async () => {
    await fill();
    const other = await server.connect();
    const flushed = client.send('FLUSHALL');
    expect(await other.value('SET', 'a', '1')).toBe('OK');
    expect((await flushed).value).toBe('OK');
    expect(await client.value('FLUSHALL')).toBe('OK');
    other.close();
  });

  it('inside a transaction SYNC frees everything on the spot', async () => {
    const full = await fill();
    await client.pipeline([['MULTI'], ['FLUSHALL', 'SYNC'], ['MEMORY', 'STATS']]);
    const [flushed, stats] = (await client.value('EXEC')) as [unknown, unknown[]];
    expect(flushed).toBe('OK');
    expect(Number(stats[stats.indexOf('total.allocated') + 1])).toBeLessThan(full / 100);
  });

  it('FLUSHALL leaves nothing unsaved where there are save points', async () => {
    const unsaved = async (): Promise<string | undefined> =>
      /rdb_changes_since_last_save:(\d+)/.exec(String(await client.value('INFO')))?.[1];
    await client.pipeline([['SET', 'a', '1'], ['FLUSHALL']]);
    expect(Number(await unsaved())).toBeGreaterThan(0);
    await client.pipeline([['CONFIG', 'SET', 'save', '3600 1'], ['SET', 'a', '1'], ['FLUSHALL']]);
    expect(await unsaved()).toBe('0');
    await client.pipeline([['MULTI'], ['FLUSHALL'], ['SET', 'a', '1'], ['EXEC']]);
    expect(await unsaved()).toBe('0');
    await client.pipeline([['CONFIG', 'SET', 'save', ''], ['FLUSHALL']]);
  });

  it('goes on after the client that waited has left', async () => {
    const full = await fill();
    const leaving = await server.connect();
    leaving.write('*1\r\n$8\r\nFLUSHALL\r\n');
    leaving.close();
    await vi.waitFor(async () => expect(await usedBytes()).toBeLessThan(full / 100), {
      timeout: 60_000,
    });
    expect(await client.value('PING')).toBe('PONG');
  });
});

describe('what is freed', () => {
  const watchTaken = (): number[] => {
    const { arena } = inside.server.keyspace;
    const taken: number[] = [];
    vi.spyOn(arena, 'takeEmptied').mockImplementation((bytes) => {
      const some = ChunkSpace.prototype.takeEmptied.call(arena, bytes);
      taken.push(some.length);
      return some;
    });
    return taken;
  };

  it('goes back within a second, too, when it is little', async () => {
    inside.run('SET', 'a', 'x'.repeat(100_000));
    const taken = watchTaken();
    inside.run('DEL', 'a');
    await vi.waitFor(() => expect(taken).toContain(1), { timeout: 60_000 });
  });

  it('goes back to the system one chunk a slice, to the last', async () => {
    const { keyspace, lazyFree } = inside.server;
    const { arena } = keyspace;
    inside.run('DEBUG', 'POPULATE', KEYS, 'k', 100);
    const before = arena.reservedBytes;
    expect(before).toBeGreaterThan(3 * CHUNK_BYTES);
    const taken = watchTaken();
    inside.run('FLUSHALL', 'ASYNC');
    await lazyFree.done();
    await vi.waitFor(() => expect(arena.hasEmptied).toBe(false), 60_000);
    expect(Math.max(...taken)).toBe(1);
    const given = taken.reduce((sum, count) => sum + count, 0);
    expect(before - arena.reservedBytes).toBeLessThanOrEqual(given * CHUNK_BYTES);
  });

  it('goes back at once, to the last chunk, for MEMORY PURGE', () => {
    const { keyspace, lazyFree } = inside.server;
    const { arena } = keyspace;
    inside.run('DEBUG', 'POPULATE', KEYS, 'k', 100);
    const before = arena.reservedBytes;
    inside.run('FLUSHALL', 'ASYNC');
    lazyFree.drain();
    expect(inside.run('MEMORY', 'PURGE')).toBe('OK');
    // Which of them its hash has emptied before differs; two at least there are.
    expect(before - arena.reservedBytes).toBeGreaterThanOrEqual(2 * CHUNK_BYTES);
    expect(arena.hasEmptied).toBe(false);
  });
});
