/**
 * Ranges of sorted sets over a socket: replies and errors as a real server's, and large zsets
 * against a model that sorts and filters an array.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { Random } from '../support/random.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/zset-range.txt', import.meta.url));

type Pair = { readonly member: string; readonly score: number };

const inOrder = (a: Pair, b: Pair): number =>
  a.score - b.score || (a.member < b.member ? -1 : Number(a.member > b.member));

describe('ranges of large sorted sets', () => {
  const random = new Random(20261128);
  const size = 5000;
  let server: ServerProcess;
  let client: RawClient;
  /** In order, as the server's "z" must be. */
  let model: Pair[];

  beforeAll(async () => {
    server = await startCairnServer();
    client = await server.connect();
    model = Array.from({ length: size }, (_, i) => ({
      member: `member:${i}`,
      score: random.between(-300, 300) / 4,
    })).sort(inOrder);
    const words = random.shuffled(model).flatMap(({ member, score }) => [String(score), member]);
    expect(await client.value('ZADD', 'z', ...words)).toBe(size);
    const equal = model.flatMap(({ member }) => ['7', member]);
    expect(await client.value('ZADD', 'lex', ...equal)).toBe(size);
  });
  afterAll(() => server?.close());

  const membersOf = (pairs: readonly Pair[]): string[] => pairs.map((one) => one.member);

  it('by rank are those of an array', async () => {
    for (let i = 0; i < 100; i++) {
      const [from, to] = [random.between(-size, size), random.between(-size, size)];
      const first = from < 0 ? from + size : from;
      const part = model.slice(first, (to < 0 ? to + size : to) + 1);
      expect(await client.value('ZRANGE', 'z', from, to)).toEqual(membersOf(part));
      const down = [...model].reverse().slice(first, (to < 0 ? to + size : to) + 1);
      expect(await client.value('ZREVRANGE', 'z', from, to)).toEqual(membersOf(down));
    }
  });

  it('by score, with limits, are those of an array', async () => {
    for (let i = 0; i < 200; i++) {
      const [a, b] = [random.between(-320, 320) / 4, random.between(-320, 320) / 4];
      const [min, max] = [Math.min(a, b), Math.max(a, b)];
      const open = random.chance(0.5);
      const inside = model.filter(({ score }) =>
        open ? score > min && score < max : score >= min && score <= max,
      );
      const ends = open ? [`(${min}`, `(${max}`] : [min, max];
      expect(await client.value('ZCOUNT', 'z', ...ends)).toBe(inside.length);
      const [offset, count] = [random.between(0, 900), random.between(0, 40)];
      const limit = ['LIMIT', offset, count];
      const up = inside.slice(offset, offset + count);
      expect(await client.value('ZRANGEBYSCORE', 'z', ...ends, ...limit)).toEqual(membersOf(up));
      const down = [...inside].reverse().slice(offset, offset + count);
      expect(
        await client.value('ZRANGE', 'z', ends[1]!, ends[0]!, 'BYSCORE', 'REV', ...limit),
      ).toEqual(membersOf(down));
    }
  });

  it('by member, with limits, are those of an array', async () => {
    const sorted = membersOf(model).sort();
    for (let i = 0; i < 100; i++) {
      const names = [random.between(0, 9999), random.between(0, 9999)].map((n) => `member:${n}`);
      const [min = '', max = ''] = names.sort();
      const inside = sorted.filter((member) => member > min && member <= max);
      const ends = [`(${min}`, `[${max}`];
      expect(await client.value('ZLEXCOUNT', 'lex', ...ends)).toBe(inside.length);
      const [offset, count] = [random.between(0, 900), random.between(0, 40)];
      const limit = ['LIMIT', offset, count];
      const up = inside.slice(offset, offset + count);
      expect(await client.value('ZRANGEBYLEX', 'lex', ...ends, ...limit)).toEqual(up);
      const down = inside.reverse().slice(offset, offset + count);
      expect(await client.value('ZREVRANGEBYLEX', 'lex', ends[1]!, ends[0]!, ...limit)).toEqual(
        down,
      );
    }
  });

  it('are stored, and removed until nothing is left', async () => {
    const all = membersOf(model);
    expect(await client.value('ZRANGESTORE', 'copy', 'z', 0, -1)).toBe(size);
    expect(await client.value('ZRANGE', 'copy', 0, -1)).toEqual(all);
    expect(await client.value('ZRANGESTORE', 'few', 'z', 10, 19, 'REV')).toBe(10);
    expect(await client.value('OBJECT', 'ENCODING', 'few')).toBe('listpack');
    let left = [...model];
    for (let i = 0; i < 60; i++) {
      const at = random.between(0, left.length - 1);
      const { score } = left[at]!;
      if (random.chance(0.5)) {
        const to = at + random.between(0, 200);
        left.splice(at, to - at + 1);
        await client.send('ZREMRANGEBYRANK', 'copy', at, to);
      } else {
        left = left.filter((one) => one.score < score || one.score >= score + 2);
        await client.send('ZREMRANGEBYSCORE', 'copy', score, `(${score + 2}`);
      }
      expect(await client.value('ZCARD', 'copy')).toBe(left.length);
      if (left.length === 0) break;
    }
    expect(await client.value('ZRANGE', 'copy', 0, -1)).toEqual(membersOf(left));
    const removed = await client.value('ZREMRANGEBYLEX', 'lex', '-', '(member:5');
    expect(removed).toBe(all.filter((member) => member < 'member:5').length);
    await client.send('ZREMRANGEBYSCORE', 'copy', '-inf', 'inf');
    expect(await client.value('EXISTS', 'copy')).toBe(0);
  });
});
