/** The list commands over a socket: replies, errors and their order, encodings, limits, DEBUG. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/list.txt', import.meta.url));

const many = (count: number, make: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe('lists', () => {
  let server: ServerProcess;
  let client: RawClient;
  beforeAll(async () => {
    server = await startCairnServer({ config: { 'enable-debug-command': 'yes' } });
    client = await server.connect();
  });
  afterAll(() => server?.close());

  const encoding = (key: string) => client.value('OBJECT', 'ENCODING', key);

  it('are listpacks up to the size of a node, quicklists beyond, back at half of it', async () => {
    await client.send('RPUSH', 'l', ...many(100, (i) => `element ${i}`));
    expect(await encoding('l')).toBe('listpack');
    await client.send('RPUSH', 'l', ...many(1000, (i) => `element ${i}`));
    expect(await encoding('l')).toBe('quicklist');
    await client.send('LTRIM', 'l', 0, 500);
    expect(await encoding('l')).toBe('quicklist');
    await client.send('LTRIM', 'l', 0, 200);
    expect(await encoding('l')).toBe('listpack');
    await client.send('RPUSH', 'large', 'x'.repeat(8200));
    expect(await encoding('large')).toBe('quicklist');
    await client.send('LSET', 'large', 0, 'small');
    expect(await encoding('large')).toBe('listpack');
  });

  it('follow list-max-listpack-size', async () => {
    await client.send('CONFIG', 'SET', 'list-max-listpack-size', 3);
    await client.send('RPUSH', 'three', 'a', 'b', 'c');
    expect(await encoding('three')).toBe('listpack');
    await client.send('RPUSH', 'three', 'd');
    expect(await encoding('three')).toBe('quicklist');
    await client.send('LPOP', 'three', 3);
    expect(await encoding('three')).toBe('listpack');
    await client.send('CONFIG', 'SET', 'list-max-listpack-size', -2);
  });

  it('give large elements a node of their own, as DEBUG says from which size on', async () => {
    await client.send('DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '100b');
    await client.send('RPUSH', 'p', 'a'.repeat(9000), 'b', 'c'.repeat(200), 'd');
    await client.send('LINSERT', 'p', 'BEFORE', 'd', 'e'.repeat(300));
    await client.send('LSET', 'p', 1, 'f'.repeat(101));
    const value = await client.value('LRANGE', 'p', 0, -1);
    expect((value as string[]).map((one) => one.length)).toEqual([9000, 101, 200, 300, 1]);
    expect(await client.value('DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '0')).toBe('OK');
  });

  it('are described by DEBUG OBJECT, node by node', async () => {
    await client.send('CONFIG', 'SET', 'list-max-listpack-size', 2);
    await client.send('CONFIG', 'SET', 'list-compress-depth', 1);
    const long = ['a'.repeat(70), 'b'.repeat(57), 'a'.repeat(70), 'cc'];
    await client.send('RPUSH', 'd', ...long);
    await client.send('RPUSH', 'd', 'c', 'd', 'e', 'f', 'g');
    expect(await client.value('DEBUG', 'OBJECT', 'd')).toMatch(
      / ql_nodes:5 ql_avg_node:1.80 ql_listpack_max:2 ql_compressed:1 ql_uncompressed_size:259$/,
    );
    await client.send('CONFIG', 'SET', 'list-max-listpack-size', -2);
    await client.send('CONFIG', 'SET', 'list-compress-depth', 0);
  });

  it('hold elements of megabytes, and answer them whole', async () => {
    const huge = 'h'.repeat(3_000_000);
    await client.send('RPUSH', 'h', 'a', huge, 'b');
    expect(await client.value('LINDEX', 'h', 1)).toBe(huge);
    expect(await client.value('LMOVE', 'h', 'h2', 'RIGHT', 'LEFT')).toBe('b');
    expect(await client.value('RPOPLPUSH', 'h', 'h2')).toBe(huge);
    expect(await client.value('LPOP', 'h2')).toBe(huge);
    expect(await client.value('LRANGE', 'h2', 0, -1)).toEqual(['b']);
  });

  it('are copied, renamed, and given back whole', async () => {
    const before = Number(/used_memory_dataset:(\d+)/.exec(await memory())?.[1]);
    await client.send('RPUSH', 'long', ...many(20_000, (i) => `element ${i}`));
    await client.send('COPY', 'long', 'copy');
    await client.send('RENAME', 'long', 'renamed');
    expect(await client.value('LLEN', 'copy')).toBe(20_000);
    expect(await client.value('LINDEX', 'renamed', 12_345)).toBe('element 12345');
    await client.send('LSET', 'copy', 12_345, 'changed');
    expect(await client.value('LINDEX', 'renamed', 12_345)).toBe('element 12345');
    await client.send('DEL', 'renamed');
    await client.send('UNLINK', 'copy');
    for (let i = 0; i < 50; i++) {
      const now = Number(/used_memory_dataset:(\d+)/.exec(await memory())?.[1]);
      if (now - before < 10_000) return;
    }
    expect.unreachable('the memory of the lists was not given back');
  });

  const memory = async (): Promise<string> => String(await client.value('INFO', 'memory'));
});
