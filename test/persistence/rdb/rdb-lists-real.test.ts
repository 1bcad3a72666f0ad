/**
 * Lists in RDB files and payloads of DUMP, both ways between Cairn and the real server: equal data,
 * and for lists that were built alike the same bytes.
 */
import { describe, expect, it } from 'vitest';
import { startCairnServer } from '../../support/cairn-server.ts';
import { Random } from '../../support/random.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import { Servers, type Start } from './rdb-carried.ts';

const many = (count: number, make: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i));

function commands(): string[][] {
  return [
    ['RPUSH', 'l:small', 'a', '1', '-70000', '', '12345678901234567890', 'x'.repeat(70)],
    ['LPUSH', 'l:long', 'v'.repeat(500), 'ab'.repeat(4000)],
    ['RPUSH', 'l:numbers', ...many(5000, (i) => String(i * 997 - 100_000))],
    ['RPUSH', 'l:large', ...many(4000, (i) => `element number ${i} of many`)],
    ['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '300b'],
    ['RPUSH', 'l:plain', 'p'.repeat(301), 'a', 'b', 'q'.repeat(5000), 'c'],
    ['LSET', 'l:plain', '1', 'r'.repeat(400)],
    ['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '0'],
    ['PEXPIREAT', 'l:large', '9999999999999'],
  ];
}

describe.skipIf(requireRedisServer() === null)('files of lists', () => {
  const servers = new Servers();

  /** Fills one server, gives its file to another, and expects the same data there. */
  async function carried(from: Start, to: Start, saving: object, loading: object): Promise<void> {
    const pair = { from, to, saving, loading, commands: commands() };
    const other = await servers.carry(pair, 5);
    expect(await other.value('PEXPIRETIME', 'l:large')).toBe(9999999999999);
  }

  const compressed = { 'list-compress-depth': 1, 'list-max-listpack-size': 16 };

  it('of the real server load here', () => carried(startRealServer, startCairnServer, {}, {}));

  it('of the real server, compressed, load here', () =>
    carried(startRealServer, startCairnServer, compressed, {}));

  it('of Cairn load in the real server', () => carried(startCairnServer, startRealServer, {}, {}));

  it('of Cairn, compressed, load in the real server', () =>
    carried(startCairnServer, startRealServer, compressed, {}));

  it('of Cairn in the plainest version load in the real server', () =>
    carried(startCairnServer, startRealServer, { 'rdb-save-version': '9' }, {}));

  it('of Cairn in the newest version load here', () =>
    carried(startCairnServer, startCairnServer, { 'rdb-save-version': '11' }, compressed));

  /**
   * The same random changes of a list on both servers; DUMP must give the same bytes after each
   * few.
   */
  async function sameDumps(config: object, seed: number): Promise<void> {
    const clients: RawClient[] = [];
    for (const start of [startCairnServer, startRealServer]) {
      clients.push(await (await servers.start(start, config)).connect());
    }
    const random = new Random(seed);
    const element = (): string =>
      random.chance(0.5) ? String(random.between(0, 5000)) : 'e'.repeat(random.between(0, 90));
    const change = (length: number): string[] => {
      const index = String(random.between(0, length - 1));
      switch (random.between(0, 5)) {
        case 0:
          return ['LPUSH', 'k', element(), element()];
        case 1:
          return ['LSET', 'k', index, element()];
        case 2:
          return [
            'LINSERT',
            'k',
            random.pick(['BEFORE', 'AFTER']),
            String(random.between(0, 99)),
            element(),
          ];
        case 3:
          return ['LREM', 'k', String(random.between(-2, 2)), String(random.between(0, 5000))];
        case 4:
          return random.chance(0.1) ? ['LTRIM', 'k', '3', '-4'] : ['RPOP', 'k', '2'];
        default:
          return ['RPUSH', 'k', ...many(random.between(1, 30), element)];
      }
    };
    await all(clients, ['RPUSH', 'k', ...many(100, String)]);
    for (let i = 0; i < 300; i++) {
      const [length] = await all(clients, ['LLEN', 'k']);
      await all(clients, change(Number(length?.slice(1))));
      if (i % 5 === 0) {
        const [mine, theirs] = await all(clients, ['DUMP', 'k']);
        expect(mine?.length).toBeGreaterThan(100);
        expect(`after ${i} changes: ${mine}`).toBe(`after ${i} changes: ${theirs}`);
      }
    }
  }

  const all = (clients: readonly RawClient[], command: readonly string[]): Promise<string[]> =>
    Promise.all(clients.map(async (one) => (await one.send(...command)).raw.toString('latin1')));

  it.each([
    ['nodes of few elements', { 'list-max-listpack-size': 5 }],
    ['nodes of one element', { 'list-max-listpack-size': 1 }],
    ['compressed nodes', { 'list-max-listpack-size': 8, 'list-compress-depth': 2 }],
    ['no compression in files', { 'list-max-listpack-size': 20, rdbcompression: 'no' }],
  ])('payloads of DUMP have the same bytes: %s', (_, config) => sameDumps(config, 7));

  it('nodes that are kept compressed are written so, also where files are not', async () => {
    const config = { ...compressed, rdbcompression: 'no' };
    const clients: RawClient[] = [];
    for (const start of [startCairnServer, startRealServer]) {
      clients.push(await (await servers.start(start, config)).connect());
    }
    await all(clients, ['RPUSH', 'k', ...many(500, (i) => `element number ${i} of many`)]);
    await all(clients, ['LSET', 'k', '250', 'z'.repeat(300)]);
    await all(clients, ['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '300b']);
    await all(clients, ['RPUSH', 'k', 'y'.repeat(1000), ...many(50, String)]);
    const [mine, theirs] = await all(clients, ['DUMP', 'k']);
    expect(mine).toBe(theirs);
    expect(mine?.length).toBeLessThan(10_000);
  });
});
