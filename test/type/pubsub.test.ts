/**
 * Publish and subscribe, keyspace events and client-side caching over sockets, in RESP2 and RESP3,
 * compared with the real server byte for byte.
 */
import { describe } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { sideBySide } from '../support/side-by-side.ts';

describe.skipIf(requireRedisServer() === null)('publish and subscribe', () => {
  const { same } = sideBySide({ config: { 'enable-debug-command': 'yes' } });

  same(
    'a RESP2 subscriber',
    `
    s>2 SUBSCRIBE a b
    s> SUBSCRIBE a
    s>2 PSUBSCRIBE n* ?ews
    s>2 SSUBSCRIBE a sh
    p> PUBLISH a hello
    s<
    p> PUBLISH xews x
    s<
    p> PUBLISH nobody x
    p> SPUBLISH sh shard
    s<
    p> PUBSUB CHANNELS b*
    p> PUBSUB NUMPAT
    p> PUBSUB NUMSUB a b nobody
    p> PUBSUB SHARDNUMSUB a sh
    p> PUBSUB SHARDCHANNELS s*
    s> PING
    s> PING hello
    s> GET k
    s> CLIENT ID
    s> MULTI
    s> UNSUBSCRIBE b
    s> UNSUBSCRIBE nothing
    s> PUNSUBSCRIBE n*
    s> UNSUBSCRIBE
    s> PUNSUBSCRIBE
    s> SUNSUBSCRIBE sh
    s> GET k
    s> SUNSUBSCRIBE
    s> SUNSUBSCRIBE
    s> UNSUBSCRIBE
    s> PUNSUBSCRIBE
    s> GET k
    s> SUBSCRIBE a
    s> RESET
    s> GET k
    p> PUBSUB CHANNELS
  `,
  );

  same(
    'CLIENT REPLY silences replies, and no message',
    `
    s>0 CLIENT REPLY OFF
    s> SUBSCRIBE a
    s> PSUBSCRIBE ?
    p> PUBLISH a x
    s<
    s<
    s>0 PING
    s> UNSUBSCRIBE
    s> PUNSUBSCRIBE
    s>0 GET k
    s> CLIENT REPLY ON
    s>0 CLIENT REPLY SKIP
    s> SUBSCRIBE a
    s> UNSUBSCRIBE
    s> GET k
    s3>0 CLIENT REPLY OFF
    s3>>2 SUBSCRIBE a b
    s3>>1 PUBLISH a self
    p> PUBLISH a x
    s3<<
    s3>0 BLPOP list 0
    p> RPUSH list x
    p> PUBLISH b x
    s3<<
    s3>>2 UNSUBSCRIBE a b
    s3> CLIENT REPLY ON
    s3>>1 SUBSCRIBE a
    s3>0 CLIENT REPLY SKIP
    s3>>1 PUBLISH a self
    s3> GET k
    c3> CLIENT TRACKING ON
    c3> GET k
    c3>0 CLIENT REPLY OFF
    p> SET k v
    c3<<
    c3>0 GET k
    c3>>1 SET k v
    c3> CLIENT REPLY ON
  `,
  );

  same(
    'a RESP3 subscriber',
    `
    s3>>2 SUBSCRIBE a b
    s3>> PSUBSCRIBE n*
    s3>> SSUBSCRIBE sh
    p> PUBLISH a hello
    s3<<
    p3> PUBLISH news x
    s3<<
    p> SPUBLISH sh shard
    s3<<
    s3> PING
    s3> PING hello
    s3> GET k
    s3> PUBLISH a self
    s3<<
    s3>>2 UNSUBSCRIBE a b
    s3>> UNSUBSCRIBE
    s3>> PUNSUBSCRIBE
    s3>> SUNSUBSCRIBE
    s3>> SUNSUBSCRIBE
    s3> GET k
  `,
  );

  same(
    'refusals',
    `
    a> MULTI
    a> SSUBSCRIBE sh
    a> EXEC
    a> PUBLISH a
    a> SUBSCRIBE
    a> PUBSUB
    a> PUBSUB FOO
    a> PUBSUB CHANNELS a b
    a> PUBSUB NUMPAT x
    a> PUBSUB NUMSUB
    a> PUBSUB SHARDNUMSUB
    a> PUBSUB SHARDCHANNELS a b
    a> SUBSCRIBE x
    a> nonsense
    a> SET
    a> SET k v
    a> HELLO 3
    a> CONFIG GET maxmemory
    a> QUIT
    a! closed
  `,
  );

  same(
    'subscribing inside of a transaction',
    `
    a> MULTI
    a> SUBSCRIBE x
    a> SET k v
    a>0 EXEC
    a< 1
    b> PUBLISH x hello
    a<
  `,
  );

  same(
    'keyspace events',
    `
    p> CONFIG SET notify-keyspace-events KEA
    p> CONFIG GET notify-keyspace-events
    s>1 PSUBSCRIBE __key*
    p> SET k v
    s< 2
    p> DEL k
    s< 2
    p> SADD l a b
    s< 2
    p> EXPIRE l 100
    s< 2
    p> SELECT 3
    p> INCR n
    s< 2
    p> CONFIG SET notify-keyspace-events Kg
    p> SET q v
    p> DEL q
    s<
    p> CONFIG SET notify-keyspace-events Esm
    p> GET missing
    s<
    p> SADD list x
    s<
    p> CONFIG SET notify-keyspace-events g
    p> DEL list
    p> CONFIG SET notify-keyspace-events KEn
    p> SET fresh x
    s< 2
    p> CONFIG SET notify-keyspace-events Em
    p> XREAD STREAMS none other 0 0
    s< 4
    p> CONFIG SET notify-keyspace-events Kx
    p> SET short x PX 1
    p> DEBUG SLEEP 0.05
    p> GET short
    s<
    p> CONFIG SET notify-keyspace-events ""
    p> FLUSHALL
  `,
  );

  same(
    'client-side caching',
    `
    a3> CLIENT TRACKING ON
    a3> CLIENT CACHING YES
    a3> CLIENT CACHING NO
    a3> CLIENT CACHING FOO
    a3> CLIENT TRACKINGINFO
    a3> CLIENT GETREDIR
    a3> GET k
    b> SET k 1
    a3<<
    b> SET k 2
    a3> MGET k j
    b> MSET k 3 j 4
    a3<< 2
    a3> GET k
    a3> SET k own
    a3<<
    a3> GET k
    b> FLUSHALL
    a3<<
    a3> CLIENT TRACKING ON BCAST
    a3> CLIENT TRACKING ON OPTIN
    a3> CLIENT CACHING YES
    a3> GET k
    a3> GET j
    a3> CLIENT TRACKINGINFO
    b> SET j 1
    b> SET k 1
    a3<<
    a3> CLIENT CACHING YES
    a3> MULTI
    a3> GET k
    a3> GET j
    a3> EXEC
    b> MSET k 1 j 1
    a3<< 2
    a3> CLIENT CACHING NO
    a3> CLIENT TRACKING ON OPTOUT
    a3> CLIENT TRACKING OFF
    a3> CLIENT TRACKINGINFO
    a3> CLIENT TRACKING ON OPTOUT NOLOOP
    a3> CLIENT CACHING NO
    a3> CLIENT TRACKINGINFO
    a3> GET k
    a3> GET j
    a3> SET j 2
    b> SET k 5
    b> SET j 3
    a3> PING
    a3> CLIENT TRACKING OFF
    a3> CLIENT TRACKING ON BCAST PREFIX user: PREFIX obj:
    a3> CLIENT TRACKING ON BCAST PREFIX user:1
    a3> CLIENT TRACKINGINFO
    b> SET user:1 x
    a3<<
    b> SET other x
    b> DEL user:1
    a3<<
    a3> PING
  `,
  );

  same(
    'the order of what is broadcast, and prefixes that overlap',
    `
    s> SUBSCRIBE __redis__:invalidate
    a3> CLIENT TRACKING ON BCAST PREFIX z PREFIX a
    c> CLIENT TRACKING ON BCAST PREFIX y REDIRECT $id(s)
    d> CLIENT TRACKING ON BCAST PREFIX b PREFIX z REDIRECT $id(s)
    b> MSET z1 1 a1 1 z0 1 a0 1 y1 1 y0 1 b1 1
    a3<< 2
    s< 3
    a3> CLIENT TRACKING ON BCAST PREFIX z
    a3> CLIENT TRACKING ON BCAST PREFIX z PREFIX z1
    a3> CLIENT TRACKING ON BCAST PREFIX c PREFIX c
    a3> CLIENT TRACKINGINFO
  `,
  );

  same(
    'client-side caching that is asked for once more, and redirected to oneself',
    `
    a3> CLIENT TRACKING ON
    a3> GET k
    a3> CLIENT TRACKING ON NOLOOP
    b> SET k 1
    a3<<
    a3> GET k
    a3> CLIENT TRACKING OFF
    a3> CLIENT TRACKING ON OPTIN
    b> SET k 1
    a3<<
    a3> CLIENT CACHING YES
    a3> CLIENT TRACKING ON OPTIN
    a3> CLIENT TRACKINGINFO
    a3> GET k
    b> SET k 2
    a3<<
    a3> CLIENT TRACKING OFF
    a3> CLIENT TRACKING ON BCAST NOLOOP
    a3> DEBUG SET-ACTIVE-EXPIRE 0
    a3> SET k 3 PX 1
    a3> DEBUG SLEEP 0.05
    a3> GET k
    a3<<
    a3> DEBUG SET-ACTIVE-EXPIRE 1
    s> SUBSCRIBE c
    s> RESET
    s> CLIENT TRACKING ON REDIRECT $id(s) BCAST
    s> SUBSCRIBE c
    b> SET k 3
    s<
    a3> CLIENT TRACKING OFF
  `,
    [[/(?<=redirect\r\n):\d+/g, ':?']],
  );

  same(
    'keys that are evicted, which NOLOOP does not keep back',
    `
    b> FLUSHALL
    a3> SET k 1
    a3> CLIENT TRACKING ON NOLOOP
    a3> GET k
    a3> CONFIG SET maxmemory-policy allkeys-lru
    a3> CONFIG SET maxmemory 1
    a3> SET l 1
    a3<<
    a3> CONFIG SET maxmemory 0
    a3> CLIENT TRACKING OFF
    b> SET k 2
    a3> CLIENT TRACKING ON BCAST NOLOOP
    a3> CONFIG SET maxmemory 1
    a3> SET l 1
    a3<<
    a3> CONFIG SET maxmemory 0
    a3> CONFIG SET maxmemory-policy noeviction
    a3> PING
  `,
  );

  same(
    'client-side caching by redirection',
    `
    s> SUBSCRIBE __redis__:invalidate
    a> CLIENT TRACKING ON REDIRECT $id(s)
    a> CLIENT TRACKING ON REDIRECT 999999
    a> GET k
    b> SET k 1
    s<
    a> GET k
    b> FLUSHALL
    s<
    a3> CLIENT TRACKING ON REDIRECT $id(s)
    a3> GET k
    b> CLIENT KILL ID $id(s)
    b> SET k 2
    a3<<
  `,
    [[/:\d+/g, ':?']],
  );
});
