/**
 * What the feeding end reads of a replica's connection and of the configuration, and what an RDB
 * says of the stream.
 */
import { describe, expect, it } from 'vitest';
import { Config } from '../../../src/server/config/config.ts';
import { auxAt, auxFields, auxOf } from '../../../src/server/replication/replication-aux.ts';
import { ClientConnection } from '../../../src/server/replication/replication-connection.ts';
import { primarySettings } from '../../../src/server/replication/replication-settings.ts';
import { TurnStage } from '../../support/turn-stage.ts';

describe('the connection to a replica', () => {
  function scene() {
    const stage = new TurnStage();
    const client = stage.client('replica');
    const closed: string[] = [];
    const connection = new ClientConnection(
      {
        listClient: (one) => stage.turn.list(one),
        closeClient: (one, how) => closed.push(`${one === client} ${how}`),
      },
      client,
    );
    return { stage, client, closed, connection };
  }

  it.each(['send', 'share'] as const)('takes what leaves at the end of the turn: %s', (way) => {
    const { stage, client, connection } = scene();
    if (way === 'send') connection.send('1234\xff');
    else connection.share(Buffer.from('12345'));
    expect([connection.unsentBytes, connection.sentBytes]).toEqual([5, 0]);
    expect(client.listed).toBe(true);
    stage.turn.end();
    expect([connection.unsentBytes, connection.sentBytes]).toEqual([0, 5]);
  });

  it.each([
    ['10.0.0.7:50123', '10.0.0.7', 50_123],
    ['[fe80::1]:6', 'fe80::1', 6],
    ['', '', 0],
  ])('has the address of its other end: %j', (address, host, port) => {
    const { client, connection } = scene();
    client.address = address;
    expect([connection.address, connection.port]).toEqual([host, port]);
  });

  it('is as old as the last word of the replica', () => {
    const { client, connection } = scene();
    client.lastActiveMs = 1234;
    expect(connection.lastReadMs).toBe(1234);
  });

  it('tells when it has drained', () => {
    const { client, connection } = scene();
    const listener = (): void => {};
    connection.onDrained = listener;
    expect([client.drained, connection.onDrained]).toEqual([listener, listener]);
  });

  it('closes at once, or after what it has to send', () => {
    const { closed, connection } = scene();
    connection.close();
    connection.closeAfterSending();
    expect(closed).toEqual(['true now', 'true after-reply']);
  });
});

describe('the settings of the feeding end', () => {
  it('are those of the configuration', () => {
    const config = new Config();
    config.applySettings({
      'client-output-buffer-limit': 'normal 1 2 3 replica 500mb 300mb 70 pubsub 4 5 6',
      'repl-diskless-sync': 'no',
      'repl-diskless-sync-delay': 9,
      'repl-diskless-sync-max-replicas': 4,
      'repl-timeout': 33,
      'repl-backlog-size': '2mb',
      'repl-backlog-ttl': 77,
      'min-replicas-max-lag': 12,
    });
    const mega = 1024 * 1024;
    expect(primarySettings(config)).toEqual({
      diskless: false,
      delaySeconds: 9,
      replicasMax: 4,
      timeoutMs: 33_000,
      bufferLimit: { hardBytes: 500 * mega, softBytes: 300 * mega, softSeconds: 70 },
      backlogBytes: 2 * mega,
      backlogTtlSeconds: 77,
      lagSecondsMax: 12,
    });
  });

  it.each([
    ['1mb 2mb', 4, 4],
    ['0 2mb', 0, 4],
    ['8mb 0', 8, 0],
  ])('have no limit below the backlog, nor one where there is none: %s', (limit, hard, soft) => {
    const config = new Config();
    config.applySettings({
      'client-output-buffer-limit': `replica ${limit} 60`,
      'repl-backlog-size': '4mb',
    });
    const { hardBytes, softBytes } = primarySettings(config).bufferLimit;
    expect([hardBytes, softBytes]).toEqual([hard, soft].map((mega) => mega * 1024 * 1024));
  });
});

describe('the fields of an RDB', () => {
  it('say where in the stream it stands, or nothing', () => {
    const aux = { id: 'a'.repeat(40), offset: 1234, streamDb: 3 };
    expect(auxFields(aux)).toEqual({
      'repl-stream-db': '3',
      'repl-id': aux.id,
      'repl-offset': '1234',
    });
    expect(auxOf(new Map(Object.entries(auxFields(aux))))).toEqual(aux);
    expect(auxFields(null)).toEqual({});
    expect(auxOf(new Map())).toBe(null);
    expect(auxAt({ continues: true, id: aux.id, offset: 5, db: 2 })).toEqual({
      id: aux.id,
      offset: 5,
      streamDb: 2,
    });
  });
});
