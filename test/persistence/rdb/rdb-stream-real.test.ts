/**
 * Streams in RDB files and payloads: the same bytes as the real server's, both ways between the
 * two, with groups and all that is pending; damaged payloads do no harm.
 */
import { describe, expect, it } from 'vitest';
import { startCairnServer } from '../../support/cairn-server.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { Servers, type Start } from './rdb-carried.ts';

const config = { 'stream-node-max-entries': 10 };

function commands(): string[][] {
  const entries = Array.from({ length: 95 }, (_, i) => [
    ...['XADD', 'long', `${1000 + i}-${i % 3}`],
    ...(i % 7 === 0 ? ['other', 'x'.repeat(i)] : ['a', String(i), 'b', `value ${i}`]),
  ]);
  return [
    ...entries,
    ['XDEL', 'long', '1004-1', '1005-2', '1090-0'],
    ['XTRIM', 'long', 'MAXLEN', '84'],
    ['XADD', 'far', '1-1', 'f', '1'],
    ['XADD', 'far', '18446744073709551610-5', 'f', '1'],
    ['XADD', 'far', '18446744073709551615-18446744073709551610', 'f', '1'],
    ['XGROUP', 'CREATE', 'long', 'g', '0'],
    ['XGROUP', 'CREATE', 'long', 'h', '1050', 'ENTRIESREAD', '30'],
    ['XGROUP', 'CREATE', 'long', '12', '$'],
    ['XGROUP', 'CREATECONSUMER', 'long', 'g', 'idle'],
    ['XREADGROUP', 'GROUP', 'g', 'c1', 'COUNT', '30', 'STREAMS', 'long', '>'],
    ['XREADGROUP', 'GROUP', 'g', 'c2', 'COUNT', '30', 'STREAMS', 'long', '>'],
    ['XREADGROUP', 'GROUP', 'h', 'c1', 'COUNT', '5', 'STREAMS', 'long', '>'],
    ['XCLAIM', 'long', 'g', 'c1', '0', '1050-2', '1051-0', 'RETRYCOUNT', '70000'],
    ['XACK', 'long', 'g', '1020-2'],
    ['XGROUP', 'CREATE', 'empty', 'g', '5-5', 'MKSTREAM'],
    ['XADD', 'plain', '1-1', 'f', '1'],
    ['XADD', 'plain', '1-2', 'f', 'text', 'g', '-70000'],
    ['XDEL', 'plain', '1-1'],
  ];
}

/**
 * What XINFO tells without when a consumer was active, which only 7.2 tells, and only version 11 of
 * RDB files keeps.
 */
function withoutActive(all: string[]): string[] {
  const consumer = /\*10(\r\n\$4\r\nname\r\n[^*]*)\$11\r\nactive-time\r\n:-?\d+\r\n/g;
  return all.map((one) => one.replace(consumer, '*8$1'));
}

const KEYS = ['long', 'far', 'empty', 'plain'];

describe.skipIf(requireRedisServer() === null)('streams in files and payloads', () => {
  const servers = new Servers();

  async function facts(server: ServerProcess): Promise<string[]> {
    const client = await server.connect();
    const found = [String(await client.value('DEBUG', 'DIGEST'))];
    for (const key of KEYS) {
      found.push(
        (await client.send('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0)).raw.toString('latin1'),
      );
    }
    client.close();
    return found;
  }

  async function carried(from: Start, to: Start, more: object = {}): Promise<void> {
    const first = await servers.start(from, { ...config, ...more });
    const client = await first.connect();
    for (const command of commands()) await client.send(...command);
    expect(await client.value('SAVE')).toBe('OK');
    const expected = await facts(first);
    const second = await servers.startFrom(first, to, config);
    if (from === to) expect(await facts(second)).toEqual(expected);
    else expect(withoutActive(await facts(second))).toEqual(withoutActive(expected));
    const other = await second.connect();
    expect(await other.value('DEBUG', 'RELOAD')).toBe('OK');
    expect(withoutActive(await facts(second))).toEqual(withoutActive(expected));
  }

  it('of the real server load here', () => carried(startRealServer, startCairnServer));

  it('of Cairn load in the real server', () => carried(startCairnServer, startRealServer));

  it('of Cairn in the newest version load here', () =>
    carried(startCairnServer, startCairnServer, { 'rdb-save-version': '11' }));

  it('are dumped in the same bytes, and restored', async () => {
    const cairn = await (await servers.start(startCairnServer, config)).connect();
    const redis = await (await servers.start(startRealServer, config)).connect();
    for (const command of commands().filter(([name]) => !/^X(GROUP|READ|CLAIM|ACK)/.test(name!))) {
      await cairn.send(...command);
      await redis.send(...command);
    }
    for (const key of ['long', 'far', 'plain']) {
      const [ours, theirs] = [await cairn.send('DUMP', key), await redis.send('DUMP', key)];
      expect(ours.raw.equals(theirs.raw)).toBe(true);
    }
  });

  it('are refused when they are damaged, or do no harm', async () => {
    const cairn = await (await servers.start(startCairnServer, config)).connect();
    for (const command of commands()) await cairn.send(...command);
    for (const key of ['plain', 'long']) {
      const { raw } = await cairn.send('DUMP', key);
      const payload = raw.subarray(raw.indexOf('\r\n') + 2, -2);
      expect(await cairn.value('DEBUG', 'SET-ACTIVE-EXPIRE', 1)).toBe('OK');
      await cairn.send('CONFIG', 'SET', 'sanitize-dump-payload', 'yes');
      await cairn.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', 1);
      const step = Math.max(1, Math.floor(payload.length / 300));
      for (let i = 0; i < payload.length - 10; i += step) {
        const damaged = Buffer.from(payload);
        damaged[i] = damaged[i]! ^ (1 << (i % 8));
        await cairn.send('RESTORE', 'copy', 0, damaged, 'REPLACE');
        for (const question of [
          ['XRANGE', 'copy', '-', '+'],
          ['XREVRANGE', 'copy', '+', '-'],
          ['XINFO', 'STREAM', 'copy', 'FULL'],
          ['XTRIM', 'copy', 'MAXLEN', '1'],
          ['DEL', 'copy'],
        ]) {
          await cairn.send(...question);
        }
      }
      expect(await cairn.value('PING')).toBe('PONG');
    }
  });
});
