/** What the stream commands propagate and which events they raise, as a real server. */
import { describe, expect, it } from 'vitest';
import { effectsInside, effectsOfRealServer, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';

const lines = linesOf(`
  XADD s 5-* f 1
  XADD s 5-* f 2 g 3
  XADD s 6-1 f 1
  XADD s 7 f 1
  XADD nothing NOMKSTREAM 1-1 f 1
  XADD s MAXLEN 3 8-1 f 1
  XADD s MAXLEN ~ 2 9-1 f 1
  XADD s MINID ~ 7 10-1 f 1
  XADD s MINID 8 10-* f 1
  XADD s 11-1 f 1
  XLEN s
  XRANGE s - +
  XTRIM s MAXLEN 100
  XTRIM s MAXLEN 2
  XTRIM s MAXLEN ~ 1
  XTRIM s MINID ~ 11
  XADD empty MINID ~ 100 50-1 f 1
  XLEN empty
  XADD empty 51-1 f 1
  XADD empty MAXLEN ~ 1 52 f 1
  XADD empty MINID ~ 52 53 f 1
  XTRIM empty MINID ~ 100
  XDEL s 10-1 10-2 11-1
  XDEL s 10-1
  XSETID s 20-1 ENTRIESADDED 30 MAXDELETEDID 15-1
  XADD s 21-1 f 1
  XADD s 22-1 f 1
  XADD s 23-1 f 1
  XADD s 24-1 f 1
  XGROUP CREATE s g 0
  XGROUP CREATE s g 0
  XGROUP CREATE m g $ MKSTREAM ENTRIESREAD 3
  XGROUP SETID m g 5-1 ENTRIESREAD 7
  XGROUP CREATECONSUMER s g c1
  XGROUP CREATECONSUMER s g c1
  XREADGROUP GROUP g c1 COUNT 2 STREAMS s >
  XREADGROUP GROUP g c2 COUNT 1 STREAMS s >
  XREADGROUP GROUP g c2 STREAMS s 0
  XREADGROUP GROUP g c3 NOACK STREAMS s >
  XREADGROUP GROUP g c3 NOACK STREAMS s >
  XREADGROUP GROUP g c4 STREAMS s 0
  XACK s g 21-1 99-1
  XACK s g 99-1
  XCLAIM s g c2 0 22-1 TIME 1000 RETRYCOUNT 5
  XCLAIM s g c2 0 24-1 FORCE JUSTID TIME 5
  XCLAIM s g c5 0 99-1 LASTID 50-1
  XCLAIM s g c5 0 99-1
  XDEL s 22-1
  XCLAIM s g c1 0 22-1 23-1
  XAUTOCLAIM s g c3 0 - COUNT 1
  XDEL s 23-1
  XAUTOCLAIM s g c3 0 - JUSTID
  XGROUP SETID s g 0
  XREADGROUP GROUP g c1 STREAMS s >
  XGROUP DELCONSUMER s g c1
  XGROUP DELCONSUMER s g c9
  XGROUP DESTROY s g
  XGROUP DESTROY s g
  MULTI
  XADD t * f 1 EXTRA
  XADD t 1-1 f 1
  XGROUP CREATE t g 0
  XREADGROUP GROUP g c1 STREAMS t >
  XACK t g 1-1
  EXEC
  XREAD STREAMS s 0
  SET string x
  XADD string 1-1 f 1
  XLEN string`);

/**
 * What Redis 7.2 propagates besides what 7.0 does: how much a group has read, and new consumers;
 * with it goes what wraps several operations.
 */
const added = /^(?:XGROUP SETID [st] g \S+ ENTRIESREAD -?\d+|XGROUP CREATECONSUMER .*|MULTI|EXEC)$/;
const without = (propagated: readonly string[]): string[] =>
  propagated.filter((one) => !added.test(one));
const withoutConsumers = (events: readonly string[]): string[] =>
  events.filter((one) => !one.startsWith('xgroup-createconsumer '));

describe.skipIf(requireRedisServer() === null)('the effects of stream commands', () => {
  it.each([{}, { 'stream-node-max-entries': '2' }])(
    'are those of a real server',
    async (config) => {
      const real = await effectsOfRealServer(lines, config);
      const ours = effectsInside(lines, config);
      expect(ours.replies).toEqual(real.replies);
      expect(without(ours.propagated)).toEqual(without(real.propagated));
      expect(withoutConsumers(ours.events)).toEqual(withoutConsumers(real.events));
    },
  );
});

describe('groups and consumers as Redis 7.2 has them', () => {
  const before = ['XGROUP CREATE s g 0 MKSTREAM ENTRIESREAD 0', 'XADD s 1-1 f v', 'XADD s 2-1 f v'];
  const play = (...more: string[]) => effectsInside([...before, ...more]);

  it('how much a group has read is told with the claims', () => {
    const { propagated } = play('XREADGROUP GROUP g c COUNT 1 STREAMS s >');
    expect(propagated.slice(-4)).toEqual([
      'MULTI',
      expect.stringMatching(
        /^XCLAIM s g c 0 1-1 TIME now\+0s RETRYCOUNT 1 FORCE JUSTID LASTID 1-1$/,
      ),
      'XGROUP SETID s g 1-1 ENTRIESREAD 1',
      'EXEC',
    ]);
  });

  it.each([
    ['XREADGROUP GROUP g new STREAMS s 0', false],
    ['XREADGROUP GROUP g new NOACK STREAMS s 0', true],
    ['XREADGROUP GROUP g new NOACK STREAMS t >', true],
    ['XREADGROUP GROUP g new BLOCK 0 STREAMS t >', false],
    ['XREADGROUP GROUP g new BLOCK 0 NOACK STREAMS t >', true],
    ['XCLAIM s g new 0 9-9', false],
    ['XAUTOCLAIM s g new 0 -', false],
  ])('a consumer that finds nothing is made; whether that is told: %s', (line, isTold) => {
    const { propagated, events } = play(
      'XGROUP CREATE t g 0 MKSTREAM',
      'MULTI',
      line,
      line,
      'EXEC',
    );
    const key = line.includes(' t ') ? 't' : 's';
    const last = isTold ? `XGROUP CREATECONSUMER ${key} g new` : 'XGROUP CREATE t g 0 MKSTREAM';
    expect(propagated.slice(-1)).toEqual([last]);
    expect(events.slice(-1)).toEqual([`xgroup-createconsumer ${key}`]);
  });

  it('a consumer is active when it is given entries', () => {
    const { replies } = play(
      'XREADGROUP GROUP g a COUNT 1 STREAMS s >',
      'XREADGROUP GROUP g b NOACK STREAMS s >',
      'XINFO CONSUMERS s g',
    );
    const told = [...(replies.at(-1) ?? '').matchAll(/\$8 inactive :(-?\d+)/g)];
    expect(told.map(([, ms]) => Number(ms) < 0)).toEqual([false, true]);
  });

  it('XSETID goes not below what was deleted, and XREAD + gives the last entry', () => {
    const { replies } = play(
      'XREAD STREAMS s +',
      'XREAD STREAMS none +',
      'XDEL s 2-1',
      'XREAD STREAMS s +',
      'XSETID s 1-1',
      'XSETID s 2-1',
      'XREADGROUP GROUP g c STREAMS s +',
      'XGROUP CREATE e g $ MKSTREAM',
      'XREAD STREAMS e +',
      'XREAD STREAMS s e 0',
      'XREADGROUP GROUP g c STREAMS s e >',
    );
    expect(replies.slice(3)).toEqual([
      '*1 *2 $1 s *1 *2 $3 2-1 *2 $1 f $1 v',
      '*-1',
      ':1',
      '*-1',
      '-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id',
      '+OK',
      expect.stringMatching(/^-ERR The \+ ID is meaningless in the context of XREADGROUP: /),
      '+OK',
      '-ERR the stream last element ID is 0-0',
      expect.stringMatching(/^-ERR Unbalanced 'xread' list .* '\$' must be specified\.$/),
      expect.stringMatching(/^-ERR Unbalanced 'xreadgroup' list .* '>' must be specified\.$/),
    ]);
  });
});
