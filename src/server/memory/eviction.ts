/**
 * Eviction: keeps memory below maxmemory by the policy, before each command.
 *
 *     volatile-ttl      the key whose time comes first, exactly: the root of the expiry indexes
 *     *-lru, *-lfu      the best of random samples (eviction-pool.ts), maxmemory-samples a
 *                       database at a time
 *     *-random          any key, the databases taking turns
 *     volatile-*        only keys that expire
 *     noeviction        none: commands that need memory are refused
 *
 * Memory that is on its way back (flushed databases, large values that were deleted) is freed
 * first, and only what is missing then is evicted.
 *
 * The work before one command is bounded by maxmemory-eviction-tenacity: up to 10 it is 50 us a
 * step, beyond that it grows by 15 % a step, and 100 has no bound. What is left is done between
 * commands; until then commands that need memory are let through, since refusing them would punish
 * clients for what is being mended.
 *
 * Evicted keys are propagated each by itself, before the command that they make room for.
 */
import type { Database } from '../../core/database.ts';
import { EXPIRY_DELETE } from '../../core/keyspace.ts';
import { lfuDecayed, lruIdleSeconds } from '../../core/usage.ts';
import type { Client } from '../clients/client.ts';
import { evictClients } from '../clients/client-upkeep.ts';
import { type Command, DENYOOM } from '../dispatch/command.ts';
import { OUT_OF_MEMORY } from '../dispatch/errors.ts';
import type { Gates } from '../dispatch/gates.ts';
import { announceEvicted } from '../keyspace/key-removal.ts';
import type { Services } from '../services.ts';
import { EvictionPool } from './eviction-pool.ts';
import type { MemoryAccount } from './memory-account.ts';

export const EVICTION_OK = 0;
/** Memory is above the limit, and will be below it soon. */
export const EVICTION_RUNNING = 1;
/** Memory is above the limit, and nothing can be evicted. */
export const EVICTION_FAILED = 2;

const STEP_MS = 0.05;
const LINEAR_STEPS = 10;
const GROWTH = 1.15;
/** Keys evicted between two looks at the clock. */
const CHECK_EVERY = 16;
const FREE_SLICE = 64;
const LFU_MAX = 255;

export class Eviction {
  /**
   * Whether the last command that was admitted found memory above the limit with nothing to evict.
   */
  isOutOfMemory = false;

  private readonly services: Services;
  private readonly gates: Gates;
  private readonly memory: MemoryAccount;
  private readonly pool = new EvictionPool();
  private scheduled = false;
  private nextDatabase = 0;
  /** When memory came to stand above the limit, 0 while it does not. */
  private exceededSinceMs = 0;
  /** Database of the entry that `pick` found. */
  private pickedIn: Database | null = null;
  private readonly continueBound = (): void => this.continue();

  constructor(services: Services) {
    this.services = services;
    this.gates = services.desk.gates;
    this.memory = services.memory;
    const { config, keyspace } = services;
    const usage = (): undefined => {
      const { maxmemoryPolicy, lfuLogFactor, lfuDecayTime } = config.values;
      keyspace.lfu = maxmemoryPolicy.endsWith('-lfu');
      keyspace.lfuLogFactor = lfuLogFactor;
      keyspace.lfuDecayTime = lfuDecayTime;
      this.pool.clear();
    };
    usage();
    config.onChange('maxmemory-policy', usage);
    config.onChange('lfu-log-factor', usage);
    config.onChange('lfu-decay-time', usage);
    config.onChange('maxmemory', (bytes) => this.limitChanged(bytes));
    this.standGate(config.values.maxmemory);
  }

  /** How long memory has been standing above the limit, in ms. */
  get exceededMs(): number {
    return this.exceededSinceMs === 0 ? 0 : performance.now() - this.exceededSinceMs;
  }

  /** Counts from 0 again, for CONFIG RESETSTAT. */
  resetFigures(): void {
    this.exceededSinceMs = 0;
  }

  /** A gate of dispatch: makes room, and refuses what may not run without. */
  private admit(client: Client, command: Command): string | null {
    this.isOutOfMemory = this.perform(client) === EVICTION_FAILED;
    return this.isOutOfMemory && needsMemory(client, command) ? OUT_OF_MEMORY : null;
  }

  /** Brings memory below the limit, or as near as the bounds of one call let it. */
  perform(asking: Client | null = null): number {
    const { maxmemory } = this.services.config.values;
    if (maxmemory === 0 || this.isBelow(maxmemory, asking) || !this.mayEvict()) {
      if (this.exceededSinceMs !== 0) this.noteBelow();
      return EVICTION_OK;
    }
    const startMs = performance.now();
    if (this.exceededSinceMs === 0) this.exceededSinceMs = startMs;
    const { desk, propagator, stats } = this.services;
    const { evictedKeys } = stats;
    propagator.beginUnit(false);
    const result = this.evictUntil(startMs + this.limitMs(), maxmemory);
    propagator.endUnit();
    desk.latency.sample('eviction-cycle', performance.now() - startMs);
    if (stats.evictedKeys > evictedKeys) {
      this.memory.keysEvicted();
      this.services.endTurnSoon();
    }
    if (result === EVICTION_OK) this.noteBelow();
    else if (result === EVICTION_RUNNING) this.schedule();
    return result;
  }

  /** Clients above a limit of their own go before any key does. */
  private isBelow(bytes: number, asking: Client | null): boolean {
    const { memory, services } = this;
    if (memory.limitedBytes <= bytes || memory.limitedBytesNow <= bytes) return true;
    if (evictClients(services, services.keyspace.nowMs, asking) > 0) memory.sum();
    return memory.limitedBytes <= bytes;
  }

  private evictUntil(untilMs: number, maxmemory: number): number {
    const { keyspace, stats } = this.services;
    const { memory } = this;
    const evicts = this.services.config.values.maxmemoryPolicy !== 'noeviction';
    for (let steps = 1; memory.limitedBytes > maxmemory; steps++) {
      if (keyspace.hasDoomed && this.freeDoomed(untilMs)) {
        if (performance.now() >= untilMs) return EVICTION_RUNNING;
        continue;
      }
      const address = evicts ? this.pick() : 0;
      if (address === 0 || this.pickedIn === null) return EVICTION_FAILED;
      announceEvicted(this.services, this.pickedIn, address);
      keyspace.remove(this.pickedIn, address);
      stats.evictedKeys++;
      if (steps % CHECK_EVERY === 0 && performance.now() >= untilMs) {
        return memory.limitedBytes > maxmemory ? EVICTION_RUNNING : EVICTION_OK;
      }
    }
    return EVICTION_OK;
  }

  /** Frees memory of what is gone already; false when that frees nothing. */
  private freeDoomed(untilMs: number): boolean {
    const { keyspace } = this.services;
    const { arena } = keyspace;
    const before = arena.usedBytes;
    while (keyspace.freeSlice(FREE_SLICE) && performance.now() < untilMs);
    return arena.usedBytes < before;
  }

  // ---------------------------------------------------------------- which key

  /** Address of the key to evict next, 0 when there is none; its database is in `pickedIn`. */
  private pick(): number {
    switch (this.services.config.values.maxmemoryPolicy) {
      case 'volatile-ttl':
        return this.pickSoonest();
      case 'volatile-random':
        return this.pickRandom(true);
      case 'allkeys-random':
        return this.pickRandom(false);
      case 'volatile-lru':
      case 'volatile-lfu':
        return this.pickSampled(true);
      default:
        return this.pickSampled(false);
    }
  }

  private pickSoonest(): number {
    let soonest: Database | null = null;
    for (const db of this.services.keyspace.databases) {
      if (db.expires.size === 0) continue;
      if (soonest === null || db.expires.timeAt(0) < soonest.expires.timeAt(0)) soonest = db;
    }
    this.pickedIn = soonest;
    return soonest === null ? 0 : soonest.expires.entryAt(0);
  }

  private pickRandom(volatile: boolean): number {
    const { databases, random } = this.services.keyspace;
    for (let tries = 0; tries < databases.length; tries++) {
      this.nextDatabase = (this.nextDatabase + 1) % databases.length;
      const db = databases[this.nextDatabase]!;
      if (keysOf(db, volatile) === 0) continue;
      this.pickedIn = db;
      return volatile
        ? db.expires.entryAt(random() % db.expires.size)
        : db.dict.randomEntry(random);
    }
    return 0;
  }

  private pickSampled(volatile: boolean): number {
    const { keyspace } = this.services;
    for (;;) {
      let keys = 0;
      for (const db of keyspace.databases) {
        const count = keysOf(db, volatile);
        keys += count;
        if (count > 0) this.sample(db, volatile);
      }
      if (keys === 0) return 0;
      while (this.pool.take()) {
        const db = keyspace.databases[this.pool.db]!;
        const address = db.dict.find(this.pool.key, 0, this.pool.keyLength);
        if (address === 0 || (volatile && !keyspace.hasExpiry(address))) continue;
        this.pickedIn = db;
        return address;
      }
    }
  }

  /** Offers some random keys of a database to the pool. */
  private sample(db: Database, volatile: boolean): void {
    const { random } = this.services.keyspace;
    const count = Math.min(this.services.config.values.maxmemorySamples, keysOf(db, volatile));
    if (volatile) {
      for (let i = 0; i < count; i++)
        this.offer(db, db.expires.entryAt(random() % db.expires.size));
      return;
    }
    // Keys of one bucket share nothing but bits of their hash, so they are as good a sample as any.
    for (let taken = 0; taken < count; ) {
      db.dict.collect(random());
      const { collected, collectedCount } = db.dict;
      for (let i = 0; i < collectedCount && taken < count; i++, taken++) {
        this.offer(db, collected[i]!);
      }
    }
  }

  private offer(db: Database, address: number): void {
    const { keyspace } = this.services;
    const usage = keyspace.usageOf(address);
    const rank = keyspace.lfu
      ? LFU_MAX - lfuDecayed(usage, keyspace.nowMs, keyspace.lfuDecayTime)
      : lruIdleSeconds(usage, keyspace.lruClock);
    const bytes = keyspace.arena.bytes(address);
    this.pool.offer(rank, db.id, bytes, keyspace.keyOffset(address), keyspace.keyLength(address));
  }

  // ---------------------------------------------------------------- bounds

  private mayEvict(): boolean {
    const { config, keyspace, persistence, replication } = this.services;
    if (keyspace.expiryMode === EXPIRY_DELETE) return true;
    // Data that are being loaded are left whole, and nothing changes while clients are paused.
    if (persistence.isLoading || !replication.isReplica) return false;
    return !config.values.replicaIgnoreMaxmemory;
  }

  /** Milliseconds that one call may take. */
  private limitMs(): number {
    const tenacity = this.services.config.values.maxmemoryEvictionTenacity;
    if (tenacity <= LINEAR_STEPS) return STEP_MS * tenacity;
    if (tenacity === 100) return Number.POSITIVE_INFINITY;
    return STEP_MS * LINEAR_STEPS * GROWTH ** (tenacity - LINEAR_STEPS);
  }

  private noteBelow(): void {
    this.services.stats.evictionExceededMs += this.exceededMs;
    this.exceededSinceMs = 0;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.continueBound);
  }

  private continue(): void {
    this.scheduled = false;
    this.services.keyspace.nowMs = Date.now();
    this.perform();
  }

  /** The gate stands only while there is a limit. */
  private standGate(bytes: number): void {
    if (bytes === 0) this.isOutOfMemory = false;
    this.gates.hold('memory', bytes > 0, (client, command) => this.admit(client, command));
  }

  private limitChanged(bytes: number): undefined {
    this.standGate(bytes);
    if (bytes === 0) return;
    if (this.memory.limitedBytes > bytes) {
      this.services.log.warning(
        `The new maxmemory of ${bytes} bytes is below the ${this.memory.limitedBytes} in use: ` +
          'keys will be evicted, or commands refused, depending on maxmemory-policy',
      );
    }
    this.schedule();
  }
}

function keysOf(db: Database, volatile: boolean): number {
  return volatile ? db.expires.size : db.dict.count;
}

/** Whether a command may not run while memory is short. */
function needsMemory(client: Client, command: Command): boolean {
  const { transaction } = client;
  if (transaction === null) return (command.flags & DENYOOM) !== 0;
  switch (command.name) {
    case 'exec':
      return (transaction.flags & DENYOOM) !== 0;
    case 'discard':
    case 'quit':
    case 'reset':
      return false;
    default:
      // Whatever else is queued takes memory until EXEC.
      return true;
  }
}
