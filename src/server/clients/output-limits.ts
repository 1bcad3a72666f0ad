/**
 * `client-output-buffer-limit`: disconnects clients that do not take what they are sent, or ask for
 * more at once than they may.
 *
 * A client that has yet to say who it is may leave a thousand bytes, whatever the limits.
 *
 * A client above the hard limit of its kind goes at once; one that stays above the soft limit for
 * so many seconds goes then. Looked at before much is sent, when a send left something behind, and
 * once a second for those above the soft limit.
 */
import type { Services } from '../services.ts';
import type { OutputGuard } from '../turn/turn.ts';
import type { Client } from './client.ts';
import { clientInLog, clientKind } from './client-list.ts';
import { evictWhoTakesMuch } from './client-upkeep.ts';

/** Bytes of replies that may wait whatever the limits are: Redis has a buffer for them. */
const UNLIMITED_BYTES = 16 * 1024;
/** Bytes of replies that a client that has not authenticated may leave unread. */
const UNAUTHENTICATED_MAX = 1024;

export class OutputLimits implements OutputGuard {
  private readonly services: Services;
  /** Clients above their soft limit. */
  private readonly high = new Set<Client>();

  /** Clients that are being disconnected. */
  private readonly leaving = new Set<Client>();
  smallestBytes = Number.POSITIVE_INFINITY;

  constructor(services: Services) {
    this.services = services;
    const follow = (): undefined => {
      const limits = Object.values(services.config.values.clientOutputBufferLimit);
      const bytes = limits.flatMap(({ hardBytes, softBytes }) => [hardBytes, softBytes]);
      const smallest = Math.min(Number.POSITIVE_INFINITY, ...bytes.filter((one) => one > 0));
      this.smallestBytes = Math.max(UNLIMITED_BYTES, smallest);
    };
    services.config.onChange('client-output-buffer-limit', follow);
    follow();
  }

  exceeds(client: Client): boolean {
    const nowMs = Date.now();
    if (this.sendsAway(client, nowMs)) return true;
    // By what others made it be sent it may take too much of what all clients may take.
    if (this.services.config.values.maxmemoryClients !== 0) {
      process.nextTick(() => evictWhoTakesMuch(this.services, client, nowMs));
    }
    return false;
  }

  /** Whether a client goes for what it leaves unread, now at the latest. */
  sendsAway(client: Client, nowMs: number): boolean {
    if (!this.leaving.has(client)) this.check(client, nowMs);
    return this.leaving.has(client);
  }

  /** Whether a reply that is still being written is too long already, and will not be sent. */
  cutsOff(client: Client): boolean {
    if (client.closed) return true;
    return client.outputBytes >= this.smallestBytes && this.exceeds(client);
  }

  private check(client: Client, nowMs: number): void {
    const kind = clientKind(client);
    if (kind === 'master') return;
    const { clientOutputBufferLimit, replBacklogSize } = this.services.config.values;
    if (!client.authenticated && client.outputBytes > UNAUTHENTICATED_MAX) {
      this.disconnect(client);
      return;
    }
    const limit = clientOutputBufferLimit[kind];
    // What a partial sync may send at once must not be the end of the replica.
    const free = kind === 'replica' ? replBacklogSize : UNLIMITED_BYTES;
    const bytes = client.outputBytes < free ? 0 : client.outputBytes;
    if (limit.hardBytes > 0 && bytes >= limit.hardBytes) {
      this.disconnect(client);
      return;
    }
    if (limit.softBytes === 0 || bytes < limit.softBytes) {
      this.forget(client);
    } else if (client.softLimitSinceMs === 0) {
      client.softLimitSinceMs = nowMs;
      this.high.add(client);
    } else if (nowMs - client.softLimitSinceMs > limit.softSeconds * 1000) {
      this.disconnect(client);
    }
  }

  /** Called once a second: disconnects clients above their soft limit for too long. */
  tick(nowMs: number): void {
    for (const client of [...this.high]) this.check(client, nowMs);
  }

  /** The client has gone, or is below its limits again. */
  forget(client: Client): void {
    client.softLimitSinceMs = 0;
    this.high.delete(client);
    this.leaving.delete(client);
  }

  private disconnect(client: Client): void {
    this.forget(client);
    this.leaving.add(client);
    const { services } = this;
    const { log, stats } = services;
    stats.clientOutputLimitDisconnections++;
    log.warning(
      `Client ${clientInLog(client, services)} scheduled to be closed ASAP for overcoming of ` +
        'output buffer limits.',
    );
    // Before anybody's next command is read, but not amid the loop over clients that runs now.
    process.nextTick(() => this.services.closeClient(client, 'now'));
  }
}
