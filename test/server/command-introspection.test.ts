/**
 * COMMAND GETKEYS, GETKEYSANDFLAGS, LIST and their refusals, compared with the real server.
 */
import { describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { requireRedisServer } from '../support/real-server.ts';
import { converse, type Mask, sideBySide } from '../support/side-by-side.ts';

const COMMANDS = [
  ...[
    'SET k v',
    'SET k v GET',
    'SET k v GET EX 10',
    'BITFIELD k GET u8 0',
    'BITFIELD k SET u8 0 1',
    'BITFIELD k OVERFLOW SAT GET u8 0 GET u8 1',
    'BITFIELD k GET set 0',
    'BITFIELD k GET u8',
    'BITFIELD k nonsense',
  ],
  ...['SORT k BY x_* GET # STORE d', 'SORT k GET STORE STORE a STORE b', 'SORT_RO k BY x'],
  ...['XREAD COUNT 1 STREAMS a b 0 0', 'XREAD STREAMS a', 'XREAD COUNT 1 STREAMS a'],
  ...['XREADGROUP GROUP g c STREAMS a b x y', 'XGROUP CREATE k g 0', 'XADD k * a b'],
  ...['EVAL x 2 a b c', 'EVAL x 3 a', 'EVAL x 0', 'EVAL x -1', 'EVAL x abc', 'FCALL f 1 a'],
  ...["MIGRATE h 1 '' 0 1 KEYS a b", 'MIGRATE h 1 k 0 1', "MIGRATE h 1 '' 0 1 COPY"],
  ...['GEORADIUS k 1 2 3 m STORE a STOREDIST b', 'GEORADIUS_RO k 1 2 3 m'],
  ...['GEOSEARCHSTORE d s FROMMEMBER m', 'ZUNIONSTORE d 2 a b', 'ZINTERSTORE d 5 a', 'ZDIFF 1 a'],
  ...['MSET a b c', 'MSET a b c d', 'OBJECT ENCODING k', 'MEMORY USAGE k', 'BITOP AND d a b'],
  ...['LMPOP 2 a b LEFT', 'BLMPOP 0 2 a b LEFT', 'COPY a b', 'LCS a b', 'PFCOUNT a b c'],
  ...['WATCH a b', 'DEBUG OBJECT x', 'RESTORE k 0 x', 'PUBLISH a b', 'SSUBSCRIBE a b'],
  ...['RESTORE-ASKING k 0 x'],
  ...['SPUBLISH a b', 'SINTERCARD 2 a b', 'GETEX k', 'SET k', 'PING x', 'GET', 'NOSUCH a'],
  ...['CONFIG GET x', 'CONFIG NOSUCH x', 'BLPOP a b 0', 'RENAME a b', 'DEL a b c', 'SMOVE a b c'],
];

describe.skipIf(requireRedisServer() === null)('COMMAND', () => {
  const { same, servers } = sideBySide();

  it.each(['a', 'a3'])('answers GETKEYS and GETKEYSANDFLAGS alike (%s)', async (name) => {
    const { cairn, redis } = servers();
    const client = await cairn.connect();
    const lines: string[] = [];
    for (const words of COMMANDS) {
      const known = await client.value('COMMAND', 'INFO', words.split(' ')[0] ?? '');
      if (Array.isArray(known) && known[0] === null && !words.startsWith('NOSUCH')) continue;
      for (const sub of ['GETKEYS', 'GETKEYSANDFLAGS'])
        lines.push(`${name}> COMMAND ${sub} ${words}`);
    }
    client.close();
    expect(lines.length).toBeGreaterThan(40);
    const text = lines.join('\n');
    // 7.2 looks at a command that stands alone, too.
    const alone: Mask = [/wrong (number of arguments) for 'command.*'/, 'Invalid $1 specified for'];
    const [ours, theirs] = [
      await converse(cairn, text, [alone]),
      await converse(redis, text, [alone]),
    ];
    expect(ours).toEqual(theirs);
  });

  for (const p of ['a', 'a3']) {
    same(
      `other subcommands (${p})`,
      `
      ${p}> COMMAND FOO
      ${p}> COMMAND COUNT x
      ${p}> COMMAND LIST FILTERBY
      ${p}> COMMAND LIST FILTERBY FOO x
      ${p}> COMMAND LIST FILTERBY MODULE x
      ${p}> COMMAND LIST FILTERBY ACLCAT foo
      ${p}> COMMAND LIST FILTERBY PATTERN hs*l*
      ${p}> COMMAND LIST FILTERBY PATTERN nothing*
      ${p}> COMMAND LIST FILTERBY PATTERN x FOO
      ${p}> COMMAND INFO nosuch
      ${p}> COMMAND DOCS nosuch
      ${p}> COMMAND GETKEYS
    `,
    );
  }
});

describe('rename-command', () => {
  it('gives commands other names, one after the other, or takes them out', async () => {
    const lines = [
      'CLIENT cli',
      'ECHO x',
      'X vecho',
      'FLUSHALL ""',
      'EVAL ""',
      'get old',
      'set get',
      'PING ping',
    ];
    const configText = lines.map((line) => `rename-command ${line}\n`).join('');
    const server = await startCairnServer({ configText });
    try {
      const client = await server.connect();
      const ask = async (...words: string[]) => (await client.send(...words)).raw.toString();
      expect(await ask('VEcho', 'a')).toBe('$1\r\na\r\n');
      expect(await ask('GET', 'k', 'v')).toBe('+OK\r\n');
      expect(await ask('OLD', 'k')).toBe('$1\r\nv\r\n');
      expect(await ask('PING')).toBe('+PONG\r\n');
      for (const gone of ['ECHO', 'X', 'FLUSHALL', 'SET']) {
        expect(await ask(gone)).toMatch(/^-ERR unknown command/);
      }
      expect(await ask('COMMAND', 'INFO', 'vecho')).toContain('$4\r\necho\r\n');
      expect(await ask('COMMAND', 'INFO', 'echo')).toBe('*1\r\n$-1\r\n');
      expect(await ask('COMMAND', 'DOCS', 'echo', 'flushall')).toBe('*0\r\n');
      expect(await ask('LATENCY', 'HISTOGRAM', 'vecho')).toContain('$4\r\necho\r\n');
      expect(await ask('CLI', 'nonsense')).toContain('Try CLI HELP.');
      await client.send('ACL', 'SETUSER', 'default', '-echo');
      expect(await ask('VECHO', 'a')).toMatch(/^-NOPERM .* run the 'echo' command/);
      client.close();
    } finally {
      await server.close();
    }
  });

  it('leaves rules of users alone that name what there is not', async () => {
    const rules = '-flushall -eval -script|load +fcall +function|list';
    const configText = `rename-command FLUSHALL ""\nuser u on nopass ~* &* +@all ${rules}\n`;
    const server = await startCairnServer({ configText });
    try {
      const client = await server.connect();
      expect(String(await client.value('ACL', 'LIST'))).toContain(` +@all ${rules}`);
      for (const wrong of ['+script|nonsense', '+eval|1|2', '-function|list|x', '+nonsense']) {
        const answer = await client.send('ACL', 'SETUSER', 'u', wrong);
        expect(answer.raw.toString()).toContain('Unknown command or category name in ACL');
      }
      client.close();
    } finally {
      await server.close();
    }
  });

  it.each([
    ['rename-command no-such x', /No such command in rename-command/],
    ['rename-command get SET', /Target command name already exists/],
  ])('%s keeps the server from starting', async (line, reason) => {
    await expect(startCairnServer({ configText: `${line}\n` })).rejects.toThrow(reason);
  });
});
