/**
 * AUTH, HELLO, RESET and CLIENT, compared with the real server byte for byte.
 */
import { describe, expect, it } from 'vitest';
import { encodeCommand } from '../support/raw-client.ts';
import { requireRedisServer } from '../support/real-server.ts';
import { type Mask, sideBySide } from '../support/side-by-side.ts';

const HELLO: Mask = [/(?<=version\r\n\$\d+\r\n)[^\r]+|(?<=id\r\n):\d+|(?<=version\r\n)\$\d+/g, '?'];

describe.skipIf(requireRedisServer() === null)('connections', () => {
  const { same, servers } = sideBySide();

  same(
    'AUTH',
    `
    a> AUTH
    a> AUTH x
    a> AUTH a b c
    a> AUTH default x
    a> AUTH nobody x
    a> CONFIG SET requirepass secret
    b> PING
    b> AUTH wrong
    b> AUTH default wrong
    b> GET
    b> nonsense
    b> HELLO 3
    b> HELLO 3 AUTH default wrong
    b> AUTH secret
    b> PING
    c> HELLO 3 SETNAME me
    c> AUTH default secret
    a> PING
    a> CONFIG SET requirepass ""
    d> PING
  `,
    [HELLO],
  );

  same(
    'HELLO',
    `
    a> HELLO
    a> HELLO 2
    a> HELLO 3
    a> HELLO 4
    a> HELLO x
    a> HELLO 3 FOO
    a> HELLO 3 SETNAME
    a> HELLO 3 SETNAME "a b"
    a> HELLO 3 SETNAME me
    a> CLIENT GETNAME
    a> HELLO 2 AUTH default x SETNAME you
    a> CLIENT GETNAME
    a> HELLO 3 AUTH nobody x
    a> HELLO 3 AUTH default
  `,
    [HELLO],
  );

  for (const p of ['a', 'a3']) {
    same(
      `PING, ECHO, RESET (${p})`,
      `
      ${p}> PING
      ${p}> PING hello
      ${p}> PING a b
      ${p}> ECHO hello
      ${p}> ECHO
      ${p}> CLIENT SETNAME me
      ${p}> SELECT 3
      ${p}> MULTI
      ${p}> RESET
      ${p}> CLIENT GETNAME
      ${p}> EXEC
      ${p}> HELLO
      ${p}> QUIT
      ${p}! closed
    `,
      [HELLO],
    );

    same(
      `CLIENT, refusals (${p})`,
      `
      ${p}> CLIENT
      ${p}> CLIENT FOO
      ${p}> CLIENT ID 3
      ${p}> CLIENT SETNAME "a b"
      ${p}> CLIENT SETNAME ok
      ${p}> CLIENT GETNAME
      ${p}> CLIENT SETNAME ""
      ${p}> CLIENT GETNAME
      ${p}> CLIENT KILL
      ${p}> CLIENT KILL ID
      ${p}> CLIENT KILL ID 0
      ${p}> CLIENT KILL ID x
      ${p}> CLIENT KILL ID 999999
      ${p}> CLIENT KILL TYPE foo
      ${p}> CLIENT KILL TYPE pubsub
      ${p}> CLIENT KILL TYPE slave LADDR 1.2.3.4:5
      ${p}> CLIENT KILL USER nobody
      ${p}> CLIENT KILL USER default SKIPME maybe
      ${p}> CLIENT KILL ADDR
      ${p}> CLIENT KILL ID 1 ADDR
      ${p}> CLIENT KILL 1.2.3.4:5
      ${p}> CLIENT LIST FOO
      ${p}> CLIENT LIST TYPE foo
      ${p}> CLIENT LIST TYPE
      ${p}> CLIENT LIST TYPE pubsub
      ${p}> CLIENT LIST ID x
      ${p}> CLIENT LIST ID 999999
      ${p}> CLIENT LIST ID
      ${p}> CLIENT PAUSE
      ${p}> CLIENT PAUSE x
      ${p}> CLIENT PAUSE -1
      ${p}> CLIENT PAUSE 10 FOO
      ${p}> CLIENT PAUSE 10 WRITE FOO
      ${p}> CLIENT UNPAUSE
      ${p}> CLIENT UNBLOCK x
      ${p}> CLIENT UNBLOCK 999999
      ${p}> CLIENT UNBLOCK 1 FOO
      ${p}> CLIENT UNBLOCK 1 TIMEOUT FOO
      ${p}> CLIENT UNBLOCK $id(${p})
      ${p}> CLIENT REPLY FOO
      ${p}> CLIENT REPLY ON
      ${p}> CLIENT NO-EVICT x
      ${p}> CLIENT NO-EVICT ON
      ${p}> CLIENT NO-EVICT off
      ${p}> CLIENT TRACKING FOO
      ${p}> CLIENT TRACKING ON FOO
      ${p}> CLIENT TRACKING ON REDIRECT 0
      ${p}> CLIENT TRACKING ON REDIRECT x
      ${p}> CLIENT TRACKING ON OPTIN OPTOUT
      ${p}> CLIENT TRACKING ON BCAST OPTIN
      ${p}> CLIENT TRACKING ON PREFIX a
      ${p}> CLIENT TRACKING ON BCAST PREFIX a PREFIX ab
      ${p}> CLIENT TRACKING OFF FOO
      ${p}> CLIENT CACHING YES
      ${p}> CLIENT CACHING FOO
      ${p}> CLIENT GETREDIR
      ${p}> CLIENT TRACKINGINFO
    `,
    );

    same(
      `CLIENT REPLY (${p})`,
      `
      ${p}>0 CLIENT REPLY SKIP
      ${p}>0 SET skipped 1
      ${p}> GET skipped
      ${p}>0 CLIENT REPLY OFF
      ${p}>0 SET skipped 2
      ${p}>0 CLIENT REPLY SKIP
      ${p}>0 GET skipped
      ${p}> CLIENT REPLY ON
      ${p}> GET skipped
    `,
    );
  }

  same(
    'CLIENT KILL',
    `
    a> PING
    b> PING
    a> CLIENT KILL ID $id(b)
    b! closed
    c> CLIENT SETNAME c
    a> CLIENT KILL USER default ID $id(c) TYPE normal
    c! closed
    a> CLIENT KILL ID $id(a)
    a> CLIENT KILL ID $id(a) SKIPME no
    a! closed
  `,
  );

  same(
    'lines of web requests',
    `
    a> SET web 1
    b>0 POST / HTTP/1.1
    b! closed
    c>0 host: somewhere
    c! closed
    d>0 Post
    d! closed
    e> POSTS
    e> host
    e> POS T
    e> GET web
  `,
  );

  it('runs nothing of a web request that stands behind its first line', async () => {
    for (const server of [servers().cairn, servers().redis]) {
      const [asking, page] = [await server.connect(), await server.connect()];
      page.write('SET page 1\r\nHOST: somewhere\r\nSET page 2\r\n');
      await page.waitClosed();
      expect(await asking.value('GET', 'page')).toBe('1');
      asking.close();
    }
  });

  same(
    'lines of web requests of clients that want no replies',
    `
    a>0 CLIENT REPLY OFF
    a>0 POST / HTTP/1.1
    a! closed
    b>0 CLIENT REPLY SKIP
    b>0 HOST: somewhere
    b! closed
    c> MONITOR
    c>0 CLIENT REPLY OFF
    c>0 POST / HTTP/1.1
    c! closed
    d> PING
  `,
  );

  same(
    'RESET of clients that want no replies',
    `
    a>0 CLIENT REPLY SKIP
    a>0 RESET
    a> ECHO behind
    b>0 CLIENT REPLY OFF
    b> RESET
    b> ECHO behind
  `,
  );

  const LINE: readonly Mask[] = [
    [/\$\d+\r\n|=\d+\r\n(?=txt)/, ''],
    [/(id|fd|age|idle)=\d+/g, '$1=?'],
    [/(l?addr)=[\d.:]+/g, '$1=?'],
    [/(qbuf|qbuf-free|argv-mem|multi-mem|rbs|rbp|obl|oll|omem|tot-mem)=\d+/g, '$1=?'],
    [/ lib-name= lib-ver=/g, ''],
    // Newer than the real server, 7.0.
    [/ (?:watch|tot-net-in|tot-net-out|tot-cmds)=\d+/g, ''],
  ];
  same(
    'CLIENT LIST and INFO, field by field',
    `
    a> CLIENT INFO
    a3> CLIENT INFO
    a> CLIENT SETNAME me
    a> SELECT 5
    a> CLIENT LIST ID $id(a)
    a> MULTI
    a> SET k v
    b> CLIENT LIST ID $id(a)
    a> DISCARD
    a> WATCH k
    b> SELECT 5
    b> SET k w
    b> CLIENT LIST ID $id(a)
    c>2 SUBSCRIBE x y
    c> PSUBSCRIBE z*
    c> SSUBSCRIBE w
    b> CLIENT LIST TYPE pubsub
    b> CLIENT NO-EVICT ON
    b> CLIENT TRACKING ON REDIRECT $id(c)
    b> CLIENT LIST ID $id(b)
    d> MONITOR
    b> CLIENT LIST ID $id(d)
    e3> CLIENT TRACKING ON BCAST
    b> CLIENT LIST ID $id(e3)
    f>0 BLPOP nothing 0
    b> CLIENT LIST TYPE master
  `,
    [...LINE, [/redir=\d+/g, 'redir=?'], [/(?<=^)\$\d+/, '']],
  );

  it('takes a new proto-max-bulk-len for those who are connected', async () => {
    const { cairn, redis } = servers();
    const answers = [];
    for (const server of [cairn, redis]) {
      const [boss, client] = [await server.connect(), await server.connect()];
      await client.send('PING');
      await boss.send('CONFIG', 'SET', 'proto-max-bulk-len', '1mb');
      client.write(`*2\r\n$4\r\nECHO\r\n$${(1 << 20) + 1}\r\n`);
      answers.push((await client.read()).raw.toString());
      await client.waitClosed();
      await boss.send('CONFIG', 'SET', 'proto-max-bulk-len', '512mb');
      boss.close();
    }
    expect(answers[0]).toContain('Protocol error: invalid bulk length');
    expect(answers[0]).toBe(answers[1]);
  });

  it('counts for client-query-buffer-limit what no whole argument is made of', async () => {
    const { cairn, redis } = servers();
    const many = encodeCommand(['DEL', ...Array.from({ length: 200_000 }, (_, i) => `key:${i}`)]);
    const one = encodeCommand(['GET', 'x'.repeat(2 << 20)]);
    for (const server of [cairn, redis]) {
      const [boss, client] = [await server.connect(), await server.connect()];
      await boss.send('CONFIG', 'SET', 'client-query-buffer-limit', '1mb');
      client.write(many);
      expect((await client.read()).raw.toString()).toBe(':0\r\n');
      client.write(one);
      await client.waitClosed();
      await boss.send('CONFIG', 'SET', 'client-query-buffer-limit', '1gb');
      boss.close();
    }
    expect(cairn.logText).toMatch(/reached max query buffer length: id=\d+ addr=127/);
  });

  it('CLIENT LIST shows the last command, also one that was refused', async () => {
    const { cairn, redis } = servers();
    const words = [
      ['GET'],
      ['CONFIG', 'GET', 'hz'],
      ['NONSENSE'],
      ['CLIENT', 'NONSENSE'],
      ['CLIENT'],
    ];
    const shown = [];
    for (const server of [cairn, redis]) {
      const [boss, client] = [await server.connect(), await server.connect()];
      const id = String(await client.value('CLIENT', 'ID'));
      for (const command of words) {
        await client.send(...command);
        const line = String(await boss.value('CLIENT', 'LIST', 'ID', id));
        shown.push(/ cmd=(\S+)/.exec(line)?.[1]);
      }
      for (const one of [boss, client]) one.close();
    }
    expect(shown.slice(0, 5)).toEqual(['get', 'config|get', 'NULL', 'NULL', 'client']);
    expect(shown.slice(0, 5)).toEqual(shown.slice(5));
  });

  it('CLIENT LIST counts what came and went', async () => {
    const client = await servers().cairn.connect();
    const id = String(await client.value('CLIENT', 'ID'));
    const line = async (): Promise<string> =>
      String(await client.value('CLIENT', 'LIST', 'ID', id));
    const figures = async (): Promise<number[]> =>
      [...(await line()).matchAll(/ tot-(?:net-in|net-out|cmds)=(\d+)/g)].map((one) =>
        Number(one[1]),
      );
    const before = await figures();
    expect(before.length).toBe(3);
    await client.send('ECHO', 'x'.repeat(1000));
    const after = await figures();
    expect(after[0]).toBeGreaterThan((before[0] ?? 0) + 1000);
    expect(after[1]).toBeGreaterThan((before[1] ?? 0) + 1000);
    expect(after[2]).toBe((before[2] ?? 0) + 2);
    client.close();
  });

  it('names the option of CLIENT SETINFO as it came', async () => {
    const client = await servers().cairn.connect();
    for (const option of ['LIB-NAME', 'lib-ver', 'Lib-Ver']) {
      const reply = await client.send('CLIENT', 'SETINFO', option, 'a b');
      const text = 'cannot contain spaces, newlines or special characters.';
      expect(reply.raw.toString()).toBe(`-ERR ${option} ${text}\r\n`);
    }
    client.close();
  });

  it('takes the last of several users and names in HELLO', async () => {
    const client = await servers().cairn.connect();
    await client.send('ACL', 'SETUSER', 'first', 'on', '>one', '+@all');
    await client.send('ACL', 'SETUSER', 'second', 'on', '>two', '+@all');
    const other = await servers().cairn.connect();
    const first = ['AUTH', 'first', 'wrong', 'SETNAME', 'a'];
    await other.send('HELLO', 2, ...first, 'AUTH', 'second', 'two', 'SETNAME', 'b');
    expect(await other.value('ACL', 'WHOAMI')).toBe('second');
    expect(await other.value('CLIENT', 'GETNAME')).toBe('b');
    const refused = await other.send('HELLO', 2, 'SETNAME', 'c', 'AUTH', 'first', 'wrong');
    expect(refused.raw.toString()).toMatch(/^-WRONGPASS/);
    expect(await other.value('CLIENT', 'GETNAME')).toBe('b');
    await client.send('ACL', 'DELUSER', 'first', 'second');
    client.close();
  });
});
