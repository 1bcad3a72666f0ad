/**
 * What the commands on many elements of sorted sets, and on several sorted sets, propagate and
 * which events they raise, as a real server.
 */
import { describe, expect, it } from 'vitest';
import { effectsInside, effectsOfRealServer, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';

const lines = linesOf(`
  ZADD a 1 x 2 y 3 z
  ZADD b 1 y 2 z 3 w
  SADD s x w
  ZRANGE a 0 -1
  ZRANGE nothing 0 -1
  ZCOUNT nothing 0 1
  ZLEXCOUNT nothing - +
  ZRANGESTORE d a 0 1
  ZRANGESTORE d a 0 1
  ZRANGESTORE d a 5 6
  ZRANGESTORE d a 5 6
  ZRANGESTORE d nothing 0 -1
  ZRANGESTORE a a 0 -1
  ZRANGESTORE d a 2 1 BYSCORE REV LIMIT 0 1
  ZRANGESTORE d nothing 0 1 BYLEX
  ZUNION 2 a b
  ZUNION 2 nothing b
  ZINTER 2 nothing b
  ZDIFF 2 nothing b
  ZINTERCARD 2 nothing b
  ZUNIONSTORE d 3 a b s WEIGHTS 1 2 3
  ZUNIONSTORE d 2 a b
  ZINTERSTORE d 2 a b
  ZINTERSTORE d 2 a nothing
  ZINTERSTORE d 2 a nothing
  ZDIFFSTORE d 2 a b
  ZDIFFSTORE d 2 a a
  ZUNIONSTORE a 2 a b AGGREGATE MAX
  SET string x
  ZUNIONSTORE string 1 a
  ZINTERSTORE string 1 nothing
  ZREMRANGEBYRANK a 0 0
  ZREMRANGEBYRANK a 7 9
  ZREMRANGEBYRANK nothing 0 1
  ZREMRANGEBYSCORE a 3 4
  ZREMRANGEBYSCORE a 30 40
  ZREMRANGEBYSCORE a -inf inf
  ZADD a 0 x 0 y 0 z
  ZREMRANGEBYLEX a [x (y
  ZREMRANGEBYLEX a (y (y
  ZREMRANGEBYLEX a - +
  ZREMRANGEBYRANK b 0 -1
  ZADD a 1 x 2 y 3 z 4 w 5 v 6 u
  ZPOPMIN a
  ZPOPMIN a 0
  ZPOPMAX a 2
  ZPOPMAX nothing
  ZPOPMAX a 100
  ZPOPMAX a 100
  ZADD a 1 x 2 y 3 z 4 w 5 v 6 u
  ZMPOP 2 nothing a MIN
  ZMPOP 1 nothing MIN
  ZMPOP 2 nothing a max COUNT 2
  BZPOPMIN nothing a 0
  BZPOPMAX a 0
  BZMPOP 0 2 nothing a MAX COUNT 9
  ZADD a 1 x 2 y
  MULTI
  BZPOPMIN a 0
  BZMPOP 0 1 a MIN COUNT 5
  BZPOPMIN a 0
  EXEC
  ZADD a 1 x
  EXPIRE a 100
  ZUNIONSTORE a 1 a
  ZRANGESTORE a a 0 -1
  ZRANDMEMBER nothing
  ZRANDMEMBER nothing 3
  ZSCAN nothing 0
  SET string x
  ZRANGE string 0 -1
  ZPOPMIN string
  ZUNIONSTORE d 1 string
`);

describe.skipIf(requireRedisServer() === null)('the commands on sorted sets', () => {
  it('do what they do to the journal and the listeners as a real server', async () => {
    expect(effectsInside(lines)).toEqual(await effectsOfRealServer(lines));
  });
});
