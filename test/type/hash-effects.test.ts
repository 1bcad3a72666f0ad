/** What the hash commands propagate and which events they raise, as a real server. */
import { describe, expect, it } from 'vitest';
import { effectsInside, effectsOfRealServer, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';

const lines = linesOf(`
  HSET h a 1 b 2
  HSET h a 1
  HSET h a 2 c 3
  HSET h a
  HMSET h a 5 d 6
  hmset new x y
  HSETNX h a 1
  HSETNX h e 1
  HSETNX fresh a 1
  HINCRBY h a 5
  HINCRBY h a x
  HINCRBY n a 5
  HINCRBY h a 9223372036854775807
  HINCRBYFLOAT h a 0.5
  HINCRBYFLOAT h a x
  HINCRBYFLOAT f a 3
  HINCRBYFLOAT h a 1e3
  HDEL h nothing
  HDEL h a nothing b
  HDEL nothing a
  HDEL h c d e
  HDEL h c
  HDEL f a b
  HGET nothing a
  HGET h a
  HMGET nothing a
  HGETALL nothing
  HKEYS nothing
  HVALS nothing
  HLEN nothing
  HSTRLEN nothing a
  HEXISTS nothing a
  HRANDFIELD nothing
  HRANDFIELD nothing 5
  HSCAN nothing 0
  MULTI
  HSET t a 1
  HINCRBYFLOAT t a 1
  HDEL t a
  EXEC
  SET s x
  HSET s a 1
  HINCRBYFLOAT s a 1
`);

describe.skipIf(requireRedisServer() === null)('the hash commands', () => {
  it('do what they do to the journal and the listeners as a real server', async () => {
    expect(effectsInside(lines)).toEqual(await effectsOfRealServer(lines));
  });
});
