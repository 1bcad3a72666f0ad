/**
 * What is taken from sorted sets, shown by chance and gone over, over a socket: replies and errors
 * as a real server's; fairness; what a scan promises.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/zset-pop.txt', import.meta.url));

describe('elements of sorted sets', () => {
  let server: ServerProcess;
  let client: RawClient;
  beforeAll(async () => {
    server = await startCairnServer();
    client = await server.connect();
  });
  afterAll(() => server?.close());

  const add = (key: string, from: number, to: number): Promise<unknown> => {
    const words = Array.from({ length: to - from }, (_, i) => [
      String((from + i) % 10),
      `m${from + i}`,
    ]);
    return client.value('ZADD', key, ...words.flat());
  };
  const listOf = async (...args: (string | number)[]): Promise<string[]> =>
    ((await client.value(...args)) as unknown[]).map(String);

  it.each([
    ['a small', 100],
    ['a large', 3000],
  ])('of %s one are taken from both ends in order', async (_, size) => {
    await client.send('DEL', 'z');
    await add('z', 0, size);
    const all = await listOf('ZRANGE', 'z', 0, -1, 'WITHSCORES');
    const low: string[] = [];
    const high: string[] = [];
    for (let count = 1; low.length + high.length < all.length; count = (count * 7) % 40) {
      low.push(...(await listOf('ZPOPMIN', 'z', count)));
      const top = await listOf('ZPOPMAX', 'z', count);
      for (let i = 0; i < top.length; i += 2) high.unshift(top[i] ?? '', top[i + 1] ?? '');
    }
    expect([...low, ...high]).toEqual(all);
    expect(await client.value('EXISTS', 'z')).toBe(0);
  });

  it.each([
    ['a small', 12, 'listpack'],
    ['a large', 12, 'skiplist'],
  ])('of %s one are picked alike', async (_, size, encoding) => {
    const key = `picks:${encoding}`;
    if (encoding === 'skiplist') {
      await add(key, 0, 200);
      await client.send('ZREM', key, ...Array.from({ length: 188 }, (__, i) => `m${12 + i}`));
    } else await add(key, 0, size);
    expect(await client.value('OBJECT', 'ENCODING', key)).toBe(encoding);
    const draws = 24_000;
    const counts = new Map<string, number>();
    const note = (member: string): void => {
      counts.set(member, (counts.get(member) ?? 0) + 1);
    };
    for (const member of await listOf('ZRANDMEMBER', key, -draws / 2)) note(member);
    const single = Array.from({ length: draws / 2 }, () => ['ZRANDMEMBER', key]);
    for (const { value } of await client.pipeline(single)) note(String(value));
    expect(counts.size).toBe(size);
    const expected = draws / size;
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2, 0);
    // 11 degrees of freedom: above 65 once in a thousand million runs.
    expect(chiSquare / expected).toBeLessThan(65);
    const some = await listOf('ZRANDMEMBER', key, 7, 'WITHSCORES');
    const members = some.filter((__, i) => i % 2 === 0);
    expect(new Set(members).size).toBe(7);
    for (const [i, member] of members.entries()) {
      expect(some[2 * i + 1]).toBe(String(Number(member.slice(1)) % 10));
    }
  });

  const scan = async (key: string, during: () => Promise<unknown>): Promise<string[]> => {
    const found: string[] = [];
    let cursor = '0';
    do {
      const page = (await client.value('ZSCAN', key, cursor, 'COUNT', 50)) as [string, string[]];
      cursor = page[0];
      found.push(...page[1]);
      await during();
    } while (cursor !== '0');
    return found;
  };

  it('are gone over with their scores', async () => {
    await add('scanned', 0, 2500);
    const found = await scan('scanned', async () => {});
    expect(found).toHaveLength(5000);
    for (let i = 0; i < found.length; i += 2) {
      expect(found[i + 1]).toBe(String(Number(found[i]?.slice(1)) % 10));
    }
    expect(new Set(found.filter((_, i) => i % 2 === 0)).size).toBe(2500);
  });

  it('that stay are all found while others come and go', async () => {
    await add('moving', 0, 1500);
    let next = 10_000;
    const found = await scan('moving', async () => {
      await add('moving', next, next + 60);
      await client.send('ZREMRANGEBYRANK', 'moving', 0, 0);
      await client.send('ZADD', 'moving', 0, `m${next}`);
      await client.send('ZINCRBY', 'moving', 5, 'm1');
      next += 60;
    });
    const left = await listOf('ZRANGE', 'moving', 0, -1);
    const stayed = left.filter((member) => Number(member.slice(1)) < 10_000);
    expect(stayed.length).toBeGreaterThan(1000);
    const seen = new Set(found.filter((_, i) => i % 2 === 0));
    expect(stayed.filter((member) => !seen.has(member))).toEqual([]);
  });

  it('are gone over without their scores', async () => {
    for (const size of [20, 500]) {
      await client.send('DEL', 'bare');
      await add('bare', 0, size);
      const found: string[] = [];
      let cursor = '0';
      do {
        const reply = await client.value('ZSCAN', 'bare', cursor, 'NOSCORES', 'MATCH', 'm*');
        const page = reply as [string, string[]];
        cursor = page[0];
        found.push(...page[1]);
      } while (cursor !== '0');
      expect(found.sort()).toEqual((await listOf('ZRANGE', 'bare', 0, -1)).sort());
    }
  });
});
