/**
 * The commands on members of sorted sets over a socket: replies, errors and their order, encodings,
 * and what 7.2 replies where 7.0 does not.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { Random } from '../support/random.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/zset.txt', import.meta.url), {
  'enable-debug-command': 'yes',
});

describe('sorted sets', () => {
  let server: ServerProcess;
  let client: RawClient;
  beforeAll(async () => {
    server = await startCairnServer({ config: { 'enable-debug-command': 'yes' } });
    client = await server.connect();
  });
  afterAll(() => server?.close());

  it('tell the score with the rank when asked', async () => {
    await client.send('ZADD', 'r', 1, 'a', 2.5, 'b');
    expect(await client.value('ZRANK', 'r', 'b', 'WITHSCORE')).toEqual([1, '2.5']);
    expect(await client.value('ZREVRANK', 'r', 'b', 'withscore')).toEqual([0, '2.5']);
    const raw = async (...words: string[]) => (await client.send(...words)).raw.toString();
    expect(await raw('ZRANK', 'r', 'x', 'WITHSCORE')).toBe('*-1\r\n');
    expect(await raw('ZRANK', 'nothing', 'x', 'WITHSCORE')).toBe('*-1\r\n');
    expect(await raw('ZRANK', 'r', 'b', 'WITHSCORES')).toBe('-ERR syntax error\r\n');
    expect(await raw('ZRANK', 'r', 'b', 'WITHSCORE', 'x')).toContain('wrong number of arguments');
    const other = await server.connect();
    await other.send('HELLO', 3);
    const reply = async (...words: string[]) => (await other.send(...words)).raw.toString();
    expect(await reply('ZRANK', 'r', 'b', 'WITHSCORE')).toBe('*2\r\n:1\r\n,2.5\r\n');
    expect(await reply('ZRANK', 'r', 'x', 'WITHSCORE')).toBe('_\r\n');
  });

  it('reply scores with the fewest digits that mean the same', async () => {
    await client.send('ZADD', 'd', 0.1, 'a', '1e17', 'b', '4611686018427387904', 'c', '1e20', 'd');
    await client.send('ZADD', 'd', 3.14, 'e', '1e-7', 'f', '5e-324', 'g', '-1.5e300', 'h');
    expect(await client.value('ZMSCORE', 'd', ...'abcdefgh')).toEqual([
      ...['0.1', '100000000000000000', '4611686018427387904', '1e+20'],
      ...['3.14', '1e-7', '5e-324', '-1.5e+300'],
    ]);
    expect(await client.value('ZINCRBY', 'd', 0.2, 'a')).toBe('0.30000000000000004');
  });

  it('keep ranks and scores through many changes of a large one', async () => {
    const random = new Random(3);
    const model = new Map<string, number>();
    const commands: string[][] = [];
    for (let i = 0; i < 6000; i++) {
      const member = `m${random.between(0, 1500)}`;
      const score = random.between(-1000, 1000);
      if (random.chance(0.2)) {
        commands.push(['ZREM', 'large', member]);
        model.delete(member);
      } else {
        commands.push(['ZADD', 'large', `${score}`, member]);
        model.set(member, score);
      }
    }
    await client.pipeline(commands);
    const order = [...model].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
    expect(await client.value('ZCARD', 'large')).toBe(order.length);
    const ranks = await client.pipeline(order.map(([member]) => ['ZRANK', 'large', member]));
    expect(ranks.map(({ value }) => value)).toEqual(order.map((_, i) => i));
    const members = order.map(([member]) => member);
    const scores = order.map(([, score]) => `${score}`);
    expect(await client.value('ZMSCORE', 'large', ...members)).toEqual(scores);
  });

  it('are measured, shown and freed like other large values', async () => {
    const pairs = Array.from({ length: 3000 }, (_, i) => [i, `member ${i}`]).flat();
    await client.send('ZADD', 'big', ...pairs);
    const usage = (await client.value('MEMORY', 'USAGE', 'big')) as number;
    expect(usage / 3000).toBeGreaterThan(40);
    expect(usage / 3000).toBeLessThan(70);
    expect(await client.value('DEBUG', 'OBJECT', 'big')).toMatch(/encoding:skiplist serialized/);
    expect(await client.value('DEBUG', 'HTSTATS-KEY', 'big')).toMatch(/elements: 3000\n/);
    const digest = await client.value('DEBUG', 'DIGEST');
    expect(await client.value('DEBUG', 'RELOAD')).toBe('OK');
    expect(await client.value('DEBUG', 'DIGEST')).toBe(digest);
    expect(await client.value('UNLINK', 'big')).toBe(1);
    expect(await client.value('ZSCORE', 'big', 'member 1')).toBe(null);
  });
});
