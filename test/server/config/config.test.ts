/** The configuration object: values, listeners, changes that are taken back, and settings. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fromByteString,
  quoteArgument,
  toByteString,
} from '../../../src/server/config/byte-string.ts';
import { splitWords } from '../../../src/server/config/conf-file.ts';
import { Config } from '../../../src/server/config/config.ts';
import {
  formatKeyspaceEvents,
  NOTIFY_ALL,
  parseKeyspaceEvents,
} from '../../../src/server/config/keyspace-events.ts';
import { PARAMETERS, propertyName } from '../../../src/server/config/parameters.ts';
import { formatTitle } from '../../../src/server/config/title-template.ts';
import { formatBytes, parseBytes } from '../../../src/server/config/value-type.ts';
import { NOTIFY_KEYEVENT, NOTIFY_NEW } from '../../../src/server/dispatch/notify-classes.ts';

const client = { loading: false, local: true };

describe('values', () => {
  it('have one property for each parameter', () => {
    const { values } = new Config();
    expect(Object.keys(values).sort()).toEqual(
      PARAMETERS.map((parameter) => propertyName(parameter.name)).sort(),
    );
    expect(values.maxmemoryPolicy).toBe('noeviction');
    expect(values.save[0]).toEqual({ seconds: 3600, changes: 1 });
    expect(values.dir).toBe(process.cwd());
  });

  it('follow CONFIG SET, each in its own type', async () => {
    const config = new Config();
    await config.set(
      [
        ['maxmemory', '1gb'],
        ['maxmemory-clients', '5%'],
        ['appendfsync', 'ALWAYS'],
        ['lazyfree-lazy-expire', 'yes'],
        ['notify-keyspace-events', 'KEA'],
        ['client-output-buffer-limit', 'replica 1mb 1kb 3'],
        ['shutdown-on-sigterm', 'now nosave'],
      ],
      client,
    );
    const { values } = config;
    expect(values.maxmemory).toBe(2 ** 30);
    expect(values.maxmemoryClients).toBe(-5);
    expect(values.appendfsync).toBe('always');
    expect(values.lazyfreeLazyExpire).toBe(true);
    expect(values.notifyKeyspaceEvents & NOTIFY_KEYEVENT).toBe(NOTIFY_KEYEVENT);
    expect(values.clientOutputBufferLimit.replica).toEqual({
      hardBytes: 2 ** 20,
      softBytes: 1024,
      softSeconds: 3,
    });
    expect(values.shutdownOnSigterm).toEqual(['nosave', 'now']);
  });

  it('of two configurations have nothing in common', async () => {
    const [one, other] = [new Config(), new Config()];
    await one.set([['timeout', '5']], client);
    one.load({ options: 'user a on' });
    expect(other.values.timeout).toBe(0);
    expect(other.users).toEqual([]);
  });

  it('say which must not be shown', () => {
    const config = new Config();
    expect(config.isSensitive('RequirePass')).toBe(true);
    expect(config.isSensitive('maxmemory')).toBe(false);
    expect(config.isSensitive('nonsense')).toBe(false);
  });
});

describe('who may change what', () => {
  it('protects dir and dbfilename', async () => {
    const protectedError = (name: string): object => ({
      ok: false,
      error:
        `ERR CONFIG SET failed (possibly related to argument '${name}') - ` +
        "can't set protected config",
    });
    const config = new Config();
    expect(await config.set([['dir', '/']], client)).toEqual(protectedError('dir'));
    config.applySettings({ 'enable-protected-configs': 'local' });
    expect(await config.set([['dir', '/']], { ...client, local: false })).toEqual(
      protectedError('dir'),
    );
    expect(await config.set([['dir', '/']], client)).toEqual({ ok: true });
    expect(config.values.dir).toBe('/');
    expect(config.path('tmp/x')).toBe('/tmp/x');
  });

  it('refuses a folder whose name is not UTF-8, instead of another one', async () => {
    const config = new Config();
    config.applySettings({ 'enable-protected-configs': 'yes' });
    expect(await config.set([['dir', '/x\xff']], client)).toEqual({
      ok: false,
      error:
        "ERR CONFIG SET failed (possibly related to argument 'dir') - " +
        'The name of this folder is not UTF-8: Node.js cannot reach it',
    });
  });

  it('refuses some while loading', async () => {
    const config = new Config();
    const loading = { loading: true, local: true };
    expect(await config.set([['appendonly', 'yes']], loading)).toEqual({
      ok: false,
      error: 'LOADING Redis is loading the dataset in memory',
    });
    expect(await config.set([['maxmemory', '1']], loading)).toEqual({ ok: true });
  });
});

describe('listeners', () => {
  it('hear of what changed, once, with both values', async () => {
    const config = new Config();
    const heard: unknown[] = [];
    config.onChange('timeout', (value, before) => {
      heard.push(['timeout', value, before, config.values.hz]);
      return undefined;
    });
    const both = (value: number): undefined => void heard.push(['both', value]);
    config.onChange('hz', both);
    config.onChange('maxclients', both);
    config.onChange('databases', both);
    const pairs: Array<[string, string]> = [
      ['timeout', '5'],
      ['hz', '20'],
      ['maxclients', '30'],
      ['tcp-keepalive', '300'],
    ];
    expect(config.set(pairs, client)).toEqual({ ok: true });
    expect(config.set(pairs, client)).toEqual({ ok: true });
    expect(heard).toEqual([
      ['timeout', 5, 0, 20],
      ['both', 20],
    ]);
  });

  it('may refuse: all values go back, and who was told is told again', () => {
    const config = new Config();
    const heard: string[] = [];
    config.onChange('timeout', (value) => void heard.push(`timeout ${value}`));
    config.onChange('hz', (value) => (value === 10 ? undefined : `no ${value}`));
    config.onChange('maxclients', (value) => void heard.push(`maxclients ${value}`));
    const outcome = config.set(
      [
        ['timeout', '5'],
        ['HZ', '20'],
        ['maxclients', '30'],
      ],
      client,
    );
    expect(outcome).toEqual({
      ok: false,
      error: "ERR CONFIG SET failed (possibly related to argument 'hz') - no 20",
    });
    expect(heard).toEqual(['timeout 5', 'timeout 0']);
    const { timeout, hz, maxclients } = config.values;
    expect({ timeout, hz, maxclients }).toEqual({ timeout: 0, hz: 10, maxclients: 10000 });
  });

  it('may take their time, and later changes wait', async () => {
    const config = new Config();
    let finish: (answer: string | undefined) => void = () => undefined;
    const asked: number[] = [];
    config.onChange('port', (value) => {
      asked.push(value);
      return value === 6379 ? undefined : new Promise((resolve) => (finish = resolve));
    });
    const first = config.set([['port', '1']], client);
    const second = config.set([['port', '2']], client);
    expect(first).toBeInstanceOf(Promise);
    expect(config.values.port).toBe(1);
    finish('Unable to listen on this port. Check server logs.');
    expect(await first).toEqual({
      ok: false,
      error:
        "ERR CONFIG SET failed (possibly related to argument 'port') - " +
        'Unable to listen on this port. Check server logs.',
    });
    await Promise.resolve();
    expect(config.values.port).toBe(2);
    finish(undefined);
    expect(await second).toEqual({ ok: true });
    expect(asked).toEqual([1, 6379, 2]);
    expect(config.set([['hz', '11']], client)).toEqual({ ok: true });
  });

  it('hear of a third change when the second is over, not the first', async () => {
    const config = new Config();
    const finish: (() => void)[] = [];
    const asked: number[] = [];
    config.onChange('port', (value) => {
      asked.push(value);
      return new Promise((resolve) => finish.push(() => resolve(undefined)));
    });
    const [first, second] = [1, 2].map((port) => config.set([['port', `${port}`]], client));
    finish[0]!();
    expect(await first).toEqual({ ok: true });
    await expect.poll(() => asked).toEqual([1, 2]);
    const third = config.set([['port', '3']], client);
    expect(asked).toEqual([1, 2]);
    finish[1]!();
    expect(await second).toEqual({ ok: true });
    await expect.poll(() => asked).toEqual([1, 2, 3]);
    finish[2]!();
    expect(await third).toEqual({ ok: true });
  });

  it('are told of what is taken back one after the other', async () => {
    const config = new Config();
    const heard: string[] = [];
    const slowly = (name: 'port' | 'bind') =>
      config.onChange(name, async (value) => {
        heard.push(`${name} ${value}`);
        await Promise.resolve();
        heard.push(`${name} done`);
        return undefined;
      });
    slowly('port');
    slowly('bind');
    config.onChange('hz', (value) => (value === 10 ? undefined : `no ${value}`));
    const pairs: Array<[string, string]> = [
      ['port', '1'],
      ['bind', '::1'],
      ['hz', '20'],
    ];
    expect(await config.set(pairs, client)).toMatchObject({ ok: false });
    const before = new Config().values;
    const told = ['port 1', 'port done', 'bind ::1', 'bind done'];
    const back = [`port ${before.port}`, 'port done', `bind ${before.bind}`, 'bind done'];
    expect(heard).toEqual([...told, ...back]);
  });

  it('keep nobody waiting who asks for what cannot be', async () => {
    const config = new Config();
    let finish: (answer: string | undefined) => void = () => undefined;
    config.onChange('port', () => new Promise((resolve) => (finish = resolve)));
    const first = config.set([['port', '1']], client);
    expect(config.set([['maxmemory', 'bla']], client)).toEqual({
      ok: false,
      error:
        "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - " +
        'argument must be a memory value',
    });
    expect(config.set([['databases', '4']], client)).toMatchObject({ ok: false });
    finish(undefined);
    expect(await first).toEqual({ ok: true });
  });
});

describe('settings of a program', () => {
  it('are values of any kind, immutable ones included', () => {
    const config = new Config();
    config.applySettings({
      port: 0,
      appendonly: true,
      databases: 4,
      save: '',
      requirepass: 'pässword',
      'client-output-buffer-limit': 'normal 1 2 3',
    });
    expect(config.values.appendonly).toBe(true);
    expect(config.values.databases).toBe(4);
    expect(config.values.save).toEqual([]);
    expect(config.values.requirepass).toBe('pässword');
    expect(config.get(['requirepass'])).toEqual([['requirepass', toByteString('pässword')]]);
  });

  it('name what is wrong', () => {
    const config = new Config();
    expect(() => config.applySettings({ nonsense: 1 })).toThrow("there is no setting 'nonsense'");
    expect(() => config.applySettings({ port: 'x' })).toThrow(/^setting 'port': argument couldn't/);
    expect(() => config.applySettings({ 'tls-port': 1 })).toThrow('there is no TLS');
  });
});

describe('texts', () => {
  it('survive quoting', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        expect(splitWords(`x ${quoteArgument(text)}`)).toEqual(['x', text]);
      }),
    );
    expect(quoteArgument('a"\\\n\r\t\x07\b\x00\xff~')).toBe('"a\\"\\\\\\n\\r\\t\\a\\b\\x00\\xff~"');
    expect(fromByteString(toByteString('ä€🗿'))).toBe('ä€🗿');
  });

  it('of sizes are read back as what they were', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (bytes) => {
        expect(parseBytes(formatBytes(bytes))).toBe(bytes);
      }),
    );
    expect(['3k', '3Kb', '3M', '3mb', '1g', '1GB', '5b'].map(parseBytes)).toEqual([
      3000n,
      3072n,
      3000000n,
      3145728n,
      1000000000n,
      1073741824n,
      5n,
    ]);
    expect(['1t', '-1', '1 k', 'x', '1.5k', '0x1'].map(parseBytes)).toEqual(
      Array(6).fill(undefined),
    );
  });

  it('of keyspace events keep every class', () => {
    const masks = fc.subarray([...'KEg$lshzxetdmnA']).map((letters) => letters.join(''));
    fc.assert(
      fc.property(masks, (text) => {
        const mask = parseKeyspaceEvents(text) ?? -1;
        expect(parseKeyspaceEvents(formatKeyspaceEvents(mask))).toBe(mask);
      }),
    );
    expect(formatKeyspaceEvents(NOTIFY_ALL | NOTIFY_NEW)).toBe('An');
  });

  it('of titles are made with the variables that they name', () => {
    const variables = {
      title: 'cairn-server',
      'listen-addr': '*:6379',
      'server-mode': '',
      port: '6379',
      'tls-port': '0',
      unixsocket: '',
      'config-file': '/x.conf',
    };
    expect(formatTitle('{title} {listen-addr} {server-mode}', variables)).toBe(
      'cairn-server *:6379',
    );
    expect(formatTitle('<{config-file}:{port}>', variables)).toBe('</x.conf:6379>');
  });
});
