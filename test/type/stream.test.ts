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

describe.skipIf(requireRedisServer() === null)('the effects of stream commands', () => {
  it.each([{}, { 'stream-node-max-entries': '2' }])(
    'are those of a real server',
    async (config) => {
      const real = await effectsOfRealServer(lines, config);
      const ours = effectsInside(lines, config);
      expect(ours.replies).toEqual(real.replies);
      expect(ours.propagated).toEqual(real.propagated);
      expect(ours.events).toEqual(real.events);
    },
  );
});
