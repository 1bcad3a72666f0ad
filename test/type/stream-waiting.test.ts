/**
 * Clients that wait for entries of streams, compared with the real server.
 */
import { describe } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { type Mask, sideBySide } from '../support/side-by-side.ts';

/** Times, when consumers were active, and how a reader is told, which 7.2 has in other words. */
const MASKS: readonly Mask[] = [
  [/\*10(?=\r\n\$4\r\nname\r\n\$\d\r\nc\d\r\n)/g, '*8'],
  [/\$11\r\nactive-time\r\n:-?\d+\r\n/g, ''],
  [/:\d{13}/g, ':time'],
  [/^-(NOGROUP|UNBLOCKED|WRONGTYPE) .*\r\n$/, '-gone'],
];

describe.skipIf(requireRedisServer() === null)('waiting for streams', () => {
  const { same } = sideBySide();

  same(
    'readers are served in turn, from one stream, behind the last id',
    `
    a> FLUSHALL
    a> XADD s 1-1 f 1
    a>0 XREAD BLOCK 0 STREAMS s t $ $
    c~ 1
    b3> XLEN s
    b3>0 XREAD COUNT 1 BLOCK 0 STREAMS t s 0 5-1
    c~ 2
    c> XADD s 1-2 f 2
    a< 1
    c> XADD s 6-1 f 3
    b3< 1
    a>0 XREAD BLOCK 0 STREAMS s t $ $
    c~ 1
    c> MULTI
    c> XADD t 1-1 f 1
    c> XADD t 1-2 f 1
    c> EXEC
    a< 1
    a> XREAD BLOCK 10 STREAMS s $
    b3> XREAD BLOCK 10 STREAMS s $
    a> MULTI
    a> XREAD BLOCK 0 STREAMS s $
    a> EXEC
    a> XREAD BLOCK -1 STREAMS s $
    a> XREAD BLOCK x STREAMS s $
    a>0 XREAD BLOCK 9223360000000000000 STREAMS s $
    c~ 1
    c> XADD s 90-1 f 1
    a< 1
    `,
  );

  same(
    'an entry for one consumer does not run the commands of others that wait',
    `
    a> FLUSHALL
    a> XGROUP CREATE s g $ MKSTREAM
    a>0 XREADGROUP GROUP g c1 BLOCK 0 STREAMS s >
    c~ 1
    b>0 XREADGROUP GROUP g c2 BLOCK 0 STREAMS s >
    c~ 2
    c> XGROUP DELCONSUMER s g c2
    c> XADD s 1-1 f 1
    a< 1
    c> XGROUP DELCONSUMER s g c1
    c> XINFO GROUPS s
    c> XADD s 1-2 f 2
    b< 1
    c> XINFO GROUPS s
    `,
  );

  same(
    'consumers are served in turn, and told when their group or stream goes',
    `
    a> FLUSHALL
    a> XGROUP CREATE s g $ MKSTREAM
    a> XGROUP CREATECONSUMER s g c1
    a> XGROUP CREATECONSUMER s g c2
    a>0 XREADGROUP GROUP g c1 BLOCK 0 STREAMS s >
    c~ 1
    b>0 XREADGROUP GROUP g c2 BLOCK 0 STREAMS s >
    c~ 2
    c> XADD s 1-1 f 1
    a< 1
    c> XADD s 1-2 f 2
    b< 1
    c> XPENDING s g
    c> XINFO STREAM s FULL
    a>0 XREADGROUP GROUP g c1 BLOCK 0 STREAMS s >
    c~ 1
    c> XGROUP DESTROY s g
    a< 1
    c> XGROUP CREATE s g $
    a>0 XREADGROUP GROUP g c1 BLOCK 0 STREAMS s >
    c~ 1
    c> DEL s
    a< 1
    c> XGROUP CREATE s g $ MKSTREAM
    a>0 XREADGROUP GROUP g c1 BLOCK 0 STREAMS s >
    c~ 1
    c> SET s x
    a< 1
    c> DEL s
    c> XGROUP CREATE s g $ MKSTREAM
    a>0 XREADGROUP GROUP g c1 NOACK BLOCK 0 STREAMS s >
    c~ 1
    c> XDEL s 1-1
    c> XADD s 2-1 f 1
    a< 1
    a> XREADGROUP GROUP g c1 BLOCK 10 STREAMS s >
    a> XREADGROUP GROUP g c1 BLOCK 0 STREAMS s 0
    `,
    MASKS,
  );
});
