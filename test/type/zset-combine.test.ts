/**
 * Unions, intersections and differences of sorted sets over a socket: replies and errors as a real
 * server's, and large ones against a model.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/zset-combine.txt', import.meta.url));

describe('combinations of large sorted sets', () => {
  let server: ServerProcess;
  let client: RawClient;
  const names = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => `m${from + i}`);
  /** Scores that repeat, so that members decide as well. */
  const scoreOf = (member: string, by: number): number => (Number(member.slice(1)) * by) % 101;
  const a = new Map(names(0, 4000).map((member) => [member, scoreOf(member, 37)]));
  const b = new Map(names(3000, 6000).map((member) => [member, scoreOf(member, 53)]));
  const set = new Map(names(2000, 3500).map((member) => [member, 1]));

  beforeAll(async () => {
    server = await startCairnServer();
    client = await server.connect();
    const pairs = (all: Map<string, number>) => [...all].flatMap(([m, score]) => [score, m]);
    await client.send('ZADD', 'a', ...pairs(a));
    await client.send('ZADD', 'b', ...pairs(b));
    await client.send('SADD', 's', ...set.keys());
  });
  afterAll(() => server?.close());

  const inOrder = (all: ReadonlyMap<string, number>): string[] =>
    [...all]
      .sort(([m, x], [n, y]) => x - y || (m < n ? -1 : 1))
      .flatMap(([member, score]) => [member, String(score)]);

  it('are what they are of maps', async () => {
    const [united, common] = [new Map<string, number>(), new Map<string, number>()];
    for (const member of new Set([...a.keys(), ...b.keys(), ...set.keys()])) {
      const scores = [a, b, set].map((one, i) => (one.get(member) ?? 0) * (i + 1));
      united.set(
        member,
        scores.reduce((sum, one) => sum + one),
      );
      if (a.has(member) && b.has(member) && set.has(member)) {
        common.set(member, Math.max(...scores));
      }
    }
    const keys = ['3', 'a', 'b', 's', 'WEIGHTS', '1', '2', '3'];
    expect(await client.value('ZUNION', ...keys, 'WITHSCORES')).toEqual(inOrder(united));
    expect(await client.value('ZINTER', ...keys, 'AGGREGATE', 'MAX', 'WITHSCORES')).toEqual(
      inOrder(common),
    );
    expect(await client.value('ZINTERCARD', 3, 'a', 'b', 's')).toBe(common.size);
    expect(await client.value('ZINTERCARD', 3, 'a', 'b', 's', 'LIMIT', 17)).toBe(17);
    expect(await client.value('ZUNIONSTORE', 'union', ...keys)).toBe(united.size);
    expect(await client.value('ZRANGE', 'union', 0, -1, 'WITHSCORES')).toEqual(inOrder(united));
    const rank = await client.value('ZRANK', 'union', 'm3210');
    expect(rank).toBe(inOrder(united).indexOf('m3210') / 2);
  });

  it('are differences, however they are made', async () => {
    const onlyA = new Map([...a].filter(([member]) => !b.has(member) && !set.has(member)));
    expect(await client.value('ZDIFF', 3, 'a', 'b', 's', 'WITHSCORES')).toEqual(inOrder(onlyA));
    const others = ['b', 's', 's', 'b', 's', 's', 'nothing', 's'];
    expect(await client.value('ZDIFFSTORE', 'd', 9, 'a', ...others)).toBe(onlyA.size);
    expect(await client.value('ZRANGE', 'd', 0, -1, 'WITHSCORES')).toEqual(inOrder(onlyA));
    expect(await client.value('ZDIFF', 2, 's', 'b', 'WITHSCORES')).toEqual(
      inOrder(new Map([...set].filter(([member]) => !b.has(member)))),
    );
  });

  it('leave nothing behind', async () => {
    const used = async (): Promise<number> =>
      Number(/used_memory:(\d+)/.exec(String(await client.value('INFO', 'memory')))?.[1]);
    await client.send('ZUNION', 3, 'a', 'b', 's');
    const before = await used();
    for (let i = 0; i < 20; i++) await client.send('ZUNION', 3, 'a', 'b', 's');
    expect((await used()) - before).toBeLessThan(200_000);
  });
});
