/**
 * What the server's memory is used for, in bytes: the figures behind maxmemory, INFO and MEMORY
 * STATS.
 *
 *     used     = data (blocks of the arena + expiry indexes, exact at every moment)
 *              + clients, tracked keys, AOF buffer, backlog: whoever has registered a source
 *     limited  = used less what maxmemory does not count: replicas' buffers and the AOF buffer,
 *                which grow while keys are evicted, so that counting them would evict still more
 *
 * The data are looked up before each command of a server with a limit; what the sources say is
 * summed up again when SOURCES_MS have passed, since going over all clients for each command would
 * cost more than it tells. Before anything is evicted it is summed up afresh, but with very many
 * clients not each millisecond: that took three quarters of the time with 12,000 of them.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { Client } from '../clients/client.ts';
import type { Tracking } from '../clients/tracking.ts';
import type { AofService } from '../persistence/aof-service.ts';
import type { ReplicationService } from '../replication/replication.ts';

const SOURCES_MS = 50;
/** A sum over so many clients is fresh for a millisecond, over more for as much longer. */
const FRESH_CLIENTS = 500;
/** What a client takes beside its buffers, roughly. */
const CLIENT_BYTES = 1024;

/**
 * What a watched key, a subscription and a prefix that changes are told of take beside their names,
 * roughly, in tables of both directions; and what a client takes that subscribes to anything.
 */
const WATCHED_BYTES = 512;
const SUBSCRIPTION_BYTES = 208;
const SUBSCRIBER_BYTES = 320;
const PREFIX_BYTES = 160;
/** What a key takes that a client waits for, beside its name, and how often that is held. */
const AWAITED_BYTES = 720;
const AWAITED_COPIES = 3;
/** A watched key is held as bytes, and as the name under which the table finds it. */
const WATCHED_COPIES = 2;

/** Names of figures: those that MEMORY STATS shows, and the table of tracked keys. */
export type SourceName =
  | 'replication.backlog'
  | 'clients.slaves'
  | 'clients.normal'
  | 'cluster.links'
  | 'aof.buffer'
  | 'lua.caches'
  | 'functions.caches'
  | 'tracking.table';

type Clients = Iterable<readonly [number, Client]>;

/** Bytes that are used for something, and how many of them maxmemory does not count. */
interface Source {
  readonly bytes: () => number;
  readonly unlimited: () => number;
}

/** Memory in use, in bytes. */
export interface MemoryShares {
  readonly used: number;
  /** The most that `used` has been. */
  readonly peak: number;
  /** What the start took, tables that find keys, clients and buffers. */
  readonly overhead: number;
  readonly dataset: number;
  /** What has come since the start; at least 1. */
  readonly grown: number;
  /** `dataset` as a percentage of `grown`. */
  readonly datasetPercent: number;
}

export class MemoryAccount {
  private readonly keyspace: Keyspace;
  private readonly sources = new Map<SourceName, Source>();
  /** Bytes of all sources, and of those that maxmemory counts, as of `summedMs`. */
  private sourceBytes = 0;
  private limitedSourceBytes = 0;
  private summedMs = 0;
  /** Clients that the sum went over. */
  private summedClients = 0;
  /** Whether keys have been evicted in this turn, whose replies have yet to leave. */
  private evicting = false;
  /** `usedBytes` when the server had just started. */
  readonly startupBytes: number;
  private peak = 0;

  constructor(keyspace: Keyspace, clients: Clients) {
    this.keyspace = keyspace;
    this.add('clients.normal', () => this.clientsBytes(clients));
    this.startupBytes = this.dataBytes;
  }

  /** Counts `bytes()` under `name`, `unlimited()` of them not for maxmemory; one source a name. */
  add(name: SourceName, bytes: () => number, unlimited = () => 0): void {
    this.sources.set(name, { bytes, unlimited });
  }

  /** Bytes that a source says it takes now, 0 when there is none of this name. */
  bytesOf(name: SourceName): number {
    return this.sources.get(name)?.bytes() ?? 0;
  }

  /** Bytes that maxmemory does not count, now. */
  get unlimitedBytes(): number {
    let bytes = 0;
    for (const [, { unlimited }] of this.sources) bytes += unlimited();
    return bytes;
  }

  /** Bytes of keys and values, and of the tables and indexes that find them. */
  get dataBytes(): number {
    return this.keyspace.arena.usedBytes + this.keyspace.arena.besideBytes;
  }

  /** Bytes in use, all in all. */
  get usedBytes(): number {
    this.sum();
    const used = this.dataBytes + this.sourceBytes;
    if (used > this.peak) this.peak = used;
    return used;
  }

  /** The most that `usedBytes` has been. */
  get peakBytes(): number {
    return Math.max(this.peak, this.usedBytes);
  }

  /** Looks at what is in use, so that peaks are known which nobody else has seen. */
  notePeak(): void {
    this.peak = this.peakBytes;
  }

  /** Bytes that maxmemory counts. `nowMs` as precise as the keyspace's clock. */
  get limitedBytes(): number {
    const { nowMs } = this.keyspace;
    if (nowMs - this.summedMs >= SOURCES_MS || nowMs < this.summedMs) this.sum();
    return this.dataBytes + this.limitedSourceBytes;
  }

  /**
   * Bytes that maxmemory counts, summed up afresh unless that was just done: what is asked before
   * anything is evicted, lest keys go for buffers that have just been freed.
   */
  get limitedBytesNow(): number {
    const ageMs = this.keyspace.nowMs - this.summedMs;
    if (ageMs !== 0 && Math.abs(ageMs) >= this.summedClients / FRESH_CLIENTS) this.sum();
    return this.limitedBytes;
  }

  /** What is in use now, by whether it is data. */
  get shares(): MemoryShares {
    const used = this.usedBytes;
    const tables = this.keyspace.databases.reduce(
      (sum, { dict, expires }) => sum + dict.overheadBytes + expires.overheadBytes,
      0,
    );
    const overhead = this.startupBytes + tables + this.sourceBytes;
    const dataset = Math.max(0, used - overhead);
    const grown = Math.max(1, used - this.startupBytes);
    const datasetPercent = (dataset * 100) / grown;
    return { used, peak: this.peak, overhead, dataset, grown, datasetPercent };
  }

  /**
   * Keys have been evicted. What that gives clients to read (invalidations of tracked keys) leaves
   * at the end of the turn; until then more in the buffers is no reason to evict more.
   */
  keysEvicted(): void {
    this.evicting = true;
  }

  /** The turn ends, and with it what `keysEvicted` said. */
  turnEnds(): void {
    this.evicting = false;
  }

  private clientsBytes(clients: Clients): number {
    let bytes = 0;
    this.summedClients = 0;
    for (const [, client] of clients) {
      this.summedClients++;
      if (!client.isReplica) bytes += clientBytes(client);
    }
    return bytes;
  }

  /** Asks all sources again. */
  sum(): void {
    this.summedMs = this.keyspace.nowMs;
    this.sourceBytes = 0;
    for (const [, { bytes }] of this.sources) this.sourceBytes += bytes();
    const limited = this.sourceBytes - this.unlimitedBytes;
    this.limitedSourceBytes = this.evicting ? Math.min(this.limitedSourceBytes, limited) : limited;
  }
}

/** Counts the table of tracked keys and the buffers of AOF and replicas as well. */
export function countBeside(
  memory: MemoryAccount,
  tracking: Tracking,
  log: AofService,
  replication: ReplicationService,
  clients: Clients,
): void {
  memory.add('tracking.table', () => tracking.memoryBytes);
  const { aof } = log;
  const aofBytes = () => (log.isOn ? Math.max(0, aof.appendedBytes - aof.writtenBytes) : 0);
  memory.add('aof.buffer', aofBytes, aofBytes);
  // What the backlog takes beyond its size (held bytes, parts of blocks) is the replicas', if there
  // are any. When the last has gone, parts of blocks are left, and maxmemory goes on without them.
  const { primary } = replication;
  const backlogBytes = () => primary.backlog?.memoryBytes ?? 0;
  const beyondBytes = () => Math.max(0, backlogBytes() - (primary.backlog?.sizeBytes ?? 0));
  const isFeeding = () => primary.replicas.size > 0;
  const replicasBytes = () => (isFeeding() ? replicaBuffersBytes(clients) + beyondBytes() : 0);
  memory.add('clients.slaves', replicasBytes, replicasBytes);
  memory.add(
    'replication.backlog',
    () => backlogBytes() - (isFeeding() ? beyondBytes() : 0),
    () => (isFeeding() ? 0 : beyondBytes()),
  );
}

/**
 * Bytes that a client takes: requests that have not run, replies that are not sent, what it has
 * queued, what it watches and listens to.
 */
export function clientBytes(client: Client): number {
  const { outputBytes, parser, subscribed, tracking, transaction, watched, watchedBytes } = client;
  let bytes = CLIENT_BYTES + parser.pendingBytes + parser.argumentBytes + outputBytes;
  bytes += transaction?.memoryBytes ?? 0;
  bytes += watched.length * WATCHED_BYTES + watchedBytes * WATCHED_COPIES;
  bytes += client.awaitedKeys * AWAITED_BYTES + client.awaitedBytes * AWAITED_COPIES;
  if (tracking !== null) bytes += tracking.prefixBytes + tracking.prefixes.length * PREFIX_BYTES;
  if (subscribed !== null) {
    const { channels, nameBytes, patterns, shardChannels } = subscribed;
    bytes += SUBSCRIBER_BYTES + nameBytes;
    const places = channels.size + 2 * patterns.size + shardChannels.size;
    bytes += places * SUBSCRIPTION_BYTES;
  }
  return bytes;
}

/** What waits to be sent to replicas; a replica that has all of the stream takes nothing. */
function replicaBuffersBytes(clients: Clients): number {
  let bytes = 0;
  for (const [, client] of clients) if (client.isReplica) bytes += client.outputBytes;
  return bytes;
}
