/**
 * Large arguments: a string keeps the bytes where they were received, whatever else happens to them
 * within the command, and they leave nothing behind when they are not kept.
 */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { emptyDisk, InProcessServer } from '../support/in-process-server.ts';
import { type Argument, encodeCommand, type RawClient } from '../support/raw-client.ts';

const SIZES = [100_001, 4_194_304, 4_200_003];

function bytesOf(size: number, seed: number): Buffer {
  return Buffer.alloc(size, Buffer.from(Array.from({ length: 997 }, (_, i) => (i * seed) & 255)));
}

describe.each(SIZES)('arguments of %i bytes', (size) => {
  const [a, b, c] = [1, 2, 3].map((seed) => bytesOf(size, seed)) as [Buffer, Buffer, Buffer];
  const fs = emptyDisk();
  let one: InProcessServer;
  let client: RawClient;
  let usedBefore: number;

  beforeAll(async () => {
    one = await InProcessServer.start(fs, { 'enable-debug-command': 'yes' });
    client = await one.connect();
    await client.value('FLUSHALL', 'SYNC');
    usedBefore = one.server.keyspace.arena.usedBytes;
  });
  afterEach(async () => {
    await client.value('FLUSHALL', 'SYNC');
    const { arena } = one.server.keyspace;
    expect([arena.usedBytes, arena.freedWhileLentBytes]).toEqual([usedBefore, 0]);
  });
  afterAll(() => one.abandon());

  /** What a key holds. */
  const get = async (key: string): Promise<Buffer | null> => {
    const value = await client.value('GET', key);
    return value === null ? null : Buffer.from(String(value), 'latin1');
  };

  /** What another server finds in the log is what this one has. */
  const expectLogged = async (): Promise<void> => {
    const digest = await client.value('DEBUG', 'DIGEST');
    await client.value('DEBUG', 'LOADAOF');
    expect(await client.value('DEBUG', 'DIGEST')).toBe(digest);
  };

  const all = async (...commands: Argument[][]): Promise<unknown[]> =>
    (await client.pipeline(commands)).map((reply) => reply.value);

  it('are what the key holds, and change with it afterwards', async () => {
    expect(await all(['SET', 'k', a], ['APPEND', 'k', 'x'], ['SETRANGE', 'k', 0, 'yz'])).toEqual([
      'OK',
      size + 1,
      size + 1,
    ]);
    const expected = Buffer.concat([a, Buffer.from('x')]);
    expected.write('yz', 0, 'latin1');
    expect(expected.equals((await get('k'))!)).toBe(true);
  });

  it('are logged as they came when the value has gone within the command', async () => {
    expect(await all(['MSET', 'k', a, 'k', b, 'j', c])).toEqual(['OK']);
    expect(b.equals((await get('k'))!)).toBe(true);
    expect(c.equals((await get('j'))!)).toBe(true);
    await expectLogged();
  });

  it('may be keys as well, of the very same command', async () => {
    expect(await all(['SET', a, a], ['APPEND', 'new', a])).toEqual(['OK', size]);
    expect(a.equals((await get('new'))!)).toBe(true);
    await client.value('RENAME', a, 'k');
    expect(a.equals((await get('k'))!)).toBe(true);
  });

  it('wait in a transaction where they lie', async () => {
    await all(['MULTI'], ['SET', 'k', a], ['APPEND', 'k', 'x'], ['SET', 'j', b]);
    expect(await client.value('EXEC')).toEqual(['OK', size + 1, 'OK']);
    expect(Buffer.concat([a, Buffer.from('x')]).equals((await get('k'))!)).toBe(true);
    await all(['MULTI'], ['SET', 'j', a, 'GET'], ['MSET', 'j', b, 'j', c], ['GET', 'j'], ['EXEC']);
    expect(c.equals((await get('j'))!)).toBe(true);
    await all(['MULTI'], ['SET', 'j', a], ['DISCARD']);
    expect(c.equals((await get('j'))!)).toBe(true);
    await all(['SETBIT', 'j', 1, 1], ['SETBIT', 'k', 2, 0]);
    await expectLogged();
  });

  it('leave nothing behind when they are refused, or belong to a collection', async () => {
    expect(
      await all(
        ['SET', 'k', a, 'XX'],
        ['RPUSH', 'list', a, b],
        ['PUBLISH', 'nobody', a],
        ['APPEND', 'list', b],
        ['ECHO'],
      ),
    ).toMatchObject([
      null,
      2,
      0,
      { error: expect.stringMatching(/WRONGTYPE/) },
      { error: expect.stringMatching(/number of arguments/) },
    ]);
    expect(await client.value('LLEN', 'list')).toBe(2);
  });

  it('count while they wait for the rest of their command, and go with their client', async () => {
    const { memory, keyspace } = one.server;
    const idle = memory.usedBytes;
    const other = await one.connect();
    await other.value('CLIENT', 'SETNAME', 'other');
    const whole = encodeCommand(['MSET', 'k', a, 'j', b]);
    other.write(whole.subarray(0, whole.length - size / 2));
    const line = async (): Promise<string> => {
      const list = String(await client.value('CLIENT', 'LIST'));
      return list.split('\n').find((text) => text.includes('name=other')) ?? '';
    };
    await expect.poll(line).toContain(`argv-mem=${size} `);
    const queryBytes = Number(/ qbuf=(\d+)/.exec(await line())![1]);
    expect([queryBytes >= size, queryBytes < size + 100]).toEqual([true, true]);
    expect(memory.usedBytes - idle).toBeGreaterThan(2 * size);
    other.close();
    await expect.poll(() => memory.usedBytes - idle).toBeLessThan(size / 2);
    expect(keyspace.databases[0]!.dict.count).toBe(0);
  });
});

describe.skipIf(process.platform !== 'linux')('an argument of 128 MB', () => {
  const SIZE = 128 << 20;

  /** A line of the process's status, in bytes. */
  const status = (pid: number, name: string): number => {
    const text = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)![1]) * 1024;
  };

  it('is held once, and its memory goes when the key goes', async () => {
    const server = await startCairnServer();
    const client = await server.connect();
    const before = status(server.pid, 'VmRSS');
    await client.value('SET', 'k', Buffer.alloc(SIZE, 'a'));
    expect(status(server.pid, 'VmHWM') - before).toBeLessThan(SIZE * 1.5);
    await client.value('BITOP', 'NOT', 'j', 'k');
    expect(status(server.pid, 'VmHWM') - before).toBeLessThan(SIZE * 2.5);
    await client.value('DEL', 'k', 'j');
    await client.value('LPUSH', 'list', Buffer.alloc(SIZE, 'a'));
    await client.value('DEL', 'list');
    await vi.waitFor(() => expect(status(server.pid, 'VmRSS') - before).toBeLessThan(SIZE / 2), {
      timeout: 60_000,
    });
    await server.close();
  });

  it.each(['everysec', 'always'])(
    'leaves no buffers of the log behind, fsync %s',
    async (fsync) => {
      const server = await startCairnServer({ config: { appendonly: 'yes', appendfsync: fsync } });
      const client = await server.connect();
      const before = status(server.pid, 'VmRSS');
      await client.value('SETEX', 'k', 1000, Buffer.alloc(SIZE, 'a'));
      expect(status(server.pid, 'VmHWM') - before).toBeLessThan(SIZE * 3.5);
      await vi.waitFor(
        () => expect(status(server.pid, 'VmRSS') - before).toBeLessThan(SIZE * 1.5),
        {
          timeout: 60_000,
        },
      );
      await server.close();
    },
  );
});
