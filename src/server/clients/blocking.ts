/**
 * Clients that wait for a key: BLPOP, BZPOPMIN, XREAD BLOCK and their kin.
 *
 * A handler that finds nothing calls `block`; its client then waits in the queue of each of its
 * keys:
 *
 *     "0:jobs"   [ client 7, client 9, client 12 ]         served in this order
 *     "0:mail"   [ client 9 ]
 *
 * Every change of a key, whatever command made it (RENAME, MOVE, RESTORE and EXEC too), passes
 * `signal`, which notes the keys that somebody waits for. When the unit is over, `serve` runs the
 * commands of those who wait for them once more, in the order in which they came. A command that
 * finds nothing again goes on waiting in its place; one that is served answers, and its client
 * leaves all queues.
 *
 * A change of a key that holds another type than was waited for is as good as none: nobody is
 * served, nobody is told. Readers of a stream are asked through `wakesOn`: of a thousand workers
 * of a group a new entry serves one, and the commands of the others need not run.
 *
 * The command is run again as if it had just come: of several keys the first it names serves it,
 * not the first that changed, and a key of another type is an error.
 *
 * Each serving is a unit of its own, in the journal behind the unit that made it possible. What it
 * changes may serve others in turn (BLMOVE); that happens before anything else runs.
 *
 * Waiting ends by being served, by time, by CLIENT UNBLOCK, or because the client has gone.
 *
 * While anybody waits, every change of any key is looked at; a small table of counters by a hash of
 * the key tells, mostly, that nobody waits for it, without making a string.
 */
import { entriesLimit } from '../../core/entries-limit.ts';
import type { Args } from '../../core/resp/args.ts';
import { latin1Text } from '../../core/text/latin1.ts';
import { typeOf } from '../../core/value.ts';
import type { Command } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { tooMany } from '../dispatch/errors.ts';
import { countCalls } from '../info/call-figures.ts';
import type { Services } from '../services.ts';
import {
  armWait,
  disarmWait,
  type LimitedWait,
  limitedCount,
  waitUntil,
} from '../time/wait-limit.ts';
import { type Client, WAIT_BLOCKED } from './client.ts';
import { GoingOn } from './go-on.ts';
import { silence } from './reply-mode.ts';

/** Counters of keys that are waited for, by a hash of the key; a power of two. */
const INTEREST_SLOTS = 16_384;
/** Bytes at the end of a key that its hash is made of. */
const INTEREST_BYTES = 16;

export interface BlockRequest {
  /** The keys, in the order of the command. */
  readonly keys: readonly Uint8Array[];
  /** Type that a key must hold to serve (TYPE_LIST, ...). */
  readonly type: number;
  /** Milliseconds to wait; 0 is for ever. */
  readonly timeoutMs: number;
  /** Answers when time is up: mostly a null. */
  readonly onTimeout: (client: Client) => void;
  /** What runs in the end, owned, where it is not the command as it came. */
  readonly args?: Args;
  /**
   * Asked whether the command has an answer, if only an error, to one of its keys as it is now, at
   * `address` or missing (0). Without it a key of the type has one, and no other.
   */
  readonly wakesOn?: ((address: number, key: Uint8Array) => boolean) | undefined;
}

interface Waiter extends BlockRequest, LimitedWait {
  readonly client: Client;
  readonly db: number;
  readonly command: Command;
  readonly args: Args;
  /** Names of its keys, each once, and their slots in the table of counters. */
  readonly ids: readonly string[];
  readonly slots: readonly number[];
}

interface KeyQueue {
  readonly waiters: Set<Waiter>;
  /** How many of them ask for themselves whether a key wakes them. */
  asking: number;
}

interface ReadyKey {
  readonly id: string;
  readonly db: number;
  readonly key: Uint8Array;
}

export class Blocking {
  private readonly services: Services;
  private readonly goingOn: GoingOn;
  private readonly queues = new Map<string, KeyQueue>();
  private readonly waiters = new Map<Client, Waiter>();
  private readonly interest = new Uint32Array(INTEREST_SLOTS);
  private ready = new Map<string, ReadyKey>();
  private serving = false;

  /** `resume` lets a client that has been answered go on with its further commands. */
  constructor(services: Services, resume: (client: Client) => void) {
    this.services = services;
    this.goingOn = new GoingOn(services, resume);
  }

  /** Clients that wait. */
  get size(): number {
    return this.waiters.size;
  }

  /** Keys that somebody waits for. */
  get keyCount(): number {
    return this.queues.size;
  }

  /** How many of these keys answer somebody when they are removed, too. */
  get keysAwaitedMissing(): number {
    const ids = new Set<string>();
    for (const { wakesOn, ids: own, keys } of this.waiters.values()) {
      if (wakesOn?.(0, keys[0]!) === true) for (const id of own) ids.add(id);
    }
    return ids.size;
  }

  /** Clients that wait for a limited time. */
  get timedCount(): number {
    return limitedCount(this.waiters.values());
  }

  /**
   * The running command found nothing: its client waits, or is told that too much is waited for.
   * Not for use inside MULTI.
   */
  block(c: Context, request: BlockRequest): void {
    const { client, command } = c;
    if (this.waiters.has(client)) return;
    if (this.queues.size + request.keys.length > entriesLimit.max) {
      c.reply.error(tooMany('keys that clients wait for'));
      return;
    }
    client.spentMicroseconds = 0;
    const slots = new Map<string, number>();
    for (const key of request.keys) {
      const { length } = key;
      slots.set(blockId(client.db, key, 0, length), slotOf(client.db, key, 0, length));
    }
    // Spelled out: an object that others are spread into takes ten times as long to make.
    const waiter: Waiter = {
      keys: request.keys,
      type: request.type,
      timeoutMs: request.timeoutMs,
      onTimeout: request.onTimeout,
      wakesOn: request.wakesOn,
      client,
      db: client.db,
      command,
      args: request.args ?? c.args.copies(),
      ids: [...slots.keys()],
      slots: [...slots.values()],
      untilMs: waitUntil(request.timeoutMs),
      timer: null,
    };
    this.enter(waiter);
    client.waiting = WAIT_BLOCKED;
    armWait(waiter, () => this.unblock(client, false));
  }

  private enter(waiter: Waiter): void {
    const { client } = waiter;
    this.waiters.set(client, waiter);
    client.awaitedKeys = waiter.keys.length;
    client.awaitedBytes = waiter.keys.reduce((sum, { length }) => sum + length, 0);
    const asking = waiter.wakesOn === undefined ? 0 : 1;
    for (const slot of waiter.slots) this.interest[slot]!++;
    for (const id of waiter.ids) {
      const queue = this.queues.get(id);
      if (queue === undefined) this.queues.set(id, { waiters: new Set([waiter]), asking });
      else {
        queue.waiters.add(waiter);
        queue.asking += asking;
      }
    }
  }

  /** Notes that a key has changed, for the clients that wait for it. */
  signal(db: number, key: Uint8Array, offset: number, length: number): void {
    if (this.interest[slotOf(db, key, offset, length)] === 0) return;
    const id = blockId(db, key, offset, length);
    if (!this.queues.has(id) || this.ready.has(id)) return;
    this.ready.set(id, { id, db, key: key.slice(offset, offset + length) });
  }

  /** A whole database has changed: SWAPDB. */
  signalDatabase(db: number): void {
    for (const waiter of this.waiters.values()) {
      if (waiter.db !== db) continue;
      for (const key of waiter.keys) this.signal(db, key, 0, key.length);
    }
  }

  /**
   * Serves those who wait for the keys that have changed. Called when a unit is over. While a
   * dataset is being loaded they go on waiting: a part of it may hold what has gone.
   */
  serve(): void {
    if (this.ready.size > 0) this.serveReady();
  }

  private serveReady(): void {
    if (this.serving || this.services.persistence.isLoading) return;
    this.serving = true;
    while (this.ready.size > 0) {
      const keys = this.ready;
      this.ready = new Map();
      for (const one of keys.values()) this.serveKey(one);
    }
    this.serving = false;
  }

  /** Whether the client waits here, and has not just been answered. */
  stillWaits(client: Client): boolean {
    return client.reply.total === client.silentFrom && this.waiters.has(client);
  }

  /** Whether the client waits here. */
  isBlocked(client: Client): boolean {
    return this.waiters.has(client);
  }

  /**
   * CLIENT UNBLOCK: ends the wait as if time were up, or with an error. False when the client
   * does not wait.
   */
  unblock(client: Client, error: boolean): boolean {
    const waiter = this.waiters.get(client);
    if (waiter === undefined) return false;
    client.silentFrom = client.reply.total;
    if (error) {
      client.reply.error('UNBLOCKED client unblocked via CLIENT UNBLOCK');
      waiter.command.stats.failed++;
    } else waiter.onTimeout(client);
    const { histograms } = this.services.dispatcher;
    countCalls(waiter.command, client.spentMicroseconds, 1, histograms);
    this.services.stats.commandsProcessed++;
    this.answered(waiter);
    return true;
  }

  /** Forgets a client that has gone. */
  forget(client: Client): void {
    const waiter = this.waiters.get(client);
    if (waiter !== undefined) this.leave(waiter);
  }

  private serveKey({ id, db, key }: ReadyKey): void {
    const queue = this.queues.get(id);
    if (queue === undefined) return;
    let address = this.look(db, key);
    // Whoever is served leaves the queue, which a walk over a set allows.
    for (const waiter of queue.waiters) {
      if (address === 0 && queue.asking === 0) return;
      if (!this.wakes(waiter, address, key)) continue;
      this.retry(waiter);
      address = this.look(db, key);
    }
  }

  private wakes(waiter: Waiter, address: number, key: Uint8Array): boolean {
    const { type, wakesOn } = waiter;
    if (wakesOn !== undefined) return wakesOn(address, key);
    return address !== 0 && typeOf(this.services.keyspace.arena, address) === type;
  }

  /** The address under a key, 0 for none. A key whose time has come goes in a unit of its own. */
  private look(db: number, key: Uint8Array): number {
    const { keyspace, propagator } = this.services;
    propagator.beginUnit(false);
    const address = keyspace.peek(keyspace.databases[db]!, key, 0, key.length);
    propagator.endUnit();
    return address;
  }

  /** Runs the command of one who waits once more; an answer ends the wait. */
  private retry(waiter: Waiter): void {
    const { client } = waiter;
    if (client.waiting !== WAIT_BLOCKED) {
      this.leave(waiter);
      return;
    }
    const before = client.reply.total;
    client.silentFrom = before;
    this.services.dispatcher.callAgain(client, waiter.command, waiter.args);
    if (client.reply.total !== before) this.answered(waiter);
  }

  /** What was written to the client since `silentFrom` is its answer. */
  private answered(waiter: Waiter): void {
    const { client } = waiter;
    silence(client);
    this.leave(waiter);
    this.goingOn.add(client);
  }

  private leave(waiter: Waiter): void {
    disarmWait(waiter);
    const { client } = waiter;
    if (!this.waiters.delete(client)) return;
    client.awaitedKeys = 0;
    client.awaitedBytes = 0;
    const asking = waiter.wakesOn === undefined ? 0 : 1;
    for (const slot of waiter.slots) this.interest[slot]!--;
    for (const id of waiter.ids) {
      const queue = this.queues.get(id)!;
      queue.waiters.delete(waiter);
      queue.asking -= asking;
      if (queue.waiters.size === 0) this.queues.delete(id);
    }
  }
}

function blockId(db: number, key: Uint8Array, offset: number, length: number): string {
  return `${db}:${latin1Text(key, offset, length)}`;
}

/** Where the counter of a key stands. */
function slotOf(db: number, key: Uint8Array, offset: number, length: number): number {
  let hash = length ^ (db << 4);
  const end = offset + length;
  for (let i = Math.max(offset, end - INTEREST_BYTES); i < end; i++) {
    hash = Math.imul(hash ^ key[i]!, 0x01000193);
  }
  return (hash ^ (hash >>> 15)) & (INTEREST_SLOTS - 1);
}
