/**
 * The hub: connections in, commands to dispatch, replies to the turn.
 *
 *     link -> onRead -> parser -> dispatch, command after command, until the bytes are used up or
 *     the client must wait
 *
 * A client waits while it is blocked, while clients are paused, and while more of its replies stand
 * unsent than OUTPUT_HIGH or so much waits for the disk that its replies do: then it is not read
 * from either, until they have drained. The bytes that it sent and that were not parsed yet are
 * kept by its parser.
 */
import type { Socket } from 'node:net';
import { Args } from '../core/resp/args.ts';
import { ChunkPool } from '../core/resp/chunk-pool.ts';
import { PARSED_COMMAND, PARSED_ERROR } from '../core/resp/request-parser.ts';
import { Client, RUNNING, WAIT_CLOSING, WAIT_OUTPUT } from './client.ts';
import type { Dispatcher } from './dispatch.ts';
import { fastLink } from './io/fast-link.ts';
import type { LinkOwner } from './io/link.ts';
import { PlainLink } from './io/plain-link.ts';
import type { Services } from './services.ts';
import type { Turn } from './turn.ts';

/** Unsent replies above which a client's commands wait, and below which they go on. */
const OUTPUT_HIGH = 1 << 20;
const OUTPUT_LOW = 1 << 18;

export class Hub {
  readonly clients = new Map<number, Client>();
  readonly pool = new ChunkPool();
  /** Arguments of the command that runs; one object for all clients. */
  readonly args = new Args();
  /** Told when a client has gone. */
  onGone: (client: Client) => void = () => {};
  /** Whether to drive handles directly. */
  fast = true;

  private readonly services: Services;
  private readonly turn: Turn;
  private nextId = 1;

  constructor(services: Services, turn: Turn) {
    this.services = services;
    this.turn = turn;
    turn.onDrained = (client) => this.drained(client);
  }

  private get dispatcher(): Dispatcher {
    return this.services.dispatcher;
  }

  /** A client without a connection: replays files, runs a primary's stream. */
  detached(): Client {
    const { config, stats } = this.services;
    const limits = { bulkBytesMax: config.values.protoMaxBulkLen };
    return new Client(this.nextId++, limits, this.args, this.pool, stats, Date.now());
  }

  /** Takes in an accepted socket. Null when there are too many clients already. */
  accept(socket: Socket, unix: boolean): Client | null {
    const { config, stats } = this.services;
    stats.connectionsReceived++;
    if (this.clients.size >= config.values.maxclients) {
      stats.rejectedConnections++;
      socket.end('-ERR max number of clients reached\r\n', () => socket.destroy());
      socket.on('error', () => socket.destroy());
      return null;
    }
    const client = this.detached();
    const owner: LinkOwner = {
      onRead: (bytes, from, to) => this.read(client, bytes, from, to),
      onSent: () => this.turn.sent(client),
      onClosed: () => this.gone(client),
    };
    client.unixSocket = unix;
    this.clients.set(client.id, client);
    socket.setNoDelay(true);
    client.link = (this.fast ? fastLink(socket, owner) : null) ?? new PlainLink(socket, owner);
    client.local = unix || isLoopback(socket.remoteAddress);
    const path = `${config.values.unixsocket}:0`;
    client.address = unix ? path : client.link.remoteAddress;
    client.localAddress = unix ? path : client.link.localAddress;
    this.services.desk.access.welcome(client);
    if (config.values.tcpKeepalive > 0 && !unix) {
      client.link.setKeepAlive(config.values.tcpKeepalive);
    }
    return client;
  }

  /** Commands of a client that had to wait may go on. */
  resume(client: Client): void {
    if (client.closed) return;
    client.waiting = RUNNING;
    client.link?.resume();
    this.dispatcher.startClock(Date.now());
    this.work(client);
  }

  /** Closes a client: after what it was answered, or at once. */
  close(client: Client, how: 'after-reply' | 'now'): void {
    if (client.closed) return;
    if (how === 'now' || client.link === null) {
      client.link?.destroy();
      this.gone(client);
      return;
    }
    client.closeAfterReply = true;
    client.waiting = WAIT_CLOSING;
    client.link.pause();
    this.turn.list(client);
  }

  private read(client: Client, bytes: Uint8Array, from: number, to: number): void {
    const { stats } = this.services;
    const now = Date.now();
    stats.netInputBytes += to - from;
    stats.totalReads++;
    client.bytesIn += to - from;
    client.lastActiveMs = now;
    client.parser.feed(bytes, from, to);
    if (client.waiting !== RUNNING) {
      client.parser.keep();
      this.refuseFlood(client);
      return;
    }
    this.dispatcher.startClock(now);
    this.work(client);
  }

  /** Runs what the client has sent, as far as it may. */
  private work(client: Client): void {
    const { parser, reply } = client;
    const { dispatcher } = this;
    while (client.waiting === RUNNING) {
      const found = parser.next();
      if (found !== PARSED_COMMAND) {
        if (found === PARSED_ERROR) this.protocolError(client);
        break;
      }
      dispatcher.run(client, parser.args);
      if (reply.total - reply.sent > OUTPUT_HIGH) this.hold(client);
    }
    dispatcher.endClock();
    if (reply.total > reply.released && this.turn.log?.isCongested === true) this.hold(client);
    if (client.waiting !== RUNNING) parser.keep();
    if (this.refuseFlood(client)) return;
    if (reply.total > reply.released) this.turn.list(client);
  }

  /** Closes a client that has sent more than may stand unparsed, for instance while it waits. */
  private refuseFlood(client: Client): boolean {
    const { config, log, stats } = this.services;
    if (client.parser.pendingBytes <= config.values.clientQueryBufferLimit) return false;
    log.warning('Closing client that reached max query buffer length');
    stats.queryBufferLimitDisconnections++;
    this.close(client, 'now');
    return true;
  }

  private hold(client: Client): void {
    // A replica is read from whatever it is sent: its ACKs say that it is alive.
    if (client.waiting !== RUNNING || client.isReplica) return;
    client.waiting = WAIT_OUTPUT;
    client.link?.pause();
  }

  private drained(client: Client): void {
    if (client.drained !== null) client.drained();
    if (client.waiting === WAIT_OUTPUT && client.outputBytes < OUTPUT_LOW) this.resume(client);
  }

  private protocolError(client: Client): void {
    client.reply.error(`ERR ${client.parser.error}`);
    this.close(client, 'after-reply');
  }

  private gone(client: Client): void {
    if (client.closed) return;
    client.closed = true;
    client.waiting = WAIT_CLOSING;
    this.clients.delete(client.id);
    client.reply.drop();
    this.services.watches.clear(client);
    this.onGone(client);
  }
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return true;
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
