/**
 * The commands of replication beside the real server: refusals, options, ROLE, and INFO's fields.
 */
import { describe, expect, it } from 'vitest';
import { until } from '../../support/in-process-scene.ts';
import { requireRedisServer } from '../../support/real-server.ts';
import { type Mask, sideBySide } from '../../support/side-by-side.ts';

const NO_ID: Mask = [/[0-9a-f]{40}/g, 'id'];

describe.skipIf(requireRedisServer() === null)('the commands of replication', () => {
  const { same, servers } = sideBySide();

  same(
    'REPLCONF',
    `
    a> REPLCONF
    a> REPLCONF a
    a> REPLCONF a b
    a> REPLCONF listening-port x
    a> REPLCONF listening-port 7777
    a> REPLCONF ip-address 10.0.0.1
    a> REPLCONF ip-address ${'9'.repeat(300)}
    a> REPLCONF capa eof capa psync2 capa later
    a> REPLCONF rdb-only 2
    a> REPLCONF rdb-only x
    a> REPLCONF rdb-only 0
    a> REPLCONF rdb-filter-only other
    a> REPLCONF rdb-filter-only functions
    a> REPLCONF rdb-filter-only ""
    a>0 REPLCONF ACK 5
    a>0 REPLCONF GETACK *
    a> PING
    a> REPLCONF listening-port 1 nonsense 2
    `,
  );

  same(
    'REPLICAOF and ROLE of a primary',
    `
    a> ROLE
    a> REPLICAOF localhost abc
    a> REPLICAOF localhost 70000
    a> REPLICAOF localhost -1
    a> REPLICAOF no one
    a> SLAVEOF NO ONE
    a> REPLICAOF localhost
    a> CONFIG GET replicaof
    `,
  );

  same(
    'FAILOVER',
    `
    a> FAILOVER
    a> FAILOVER ABORT
    a> FAILOVER x
    a> FAILOVER TIMEOUT
    a> FAILOVER TIMEOUT 0
    a> FAILOVER TIMEOUT x
    a> FAILOVER TIMEOUT -5
    a> FAILOVER TO
    a> FAILOVER TO a
    a> FAILOVER TO a b
    a> FAILOVER TO a 99999999
    a> FAILOVER FORCE
    a> FAILOVER TO h 1 FORCE
    a> FAILOVER TO h 1 FORCE TIMEOUT 5
    a> FAILOVER FORCE TO h 1 TIMEOUT 5
    a> FAILOVER ABORT TIMEOUT 5
    a> FAILOVER TIMEOUT 5 ABORT
    a> FAILOVER TO a 1 TO b 2
    a> FAILOVER TIMEOUT 5 TIMEOUT 6
    `,
  );

  same(
    'WAIT without replicas',
    `
    a> WAIT x 0
    a> WAIT 0 x
    a> WAIT 0 -1
    a> WAIT -1 0
    a> WAIT 1 1
    a> WAIT 0 0
    a> WAIT 99999999999999999999 1
    a> MULTI
    a> WAIT 3 0
    a> EXEC
    `,
  );

  same(
    'PSYNC and SYNC that are refused',
    `
    a> PSYNC ? x
    b> PSYNC a 1 FAILOVER
    c> MULTI
    c> PSYNC ? -1
    c> EXEC
    d> REPLCONF rdb-filter-only functions
    d> PSYNC ? -1
    e> SYNC 1
    f> PSYNC ?
    `,
  );

  same(
    'a replica of nobody',
    `
    a> REPLICAOF 127.0.0.1 1
    a> SET k v
    a> GET k
    a> WAIT 0 0
    a> FAILOVER
    a> PSYNC ? -1
    a> CONFIG GET replicaof
    a> REPLICAOF 127.0.0.1 1
    a> CONFIG SET replica-serve-stale-data no
    a> GET k
    a> MULTI
    a> EXEC
    a> PING
    a> CONFIG SET replica-serve-stale-data yes
    b> PSYNC ${'a'.repeat(40)} 1 FAILOVER
    a> MULTI
    a> REPLICAOF NO ONE
    a> EXEC
    a> SET k v
    a> DEL k
    `,
    [NO_ID],
  );

  same(
    'REPLICAOF in a transaction: what follows it sees the new role',
    `
    a> MULTI
    a> SET k 1
    a> INCR k
    a> REPLICAOF 127.0.0.1 1
    a> ROLE
    a> CONFIG GET replicaof
    a> INCR k
    a> REPLICAOF 127.0.0.1 1
    a> EXEC
    a> SET k 3
    a> MULTI
    a> REPLICAOF NO ONE
    a> CONFIG GET replicaof
    a> EXEC
    a> DEL k
    `,
    [[/\$\d+\r\nconnect(ing)?\b/g, 'connect']],
  );

  same(
    'a transaction that was queued before the server became a replica',
    `
    a> MULTI
    a> SET k v
    b> REPLICAOF 127.0.0.1 1
    a> EXEC
    a> EXISTS k
    b> MULTI
    b> GET k
    b> EXEC
    b> REPLICAOF NO ONE
    `,
  );

  it('counts the call of a client that waits for a key when the role changes', async () => {
    const { cairn } = servers();
    const [client, waiter] = await Promise.all([cairn.connect(), cairn.connect()]);
    await client.send('CONFIG', 'RESETSTAT');
    const answer = waiter.send('BLPOP', 'list', '0');
    while (!/blocked_clients:1/.test(String(await client.value('INFO', 'clients'))));
    await client.send('REPLICAOF', '127.0.0.1', '1');
    expect((await answer).raw.toString()).toMatch(/^-UNBLOCKED /);
    await client.send('REPLICAOF', 'NO', 'ONE');
    const stats = String(await client.value('INFO', 'commandstats'));
    expect(stats).toMatch(/cmdstat_blpop:calls=1,.*failed_calls=1/);
    client.close();
    waiter.close();
  });

  it.each([
    { wait: ['BLPOP', 'list', '0'], end: ['RPUSH', 'list', 'x'], answer: /^\*2\r\n/ },
    { wait: ['BLPOP', 'list', '0'], end: ['CLIENT', 'UNBLOCK', 'id'], answer: /^\*-1\r\n$/ },
    { wait: ['WAIT', '1', '0'], end: ['CLIENT', 'UNBLOCK', 'id'], answer: /^:0\r\n$/ },
  ])('one who was answered just before the role changes stays: $wait $end', async (one) => {
    const { cairn, redis } = servers();
    for (const server of [cairn, redis]) {
      const [client, waiter] = await Promise.all([server.connect(), server.connect()]);
      const id = String(await waiter.value('CLIENT', 'ID'));
      const answer = waiter.send(...one.wait);
      await until('it waits', async () =>
        String(await client.value('INFO', 'clients')).includes('blocked_clients:1'),
      );
      const end = one.end.map((word) => (word === 'id' ? id : word));
      await client.pipeline([end, ['REPLICAOF', '127.0.0.1', '1']]);
      expect((await answer).raw.toString()).toMatch(one.answer);
      expect((await waiter.send('PING')).raw.toString()).toBe('+PONG\r\n');
      await client.pipeline([['REPLICAOF', 'NO', 'ONE'], ['FLUSHALL']]);
      client.close();
      waiter.close();
    }
  });

  it('names the fields of INFO replication, in order, on primaries and replicas', async () => {
    const { cairn, redis } = servers();
    const names = async (server: typeof cairn, follow: boolean): Promise<string[]> => {
      const client = await server.connect();
      if (follow) await client.send('REPLICAOF', '127.0.0.1', '1');
      const text = String(await client.value('INFO', 'replication'));
      await client.send('REPLICAOF', 'NO', 'ONE');
      client.close();
      return text.split('\r\n').map((line) => line.split(':')[0] ?? '');
    };
    for (const follow of [false, true]) {
      expect(await names(cairn, follow)).toEqual(await names(redis, follow));
    }
  });
});
