/**
 * redis.conf: which lines are refused, and with which words; includes; and what a file leaves
 * behind. The refusals are compared with a real redis-server, line by line.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigFileError, ConfigOpenError } from '../../../src/server/config/conf-file.ts';
import { Config } from '../../../src/server/config/config.ts';
import { CAIRN_VERSION } from '../../../src/server/config/version.ts';
import { realServerVersion, requireRedisServer } from '../../support/real-server.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-conf-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, 'latin1');
  return path;
}

function load(text: string): Config {
  const config = new Config({ directory: folder });
  config.load({ file: write('test.conf', text) });
  return config;
}

/** The report of a text that must be refused. */
function reportOf(text: string): string {
  try {
    load(text);
  } catch (error) {
    if (error instanceof ConfigFileError) return error.report();
    throw error;
  }
  throw new Error(`this was accepted: ${text}`);
}

const executable = requireRedisServer();

describe.skipIf(executable === null)('refusals of a real server', () => {
  it.each([
    'port',
    'foo bar',
    'maxmemory 1 2',
    '  MaxMemory   xx  ',
    '# comment\n\nsave "900',
    "save 'a'b",
    'bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17',
    'include',
    'include nothing-here-*.conf\nfoo',
    'rename-command a',
    'user',
    'loadmodule',
    'sentinel monitor x',
    'a.b',
    'replicaof a',
    'replicaof a 99999',
    'replicaof no x',
    'replicaof',
    'dir /nonexistent',
    'dir a b',
    'dir test.conf',
    'notify-keyspace-events K E',
    'logfile /nonexistent/x',
    'oom-score-adj-values 1 2 x',
    'oom-score-adj-values',
    'shutdown-on-sigterm now nosave save',
    'shutdown-on-sigterm',
    'unixsocketperm 999',
    'unixsocketperm 1000',
    'unixsocketperm -1',
    'enable-debug-command x',
    'list-max-ziplist-entries 1 2',
    'list-max-ziplist-entries 1\nport x',
    'lua-replicate-commands no\nport x',
    'maxmemory-policy foo',
    'save 900 1 300',
    'save "900 1"\nsave "900 1 2"',
    'save\nport x',
    'client-output-buffer-limit\nport x',
    'latency-tracking-info-percentiles\nport x',
    'bind "1.1.1.1 2.2.2.2"\nport x',
    'requirepass "a\\x41"\nport x',
    'port 0 # comment',
    '"" x',
    "'port' 0\r\n\tunixsocketperm x\r\n",
    'appendfilename ""',
    'appendfilename a/b',
    'appenddirname ""',
    'dbfilename a/b',
    'tcp-backlog -1',
    'databases 0',
    'proc-title-template ""',
    'hz x',
  ])('has the words of %j', (text) => {
    const file = write('test.conf', text);
    const run = spawnSync(executable ?? '', [file], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(run.status).toBe(1);
    const theirs = run.stderr.replace(
      `(Redis ${realServerVersion(executable ?? '')})`,
      `(Cairn ${CAIRN_VERSION})`,
    );
    expect(theirs).toContain('FATAL CONFIG FILE ERROR (Cairn');
    expect(reportOf(text)).toBe(theirs);
  });
});

describe('what cannot be had here', () => {
  it.each([
    ['cluster-enabled yes', 'there is no cluster mode'],
    ['loadmodule /x.so', 'modules cannot be loaded'],
    ['redisbloom.size 5', 'no module'],
    ['sentinel monitor a b c', 'not in sentinel mode'],
    ['tls-port 6380', 'there is no TLS: remove this line, or say tls-'],
    ['tls-replication yes', 'there is no TLS: remove this line, or say tls-'],
    ['supervised systemd', 'no systemd notification'],
    ['syslog-enabled yes', 'no syslog'],
    ['locale-collate de_DE', 'byte by byte'],
    ['rdb-save-version 12', 'between 9 and 11'],
  ])('%s is refused, and the text says why', (line, reason) => {
    expect(reportOf(`# first\n${line}\n`)).toContain(`line 2\n>>> '${line}'\n`);
    expect(reportOf(line)).toContain(reason);
  });

  it('takes what only switches such things off', () => {
    const config = load('cluster-enabled no\ntls-port 0\nsupervised auto\nsyslog-enabled no\n');
    expect(config.notices()).toEqual([]);
  });

  it('tells which parameters have no effect', () => {
    const config = load('io-threads 4\nactiverehashing no\ndynamic-hz yes\n');
    expect(config.notices()).toEqual([
      expect.stringContaining("'io-threads 4' is kept, but has no effect: "),
      expect.stringContaining("'activerehashing no' is kept, but has no effect: "),
    ]);
  });
});

describe('what only Valkey and later versions of Redis have', () => {
  const OWN_OF_VALKEY_9 = [
    'hide-user-data-from-log yes',
    'rdb-version-check strict',
    'dual-channel-replication-enabled no',
    'commandlog-execution-slower-than 20000',
    'commandlog-slow-execution-max-len 64',
    'commandlog-request-larger-than 1048576',
    'commandlog-large-request-max-len 128',
    'commandlog-reply-larger-than 1048576',
    'commandlog-large-reply-max-len 128',
    'primaryuser replica',
    'primaryauth secret',
    'extended-redis-compatibility no',
  ];

  it('is taken from a file, and other names mean the same', () => {
    const config = load(OWN_OF_VALKEY_9.join('\n'));
    const { values } = config;
    expect(config.notices()).toEqual([]);
    expect([values.slowlogLogSlowerThan, values.slowlogMaxLen]).toEqual([20_000, 64]);
    expect([values.masteruser, values.masterauth]).toEqual(['replica', 'secret']);
    expect(values.hideUserDataFromLog).toBe(true);
    expect(config.isSensitive('primaryauth')).toBe(true);
  });

  it('is shown to whom asks for it by its name', () => {
    const config = load(OWN_OF_VALKEY_9.join('\n'));
    expect(config.get(['primaryauth', 'masterauth'])).toEqual([
      ['primaryauth', 'secret'],
      ['masterauth', 'secret'],
    ]);
    const listed = config.get(['*']).map(([name]) => name);
    const names = OWN_OF_VALKEY_9.map((line) => line.split(' ')[0]!);
    expect(names.filter((name) => listed.includes(name))).toEqual([]);
    expect(config.get(names).map(([name, value]) => `${name} ${value}`)).toEqual(OWN_OF_VALKEY_9);
  });

  it('is refused, or told, where it is not what is done here', () => {
    expect(reportOf('rdb-version-check relaxed')).toContain('say "rdb-version-check strict"');
    expect(load('dual-channel-replication-enabled yes').notices()).toEqual([
      expect.stringContaining('share one connection'),
    ]);
  });
});

describe('a file', () => {
  it('has quotes, escapes, blanks and comments', () => {
    const config = load(
      [
        '  # indented comment',
        'requirepass "a b\\x00\\xff\\n\\"q"',
        "masterauth 'it\\'s'",
        "proc-title-template '{title} {port}'",
        '\ttimeout\t7  ',
        'TIMEOUT 8',
      ].join('\r\n'),
    );
    expect(config.get(['requirepass'])).toEqual([['requirepass', 'a b\x00\xff\n"q']]);
    expect(config.get(['masterauth'])).toEqual([['masterauth', "it's"]]);
    expect(config.values.timeout).toBe(8);
  });

  it('keeps the bytes of text, and reads them as UTF-8', () => {
    const bytes = Buffer.from('masteruser äö', 'utf8').toString('latin1');
    const config = load(bytes);
    expect(config.values.masteruser).toBe('äö');
    expect(config.get(['masteruser'])).toEqual([['masteruser', '\xc3\xa4\xc3\xb6']]);
  });

  it.each([
    ['save 900 1\nsave 300 10', '900 1 300 10'],
    ['save 900 1\nsave ""\nsave 300 5', '300 5'],
    ['save 900 1\nsave ""', ''],
    ['save "900 1 300 10"', '900 1 300 10'],
    ['save 900 1 300 10', '900 1 300 10'],
    ['timeout 1', '3600 1 300 100 60 10000'],
  ])('adds up save lines: %j', (text, save) => {
    expect(load(text).get(['save'])).toEqual([['save', save]]);
  });

  it.each([
    ['save', '" 3600\\t1  300 10 "', '3600 1 300 10'],
    ['save', `"'900' 1"`, '900 1'],
    ['save', `"''"`, ''],
    ['save', `'""'`, ''],
    ['save', `"900 1 'x"`, ''],
    ['save', '" "', ''],
    ['bind', '"127.0.0.1  ::1"', '127.0.0.1 ::1'],
    ['bind', '" "', ''],
    ['oom-score-adj-values', '"1  2 3"', '1 2 3'],
    ['shutdown-on-sigterm', `"'save'  now"`, 'save now'],
    ['latency-tracking-info-percentiles', `"''"`, ''],
  ])('takes what one pair of quotes holds apart: %s %s', (name, quoted, value) => {
    expect(load(`${name} ${quoted}`).get([name])).toEqual([[name, value]]);
  });

  it('comes before standard input, and that before the options', () => {
    const file = write('test.conf', 'timeout 1\nhz 11\ndatabases 3');
    const config = new Config();
    config.load({
      defaults: 'databases 1\nport 1\n',
      file,
      stdin: '\ntimeout 2\nhz 12\n',
      options: 'timeout 3',
    });
    const { timeout, hz, databases, port } = config.values;
    expect({ timeout, hz, databases, port }).toEqual({
      timeout: 3,
      hz: 12,
      databases: 3,
      port: 1,
    });
    expect(config.file).toBe(file);
  });

  it('keeps user and rename-command lines with their places', () => {
    const config = load('user a on\n\nrename-command CONFIG ""\nuser b off ~x\n');
    expect(config.users.map(({ words, lineNumber }) => [lineNumber, ...words])).toEqual([
      [1, 'user', 'a', 'on'],
      [4, 'user', 'b', 'off', '~x'],
    ]);
    expect(config.renames.map(({ words }) => words)).toEqual([['rename-command', 'CONFIG', '']]);
  });

  it('that is not there is one line for the log', () => {
    const missing = join(folder, 'missing.conf');
    const text = `Fatal error, can't open config file '${missing}': No such file or directory`;
    expect(() => new Config().load({ file: missing })).toThrow(new RegExp(text));
    expect(() => load(`include ${missing}`)).toThrow(ConfigOpenError);
    const relative = () => new Config().load({ file: 'no-such-folder/missing.conf' });
    expect(relative).toThrow(`'${resolve('no-such-folder/missing.conf')}'`);
  });
});

describe('include', () => {
  it('reads files in place, relative to the present dir, sorted, hidden ones not', () => {
    mkdirSync(join(folder, 'parts'));
    write('parts/b.conf', 'timeout 2\nhz 20');
    write('parts/a.conf', 'timeout 1\nmaxclients 5');
    write('parts/.c.conf', 'timeout 3');
    write('parts/d.txt', 'timeout 4');
    const config = load(`dir ${folder}/parts\ninclude [a-c].conf\nmaxclients 6\n`);
    expect(config.values.timeout).toBe(2);
    expect(config.values.hz).toBe(20);
    expect(config.values.maxclients).toBe(6);
    const other = load('include par*/?.conf');
    expect(other.values.timeout).toBe(2);
    expect(load('include parts/[!a].conf').values.maxclients).toBe(10000);
  });

  it('adds save lines of several files up, and begins anew behind them', () => {
    write('a.conf', 'save 1 1');
    write('b.conf', 'save 2 2\nsave 3 3');
    const saved = (text: string): string => String(load(text).get(['save'])[0]?.[1]);
    expect(saved('include ?.conf')).toBe('1 1 2 2 3 3');
    expect(saved('save 9 9\ninclude a.conf\ninclude b.conf')).toBe('9 9 1 1 2 2 3 3');
    expect(saved('include ?.conf\nsave 4 4\nhz 20\nsave 5 5')).toBe('4 4 5 5');
    expect(saved('include a.conf\nsave 4 4\ninclude b.conf')).toBe('4 4 2 2 3 3');
  });

  it('says in which file a line is wrong', () => {
    const inner = write('inner.conf', '\n\nfoo bar\n');
    expect(reportOf('include inner.conf')).toContain(
      `at line 3\n>>> 'foo bar'\nBad directive or wrong number of arguments\n` +
        `(in the included file ${inner})\n`,
    );
  });

  it('ends when a file includes itself', () => {
    expect(reportOf('include test.conf')).toContain('nested more than 16 deep');
  });
});
