/** The hash commands over a socket: replies, errors and their order, encodings, large hashes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/hash.txt', import.meta.url));

describe('a large hash', () => {
  const size = 3000;
  const pairs = Array.from({ length: size }, (_, i) => [`field ${i}`, `value ${i}`] as const);
  let server: ServerProcess;
  let client: RawClient;
  beforeAll(async () => {
    server = await startCairnServer();
    client = await server.connect();
    await client.send('HSET', 'h', ...pairs.flat());
  });
  afterAll(() => server?.close());

  const listOf = async (...args: (string | number)[]): Promise<string[]> =>
    ((await client.value(...args)) as unknown[]).map(String);

  /** The items of all pages of a scan. */
  async function scanAll(...options: string[]): Promise<string[]> {
    const items: string[] = [];
    let cursor = '0';
    do {
      const page = (await client.value('HSCAN', 'h', cursor, ...options)) as [string, string[]];
      cursor = page[0];
      items.push(...page[1]);
    } while (cursor !== '0');
    return items;
  }

  it('is a table that has every field', async () => {
    expect(await client.value('OBJECT', 'ENCODING', 'h')).toBe('hashtable');
    expect(await client.value('HLEN', 'h')).toBe(size);
    const all = await listOf('HGETALL', 'h');
    expect(all).toHaveLength(size * 2);
    const found = new Map(all.flatMap((text, i) => (i % 2 ? [] : [[text, all[i + 1]]])));
    expect(found).toEqual(new Map(pairs));
    expect(new Set(await listOf('HKEYS', 'h'))).toEqual(new Set(pairs.map(([field]) => field)));
    expect(new Set(await listOf('HVALS', 'h'))).toEqual(new Set(pairs.map(([, value]) => value)));
  });

  it('is scanned in pages, with or without values', async () => {
    const items = await scanAll();
    expect(items).toHaveLength(size * 2);
    expect(new Map(items.flatMap((text, i) => (i % 2 ? [] : [[text, items[i + 1]]])))).toEqual(
      new Map(pairs),
    );
    const names = await scanAll('NOVALUES', 'COUNT', '500');
    expect(names).toHaveLength(size);
    expect(new Set(names)).toEqual(new Set(pairs.map(([field]) => field)));
    const matching = await scanAll('MATCH', 'field 12?', 'novalues');
    expect(matching.sort()).toEqual(Array.from({ length: 10 }, (_, i) => `field 12${i}`));
  });

  it('gives distinct fields by chance, few or nearly all', async () => {
    for (const count of [5, 900, 2900]) {
      const fields = await listOf('HRANDFIELD', 'h', count);
      expect(new Set(fields).size).toBe(count);
      expect(fields.every((field) => /^field \d+$/.test(field))).toBe(true);
      const withValues = await listOf('HRANDFIELD', 'h', count, 'WITHVALUES');
      expect(withValues).toHaveLength(count * 2);
      for (let i = 0; i < withValues.length; i += 2) {
        expect(withValues[i + 1]).toBe(withValues[i]?.replace('field', 'value'));
      }
    }
    expect(await listOf('HRANDFIELD', 'h', -5000)).toHaveLength(5000);
  });

  it('is copied and deleted as a whole', async () => {
    expect(await client.value('COPY', 'h', 'copy')).toBe(1);
    expect(await client.value('DEBUG', 'DIGEST-VALUE', 'copy')).toEqual(
      await client.value('DEBUG', 'DIGEST-VALUE', 'h'),
    );
    await client.send('HSET', 'copy', 'field 1', 'changed');
    expect(await client.value('HGET', 'h', 'field 1')).toBe('value 1');
    expect(await client.value('DEL', 'copy')).toBe(1);
    expect(await client.value('HLEN', 'h')).toBe(size);
  });
});
