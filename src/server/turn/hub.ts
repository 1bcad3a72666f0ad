/**
 * The hub: connections in, commands to dispatch, replies to the turn.
 *
 *     link -> onRead -> parser -> dispatch, command after command, until the bytes are used up or
 *     the client must wait
 *
 * A client waits while it is blocked, while clients are paused, and while many of its replies stand
 * unsent (`clients/unread-replies.ts`) or so much waits for the disk that its replies do: then it
 * is not read from either, until they have drained. The bytes that it sent and that were not parsed
 * yet are kept by its parser.
 */
import type { Socket } from 'node:net';
import { Args } from '../../core/resp/args.ts';
import { ChunkPool } from '../../core/resp/chunk-pool.ts';
import { AHEAD_MAX, ParsedAhead } from '../../core/resp/parsed-ahead.ts';
import { PARSED_COMMAND, PARSED_ERROR, type ParserLimits } from '../../core/resp/request-parser.ts';
import type { Dict } from '../../core/struct/dict.ts';
import { Client, RUNNING, WAIT_CLOSING, WAIT_OUTPUT } from '../clients/client.ts';
import { clientInLog } from '../clients/client-list.ts';
import { evictWhoTakesMuch } from '../clients/client-upkeep.ts';
import { UnreadReplies } from '../clients/unread-replies.ts';
import type { Dispatcher } from '../dispatch/dispatch.ts';
import { fastLink } from '../io/fast-link.ts';
import type { LinkOwner } from '../io/link.ts';
import { PlainLink } from '../io/plain-link.ts';
import { giveBack } from '../memory/give-back.ts';
import type { SnapshotBrake } from '../persistence/snapshot-brake.ts';
import type { Services } from '../services.ts';
import { Intake, STAGED_BYTES_MAX } from './intake.ts';
import type { Turn } from './turn.ts';

export class Hub {
  readonly clients = new Map<number, Client>();
  readonly pool = new ChunkPool(giveBack);
  /** Arguments of the command that runs; one object for all clients. */
  readonly args = new Args();
  /** Called when a client has gone. */
  onGone: (client: Client) => void = () => {};
  /** Slows down who writes while a snapshot lags behind. */
  brake: SnapshotBrake | null = null;
  /** Whether to drive handles directly. */
  fast = true;

  private readonly services: Services;
  private readonly turn: Turn;
  private readonly intake = new Intake();
  private readonly unread = new UnreadReplies();
  private readonly resumeBound = (client: Client): void => this.resume(client);
  private readonly batch = new ParsedAhead();
  /** Whose each command of `batch` is, and the dict that it looks into. */
  private readonly owners: Client[] = [];
  private readonly dicts: Dict[] = [];
  /** The commands of `batch` run: a client that goes on meanwhile is served one by one. */
  private isAhead = false;
  private nextId = 1;
  /** One object for all parsers, so that CONFIG SET reaches those who are connected. */
  private readonly limits: ParserLimits;

  constructor(services: Services, turn: Turn) {
    this.services = services;
    this.limits = { bulkBytesMax: services.config.values.protoMaxBulkLen };
    services.config.onChange('proto-max-bulk-len', (bytes) => {
      this.limits.bulkBytesMax = bytes;
      return undefined;
    });
    this.turn = turn;
    turn.onDrained = (client) => this.drained(client);
    turn.onWork = () => this.runIntake();
  }

  private get dispatcher(): Dispatcher {
    return this.services.dispatcher;
  }

  /** A client without a connection: replays files, runs a primary's stream. */
  detached(): Client {
    const { args, limits, pool } = this;
    const { keyspace, stats } = this.services;
    return new Client(this.nextId++, limits, args, keyspace.offered, pool, stats, Date.now());
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
    const owner = new ClientOwner(this, client);
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

  /** A send of the client's that took long is complete. */
  sent(client: Client): void {
    this.turn.sent(client);
  }

  /** Commands of a client that had to wait may go on. */
  resume(client: Client): void {
    if (client.closed) return;
    client.waiting = RUNNING;
    client.link?.resume();
    this.dispatcher.startClock(Date.now());
    this.work(client);
    this.dispatcher.endClock();
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

  /**
   * Called twice a second: clients that wait for their output to drain, but take none of it, go on.
   */
  tickUnread(): void {
    this.unread.tick(this.resumeBound);
  }

  /** A client's bytes have come: few are kept until the turn's end, many are run at once. */
  read(client: Client, bytes: Uint8Array, from: number, to: number): void {
    const { intake } = this;
    if (to - from > STAGED_BYTES_MAX) {
      this.readMany(client, bytes, from, to);
      return;
    }
    if (!intake.hasRoom(to - from)) this.runIntake();
    intake.add(client, bytes, from, to);
    this.turn.schedule();
  }

  private readMany(client: Client, bytes: Uint8Array, from: number, to: number): void {
    const { stats } = this.services;
    this.runIntake();
    const nowMs = Date.now();
    stats.netInputBytes += to - from;
    stats.totalReads++;
    client.bytesIn += to - from;
    client.lastActiveMs = nowMs;
    client.parser.feed(bytes, from, to);
    if (client.waiting !== RUNNING) {
      client.parser.keep();
      this.refuseFlood(client);
      return;
    }
    this.dispatcher.startClock(nowMs);
    this.work(client);
    this.dispatcher.endClock();
    evictWhoTakesMuch(this.services, client, nowMs);
  }

  /** Runs the small reads of this turn. */
  private runIntake(): void {
    const { dispatcher, intake } = this;
    const { stats } = this.services;
    const { clients, count } = intake;
    if (count === 0 || intake.runs) return;
    intake.runs = true;
    stats.netInputBytes += intake.bytes;
    stats.totalReads += count;
    const nowMs = Date.now();
    dispatcher.startClock(nowMs);
    for (let first = 0, next = 0; first < count; first = next) {
      next = this.feedSome(first, nowMs);
      this.runBatch();
      for (let i = first; i < next; i++) this.finish(clients[i]!, nowMs);
    }
    dispatcher.endClock();
    intake.clear();
  }

  /**
   * Feeds small reads, from the one at `first` on, and parses their commands ahead. What is left
   * begins at the index that is returned: at a second read of a client, or at one that goes on
   * with a command, whose beginning is put back in front of it where reads before it lie.
   */
  private feedSome(first: number, nowMs: number): number {
    const { batch, intake } = this;
    const { clients, count, stage } = intake;
    batch.count = 0;
    let next = first;
    for (; next < count && batch.count < AHEAD_MAX; next++) {
      const client = clients[next]!;
      if (client.closed) continue;
      const { parser } = client;
      if (next > first && (client.staged || !parser.isIdle)) break;
      const from = intake.from(next);
      const to = intake.to(next);
      client.staged = true;
      client.bytesIn += to - from;
      client.lastActiveMs = nowMs;
      parser.feed(stage, from, to);
      if (client.waiting === RUNNING) this.parseAhead(client);
    }
    return next;
  }

  /** Runs what is left of a client's small read. */
  private finish(client: Client, nowMs: number): void {
    client.staged = false;
    this.work(client);
    if (!client.parser.isIdle) evictWhoTakesMuch(this.services, client, nowMs);
  }

  /** Runs what the client has sent, as far as it may. */
  private work(client: Client): void {
    if (client.closed) return;
    const { parser, reply } = client;
    while (client.waiting === RUNNING) {
      if (!this.isAhead) {
        this.batch.count = 0;
        this.parseAhead(client);
        if (this.batch.count > 0) {
          this.runBatch();
          continue;
        }
      }
      const found = parser.next();
      if (found !== PARSED_COMMAND) {
        if (found === PARSED_ERROR) this.protocolError(client);
        break;
      }
      this.run(client, parser.args);
      parser.letGo();
    }
    if (reply.total > reply.released && this.turn.log?.isCongested === true) this.hold(client);
    if (client.wrote) this.brake?.wrote(client);
    if (client.waiting !== RUNNING) parser.keep();
    if (this.refuseFlood(client)) return;
    if (reply.total > reply.released) this.turn.list(client);
  }

  private run(client: Client, args: Args): void {
    this.dispatcher.run(client, args);
    if (client.reply.total - client.reply.sent <= client.outputMark) return;
    this.hold(client);
    if (client.waiting === WAIT_OUTPUT) this.unread.add(client);
  }

  private parseAhead(client: Client): void {
    const { batch, dicts, owners } = this;
    const first = batch.count;
    client.parser.ahead(batch);
    const { dict } = this.services.keyspace.databases[client.db]!;
    for (let i = first; i < batch.count; i++) {
      owners[i] = client;
      dicts[i] = dict;
    }
  }

  /** Runs the commands that were parsed ahead, as far as their clients may go on. */
  private runBatch(): void {
    const { batch, owners } = this;
    const { ahead } = this.services.keyspace;
    const { count } = batch;
    const looks = count > 1;
    if (looks) ahead.look(this.dicts, batch);
    this.isAhead = true;
    for (let i = 0; i < count; i++) {
      const client = owners[i]!;
      if (client.waiting === RUNNING) {
        if (looks) ahead.expect(batch, i);
        this.run(client, batch.args[i]!);
      } else {
        client.parser.backTo(batch.starts[i]!);
        while (i + 1 < count && owners[i + 1] === client) i++;
      }
    }
    this.isAhead = false;
    if (looks) ahead.done();
  }

  /** Closes a client that has sent more than may stand unparsed, for instance while it waits. */
  private refuseFlood(client: Client): boolean {
    const { config, log, stats } = this.services;
    if (client.parser.unparsedBytes <= config.values.clientQueryBufferLimit) return false;
    const who = clientInLog(client, this.services);
    log.warning(`Closing client that reached max query buffer length: ${who}`);
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
    if (this.unread.hasDrained(client)) this.resume(client);
  }

  private protocolError(client: Client): void {
    client.reply.error(`ERR ${client.parser.error}`);
    this.close(client, 'after-reply');
  }

  /**
   * Lets go of a client whose connection is over. What came before its end is run first, if it
   * waits still.
   */
  lost(client: Client): void {
    if (this.intake.count > 0 && !this.dispatcher.isRunning) this.runIntake();
    this.gone(client);
  }

  private gone(client: Client): void {
    if (client.closed) return;
    client.closed = true;
    client.waiting = WAIT_CLOSING;
    this.clients.delete(client.id);
    client.parser.drop();
    client.reply.drop();
    this.unread.remove(client);
    this.dispatcher.discard(client);
    this.onGone(client);
  }
}

/** What a link tells is for the hub. An object costs one look into memory, a closure three. */
class ClientOwner implements LinkOwner {
  private readonly hub: Hub;
  private readonly client: Client;

  constructor(hub: Hub, client: Client) {
    this.hub = hub;
    this.client = client;
  }

  onRead(bytes: Uint8Array, from: number, to: number): void {
    this.hub.read(this.client, bytes, from, to);
  }

  onSent(): void {
    this.hub.sent(this.client);
  }

  onClosed(): void {
    this.hub.lost(this.client);
  }
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return true;
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
