/**
 * Clients that wait for lists, sorted sets and streams: who is served by what, in which order, what
 * goes to the AOF and which events are raised. Every scene is played on Cairn and on the real
 * server, and must end alike.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Scene, Stage, scene } from '../support/blocking-stage.ts';
import { startCairnServer } from '../support/cairn-server.ts';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';

/** A list of "a", as DUMP gives it. */
const listPayload =
  '\\x12\\x01\\x02\\x0a\\x0a\\x00\\x00\\x00\\x01\\x00\\x81\\x61' +
  '\\x02\\xff\\x0a\\x00\\x09\\xb9\\xed\\xf5\\x94\\xde\\xd9\\x95';

const listScenes: readonly Scene[] = [
  scene('one waits', ['BLPOP k 0'], ['RPUSH k a']),
  scene('two wait for three', ['BLPOP k 0', 'BRPOP k 0'], ['RPUSH k a b c']),
  scene('two wait for one', ['BLPOP k 0', 'BLPOP k 0'], ['RPUSH k a']),
  scene(
    'nobody is served before the end of a transaction',
    ['BLPOP k 0', 'BLPOP k 0', 'BLPOP j k 0'],
    ['MULTI', 'RPUSH k a', 'RPUSH k b', 'RPUSH j c', 'EXEC'],
  ),
  scene('a list that came and went', ['BLPOP k 0'], ['MULTI', 'RPUSH k a', 'DEL k', 'EXEC']),
  scene(
    'a list that went and came',
    ['BLPOP k 0'],
    ['MULTI', 'RPUSH k a', 'DEL k', 'RPUSH k new', 'EXEC'],
  ),
  scene(
    'a list that became a string',
    ['BLPOP k 0'],
    ['MULTI', 'RPUSH k a', 'DEL k', 'SET k new', 'EXEC', 'DEL k', 'RPUSH k x'],
  ),
  scene('a string is nothing to wait for', ['BLPOP k 0'], ['SET k v', 'APPEND k w', 'SADD s k']),
  scene('moved', ['BLMOVE k d LEFT right 0'], ['RPUSH k a b']),
  scene('moved in the old way', ['brpoplpush k d 0'], ['RPUSH k a b']),
  scene('several', ['BLMPOP 0 2 j k RIGHT COUNT 3'], ['RPUSH k a b c d e']),
  scene('one of several', ['BLMPOP 0 1 k LEFT'], ['RPUSH k a b c d e']),
  scene('more than there are', ['BLMPOP 0 1 k LEFT COUNT 10'], ['RPUSH k a b c d e']),
  scene(
    'a chain',
    ['BLMOVE a b LEFT LEFT 0', 'BLMOVE b c LEFT LEFT 0', 'BLPOP c 0'],
    ['RPUSH a v'],
  ),
  scene(
    'a chain in the other order',
    ['BLPOP c 0', 'BLMOVE b c LEFT LEFT 0', 'BLMOVE a b LEFT LEFT 0'],
    ['RPUSH a v'],
  ),
  scene('in a circle', ['BRPOPLPUSH a b 0', 'BRPOPLPUSH b a 0'], ['RPUSH a v']),
  scene('to itself', ['BRPOPLPUSH a a 0'], ['RPUSH a v w']),
  scene('to what is no list', ['BLMOVE a s LEFT LEFT 0', 'BLPOP a 0'], ['SET s x', 'RPUSH a v']),
  scene('RENAME serves', ['BLPOP k 0'], ['RPUSH o a', 'RENAME o k']),
  scene('RENAMENX serves', ['BLPOP k 0'], ['RPUSH o a', 'RENAMENX o k']),
  scene('COPY serves', ['BLPOP k 0'], ['RPUSH o a', 'COPY o k']),
  scene('MOVE serves', [['SELECT 1', 'BLPOP o 0']], ['RPUSH o a', 'MOVE o 1']),
  scene(
    'SWAPDB serves',
    [['SELECT 1', 'BLPOP o 0'], 'BLPOP o 0'],
    ['SELECT 2', 'RPUSH o x', 'SWAPDB 1 2', 'SELECT 0'],
  ),
  scene('RESTORE serves', ['BLPOP k 0'], [`RESTORE k 0 "${listPayload}"`]),
  scene('the same key twice', ['BLPOP k k 0'], ['RPUSH k a b']),
  scene('LPUSHX and LINSERT find nothing', ['BLPOP k 0'], ['LPUSHX k a', 'LINSERT k BEFORE a b']),
  scene(
    'a transaction leaves some for the next',
    ['BLMPOP 0 1 k LEFT COUNT 2', 'BLPOP k 0'],
    ['MULTI', 'RPUSH k a', 'RPUSH k b c', 'EXEC', 'LRANGE k 0 -1'],
  ),
  scene('expired at once', ['BLPOP k 0'], ['MULTI', 'RPUSH k a', 'PEXPIRE k 0', 'EXEC']),
  scene(
    'odd keys',
    ['BLPOP "" 0', 'BLPOP "a\\r\\n\\x00\\xff" 0'],
    ['RPUSH "" a', 'RPUSH "a\\r\\n\\x00\\xff" b'],
  ),
  scene(
    'WATCH sees what was served',
    ['BLPOP k 0'],
    ['WATCH k', 'RPUSH k a', 'MULTI', 'PING', 'EXEC'],
  ),
  scene('what follows in the same connection', ['BLPOP k 0'], ['RPUSH k a', 'LLEN k', 'GET none']),
];

/** A sorted set of "a" with a score of 1, as DUMP gives it. */
const zsetPayload =
  '\\x11\\x0c\\x0c\\x00\\x00\\x00\\x02\\x00\\x81\\x61\\x02\\x01' +
  '\\x01\\xff\\x0a\\x00\\xa8\\x05\\xce\\xb8\\xd7\\xa9\\x33\\x02';

const zsetScenes: readonly Scene[] = [
  scene('one waits', ['BZPOPMIN k 0'], ['ZADD k 1 a']),
  scene('two wait for three', ['BZPOPMIN k 0', 'BZPOPMAX k 0'], ['ZADD k 1 a 2 b 3 c']),
  scene('two wait for one', ['BZPOPMAX k 0', 'BZPOPMIN k 0'], ['ZADD k 1.5 a']),
  scene('in RESP3', [['HELLO 3', 'BZPOPMIN k 0']], ['ZADD k 1.5 a']),
  scene('several in RESP3', [['HELLO 3', 'BZMPOP 0 1 k MIN COUNT 2']], ['ZADD k 1.5 a inf b']),
  scene('several', ['BZMPOP 0 2 j k MAX COUNT 3'], ['ZADD k 1 a 2 b 3 c 4 d']),
  scene('one of several', ['BZMPOP 0 1 k MIN'], ['ZADD k 1 a 2 b']),
  scene('more than there are', ['BZMPOP 0 1 k MAX COUNT 10'], ['ZADD k 1 a 2 b']),
  scene(
    'nobody is served before the end of a transaction',
    ['BZPOPMIN k 0', 'BZPOPMAX k 0', 'BZPOPMIN j k 0'],
    ['MULTI', 'ZADD k 2 a', 'ZADD k 1 b', 'ZADD j 1 c', 'EXEC'],
  ),
  scene('one that came and went', ['BZPOPMIN k 0'], ['MULTI', 'ZADD k 1 a', 'DEL k', 'EXEC']),
  scene(
    'one that went and came',
    ['BZPOPMIN k 0'],
    ['MULTI', 'ZADD k 1 a', 'DEL k', 'ZADD k 2 new', 'EXEC'],
  ),
  scene(
    'one that became a list',
    ['BZPOPMIN k 0', 'BLPOP k 0'],
    ['MULTI', 'ZADD k 1 a', 'DEL k', 'RPUSH k new', 'EXEC', 'ZADD k 1 x'],
  ),
  scene(
    'a list that became one',
    ['BLPOP k 0', 'BZPOPMIN k 0', 'BZPOPMIN k 0'],
    ['MULTI', 'RPUSH k a', 'DEL k', 'ZADD k 1 new 2 newer', 'EXEC', 'RPUSH k x'],
  ),
  scene(
    'other types are nothing to wait for',
    ['BZPOPMIN k 0'],
    ['RPUSH k v', 'DEL k', 'SADD k v'],
  ),
  scene('another score is no element', ['BZPOPMIN k 0'], ['ZADD k XX 1 a', 'ZADD k 1 a']),
  scene('ZINCRBY serves', ['BZPOPMIN k 0'], ['ZINCRBY k 2.5 a']),
  scene('ZRANGESTORE serves', ['BZPOPMIN k 0'], ['ZADD o 1 a 2 b', 'ZRANGESTORE k o 0 -1']),
  scene('ZUNIONSTORE serves', ['BZPOPMAX k 0'], ['ZADD o 1 a 2 b', 'ZUNIONSTORE k 1 o']),
  scene('ZINTERSTORE serves', ['BZPOPMAX k 0'], ['ZADD o 1 a 2 b', 'ZINTERSTORE k 2 o o']),
  scene('ZDIFFSTORE serves', ['BZPOPMAX k 0'], ['ZADD o 1 a 2 b', 'ZDIFFSTORE k 1 o']),
  scene('RENAME serves', ['BZPOPMIN k 0'], ['ZADD o 1 a', 'RENAME o k']),
  scene('RENAMENX serves', ['BZPOPMIN k 0'], ['ZADD o 1 a', 'RENAMENX o k']),
  scene('COPY serves', ['BZPOPMIN k 0'], ['ZADD o 1 a', 'COPY o k']),
  scene('MOVE serves', [['SELECT 1', 'BZPOPMIN o 0']], ['ZADD o 1 a', 'MOVE o 1']),
  scene(
    'SWAPDB serves',
    [['SELECT 1', 'BZPOPMIN o 0'], 'BZPOPMIN o 0'],
    ['SELECT 2', 'ZADD o 1 x', 'SWAPDB 1 2', 'SELECT 0'],
  ),
  scene('RESTORE serves', ['BZPOPMIN k 0'], [`RESTORE k 0 "${zsetPayload}"`]),
  scene('the same key twice', ['BZPOPMIN k k 0'], ['ZADD k 1 a 2 b']),
  scene(
    'a transaction leaves some for the next',
    ['BZMPOP 0 1 k MIN COUNT 2', 'BZPOPMIN k 0'],
    ['MULTI', 'ZADD k 1 a', 'ZADD k 2 b 3 c', 'EXEC', 'ZRANGE k 0 -1'],
  ),
  scene('expired at once', ['BZPOPMIN k 0'], ['MULTI', 'ZADD k 1 a', 'PEXPIRE k 0', 'EXEC']),
  scene(
    'odd keys',
    ['BZPOPMIN "" 0', 'BZPOPMIN "a\\r\\n\\x00\\xff" 0'],
    ['ZADD "" 1 a', 'ZADD "a\\r\\n\\x00\\xff" 1 b'],
  ),
  scene(
    'WATCH sees what was served',
    ['BZPOPMIN k 0'],
    ['WATCH k', 'ZADD k 1 a', 'MULTI', 'PING', 'EXEC'],
  ),
  scene(
    'never inside a transaction',
    [],
    ['MULTI', 'BZPOPMIN k 0', 'BZMPOP 0 1 k MIN', 'ZADD k 1 a', 'BZPOPMAX k 0', 'EXEC'],
  ),
  scene(
    'a transaction takes like anybody',
    [],
    ['ZADD k 1 a 2 b 3 c', 'MULTI', 'BZMPOP 0 2 j k MAX COUNT 2', 'BZPOPMIN j k 0', 'EXEC'],
  ),
  scene(
    'what is there at once',
    [],
    ['ZADD k 1 a 2 b', 'BZPOPMIN j k 0', 'BZMPOP 0 2 j k MAX COUNT 5', 'EXISTS k'],
  ),
  scene(
    'WRONGTYPE before a wait',
    [],
    ['SET s v', 'BZPOPMIN j s 0', 'BZMPOP 0 2 j s MIN', 'BZPOPMIN s j 0'],
  ),
];
const reader = [
  'XADD k 1-1 f v',
  'XGROUP CREATE k g $',
  // Redis 7.0 makes a consumer only when there is something to read.
  'XGROUP CREATECONSUMER k g c',
  'XREADGROUP GROUP g c BLOCK 0 STREAMS k >',
];
/** How 7.0 tells a reader of a group that it waits for nothing, and how 7.2 does. */
const goneTexts =
  /UNBLOCKED the stream key no longer exists|NOGROUP the consumer group this .* exists/;
const GONE = "NOGROUP No such key 'k' or consumer group 'g' in XREADGROUP with GROUP option";

/** 7.0 writes the ends of LMOVE in small letters when the client had waited. */
function small<T extends { readonly propagated: string }>(outcome: T): T {
  const lower = (text: string): string => text.toLowerCase();
  return {
    ...outcome,
    propagated: outcome.propagated.replace(/(?<=LMOVE \S+ \S+ )\w+ \w+/g, lower),
  };
}

const streamScenes: readonly Scene[] = [
  scene('DEL ends it', [reader], ['DEL k']),
  scene('FLUSHALL ends it', [reader], ['FLUSHALL']),
  scene('FLUSHDB ends it', [reader], ['FLUSHDB']),
  scene('FLUSHDB of another database does not', [reader], ['SELECT 1', 'FLUSHDB']),
  scene('SWAPDB ends it', [reader], ['SWAPDB 0 1']),
  scene(
    'SWAPDB with another stream ends it',
    [reader],
    ['SELECT 1', 'XADD k 1-1 f v', 'SWAPDB 0 1', 'SELECT 0'],
  ),
  scene('XGROUP DESTROY ends it', [reader], ['XGROUP DESTROY k g']),
  scene('a flush in a transaction ends it', [reader], ['MULTI', 'FLUSHALL', 'EXEC']),
  scene('without a group, nothing ends it', ['XREAD BLOCK 0 STREAMS k $'], ['FLUSHALL']),
];

/** A command that waited runs again as if it had just come; 7.0 has rules of its own for these. */
const laterScenes: readonly [Scene, waiting: readonly string[], propagated: string][] = [
  [
    scene(
      'the first key that is named serves',
      ['BLPOP k1 k2 0'],
      ['MULTI', 'RPUSH k2 x', 'RPUSH k1 y', 'EXEC'],
    ),
    ['*2 $2 k1 $1 y'],
    'MULTI | RPUSH k2 x | RPUSH k1 y | EXEC | LPOP k1',
  ],
  [
    scene(
      'BLMPOP, too',
      ['BLMPOP 0 2 k1 k2 LEFT COUNT 5'],
      ['MULTI', 'RPUSH k2 x', 'RPUSH k1 y', 'EXEC'],
    ),
    ['*2 $2 k1 *1 $1 y'],
    'MULTI | RPUSH k2 x | RPUSH k1 y | EXEC | LPOP k1 1',
  ],
  [
    scene(
      'BZMPOP, too',
      ['BZMPOP 0 2 k1 k2 MIN COUNT 5'],
      ['MULTI', 'ZADD k2 1 x', 'ZADD k1 1 y', 'EXEC'],
    ),
    ['*2 $2 k1 *1 *2 $1 y $1 1'],
    'MULTI | ZADD k2 1 x | ZADD k1 1 y | EXEC | ZPOPMIN k1 1',
  ],
  [
    scene(
      'another key may hold another type',
      ['BLPOP k1 k2 0'],
      ['MULTI', 'SET k1 s', 'RPUSH k2 x', 'EXEC'],
    ),
    ['-WRONGTYPE Operation against a key holding the wrong kind of value'],
    'MULTI | SET k1 s | RPUSH k2 x | EXEC',
  ],
  [
    scene('a stream that became a string', [reader], ['SET k v']),
    ['-WRONGTYPE Operation against a key holding the wrong kind of value'],
    'SET k v',
  ],
  [
    scene(
      'all streams that have entries serve',
      ['XREAD BLOCK 0 STREAMS k1 k2 $ $'],
      ['MULTI', 'XADD k2 1-1 f v', 'XADD k1 2-1 f v', 'EXEC'],
    ),
    ['*2 *2 $2 k1 *1 *2 $3 2-1 *2 $1 f $1 v *2 $2 k2 *1 *2 $3 1-1 *2 $1 f $1 v'],
    'MULTI | XADD k2 1-1 f v | XADD k1 2-1 f v | EXEC',
  ],
  [
    scene(
      'a list that is past its time comes with SWAPDB',
      ['BLPOP k 0'],
      [
        ...['DEBUG SET-ACTIVE-EXPIRE 0', 'SELECT 1', 'RPUSH k a', 'PEXPIREAT k 33000000000000'],
        ...['PEXPIRE k 1', 'DEBUG SLEEP 0.01', 'SWAPDB 0 1', 'SELECT 0', 'SET j v'],
        'DEBUG SET-ACTIVE-EXPIRE 1',
      ],
    ),
    [''],
    // Nothing of it may stand in a transaction that has no end.
    'SWAPDB 0 1 | SELECT 0 | DEL k | SET j v',
  ],
];

describe('waiting, as Redis 7.2 has it', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(({ config } = {}) =>
      startCairnServer({ config: { ...config, 'enable-debug-command': 'yes' } }),
    );
  });
  afterAll(() => stage?.close());

  it.each(laterScenes)('$name', async (one, waiting, propagated) => {
    const outcome = await stage.play(one);
    expect(outcome.waiting).toEqual(waiting);
    expect(outcome.propagated.endsWith(propagated)).toBe(true);
  });
});

describe.skipIf(requireRedisServer() === null)('waiting, as on a real server', () => {
  const stages: Stage[] = [];
  beforeAll(async () => {
    stages.push(await Stage.open(startCairnServer), await Stage.open(startRealServer));
  });
  afterAll(async () => {
    for (const stage of stages) await stage.close();
  });

  const play = async (one: Scene): Promise<void> => {
    const [mine, theirs] = await Promise.all(stages.map((stage) => stage.play(one)));
    if (mine === undefined || theirs === undefined) throw new Error('there are two stages');
    const waiting = theirs.waiting.map((one) => one.replace(goneTexts, GONE));
    expect(small(mine)).toEqual(small({ ...theirs, waiting }));
  };
  it.each(listScenes)('for lists: $name', play);
  it.each(zsetScenes)('for sorted sets: $name', play);
  it.each(streamScenes)('for streams: $name', play);
});
