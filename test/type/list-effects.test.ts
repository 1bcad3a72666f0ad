/** What the list commands propagate and which events they raise, as a real server. */
import { describe, it } from 'vitest';
import { expectEffects, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';

const lines = linesOf(`
  RPUSH l a b c
  LPUSH l x
  RPUSHX l d
  LPUSHX nothing a
  LINSERT l BEFORE a 1
  LINSERT l AFTER missing 1
  LSET l 0 y
  LSET l 100 y
  LPOP l
  RPOP l 2
  LPOP l 0
  LPOP l 100
  LPOP l
  LLEN nothing
  LINDEX nothing 0
  LRANGE nothing 0 1
  LPOS nothing a
  RPUSH l a b c d
  LMPOP 2 nothing l LEFT
  LMPOP 1 l RIGHT COUNT 2
  LMPOP 1 l RIGHT COUNT 20
  LMPOP 1 l RIGHT COUNT 20
  RPUSH l a b c
  LMOVE l m LEFT RIGHT
  LMOVE l m left right
  LMOVE l m LEFT RIGHT
  LMOVE l m LEFT RIGHT
  LMOVE m m LEFT RIGHT
  RPOPLPUSH m m
  RPOPLPUSH m l
  RPOPLPUSH nothing l
  LREM m 0 missing
  RPUSH m a b a b
  LREM m 1 a
  LREM m 0 b
  LREM m 0 a
  LREM m 0 c
  RPUSH t 1 2 3 4 5
  LTRIM t 0 -1
  LTRIM t 1 -2
  LTRIM t 5 2
  LTRIM t 0 1
  RPUSH l a b c d e f
  BLPOP l 0
  BRPOP nothing l 0
  BLMPOP 0 2 nothing l LEFT COUNT 2
  BLMOVE l m LeFT right 0
  BRPOPLPUSH l m 0
  BLMOVE m m LEFT RIGHT 0
  MULTI
  RPUSH l a b c
  BLPOP l 0
  BLMOVE l m RIGHT left 0
  BLMPOP 0 1 l LEFT
  BLPOP nothing 0
  EXEC
  DEL l m t
`);

describe('effects of list commands', () => {
  it.skipIf(requireRedisServer() === null)('are those of a real server', async () => {
    await expectEffects(lines, { propagated: 25, events: 60 });
  });
});
