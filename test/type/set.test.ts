/** The set commands over a socket: replies, errors and their order, encodings, large sets. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/set.txt', import.meta.url));

describe('sets', () => {
  let server: ServerProcess;
  let client: RawClient;
  beforeAll(async () => {
    server = await startCairnServer();
    client = await server.connect();
  });
  afterAll(() => server?.close());

  const listOf = async (...args: (string | number)[]): Promise<string[]> =>
    ((await client.value(...args)) as unknown[]).map(String);
  const texts = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => `member ${from + i}`);
  const encoding = (key: string) => client.value('OBJECT', 'ENCODING', key);

  it('of few strings are listpacks, in the order in which they came', async () => {
    await client.send('SADD', 'small', 'c', 'a', 'b', '5');
    expect(await encoding('small')).toBe('listpack');
    expect(await listOf('SMEMBERS', 'small')).toEqual(['c', 'a', 'b', '5']);
    await client.send('SADD', 'mixed', '3', '1', '2', 'x');
    expect(await encoding('mixed')).toBe('listpack');
    expect(await listOf('SMEMBERS', 'mixed')).toEqual(['1', '2', '3', 'x']);
    await client.send('SUNIONSTORE', 'union', 'mixed', 'small');
    expect(await encoding('union')).toBe('listpack');
    await client.send('SADD', 'long', 'x'.repeat(65));
    expect(await encoding('long')).toBe('hashtable');
    await client.send('SADD', 'full', ...texts(0, 128));
    expect(await encoding('full')).toBe('listpack');
    await client.send('SADD', 'full', 'one more');
    expect(await encoding('full')).toBe('hashtable');
  });

  it('of many members are scanned, united, intersected and subtracted', async () => {
    await client.send('SADD', 'a', ...texts(0, 3000));
    await client.send('SADD', 'b', ...texts(2000, 5000));
    await client.send('SADD', 'c', ...texts(2500, 2600), ...texts(100, 110));
    expect(await encoding('a')).toBe('hashtable');
    const sorted = async (...args: string[]) => (await listOf(...args)).sort();
    expect(await sorted('SUNION', 'a', 'b')).toEqual(texts(0, 5000).sort());
    expect(await sorted('SINTER', 'a', 'b')).toEqual(texts(2000, 3000).sort());
    expect(await sorted('SINTER', 'a', 'b', 'c')).toEqual(texts(2500, 2600).sort());
    expect(await client.value('SINTERCARD', 2, 'a', 'b')).toBe(1000);
    expect(await client.value('SINTERCARD', 2, 'a', 'b', 'LIMIT', 10)).toBe(10);
    expect(await sorted('SDIFF', 'a', 'b')).toEqual(texts(0, 2000).sort());
    expect(await sorted('SDIFF', 'a', 'c', 'small', 'mixed', 'union')).toEqual(
      [...texts(0, 100), ...texts(110, 2500), ...texts(2600, 3000)].sort(),
    );
    expect(await client.value('SUNIONSTORE', 'a+b', 'a', 'b')).toBe(5000);
    expect(await client.value('SCARD', 'a+b')).toBe(5000);
    expect(await client.value('SDIFFSTORE', 'a+b', 'a+b', 'a')).toBe(2000);
    expect(await sorted('SMEMBERS', 'a+b')).toEqual(texts(3000, 5000).sort());
  });

  it('of many members are scanned in pages', async () => {
    const found: string[] = [];
    let cursor = '0';
    do {
      const page = (await client.value('SSCAN', 'b', cursor, 'COUNT', 100)) as [string, string[]];
      cursor = page[0];
      found.push(...page[1]);
    } while (cursor !== '0');
    expect(found).toHaveLength(3000);
    expect(new Set(found)).toEqual(new Set(texts(2000, 5000)));
  });

  it.each([
    ['an intset', Array.from({ length: 300 }, (_, i) => String(i * 7))],
    ['a listpack', texts(0, 120)],
    ['a table', texts(0, 2000)],
  ])('of %s lose what SPOP gives', async (_, members) => {
    for (const share of [0.05, 0.5, 0.95]) {
      await client.send('SADD', 'pool', ...members);
      const count = Math.floor(members.length * share);
      const popped = await listOf('SPOP', 'pool', count);
      expect(new Set(popped).size).toBe(count);
      const one = String(await client.value('SPOP', 'pool'));
      const left = await listOf('SMEMBERS', 'pool');
      expect([...popped, one, ...left].sort()).toEqual([...members].sort());
      const shown = await listOf('SRANDMEMBER', 'pool', left.length - 1);
      expect(new Set(shown).size).toBe(left.length - 1);
      expect(shown.every((member) => left.includes(member))).toBe(true);
      expect(await listOf('SPOP', 'pool', left.length)).toEqual(left);
      expect(await client.value('EXISTS', 'pool')).toBe(0);
    }
  });
});
