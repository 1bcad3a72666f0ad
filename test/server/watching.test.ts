/**
 * MONITOR, SLOWLOG and LATENCY: what the server shows of the commands that it runs, compared with
 * the real server byte for byte where times do not matter.
 */
import { describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { type Mask, sideBySide } from '../support/side-by-side.ts';

const TIMES: readonly Mask[] = [
  [/\d+\.\d{6}/g, 'time'],
  [/127\.0\.0\.1:\d+/g, 'address'],
];

const LONG = 'x'.repeat(140);
const MANY = Array.from({ length: 40 }, (_, i) => `f${i}`).join(' ');

describe.skipIf(requireRedisServer() === null)('watching commands', () => {
  const { same, servers } = sideBySide({ config: { 'enable-debug-command': 'yes' } });

  same(
    'MONITOR',
    `
    m> MONITOR
    a> SET k "with \\"quotes\\" \\r\\n\\t\\a\\b\\\\ \\x00\\xff"
    m<
    a> GET k
    m<
    a> SELECT 3
    m<
    a> MULTI
    m<
    a> SET k 1
    a> INCR k
    a> EXEC
    m< 3
    a> AUTH default secret
    m<
    a> HELLO 2 AUTH default secret SETNAME me
    m<
    a> CONFIG GET port
    a> NONSENSE
    a> GET
    a> INCR k x
    a> GET k
    m<
    a> SADD k x
    m<
    m> PING
    m<
    m> GET k
    m> SET k v
    m> SELECT 1
    m<
    m> CLIENT GETNAME
    m<
    m> MONITOR
    m> ECHO hi
    m<
    a> CLIENT SETNAME you
    m<
    m> RESET
    m> GET k
  `.replace('    m> MONITOR\n    m> ECHO hi\n    m<\n', ''),
    [...TIMES, [/\$\d+\r\n(?=port)|port\r\n\$\d+\r\n\d+|:\d+|\$\d+\r\n7\.\d+\.\d+/g, '?']],
  );

  same(
    'MONITOR ends with the answer to QUIT',
    `
    m> MONITOR
    m> QUIT
    m<
  `,
    TIMES,
  );

  same(
    'MONITOR: commands as they came, and EXEC that is refused',
    `
    m> MONITOR
    a> XADD x 1-1 f v
    m<
    a>0 XREAD BLOCK 1 STREAMS x $
    m<
    a<
    a> MULTI
    m<
    a> EXEC now
    m<
    a> PING
    m<
    a> SUBSCRIBE c
    m<
    a> EXEC
    m<
    a> GET k
    a> PING
    m> SUBSCRIBE c
    m<
    m> GET k
    m>0 CLIENT REPLY OFF
    b> GET x
    m> CLIENT REPLY ON
    b> DEL x
    m<
  `,
    TIMES,
  );

  same(
    'CLIENT LIST: the last command, known or not, and what is queued',
    `
    a> ECHO x
    a> CLIENT SETNAME me
    b> CLIENT LIST ID $id(a)
    a> NONSENSE
    b> CLIENT LIST ID $id(a)
    a> SET k
    b> CLIENT LIST ID $id(a)
    a> CLIENT NONSENSE
    b> CLIENT LIST ID $id(a)
    a> CLIENT SETNAME
    b> CLIENT LIST ID $id(a)
    a> WATCH k
    b> SET k v
    a> MULTI
    a> SET k w
    b> CLIENT LIST ID $id(a)
    a> EXEC
    a> MULTI
    a> SET k w
    a> SET k
    a> SET k w
    b> CLIENT LIST ID $id(a)
    a> EXEC
  `,
    [[/\$\d+\r\nid=.*(flags=\S+).*( multi=\S+).*( cmd=\S+).*\n/, '$1$2$3']],
  );

  same(
    'WATCH: a group is no part of the stream, the key and its entries are',
    `
    a> WATCH x
    b> XGROUP CREATE x g 0 MKSTREAM
    a> MULTI
    a> EXEC
    a> WATCH x
    b> XGROUP CREATE x h 0
    b> XGROUP SETID x h 0
    b> XGROUP CREATECONSUMER x h c
    b> XGROUP DESTROY x g
    b> XSETID x 5-5
    a> MULTI
    a> EXEC
    a> WATCH x
    b> XGROUP DELCONSUMER x h c
    a> MULTI
    a> EXEC
    b>0 XREADGROUP GROUP h c BLOCK 0 STREAMS x >
    a> WATCH x
    a> XGROUP DESTROY x h
    b<
    a> MULTI
    a> EXEC
  `,
    [
      [/-NOGROUP [^\r]*/, '-NOGROUP'],
      [/-UNBLOCKED [^\r]*/, '-NOGROUP'],
    ],
  );

  same(
    'SLOWLOG',
    `
    a> CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 5
    a> SLOWLOG RESET
    a> SLOWLOG LEN
    a> CLIENT SETNAME me
    a> SET k ${LONG}
    a> MGET ${MANY}
    a> CONFIG SET requirepass ""
    a> AUTH default secret
    a> ACL SETUSER nobody off >secret
    a> SLOWLOG GET 5
    a> SLOWLOG GET 0
    a> SLOWLOG GET -1
    a> SLOWLOG LEN
    a> MULTI
    a> SET k v
    a> EXEC
    a> SLOWLOG GET 2
    a> CONFIG SET slowlog-log-slower-than -1
    a> SLOWLOG RESET
    a> SET k v
    a> SLOWLOG GET
    a> SLOWLOG GET x
    a> SLOWLOG GET -2
    a> SLOWLOG GET 1 2
    a> SLOWLOG FOO
    a> CONFIG SET slowlog-log-slower-than 500000
    a> DEBUG SLEEP 0.6
    a> SLOWLOG GET
    a> CONFIG SET slowlog-max-len 128
    a> ACL DELUSER nobody
  `,
    [...TIMES, [/:\d{9,}\r\n:\d+/g, ':time'], [/(?<=\*6\r\n):\d+/g, ':id']],
  );

  same(
    'LATENCY',
    `
    a> LATENCY LATEST
    a> LATENCY RESET
    a> CONFIG SET latency-monitor-threshold 500
    a> DEBUG SLEEP 0.6
    a> LATENCY LATEST
    a> LATENCY HISTORY command
    a> LATENCY HISTORY nothing
    a> LATENCY GRAPH command
    a> LATENCY GRAPH nothing
    a> LATENCY RESET nothing
    a> LATENCY RESET command
    a> LATENCY LATEST
    a> LATENCY HISTOGRAM nothing
    a> LATENCY FOO
    a> LATENCY HISTORY
    a> CONFIG SET latency-monitor-threshold 0
    a> CONFIG RESETSTAT
    a> LATENCY HISTOGRAM config|get
  `,
    [
      [/:\d{9,}/g, ':time'],
      [/:\d{3,4}\b|\b\d{3,4} ms/g, 'some ms'],
      // How old the sample is, in the graph's last two lines.
      [/\n\d\ns\n/g, '\nage\n'],
    ],
  );

  it('tells who tracks keys that more keys are tracked than may be', async () => {
    const { cairn } = servers();
    const [client, reader] = [await cairn.connect(), await cairn.connect()];
    await reader.send('HELLO', 3);
    await reader.pipeline([
      ['MSET', 'one', '1', 'two', '2'],
      ['CLIENT', 'TRACKING', 'ON'],
      ['MGET', 'one', 'two'],
    ]);
    await client.send('CONFIG', 'SET', 'tracking-table-max-keys', '1');
    expect((await reader.readPush()).value).toEqual(['invalidate', ['one']]);
    await client.send('CONFIG', 'SET', 'tracking-table-max-keys', '2');
    await reader.pipeline([
      ['CLIENT', 'TRACKING', 'ON', 'NOLOOP'],
      ['MGET', 'two', 'one'],
      ['CONFIG', 'SET', 'tracking-table-max-keys', '1'],
    ]);
    expect((await reader.readPush()).value).toEqual(['invalidate', ['two']]);
    await client.send('CONFIG', 'SET', 'tracking-table-max-keys', '1000000');
    for (const one of [client, reader]) one.close();
  });

  it('SLOWLOG tells of a command that is mostly quick and was not', async () => {
    const { cairn } = servers();
    const client = await cairn.connect();
    await client.send('CONFIG', 'SET', 'slowlog-log-slower-than', '1000');
    await client.send('SLOWLOG', 'RESET');
    const elements = Array.from({ length: 200_000 }, (_, i) => `element ${i}`);
    await client.pipeline([
      ['GET', 'none'],
      ['RPUSH', 'long', ...elements],
      ['GET', 'none'],
    ]);
    const named = JSON.stringify(await client.value('SLOWLOG', 'GET'));
    expect(named).toContain('RPUSH');
    await client.send('CONFIG', 'SET', 'slowlog-log-slower-than', '10000');
    client.close();
  });

  it('draws, advises and counts alike for values of its own', async () => {
    const { cairn } = servers();
    const client = await cairn.connect();
    const text = String(await client.value('LATENCY', 'DOCTOR'));
    expect(text).toMatch(/latency-monitor-threshold/);
    await client.send('CONFIG', 'SET', 'latency-monitor-threshold', '5');
    await client.send('DEBUG', 'SLEEP', '0.01');
    // What else the machine held up is a sample, too.
    expect(await client.value('LATENCY', 'DOCTOR')).toMatch(
      /command: \d+ samples, \d+ ms on average/,
    );
    await client.send('CONFIG', 'SET', 'latency-monitor-threshold', '0');
    const fromMs = Date.now();
    const time = await client.value('TIME');
    const toMs = Date.now();
    const [seconds = 0, micro = 0] = Array.isArray(time) ? time.map(Number) : [];
    expect(micro).toBeLessThan(1_000_000);
    const toldMs = seconds * 1000 + micro / 1000;
    expect(toldMs).toBeGreaterThan(fromMs - 100);
    expect(toldMs).toBeLessThan(toMs + 100);
    expect(await client.value('LOLWUT')).toMatch(/Redis ver\. 7\.2\.4\n$/);
    client.close();
  });
});
