/**
 * What the commands on keys, databases, expiry and transactions propagate and which events they
 * raise.
 */
import { describe, expect, it } from 'vitest';
import { type Effects, effectsInside, effectsOfRealServer, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';

/** What DUMP gives for a list with one element, "a". */
const listOfA =
  '\\x12\\x01\\x02\\x0a\\x0a\\x00\\x00\\x00\\x01\\x00\\x81\\x61' +
  '\\x02\\xff\\x0a\\x00\\x09\\xb9\\xed\\xf5\\x94\\xde\\xd9\\x95';

/** What DUMP gives for a set with one member, "a", in Redis 7.2. */
const newerSetOfA =
  '\\x14\\x0a\\x0a\\x00\\x00\\x00\\x01\\x00\\x81\\x61' +
  '\\x02\\xff\\x0b\\x00\\xf7\\xdf\\x7f\\xdb\\x99\\xef\\x7b\\x74';

const lines = `
  DEBUG SET-ACTIVE-EXPIRE 0
  SET a 1
  SET b 1
  DEL a b x
  DEL x
  SET a 1
  UNLINK a x
  SET a 1 EX 100
  SET b 1
  RENAME a b
  RENAME b c
  RENAMENX c d
  RENAME d d
  RENAMENX d d
  COPY d e
  COPY d e
  COPY d e REPLACE
  COPY d e DB 1
  COPY nothing e
  RESTORE r 0 "${listOfA}"
  RESTORE r 0 "${listOfA}" REPLACE
  RESTORE r 0 "${listOfA}"
  MOVE d 1
  MOVE d 1
  EXPIRE e 100
  EXPIRE e 200 gt
  EXPIRE e 100 NX
  PEXPIRE e 300000
  PEXPIREAT e 99999999999999
  PEXPIREAT e 99999999999998 LT
  EXPIREAT e 4102444800 xx LT
  PEXPIREAT e 9223372036854775807
  EXPIREAT e 9223372036854775
  PERSIST e
  PERSIST e
  EXPIRE e -1 XX
  EXPIRE e -1
  SET e 1
  PEXPIREAT e 5
  TTL nothing
  PTTL nothing
  EXPIRETIME nothing
  TYPE nothing
  EXISTS nothing nothing
  TOUCH nothing
  OBJECT ENCODING nothing
  OBJECT IDLETIME nothing
  MEMORY USAGE nothing
  PERSIST nothing
  EXPIRE nothing 10
  FLUSHDB
  FLUSHDB
  FLUSHALL
  FLUSHALL ASYNC
  FLUSHDB SYNC
  SET a 1
  SWAPDB 0 1
  SWAPDB 1 1
  SET b 1
  SELECT 1
  SET c 1
  SELECT 0
  FLUSHALL
  MULTI
  SET a 1
  EXEC
  MULTI
  SET a 1
  INCR a
  GET a
  EXEC
  MULTI
  EXEC
  MULTI
  GET a
  EXEC
  MULTI
  SELECT 2
  SET a 1
  SELECT 0
  INCR a
  EXEC
  MULTI
  FLUSHALL
  EXEC
  MULTI
  FLUSHDB
  SET b 1
  EXEC
  MULTI
  SET a 1
  DISCARD
  WATCH b
  SET b 2
  MULTI
  SET b 3
  EXEC
  DEBUG POPULATE 2 p
  FLUSHALL
`;

/** Keys past their time that are met by a command, each in a unit of its own. */
const expiring = ['GET a', 'DEL a b', 'SET a 2', 'INCR a', 'KEYS *', 'SCAN 0 MATCH a', 'MGET a b']
  .concat(['EXISTS a b', 'TOUCH a b', 'OBJECT ENCODING a', 'TTL a', 'PERSIST a', 'RENAME a b'])
  .concat(['COPY a b', 'COPY c a', 'RENAME c a', 'RENAMENX c b', 'MOVE a 1', 'EXPIRE a 100'])
  .concat(['GETDEL a', 'DEBUG OBJECT a', 'DEBUG DIGEST-VALUE c', 'MEMORY USAGE c', 'DBSIZE'])
  .concat(['MULTI\nGET a\nSET c 1\nEXEC', 'MULTI\nGET a\nGET b\nEXEC', 'WATCH a\nMULTI\nEXEC'])
  .concat(['SUNIONSTORE a x', 'SINTERSTORE a b x', 'SDIFFSTORE a x', 'SORT x STORE a'])
  .concat(['ZUNIONSTORE a 1 x', 'ZRANGESTORE a x 0 -1', 'BITOP NOT a x', 'BITOP OR a x y'])
  .concat(['GEORADIUS x 1 1 1 m STORE a', 'GEOSEARCHSTORE a x FROMLONLAT 1 1 BYRADIUS 1 m'])
  .concat(['SADD x 1\nSUNIONSTORE a x', 'RPUSH x 1\nSORT x STORE a', 'SORT a STORE a'])
  .concat([`RESTORE a 0 "${listOfA}" REPLACE`, `RESTORE a 0 "${listOfA}"`, 'RESTORE a 0 x'])
  .concat(['RESTORE a 0 x REPLACE', 'SADD x 1\nSMOVE x a 1', 'RPUSH x 1\nLMOVE x a LEFT LEFT'])
  .concat(['SET a 1 PX 1000\nWATCH a\nDEBUG SLEEP 1.05\nGET a\nMULTI\nSET c 2\nEXEC'])
  .map((lines) => `SET a 1 PX 1\nSET b 1 PX 1\nSET c 1\nDEBUG SLEEP 0.005\n${lines}\nFLUSHALL`);

/** The effects with what depends on addresses, sizes and chance taken out. */
function comparable({ replies, propagated, events }: Effects): Effects {
  const known = replies.filter((reply) => !reply.startsWith('+Value at:'));
  return { replies: known, propagated, events };
}

describe.skipIf(requireRedisServer() === null)('effects are those of a real server', () => {
  it('of keys, databases, expiry and transactions', async () => {
    const theirs = await effectsOfRealServer(linesOf(lines));
    expect(effectsInside(linesOf(lines))).toEqual(theirs);
    expect(theirs.propagated.length).toBeGreaterThan(40);
    expect(theirs.events.length).toBeGreaterThan(40);
  });

  it('of keys past their time', async () => {
    const all = linesOf(`DEBUG SET-ACTIVE-EXPIRE 0\n${expiring.join('\n')}`);
    const theirs = comparable(await effectsOfRealServer(all));
    const mine = comparable(effectsInside(all));
    expect(mine.propagated).toEqual(theirs.propagated);
    expect(mine.events).toEqual(theirs.events);
    expect(theirs.events.filter((event) => event === 'expired a').length).toBeGreaterThan(20);
  });

  it('where everything is freed lazily', async () => {
    const settings = {
      'lazyfree-lazy-expire': 'yes',
      'lazyfree-lazy-user-del': 'yes',
      'lazyfree-lazy-user-flush': 'yes',
      'lazyfree-lazy-server-del': 'yes',
    };
    const all = linesOf(`
      DEBUG SET-ACTIVE-EXPIRE 0
      SET a 1
      DEL a
      SET a 1
      UNLINK a
      SET a 1
      GETDEL a
      SET a 1
      EXPIRE a -1
      SET a 1 PX 1
      DEBUG SLEEP 0.005
      GET a
      FLUSHDB
      FLUSHALL
    `);
    expect(effectsInside(all, settings)).toEqual(await effectsOfRealServer(all, settings));
  });

  it('where RESTORE brings what is over already, as Redis does since 7.2', () => {
    const all = linesOf(`SET a 1\nRESTORE a 1 "${listOfA}" REPLACE ABSTTL`);
    expect(effectsInside(all).propagated.at(-1)).toBe('DEL a');
    const lazily = effectsInside(all, { 'lazyfree-lazy-server-del': 'yes' });
    expect(lazily.propagated.at(-1)).toBe('UNLINK a');
  });

  it('of commands that take a whole value, as Redis 7.2 has them', () => {
    const all = linesOf(`
      SADD s 1 2
      SPOP s 2
      SADD s 1
      RESTORE s 1 "\\x00\\xc0\\x01\\x0a\\x00\\x26x\\xe7\\xb6\\xd1\\x01\\x11\\xfc" REPLACE ABSTTL
    `);
    const propagated = (lazy: string): readonly string[] =>
      effectsInside(all, { 'lazyfree-lazy-server-del': lazy }).propagated;
    expect(propagated('no').filter((one) => one.endsWith('L s'))).toEqual(['DEL s', 'DEL s']);
    expect(propagated('yes').filter((one) => one.endsWith('K s'))).toEqual([
      'UNLINK s',
      'UNLINK s',
    ]);
  });

  it('of a payload that is newer than the dumps, as one that whoever loads the dumps takes', () => {
    const of = (version: string): readonly string[] => {
      const all = linesOf(`
        RESTORE s 0 "${newerSetOfA}"
        RESTORE s 100000 "${newerSetOfA}" REPLACE
      `);
      const { propagated } = effectsInside(all, { 'rdb-save-version': version });
      return propagated.map((one) => JSON.stringify(one));
    };
    const older = '\\u0002\\u0001\\u0001a\\n\\u0000';
    expect(of('10')[0]).toContain(`RESTORE s 0 ${older}`);
    expect(of('10')[1]).toContain(`RESTORE s now+100s ${older}`);
    expect(of('10')[1]).toContain(' REPLACE ABSTTL');
    expect(of('11')[0]).toContain('RESTORE s 0 \\u0014');
  });
});
