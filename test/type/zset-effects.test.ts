/** What the commands on members of sorted sets propagate and which events they raise. */
import { describe, expect, it } from 'vitest';
import { effectsInside, effectsOfRealServer, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';

const lines = linesOf(`
  ZADD z 1 a 2 b
  ZADD z 1 a
  ZADD z NX 5 a
  ZADD z XX 5 nothing
  ZADD z 5 a 6 c
  ZADD z CH 7 c
  ZADD z GT 1 c
  ZADD z GT 100 c
  ZADD z INCR 1 a
  ZADD z INCR 0 a
  ZADD z NX INCR 1 a
  ZADD z NX INCR 1 d
  ZADD new XX 1 a
  ZADD new XX INCR 1 a
  ZADD new GT 1 a
  ZADD z x a
  ZINCRBY z 1.5 a
  ZINCRBY z 0 a
  ZINCRBY made 3 a
  ZINCRBY z inf a
  ZINCRBY z -inf a
  ZREM z nothing
  ZREM z a nothing b
  ZREM nothing a
  ZREM z c d
  ZREM made a nothing
  ZADD z 1 a 2 b
  ZSCORE z a
  ZSCORE nothing a
  ZMSCORE nothing a
  ZRANK nothing a
  ZREVRANK nothing a
  ZCARD nothing
  SET s x
  ZADD s 1 a
  ZINCRBY s 1 a
  ZREM s a
  MULTI
  ZADD q 1 a
  ZINCRBY q 1 a
  ZREM q a
  EXEC
  SORT z BY nosort STORE l
  COPY z y
  RENAME y x
  MOVE x 1
  DEL z
`);

describe.skipIf(requireRedisServer() === null)('the commands on members of sorted sets', () => {
  it('do what they do to the journal and the listeners as a real server', async () => {
    expect(effectsInside(lines)).toEqual(await effectsOfRealServer(lines));
  });
});
