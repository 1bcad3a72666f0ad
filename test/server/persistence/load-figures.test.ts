/**
 * What a start says of the dump that it loaded: keys, keys whose time had come, and keys without
 * elements. And how long nobody has used them.
 */
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { rdbOf, text } from '../../persistence/rdb/rdb-support.ts';
import { emptyDisk, InProcessServer } from '../../support/in-process-server.ts';

const DUMP = `${tmpdir()}/dump.rdb`;
const HISTORY = [
  0xfa,
  text('repl-id'),
  text('ab'.repeat(20)),
  0xfa,
  text('repl-offset'),
  text('9'),
];
const OVER = [0xfc, 1, 0, 0, 0, 0, 0, 0, 0];
const STRING = 0;
const HASH = 4;
const SET = 2;

describe('the figures of a load', () => {
  let server: InProcessServer | undefined;
  afterEach(() => server?.abandon());

  it.each([
    { what: 'a dump', head: [] },
    { what: 'a dump that replicas may go on from', head: HISTORY },
  ])('count what is over and what is empty in $what', async ({ head }) => {
    const keys = [
      ...[STRING, text('a'), text('1'), ...OVER, STRING, text('b'), text('2')],
      ...[...OVER, HASH, text('c'), 1, text('f'), text('v'), HASH, text('d'), 0, SET, text('e'), 0],
    ];
    const fs = emptyDisk();
    fs.put(DUMP, rdbOf('REDIS0010', ...head, 0xfe, 0, ...keys, 0xff));
    server = await InProcessServer.start(fs, { appendonly: false });
    const client = await server.connect();
    const info = String(await client.value('INFO', 'persistence'));
    expect(info).toContain('rdb_last_load_keys_loaded:1\r\n');
    expect(info).toContain('rdb_last_load_keys_expired:2\r\n');
    expect(await client.value('KEYS', '*')).toEqual(['a']);
    client.close();
    const log = server.log.join('');
    expect(log).toContain(
      'Done loading RDB, keys loaded: 1, keys expired: 2, empty keys skipped: 2.',
    );
    for (const name of ['d', 'e']) expect(log).toContain(`skipping empty key: ${name}`);
  });

  it.each([
    { policy: 'noeviction', asked: 'IDLETIME', told: /^2..$/ },
    { policy: 'allkeys-lru', asked: 'IDLETIME', told: /^2..$/ },
    { policy: 'allkeys-lfu', asked: 'FREQ', told: /^[45]$/ },
  ])('tell the idle time of a key, but no use of it: $policy', async ({ policy, asked, told }) => {
    const fs = emptyDisk();
    const key = [0xf8, 0x40, 200, STRING, text('k'), text('v')];
    fs.put(DUMP, rdbOf('REDIS0010', 0xfe, 0, ...key, 0xff));
    server = await InProcessServer.start(fs, { appendonly: false, 'maxmemory-policy': policy });
    const client = await server.connect();
    expect(String(await client.value('OBJECT', asked, 'k'))).toMatch(told);
    client.close();
  });
});
