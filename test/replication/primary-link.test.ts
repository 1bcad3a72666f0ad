/**
 * The replica's end of the link against peers that play a primary: it syncs, follows, comes again,
 * and gives up nothing that it has before it holds something better.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Arena } from '../../src/core/memory/arena.ts';
import { OfferedBuffers } from '../../src/core/memory/offered-buffers.ts';
import type { Args } from '../../src/core/resp/args.ts';
import type { ReceivedDataset } from '../../src/replication/payload.ts';
import {
  type LinkSettings,
  PrimaryLink,
  type PrimaryLinkHost,
} from '../../src/replication/primary-link.ts';
import { LinkError } from '../../src/replication/socket-reader.ts';
import { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { type PeerConnection, ScriptedPeer } from './scripted-peer.ts';

const ID = 'abcdef0123456789abcdef0123456789abcdef01';
const RDB = 'REDIS0010\xff\0\0\0\0\0\0\0\0';
const SET = '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n';

class Host implements PrimaryLinkHost {
  readonly fs = new FaultyFileSystem();
  readonly buffers = new OfferedBuffers(new Arena());
  readonly inTransaction = false;
  isPaused = false;
  readonly events: string[] = [];
  readonly logged: string[] = [];
  applied = () => undefined;
  from: LinkSettings['from'] = null;
  failover = false;
  timeoutMs = 60_000;
  loadError: Error | null = null;
  /** Called for each command that is run. */
  onCommand: () => void = () => undefined;

  constructor() {
    this.fs.mkdirSync('/data');
  }

  settings(): LinkSettings {
    return {
      user: '',
      password: '',
      listeningPort: 7001,
      announceIp: '',
      timeoutMs: this.timeoutMs,
      sourceAddress: '',
      temporaryPath: '/data/temp.rdb',
      failover: this.failover,
      from: this.from,
    };
  }

  log(_level: string, text: string): void {
    this.logged.push(text);
  }

  continued(id: string): void {
    this.events.push(`continued ${id}`);
  }

  async load(dataset: ReceivedDataset): Promise<void> {
    this.events.push(`load ${dataset.bytes} ${dataset.position?.offset}`);
    if (this.loadError !== null) throw this.loadError;
  }

  takerOf(): null {
    return null;
  }

  connected(): void {
    this.events.push('connected');
  }

  disconnected(): void {
    this.events.push('disconnected');
  }

  failoverRejected(reason: string): void {
    this.events.push(`rejected ${reason}`);
  }

  execute(args: Args): void {
    this.events.push(args.text(0));
    this.onCommand();
  }
}

let peer: ScriptedPeer;
let host: Host;
let link: PrimaryLink;

beforeEach(async () => {
  peer = await ScriptedPeer.listen();
  host = new Host();
  link = new PrimaryLink(host, '127.0.0.1', peer.port);
});

afterEach(async () => {
  link.stop();
  await peer.close();
});

/** Plays a primary up to PSYNC, which is returned unanswered. */
async function greet(): Promise<{ connection: PeerConnection; psync: string | null }> {
  const connection = await peer.connection();
  await connection.answer('+PONG\r\n');
  await connection.answer('+OK\r\n');
  await connection.answer('+OK\r\n');
  return { connection, psync: await connection.command() };
}

/** Waits until the host has noted something. */
async function noted(event: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!host.events.includes(event)) {
    if (Date.now() > deadline) throw new Error(`${event} never came: ${host.events.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function fullSync(): Promise<PeerConnection> {
  const { connection } = await greet();
  connection.send(`+FULLRESYNC ${ID} 100\r\n$${RDB.length}\r\n${RDB}${SET}`);
  await noted('SET');
  return connection;
}

describe('the link to a primary', () => {
  it('loads what it received, follows, and asks to go on when the stream breaks', async () => {
    link.start();
    const connection = await fullSync();
    expect(host.events).toEqual([`load ${RDB.length} 100`, 'connected', 'SET']);
    expect(link.state).toBe('connected');
    link.acknowledge(131, -1);
    expect(await connection.command()).toBe('REPLCONF ACK 131');
    link.acknowledge(131, 77);
    expect(await connection.command()).toBe('REPLCONF ACK 131 FACK 77');
    host.from = { id: ID, nextByte: 132 };
    connection.close();
    const again = await greet();
    expect(again.psync).toBe(`PSYNC ${ID} 132`);
    again.connection.send(`+CONTINUE\r\n${SET}`);
    await noted(`continued ${ID}`);
    expect(host.events.slice(3, 6)).toEqual(['disconnected', `continued ${ID}`, 'connected']);
  });

  it('comes again when a dataset is refused, or damaged, or breaks off', async () => {
    host.loadError = new LinkError('refused');
    link.start();
    const first = await greet();
    first.connection.send(`+FULLRESYNC ${ID} 100\r\n$${RDB.length}\r\n${RDB}`);
    const second = await greet();
    expect(host.events).toEqual([`load ${RDB.length} 100`]);
    second.connection.send(`+FULLRESYNC ${ID} 100\r\n$${RDB.length}\r\n${RDB.slice(0, 5)}`);
    second.connection.close();
    await greet();
    expect(host.events.length).toBe(1);
    expect(host.fs.statSync('/data/temp.rdb')).toBe(undefined);
  });

  it('gives up a primary that is silent for longer than repl-timeout', async () => {
    link.start();
    await fullSync();
    link.tick(Date.now() + 30_000, 60_000);
    expect(link.state).toBe('connected');
    link.tick(Date.now() + 61_000, 60_000);
    expect(host.events.at(-1)).toBe('disconnected');
    await greet();
  });

  it('gives up a handshake by what repl-timeout has become meanwhile', async () => {
    host.timeoutMs = 3_600_000;
    link.start();
    await greet();
    link.tick(Date.now() + 4000, 5000);
    expect(link.state).toBe('handshake');
    link.tick(Date.now() + 6000, 5000);
    await greet();
    expect(host.logged).toContain('Timeout connecting to the MASTER...');
  });

  it('holds back what comes while it is to wait, and goes on from there', async () => {
    link.start();
    const connection = await fullSync();
    host.isPaused = true;
    const before = host.events.length;
    connection.send(SET);
    connection.send(SET.slice(0, 10));
    while (link.unappliedBytes < SET.length + 10) await new Promise((next) => setTimeout(next, 2));
    expect(host.events.length).toBe(before);
    link.goOn();
    expect(host.events.length).toBe(before);
    host.isPaused = false;
    link.goOn();
    expect(host.events.slice(before)).toEqual(['SET']);
    expect(link.unappliedBytes).toBe(10);
    connection.send(SET.slice(10));
    while (link.unappliedBytes > 0) await new Promise((next) => setTimeout(next, 2));
    expect(host.events.slice(before)).toEqual(['SET', 'SET']);
    host.isPaused = true;
    connection.send(SET);
    while (link.unappliedBytes < SET.length) await new Promise((next) => setTimeout(next, 2));
    link.interrupt('enough');
    expect(link.unappliedBytes).toBe(0);
  });

  it('breaks the link at what is no command, having applied what came before', async () => {
    link.start();
    const connection = await fullSync();
    connection.send('nonsense\r\n');
    await noted('disconnected');
    await greet();
  });

  it('may be broken by a command that it runs', async () => {
    host.onCommand = () => link.interrupt('enough');
    link.start();
    const { connection } = await greet();
    connection.send(`+FULLRESYNC ${ID} 100\r\n$${RDB.length}\r\n${RDB}${SET}${SET}`);
    await noted('disconnected');
    expect(host.events.filter((event) => event === 'SET').length).toBe(1);
    await greet();
  });

  it('ends for good when it is stopped, wherever it is', async () => {
    link.start();
    const { connection } = await greet();
    link.stop();
    connection.send(`+FULLRESYNC ${ID} 100\r\n$${RDB.length}\r\n${RDB}${SET}`);
    expect(await connection.command()).toBe(null);
    expect(host.events).toEqual([]);
  });

  it('tells of a successor that refuses, and does not insist', async () => {
    host.failover = true;
    link.start();
    const { connection } = await greet();
    connection.send("-ERR PSYNC FAILOVER can't be sent to a master.\r\n");
    await noted('rejected Failover target rejected psync request');
    expect(link.state).toBe('connect');
  });
});
