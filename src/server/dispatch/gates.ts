/**
 * The gates between a command and its execution, beyond those that every command passes. Each is
 * a small function that answers an error or lets the command pass, and stands in the dispatcher's
 * list only while what it guards against holds: a server where all is well has an empty list.
 *
 *     acl          a user is limited            NOPERM
 *     memory       maxmemory is set             OOM
 *     disk         saving or the AOF fails      MISCONF
 *     replicas     too few good replicas        NOREPLICAS
 *     readonly     this is a replica            READONLY
 *     subscriber   somebody subscribes          RESP2 subscribers may send few commands
 *     stale        the primary is out of reach  MASTERDOWN
 *     loading      the dataset is being loaded  LOADING, or only for a few commands
 *     listener     there are monitors           they and replicas do not touch keys
 *     pause        clients are paused           they wait
 *     held         keys are being moved         who would write to them waits
 *
 * The order is Redis's. A command that waited for a key passes the first five once more when it is
 * run again: much may have changed since it came. Whoever knows a condition calls `set` when it
 * begins and `clear` when it ends.
 */
import type { Client } from '../clients/client.ts';
import type { ClientPause } from '../clients/client-pause.ts';
import {
  type Command,
  LOADING,
  MAY_REPLICATE,
  NO_ASYNC_LOADING,
  READONLY,
  STALE,
  WRITE,
} from './command.ts';
import type { Dispatcher, Gate } from './dispatch.ts';
import { LOADING_DATASET, NOT_ENOUGH_REPLICAS, PRIMARY_DOWN, READONLY_REPLICA } from './errors.ts';

const ORDER = [
  'acl',
  'memory',
  'disk',
  'replicas',
  'readonly',
  'subscriber',
  'stale',
  'loading',
  'listener',
  'pause',
  'held',
] as const;

/** Gates that a command that waited passes again. */
const AGAIN: ReadonlySet<string> = new Set(ORDER.slice(0, ORDER.indexOf('subscriber')));

export type GateName = (typeof ORDER)[number];

export class Gates {
  private readonly standing = new Map<GateName, Gate>();
  private readonly dispatcher: Dispatcher;

  constructor(dispatcher: Dispatcher) {
    this.dispatcher = dispatcher;
  }

  /** Puts a gate into its place, or another one into the place of the present one. */
  set(name: GateName, gate: Gate): void {
    if (this.standing.get(name) === gate) return;
    this.standing.set(name, gate);
    this.rebuild();
  }

  clear(name: GateName): void {
    if (this.standing.delete(name)) this.rebuild();
  }

  /** `set` while a condition holds, `clear` when it does not. */
  hold(name: GateName, holds: boolean, gate: Gate): void {
    if (holds) this.set(name, gate);
    else this.clear(name);
  }

  private rebuild(): void {
    const { dispatcher, standing } = this;
    const all: Gate[] = [];
    const again: Gate[] = [];
    for (const name of ORDER) {
      const gate = standing.get(name);
      if (gate === undefined) continue;
      all.push(gate);
      if (AGAIN.has(name)) again.push(gate);
    }
    dispatcher.gates = all;
    dispatcher.gatesAgain = again;
  }
}

/** Whether the command writes, or EXEC will. */
function writes(client: Client, command: Command): boolean {
  if ((command.flags & WRITE) !== 0) return true;
  return command.name === 'exec' && ((client.transaction?.flags ?? 0) & WRITE) !== 0;
}

/** Whether the command lacks the flag, or one that EXEC will run does. */
function lacks(client: Client, command: Command, flag: number): boolean {
  if ((command.flags & flag) === 0) return true;
  return command.name === 'exec' && ((client.transaction?.lacking ?? 0) & flag) !== 0;
}

/**
 * Writes, and what replicas are told of, while the disk fails; PING as well, so that health
 * checks notice.
 */
export function diskGate(error: () => string): Gate {
  return (client, command) => {
    if (client.isPrimary || client.link === null) return null;
    return writes(client, command) || command.name === 'ping' ? error() : null;
  };
}

/** Writes while there are fewer good replicas than `min-replicas-to-write`. */
export const replicasGate: Gate = (client, command) =>
  !client.isPrimary && client.link !== null && writes(client, command) ? NOT_ENOUGH_REPLICAS : null;

/** Writes of ordinary clients on a read-only replica. */
export const readonlyGate: Gate = (client, command) =>
  !client.isPrimary && client.link !== null && writes(client, command) ? READONLY_REPLICA : null;

/** Monitors and replicas are fed; they do not ask for keys. */
export const listenerGate: Gate = (client, command) =>
  (client.monitor || client.isReplica) && (command.flags & (WRITE | READONLY | MAY_REPLICATE)) !== 0
    ? "ERR Replica can't interact with the keyspace"
    : null;

const FOR_SUBSCRIBERS = new Set([
  'ping',
  'quit',
  'reset',
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
]);

/** RESP2 has no way to tell a message from a reply, so a subscriber may say little else. */
export const subscriberGate: Gate = (client, command) => {
  if (client.subscribed === null || client.reply.protocol === 3) return null;
  if (FOR_SUBSCRIBERS.has(command.name)) return null;
  const allowed = '(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET';
  return `ERR Can't execute '${command.name}': only ${allowed} are allowed in this context`;
};

/**
 * What needs fresh data on a replica that has lost its primary, with `replica-serve-stale-data
 * no`.
 */
export const staleGate: Gate = (client, command) =>
  !client.isPrimary && client.link !== null && lacks(client, command, STALE) ? PRIMARY_DOWN : null;

/** Nearly everything while the dataset is being loaded. */
const loadingGate: Gate = (client, command) =>
  client.link !== null && lacks(client, command, LOADING) ? LOADING_DATASET : null;

/** The few commands that would disturb a dataset that is loaded while the old one is served. */
export const asideGate: Gate = (client, command) => {
  if (client.link === null) return null;
  const flags = command.name === 'exec' ? (client.transaction?.flags ?? 0) : command.flags;
  return (flags & NO_ASYNC_LOADING) !== 0 ? LOADING_DATASET : null;
};

/**
 * The gate of a server that is loading, or has not got so far (`isBeginning`): then what would be
 * refused waits. So clients of an empty folder see no loading, as they see none of a server that
 * makes its first files before it listens.
 */
export function holdLoadingGate(
  { gates, pause }: { readonly gates: Gates; readonly pause: ClientPause },
  isLoading: boolean,
  isBeginning: boolean,
): void {
  const waits: Gate = (client, command, args) =>
    loadingGate(client, command, args) === null ? null : pause.postpone(client, args);
  gates.hold('loading', isLoading, isBeginning ? waits : loadingGate);
  pause.resumeWaiting();
}
