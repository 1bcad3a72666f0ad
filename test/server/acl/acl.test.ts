/**
 * ACL, compared with the real server. Where rules of commands are shown, Cairn keeps the order in
 * which they were said, as Redis 7.2 does; 7.0 makes up an order of its own. Who is refused, and
 * that payloads are looked at, is named as 7.2 does, too.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../../support/cairn-server.ts';
import { encodeCommand } from '../../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import { ReplyError } from '../../support/resp-reader.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { type Mask, sideBySide } from '../../support/side-by-side.ts';

/** What 7.2 says in other words than the real server, 7.0: the sizes of such texts go with them. */
const newer: readonly Mask[] = [
  [/\$\d+\r\n(?=user |[TU]his user|User )/g, ''],
  [/(?:[Tt]his user|User \w+) has no permissions/g, 'No permission'],
  [/[Nn]o permissions? to access (?:a (key|channel)|one of the (key|channel)s used.*)\r/, '$1$2'],
  [/(flags\r\n)[*~]\d/g, '$1'],
  [/\$16\r\nsanitize-payload\r\n| sanitize-payload/g, ''],
];

describe.skipIf(requireRedisServer() === null)('ACL like the real server', () => {
  const { same } = sideBySide();

  for (const p of ['a', 'a3']) {
    same(
      `users and rules (${p})`,
      `
      ${p}> ACL WHOAMI
      ${p}> ACL USERS
      ${p}> ACL LIST
      ${p}> ACL GETUSER default
      ${p}> ACL GETUSER nobody
      ${p}> ACL CAT
      ${p}> ACL CAT foo
      ${p}> ACL CAT a b
      ${p}> ACL SETUSER "a b"
      ${p}> ACL SETUSER x
      ${p}> ACL GETUSER x
      ${p}> ACL SETUSER x on >secret >other ~a* %R~b* %W~c* %RW~d &news.* +get
      ${p}> ACL GETUSER x
      ${p}> ACL SETUSER x <other !nothex
      ${p}> ACL SETUSER x <other %R~c* resetchannels nopass
      ${p}> ACL LIST
      ${p}> ACL SETUSER y +@all ~* &* sanitize-payload (+get ~k*) "(%R~z +@read" "&c)"
      ${p}> ACL GETUSER y
      ${p}> ACL SETUSER y clearselectors skip-sanitize-payload
      ${p}> ACL LIST
      ${p}> ACL SETUSER y reset
      ${p}> ACL LIST
      ${p}> ACL SETUSER z foo
      ${p}> ACL SETUSER z +foo
      ${p}> ACL SETUSER z +@foo
      ${p}> ACL SETUSER z +get|x|y
      ${p}> ACL SETUSER z +config|get|x
      ${p}> ACL SETUSER z +config|foo
      ${p}> ACL SETUSER z +get|
      ${p}> ACL SETUSER z -get|x
      ${p}> ACL SETUSER z +select|0
      ${p}> ACL LIST
      ${p}> ACL SETUSER bare on nopass %RW +@all
      ${p}> ACL GETUSER bare
      ${p}> ACL DELUSER bare
      ${p}> ACL SETUSER z %
      ${p}> ACL SETUSER z %X~a
      ${p}> ACL SETUSER z %RR~a
      ${p}> ACL SETUSER z %~a
      ${p}> ACL SETUSER z "~a b"
      ${p}> ACL SETUSER z "&a b"
      ${p}> ACL SETUSER z allkeys ~a
      ${p}> ACL SETUSER z allkeys %X~a
      ${p}> ACL SETUSER z allchannels &a
      ${p}> ACL SETUSER z #abc
      ${p}> ACL SETUSER z <nothing
      ${p}> ACL SETUSER z (foo)
      ${p}> ACL SETUSER z (+get
      ${p}> ACL SETUSER z foo (+get +set
      ${p}> ACL SETUSER z () (on)
      ${p}> ACL SETUSER z ((+get))
      ${p}> ACL DELUSER default
      ${p}> ACL DELUSER nobody z
      ${p}> ACL GENPASS 0
      ${p}> ACL GENPASS 4097
      ${p}> ACL GENPASS x
      ${p}> ACL GENPASS 5 5
      ${p}> ACL LOG RESET
      ${p}> ACL LOG
      ${p}> ACL LOG foo
      ${p}> ACL LOG 1 2
      ${p}> ACL LOAD
      ${p}> ACL SAVE
      ${p}> ACL FOO
      ${p}> ACL DRYRUN nobody GET k
      ${p}> ACL DRYRUN x FOO
      ${p}> ACL DRYRUN x GET
      ${p}> ACL DRYRUN x GET a1
      ${p}> ACL DRYRUN x GET zzz
      ${p}> ACL DRYRUN x SET b1 v
      ${p}> ACL DRYRUN x SET c1 v
      ${p}> ACL DRYRUN x SET c1 v GET
      ${p}> ACL DRYRUN x DEL a1
      ${p}> ACL DRYRUN x PING
      ${p}> ACL DELUSER x y
    `,
      newer,
    );
  }

  same(
    'what users may do',
    `
    a> ACL SETUSER reader on >pw ~data:* %R~shared:* &news.* +@read +@connection
    a> ACL SETUSER reader +@pubsub +@transaction +set
    a> ACL SETUSER reader -@dangerous +config|get +select|1 (~other:* +incr)
    u> AUTH reader wrong
    u> AUTH reader pw
    u> ACL WHOAMI
    u> GET data:1
    u> GET else
    u> SET data:1 x
    u> SET shared:1 x
    u> GET shared:1
    u> SET shared:1 x GET
    u> INCR data:1
    u> INCR other:1
    u> INCR else
    u> MGET data:1 shared:1 other:1
    u> FLUSHALL
    u> KEYS *
    u> CONFIG GET port
    u> CONFIG SET port 1
    u> CONFIG NOSUCH
    u> SELECT 1
    u> SELECT 0
    u> SELECT 2
    u> PUBLISH news.it x
    u> PUBLISH other x
    u> PSUBSCRIBE news.*
    u> PUNSUBSCRIBE
    u> PSUBSCRIBE news.i*
    u> SUBSCRIBE other
    u> SSUBSCRIBE other
    u> MULTI
    u> SET data:1 y
    u> SET else y
    u> EXEC
    u> MULTI
    u> SET data:1 y
    a> ACL SETUSER reader -set
    u> EXEC
    u> MULTI
    u> GET data:1
    a> ACL SETUSER reader resetkeys
    u> EXEC
    a> ACL SETUSER reader ~data:*
    u> ACL LIST
    u> AUTH default x
    u> SET else y
    u> RESET
    u> ACL WHOAMI
    v> AUTH reader pw
    v> SUBSCRIBE news.it
    a> ACL SETUSER reader resetchannels
    v! closed
    w> AUTH reader pw
    a> ACL DELUSER reader
    w! closed
    a> ACL SETUSER default off
    n> PING
    a> ACL SETUSER default on
    n> PING
    a> ACL SETUSER default -flushall
    n2> FLUSHALL
    a> ACL SETUSER default +@all
    n2> FLUSHALL
  `,
    [[/port\r\n\$\d+\r\n\d+/, 'port'], ...newer],
  );
});

describe('ACL', () => {
  let server: ServerProcess;
  let dir: string;
  let theirs: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'cairn-acl-'));
    theirs = mkdtempSync(join(tmpdir(), 'redis-acl-'));
    for (const one of [dir, theirs]) {
      writeFileSync(join(one, 'users.acl'), 'user default on nopass ~* &* +@all\n');
    }
    const config = { aclfile: 'users.acl', 'acllog-max-len': 3 };
    server = await startCairnServer({ dir, config });
  });
  afterAll(async () => {
    await server?.close();
    for (const one of [dir, theirs]) rmSync(one, { recursive: true, force: true });
  });

  it('keeps the order of rules', async () => {
    const client = await server.connect();
    await client.send(
      'ACL',
      'SETUSER',
      'o',
      '+@all',
      '-@dangerous',
      '+keys',
      '+config|get',
      '-get',
    );
    const fields = await client.value('ACL', 'GETUSER', 'o');
    expect(fields).toMatchObject({ 5: '+@all -@dangerous +keys +config|get -get' });
    await client.send('ACL', 'SETUSER', 'o', '+get', '-config', '+@all', '-@admin');
    expect(await client.value('ACL', 'GETUSER', 'o')).toMatchObject({ 5: '+@all -@admin' });
    await client.send('ACL', 'DELUSER', 'o');
    client.close();
  });

  it('logs what it refused, the same within a minute once', async () => {
    const client = await server.connect();
    await client.send('ACL', 'SETUSER', 'poor', 'on', '>pw', '+get', '~a*');
    const poor = await server.connect();
    await poor.send('AUTH', 'poor', 'no');
    await poor.send('AUTH', 'poor', 'pw');
    for (let i = 0; i < 3; i++) await poor.send('GET', 'b');
    await poor.send('SET', 'a', 'x');
    const log = await client.value('ACL', 'LOG');
    expect(log).toHaveLength(3);
    const heads = (Array.isArray(log) ? log : []).map(
      (one) => Array.isArray(one) && one.slice(0, 10),
    );
    expect(heads).toEqual([
      ['count', 1, 'reason', 'command', 'context', 'toplevel', 'object', 'set', 'username', 'poor'],
      ['count', 3, 'reason', 'key', 'context', 'toplevel', 'object', 'b', 'username', 'poor'],
      ['count', 1, 'reason', 'auth', 'context', 'toplevel', 'object', 'AUTH', 'username', 'poor'],
    ]);
    await poor.send('GET', 'c');
    expect(await client.value('ACL', 'LOG')).toHaveLength(3);
    expect(await client.value('ACL', 'LOG', 1)).toHaveLength(1);
    expect(await client.value('INFO', 'stats')).toContain('acl_access_denied_key:4\r\n');
    poor.close();
    client.close();
  });

  it.skipIf(requireRedisServer() === null)('refuses a file in the words of Redis', async () => {
    const real = await startRealServer({ config: { aclfile: 'users.acl' }, dir: theirs });
    const [client, other] = [await server.connect(), await real.connect()];
    try {
      for (const lines of [
        ['user default on nopass ~* &* +@all', 'user a on', 'user a off', 'user default off'],
        ['user a +nonsense +get +other', 'user b ~* ~x wrong +nothing', 'use x', 'user'],
        ['user a "x', 'user b >pw #short'],
      ]) {
        for (const dir of [server.dir, theirs]) {
          writeFileSync(join(dir, 'users.acl'), lines.join('\n'));
        }
        const refused = await client.value('ACL', 'LOAD');
        expect(refused).toBeInstanceOf(ReplyError);
        expect(refused).toEqual(await other.value('ACL', 'LOAD'));
      }
    } finally {
      writeFileSync(join(dir, 'users.acl'), 'user default on nopass ~* &* +@all\n');
      client.close();
      other.close();
      await real.close();
    }
  });

  it('names who is refused, and what', async () => {
    const client = await server.connect();
    await client.send('ACL', 'SETUSER', 'meek', 'on', 'nopass', '+get', '+publish', '~a*');
    const line = 'user meek on nopass sanitize-payload ~a* resetchannels -@all +get +publish';
    expect(await client.value('ACL', 'LIST')).toContain(line);
    const trial = (...words: string[]) => client.value('ACL', 'DRYRUN', 'meek', ...words);
    const who = 'User meek has no permissions to';
    expect(await trial('SET', 'a', '1')).toBe(`${who} run the 'set' command`);
    expect(await trial('GET', 'b')).toBe(`${who} access the 'b' key`);
    expect(await trial('PUBLISH', 'news', 'x')).toBe(`${who} access the 'news' channel`);
    const meek = await server.connect();
    await meek.send('AUTH', 'meek', '');
    const refusal = async (...words: string[]) => (await meek.send(...words)).raw.toString();
    expect(await refusal('SET', 'a', '1')).toBe(`-NOPERM ${who} run the 'set' command\r\n`);
    expect(await refusal('GET', 'b')).toBe('-NOPERM No permissions to access a key\r\n');
    const channel = '-NOPERM No permissions to access a channel\r\n';
    expect(await refusal('PUBLISH', 'news', 'x')).toBe(channel);
    await client.send('ACL', 'SETUSER', 'meek', '+multi', '+exec');
    await meek.pipeline([['MULTI'], ['GET', 'a1']]);
    await client.send('ACL', 'SETUSER', 'meek', '-get');
    await meek.send('EXEC');
    const [entry] = [await client.value('ACL', 'LOG', 1)].flat();
    expect(entry).toMatchObject({ 3: 'command', 5: 'multi', 7: 'get', 9: 'meek' });
    expect(entry).toMatchObject({ 13: expect.stringContaining(' cmd=exec ') });
    await client.send('ACL', 'SETUSER', 'meek', '&news', '+publish');
    await meek.pipeline([['MULTI'], ['PUBLISH', 'news', 'x']]);
    await client.send('ACL', 'SETUSER', 'meek', 'resetchannels');
    expect(await refusal('EXEC')).toMatch(/ one of the channels used as arguments\r\n$/);
    await client.send('ACL', 'DELUSER', 'meek');
    await client.send('ACL', 'LOG', 'RESET');
    client.close();
  });

  it('looks again at a command that waited, before it runs', async () => {
    const client = await server.connect();
    await client.send('ACL', 'SETUSER', 'patient', 'on', 'nopass', '+blpop', '~*');
    const patient = await server.connect();
    await patient.send('AUTH', 'patient', '');
    await client.send('CONFIG', 'RESETSTAT');
    patient.write(encodeCommand(['BLPOP', 'jobs', 0]));
    while (!String(await client.value('INFO', 'clients')).includes('blocked_clients:1\r\n'));
    await client.send('ACL', 'SETUSER', 'patient', 'resetkeys');
    expect(await client.value('RPUSH', 'jobs', 'x')).toBe(1);
    expect((await patient.read()).raw.toString()).toMatch(/^-NOPERM .* access a key\r\n$/);
    expect(await client.value('LRANGE', 'jobs', 0, -1)).toEqual(['x']);
    const figures = 'cmdstat_blpop:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,';
    expect(await client.value('INFO', 'commandstats')).toContain(`${figures}failed_calls=0`);
    patient.write(encodeCommand(['BLPOP', 'jobs', 0]));
    expect((await patient.read()).raw.toString()).toMatch(/^-NOPERM/);
    await client.send('ACL', 'DELUSER', 'patient');
    await client.send('ACL', 'LOG', 'RESET');
    client.close();
  });

  it('begins, selectors too, with the channels that are configured, as reset does', async () => {
    const client = await server.connect();
    await client.send('CONFIG', 'SET', 'acl-pubsub-default', 'allchannels');
    await client.send('ACL', 'SETUSER', 'r', 'reset', '(+publish)', '(resetchannels &a)');
    await client.send('CONFIG', 'SET', 'acl-pubsub-default', 'resetchannels');
    await client.send('ACL', 'SETUSER', 's', '&*', 'reset');
    const users = String(await client.value('ACL', 'LIST'));
    const selectors = '(&* -@all +publish) (resetchannels &a -@all)';
    expect(users).toContain(`user r off sanitize-payload &* -@all ${selectors}`);
    expect(users).toContain('user s off sanitize-payload resetchannels -@all');
    await client.send('ACL', 'DELUSER', 'r', 's');
    client.close();
  });

  it('saves and loads its file, all of it or nothing', async () => {
    const client = await server.connect();
    const path = join(server.dir, 'users.acl');
    await client.send(
      'ACL',
      'SETUSER',
      'kept',
      'on',
      `#${'ab'.repeat(32)}`,
      '~k*',
      '+get',
      '(+set ~s*)',
    );
    expect(await client.value('ACL', 'SAVE')).toBe('OK');
    const saved = readFileSync(path, 'utf8');
    const kept = `user kept on sanitize-payload #${'ab'.repeat(32)} ~k* resetchannels -@all +get`;
    expect(saved).toContain(`${kept} (~s* resetchannels -@all +set)\n`);
    writeFileSync(path, `${saved}user fresh on nopass ~* &* +@all\n# a comment\n\n`);
    expect(await client.value('ACL', 'LOAD')).toBe('OK');
    expect(await client.value('ACL', 'USERS')).toEqual(['default', 'fresh', 'kept', 'poor']);
    writeFileSync(path, 'user default on nopass ~* &* +@all\nuser bad +nonsense\nuse x\n');
    const refused = await client.value('ACL', 'LOAD');
    expect(refused).toBeInstanceOf(ReplyError);
    expect(refused).toMatchObject({
      error: expect.stringMatching(
        /^ERR users\.acl:2: Error in applying operation '\+nonsense': .* users\.acl:3 .*WARN/,
      ),
    });
    expect(await client.value('ACL', 'USERS')).toEqual(['default', 'fresh', 'kept', 'poor']);
    writeFileSync(path, 'user default on nopass ~* &* +@all\n');
    const fresh = await server.connect();
    expect(await fresh.value('AUTH', 'fresh', 'x')).toBe('OK');
    expect(await client.value('ACL', 'LOAD')).toBe('OK');
    await fresh.waitClosed();
    client.close();
  });

  it('reads users of the configuration, and refuses to start with wrong ones', async () => {
    const text = 'user alice on >pw ~* +@all\nuser default on >top ~* &* +@all\n';
    const other = await startCairnServer({ configText: text });
    try {
      const client = await other.connect();
      expect(await client.value('PING')).toMatchObject({ error: expect.stringMatching(/^NOAUTH/) });
      expect(await client.value('AUTH', 'alice', 'pw')).toBe('OK');
      await client.send('ACL', 'SETUSER', 'bob', 'on', '+ping');
      expect(await client.value('CONFIG', 'REWRITE')).toBe('OK');
      const written = readFileSync(join(other.dir, 'redis.conf'), 'utf8');
      expect(written).toContain('user bob on sanitize-payload resetchannels -@all +ping\n');
      client.close();
    } finally {
      await other.close();
    }
    await expect(startCairnServer({ configText: 'user eve +nonsense\n' })).rejects.toThrow(
      /nonsense/,
    );
    await expect(startCairnServer({ configText: 'user "eve on" nopass\n' })).rejects.toThrow(
      /Spaces not allowed in ACL usernames/,
    );
  });
});
