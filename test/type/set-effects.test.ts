/** What the set commands propagate and which events they raise, as a real server. */
import { describe, expect, it } from 'vitest';
import { effectsInside, effectsOfRealServer, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';

const lines = linesOf(`
  SADD s 1 2 3
  SADD s 1 2
  SADD s 2 4
  SADD t x 4
  SREM s 9
  SREM s 1 9 2
  SREM nothing 1
  SREM s 3 4 5
  SADD s 1 2 3
  SMOVE s t 9
  SMOVE s t 1
  SMOVE s new 2
  SMOVE s s 3
  SMOVE s t 3
  SMOVE nothing t 1
  SADD u 4
  SMOVE u t 4
  SINTERSTORE dst t nothing
  SADD a 1 2 3
  SADD b 2 3 4
  SINTERSTORE dst a b
  SINTERSTORE dst a b
  SINTERSTORE dst a nothing
  SINTERSTORE dst a nothing
  SUNIONSTORE dst a b
  SUNIONSTORE dst nothing
  SUNIONSTORE dst nothing
  SDIFFSTORE dst a b
  SDIFFSTORE a a b
  SDIFFSTORE dst a a
  SDIFFSTORE dst a a
  SET string x
  SUNIONSTORE string b
  SUNIONSTORE string nothing
  SADD one 1
  SPOP one
  SADD one 1
  SPOP one 1
  SADD one 1
  SPOP one 0
  SPOP one 100
  SPOP one
  SPOP one 5
  SPOP one -1
  SRANDMEMBER one
  SRANDMEMBER one 5
  SMEMBERS nothing
  SINTER nothing b
  SINTERCARD 2 nothing b
  SUNION nothing
  SDIFF nothing b
  SISMEMBER nothing x
  SMISMEMBER nothing x y
  SCARD nothing
  SSCAN nothing 0
  MULTI
  SADD q 1
  SPOP q
  SADD q 2
  SPOP q 5
  EXEC
  SET string x
  SADD string 1
  SMOVE b string 2
  SPOP string
`);

describe.skipIf(requireRedisServer() === null)('the set commands', () => {
  it('do what they do to the journal and the listeners as a real server', async () => {
    expect(effectsInside(lines)).toEqual(await effectsOfRealServer(lines));
  });

  it('propagate what chance took by name, as Redis does since 7.2', async () => {
    const members = Array.from({ length: 3000 }, (_, i) => `m${i}`).join(' ');
    const pops = [`SADD many ${members}`];
    const counts = [1, 3, 1023, 1024, 900];
    pops.push('SPOP many', ...counts.map((count) => `SPOP many ${count}`), 'SPOP many 100');
    const mine = effectsInside(pops);
    expect(mine.events).toEqual((await effectsOfRealServer(pops)).events);
    const taken = mine.propagated
      .filter((line) => line.startsWith('SREM many '))
      .map((line) => line.split(' ').slice(2));
    expect(taken.map(({ length }) => length)).toEqual([1, ...counts]);
    expect(new Set(taken.flat()).size).toBe(2952);
    const whole = effectsInside([`SADD many ${members}`, 'SPOP many 2500']).propagated;
    expect(whole.map((line) => line.split(' ').length)).toEqual([3002, 1, 1026, 1026, 454, 1]);
  });
});
