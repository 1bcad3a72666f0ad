/**
 * The stream that a primary keeps for a replica whose full sync lasts: it outgrows the backlog, is
 * counted as memory, serves another replica that was away, and goes with the one that it was for.
 */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { type Node, type NodeKind, nodesOfTest, until } from './replication-nodes.ts';

const { node } = nodesOfTest();
const KINDS: NodeKind[] = requireRedisServer() === null ? ['cairn'] : ['redis', 'cairn'];
const BACKLOG = 16_384;
const VALUE = 'x'.repeat(1024);
let sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
});

/** A connection that asks for the stream, and what it was answered. */
function ask(primary: Node, id: string, nextByte: number): { socket: Socket; text: () => string } {
  const socket = connect(primary.port, '127.0.0.1');
  let text = '';
  // One request at a time: PSYNC is refused while an answer is under way.
  socket.once('data', () => socket.write(`PSYNC ${id} ${nextByte}\r\n`));
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  socket.write('REPLCONF capa eof capa psync2\r\n');
  sockets.push(socket);
  return { socket, text: () => text };
}

describe.each(KINDS)('%s', (kind) => {
  it('keeps and counts the stream while a replica waits for its snapshot', async () => {
    const primary = await node(kind, { 'repl-backlog-size': BACKLOG, save: '' });
    for (let i = 0; i < 100; i++) await primary.call('SET', `key:${i}`, 'v');
    await primary.call('CONFIG', 'SET', 'rdb-key-save-delay', 1_000_000);
    const waits = ask(primary, '?', -1);
    await until('a snapshot is being made', async () => {
      const isMade = (await primary.number('rdb_bgsave_in_progress')) === 1;
      return isMade && /FULLRESYNC \w+ \d+\r\n/.test(waits.text());
    });
    const before = await primary.number('used_memory');
    const [, id = '', offset = ''] = /FULLRESYNC (\w+) (\d+)/.exec(waits.text()) ?? [];
    for (let i = 0; i < 1000; i++) await primary.call('SET', 'key:1', VALUE);
    const info = await primary.info();
    expect(Number(info.repl_backlog_histlen)).toBeGreaterThan(1_000_000);
    expect(Number(info.mem_total_replication_buffers)).toBeGreaterThan(1_000_000);
    expect(Number(info.mem_not_counted_for_evict)).toBeGreaterThan(1_000_000 - BACKLOG);
    expect(Number(info.used_memory) - before).toBeGreaterThan(1_000_000);

    const other = ask(primary, id, Number(offset) + 1);
    await until('it goes on where it was', async () => other.text().includes('CONTINUE'));
    waits.socket.destroy();
    await until('the replica that waited is gone', async () => {
      return (await primary.number('connected_slaves')) === 1;
    });
    await primary.call('SET', 'key:1', VALUE);
    await until('what was kept for it, too', async () => {
      return (await primary.number('mem_total_replication_buffers')) < 400_000;
    });
  });

  it('counts no buffer for a replica that has all of the stream', async () => {
    const primary = await node(kind, { save: '' });
    const replica = ask(primary, '?', -1);
    await until('it is given the dataset', async () => replica.text().includes('REDIS'));
    await until('nothing waits for it', async () => {
      return (await primary.number('mem_clients_slaves')) === 0;
    });
  });

  it('counts nothing for replicas when the last has gone', async () => {
    const primary = await node(kind, { 'repl-backlog-size': BACKLOG, save: '' });
    const replica = ask(primary, '?', -1);
    await until('it is given the dataset', async () => replica.text().includes('REDIS'));
    for (let i = 0; i < 200; i++) await primary.call('SET', 'key:1', VALUE);
    replica.socket.destroy();
    await until('the replica is gone', async () => {
      return (await primary.number('connected_slaves')) === 0;
    });
    const info = await primary.info();
    expect(Number(info.mem_clients_slaves)).toBe(0);
    const all = Number(info.mem_total_replication_buffers);
    expect(Math.abs(Number(info.mem_replication_backlog) - all)).toBeLessThan(64);
    // What is left beyond the size of the backlog are parts of blocks.
    expect(Number(info.mem_not_counted_for_evict)).toBeGreaterThan(0);
    expect(Number(info.mem_not_counted_for_evict)).toBeLessThan(131_072);
  });

  it('counts as the backlog no more than its size', async () => {
    const primary = await node(kind, { 'repl-backlog-size': BACKLOG, save: '' });
    const replica = ask(primary, '?', -1);
    await until('it is given the dataset', async () => replica.text().includes('REDIS'));
    for (let i = 0; i < 100; i++) await primary.call('SET', 'key:1', VALUE);
    expect(await primary.number('mem_replication_backlog')).toBeLessThan(BACKLOG + 4096);
  });
});
