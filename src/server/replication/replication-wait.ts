/**
 * WAIT and WAITAOF: clients that go on when enough replicas have their writes, in memory or on
 * disk.
 *
 * Replicas acknowledge once a second by themselves; a client that waits makes the server ask them
 * at once. Each waiter is looked at when an ACK comes, when the log on disk advances, and when its
 * time is up.
 */
import { type Client, WAIT_BLOCKED } from '../clients/client.ts';
import { GoingOn } from '../clients/go-on.ts';
import type { Command } from '../dispatch/command.ts';
import { countCalls } from '../info/call-figures.ts';
import type { Services } from '../services.ts';
import {
  armWait,
  disarmWait,
  type LimitedWait,
  limitedCount,
  waitUntil,
} from '../time/wait-limit.ts';

const UNBLOCKED = 'UNBLOCKED client unblocked via CLIENT UNBLOCK';

export interface WaitRequest {
  readonly command: Command;
  /** Whether the wait is over. */
  readonly isDone: () => boolean;
  /** Writes the reply, with the figures of that moment. */
  readonly answer: (client: Client) => void;
  /** Why the wait has become pointless, as an error; null while it has not. */
  readonly refusal?: () => string | null;
  /** Milliseconds to wait; 0 is for ever. */
  readonly timeoutMs: number;
}

interface Waiter extends WaitRequest, LimitedWait {
  readonly client: Client;
}

export class ReplicationWaits {
  private readonly services: Services;
  private readonly goingOn: GoingOn;
  private readonly waiters = new Map<Client, Waiter>();

  constructor(services: Services) {
    this.services = services;
    this.goingOn = new GoingOn(services, (client) => services.resumeClient(client));
  }

  get size(): number {
    return this.waiters.size;
  }

  /** The number of clients that wait for a limited time. */
  get timedCount(): number {
    return limitedCount(this.waiters.values());
  }

  /** Has the client wait, after it was found that the wait is not over yet. */
  add(client: Client, request: WaitRequest): void {
    const untilMs = waitUntil(request.timeoutMs);
    const waiter: Waiter = { ...request, client, untilMs, timer: null };
    this.waiters.set(client, waiter);
    client.waiting = WAIT_BLOCKED;
    armWait(waiter, () => this.end(waiter, null));
  }

  /** Ends the waits that are over, after something that they wait for has changed. */
  check(): void {
    if (this.waiters.size === 0) return;
    for (const waiter of [...this.waiters.values()]) {
      const refusal = waiter.refusal?.() ?? null;
      if (refusal !== null) this.end(waiter, refusal);
      else if (waiter.isDone()) this.end(waiter, null);
    }
  }

  /**
   * CLIENT UNBLOCK: ends the wait as if time were up, or with an error. False when the client does
   * not wait.
   */
  unblock(client: Client, error: boolean): boolean {
    const waiter = this.waiters.get(client);
    if (waiter !== undefined) this.end(waiter, error ? UNBLOCKED : null);
    return waiter !== undefined;
  }

  /** Whether the client waits here, and has not just been answered. */
  isBlocked(client: Client): boolean {
    return this.waiters.has(client);
  }

  /** Forgets a client that has gone. */
  forget(client: Client): void {
    const waiter = this.waiters.get(client);
    if (waiter !== undefined) this.leave(waiter);
  }

  private end(waiter: Waiter, error: string | null): void {
    const { client } = waiter;
    if (this.waiters.get(client) !== waiter) return;
    this.leave(waiter);
    if (error !== null) waiter.command.stats.failed++;
    this.services.dispatcher.answerNow(client, () => {
      if (error !== null) client.reply.error(error);
      else waiter.answer(client);
    });
    this.goingOn.add(client);
  }

  private leave(waiter: Waiter): void {
    disarmWait(waiter);
    this.waiters.delete(waiter.client);
  }
}

/**
 * A primary becomes a replica: clients that wait for keys would wait in vain. Who was answered in
 * this very turn waits no more, though its next command runs only in the next one.
 */
export function dismissBlocked(services: Services, waits: ReplicationWaits): void {
  for (const client of [...services.clients.values()]) {
    if (!services.blocking.isBlocked(client) && !waits.isBlocked(client)) continue;
    services.blocking.forget(client);
    waits.forget(client);
    if (client.lastCommand !== null) {
      client.lastCommand.stats.failed++;
      countCalls(client.lastCommand, 0, 1, services.dispatcher.histograms);
    }
    client.reply.error(
      'UNBLOCKED force unblock from blocking operation, instance state changed ' +
        '(master -> replica?)',
    );
    services.closeClient(client, 'after-reply');
  }
}
