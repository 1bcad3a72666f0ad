/** The HyperLogLog commands over a socket, and what they propagate and which events they raise. */
import { describe, expect, it } from 'vitest';
import { effectsInside, expectEffects, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';
import { sideBySide } from '../support/side-by-side.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/hyperloglog.txt', import.meta.url));

const lines = linesOf(`
  PFADD a
  PFADD a
  PFADD a x y z
  PFADD a x
  PFCOUNT a
  PFCOUNT a
  PFCOUNT a nothing
  PFCOUNT nothing
  PFADD b 1 2 3
  PFADD b 4 EXTRA
  PFMERGE u a b nothing
  PFMERGE u
  PFMERGE fresh
  PFCOUNT u
  PFDEBUG ENCODING u
  PFDEBUG TODENSE u
  PFDEBUG TODENSE u
  PFDEBUG GETREG a
  PFDEBUG GETREG a
  PFDEBUG DECODE b
  PFDEBUG DECODE nothing
  SET bad "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80"
  PFADD bad x
  PFCOUNT bad
  PFMERGE u bad
  SET text v
  PFADD text x
  PFCOUNT a text
`);

describe('effects of HyperLogLog commands', () => {
  it.skipIf(requireRedisServer() === null)('are those of a real server', async () => {
    await expectEffects(lines, { propagated: 10, events: 10 });
  });
});

describe.skipIf(requireRedisServer() === null)('beside a real server', () => {
  const { same, servers } = sideBySide();

  same(
    'the changes that are counted',
    `
      a> CONFIG RESETSTAT
      a> PFADD k a b c a
      a> PFADD k a
      a> PFCOUNT k
      a> PFMERGE l k
      a> INFO persistence
    `,
    [[/[\s\S]*?(rdb_changes_since_last_save:\d+)[\s\S]*/, '$1']],
  );

  same(
    'a transaction fails when an estimate was written, not when one was read',
    `
      a> PFADD w 1
      b> WATCH w
      a> PFCOUNT w
      b> MULTI
      b> PING
      b> EXEC
      b> WATCH w
      a> PFCOUNT w
      b> MULTI
      b> PING
      b> EXEC
      b> WATCH w
      a> PFDEBUG GETREG w
      b> MULTI
      b> PING
      b> EXEC
    `,
  );

  it('leave the same bytes and estimates of many elements', async () => {
    const { cairn, redis } = servers();
    const clients = [await cairn.connect(), await redis.connect()];
    for (let from = 0; from < 40_000; from += 2000) {
      const elements = Array.from({ length: 2000 }, (_, i) => `element:${from + i}`);
      const [mine, theirs] = await Promise.all(
        clients.map(async (client) => {
          const add = await client.send('PFADD', 'many', ...elements);
          const count = await client.send('PFCOUNT', 'many');
          const value = await client.send('GET', 'many');
          return Buffer.concat([add.raw, count.raw, value.raw]).toString('latin1');
        }),
      );
      expect(mine === theirs, `after ${from + 2000} elements`).toBe(true);
    }
    for (const client of clients) client.close();
  });

  it('a HyperLogLog goes from one server to the other', async () => {
    const { cairn, redis } = servers();
    const mine = await cairn.connect();
    const theirs = await redis.connect();
    await theirs.send('PFADD', 'moved', 'a', 'b', 'c');
    const dump = (await theirs.send('DUMP', 'moved')).raw;
    const payload = dump.subarray(dump.indexOf('\r\n') + 2, -2);
    await mine.send('RESTORE', 'moved', 0, payload);
    expect(await mine.value('PFCOUNT', 'moved')).toBe(3);
    expect(await mine.value('PFADD', 'moved', 'c')).toBe(0);
    mine.close();
    theirs.close();
  });
});

describe('PFSELFTEST', () => {
  it('finds nothing wrong', () => {
    expect(effectsInside(['PFSELFTEST']).replies).toEqual(['+OK']);
  });
});
