/**
 * Clients that wait for keys: what one that is run again in vain leaves behind, what a dataset that
 * is being loaded gives nobody, and what is counted of a wait that ends by time.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';

const scene = new InProcessScene({ 'enable-debug-command': 'yes' });

afterEach(() => scene.end());

describe('a client that waits', () => {
  it('stands in its queue once, however often it is run in vain', async () => {
    const server = await scene.start(emptyDisk());
    const { blocking } = server.server;
    const [client, other] = [await scene.connect(server), await scene.connect(server)];
    const read = ask(client, 'XREAD', 'BLOCK', 0, 'STREAMS', 's', '5-5');
    await until('it waits', () => blocking.size === 1);
    await ask(other, 'XADD', 's', '3-3', 'f', 'v');
    await ask(other, 'XADD', 's', '4-4', 'f', 'v');
    expect([blocking.size, blocking.keyCount]).toEqual([1, 1]);
    await ask(other, 'XADD', 's', '6-6', 'f', 'v');
    expect(await read).toEqual([['s', [['6-6', ['f', 'v']]]]]);
    expect([blocking.size, blocking.keyCount]).toEqual([0, 0]);
    const popped = ask(client, 'BLPOP', 'list', 0);
    await until('it waits again', () => blocking.size === 1);
    await ask(other, 'XADD', 's', '7-7', 'f', 'v');
    await ask(other, 'RPUSH', 'list', 'element');
    expect(await popped).toEqual(['list', 'element']);
  });

  it('gets nothing of what a dataset that is being loaded has only for a while', async () => {
    const server = await scene.start(emptyDisk());
    const { blocking } = server.server;
    const [client, other] = [await scene.connect(server), await scene.connect(server)];
    await ask(other, 'RPUSH', 'list', 'old');
    await ask(other, 'LPOP', 'list');
    const popped = ask(client, 'BLPOP', 'list', 0);
    await until('it waits', () => blocking.size === 1);
    expect(await ask(other, 'DEBUG', 'LOADAOF')).toBe('OK');
    expect(blocking.size).toBe(1);
    expect(await ask(other, 'RPUSH', 'list', 'new')).toBe(1);
    expect(await popped).toEqual(['list', 'new']);
  });

  it('has its command counted once when time is up', async () => {
    const server = await scene.start(emptyDisk());
    const { commands, stats } = server.server;
    const client = await scene.connect(server);
    const { calls } = commands.byName('blpop')!.stats;
    const { commandsProcessed } = stats;
    expect(await ask(client, 'BLPOP', 'list', 0.01)).toBe(null);
    expect(commands.byName('blpop')!.stats.calls).toBe(calls + 1);
    expect(stats.commandsProcessed).toBe(commandsProcessed + 1);
  });

  it('has a key that expired removed in a unit of its own', async () => {
    const server = await scene.start(emptyDisk());
    const { activeExpiry, blocking, keyspace, propagator } = server.server;
    const [client, other] = [await scene.connect(server), await scene.connect(server)];
    activeExpiry.enabled = false;
    await ask(other, 'XADD', 's', '1-1', 'f', 'v');
    await ask(other, 'PEXPIRE', 's', 3_600_000);
    void client.value('XREAD', 'BLOCK', 0, 'STREAMS', 's', '$').catch(() => {});
    await until('it waits', () => blocking.size === 1);
    await ask(other, 'SET', 'key', 'value');
    keyspace.nowMs += 3_700_000;
    blocking.signal(0, Buffer.from('s'), 0, 1);
    blocking.serve();
    const journal = Buffer.from(propagator.journal.subarray(0, propagator.length)).toString();
    expect(journal).toBe('*2\r\n$3\r\nDEL\r\n$1\r\ns\r\n');
  });
});
