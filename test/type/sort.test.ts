/** SORT and SORT_RO over a socket: replies, effects, and what users may derive keys from. */
import { describe, it } from 'vitest';
import { expectEffects, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';
import { refusals, sideBySide } from '../support/side-by-side.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/sort.txt', import.meta.url));

const lines = linesOf(`
  RPUSH l 3 1 2
  SADD s b a c
  MSET w_1 3 w_2 2 w_3 1
  HSET h_1 f one
  SORT l
  SORT nothing
  SORT l BY w_*
  SORT l BY x_*
  SORT l GET h_*->f GET #
  SORT l STORE out
  SORT l STORE out
  SORT l BY w_* GET w_* GET h_*->f STORE out
  SORT s BY nosort STORE out
  SORT s ALPHA LIMIT 1 1 STORE s
  SORT nothing STORE out
  SORT nothing STORE out
  SORT l DESC STORE l
  SORT_RO l STORE out
  SORT w_1
  SORT s
  EXPIRE l 1000
  SORT l STORE l
  TTL l
`);

describe('effects of SORT', () => {
  it.skipIf(requireRedisServer() === null)('are those of a real server', async () => {
    await expectEffects(lines, { propagated: 8, events: 20 });
  });
});

describe.skipIf(requireRedisServer() === null)('SORT beside a real server', () => {
  const { same } = sideBySide();

  same(
    'users who may not read every key derive none',
    `
      a> RPUSH l 2 1
      a> ACL SETUSER some on nopass +@all ~l ~out
      a> ACL SETUSER reader on nopass +@all %R~* ~out
      a> ACL SETUSER writer on nopass +@all %W~* ~l
      some> AUTH some x
      some> SORT l
      some> SORT l BY nosort
      some> SORT l BY w_*
      some> SORT l GET #
      some> SORT l GET w_* FOO
      some> SORT l STORE out
      some> SORT l STORE other
      some> SORT l STORE other STORE out
      reader> AUTH reader x
      reader> SORT l BY w_* GET #
      reader> SORT l BY w_* STORE out
      writer> AUTH writer x
      writer> SORT l BY w_*
    `,
    refusals,
  );

  same(
    'the keys of a command',
    `
      a> COMMAND GETKEYS SORT k
      a> COMMAND GETKEYS SORT k BY STORE GET store LIMIT store store ASC STORE a STORE b
      a> COMMAND GETKEYS SORT k STORE
      a> COMMAND GETKEYS SORT_RO k BY w_* GET x_*
      a> COMMAND GETKEYSANDFLAGS SORT k BY w_* STORE d
      a> COMMAND GETKEYSANDFLAGS SORT_RO k BY w_*
    `,
  );

  const [long, longer] = ['x'.repeat(100), 'y'.repeat(300)];
  same(
    'keys of long elements are derived whole, and those of short ones after them',
    `
      a> RPUSH l ${longer} b ${long} 12
      a> MSET w_${longer}_z 1 w_b_z 4 w_${long}_z 3 w_12_z 2 o${long} long o12 17
      a> HSET h_b_z f of-b
      a> HSET h_${longer}_z f 5
      a> SORT l BY w_*_z GET # GET o* GET h_*_z->f
      a> SORT l BY w_*_z ALPHA DESC GET w_*_z
      a> SORT l BY h_*_z->f GET o* STORE out
      a> SORT l BY nosort GET o* GET h_*_z->f STORE out
      a> LRANGE out 0 -1
    `,
  );

  same(
    'who waits for a list is served what was stored',
    `
      a> RPUSH source 2 1
      b>0 BLPOP target 0
      a> SORT source STORE target
      b< 1
      a> LRANGE target 0 -1
    `,
  );
});
