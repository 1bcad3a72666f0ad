/**
 * The figures that a server counts while it runs, as INFO shows them and CONFIG RESETSTAT clears
 * them.
 */
import { EventLoop } from '../time/event-loop.ts';

export class Stats {
  commandsProcessed = 0;
  connectionsReceived = 0;
  rejectedConnections = 0;
  netInputBytes = 0;
  netOutputBytes = 0;
  netReplInputBytes = 0;
  netReplOutputBytes = 0;
  evictedKeys = 0;
  evictedClients = 0;
  expiredTimeCapReached = 0;
  /** Milliseconds of removing keys that have expired. */
  expiryMs = 0;
  /** Payloads of RESTORE that were looked at closely. */
  payloadSanitizations = 0;
  /** The longest that a key waited for its removal after its time. */
  expiryLagMsMax = 0;
  /** Milliseconds during which memory stood above maxmemory, all in all. */
  evictionExceededMs = 0;
  syncFull = 0;
  syncPartialOk = 0;
  syncPartialErr = 0;
  unexpectedErrorReplies = 0;
  totalErrorReplies = 0;
  /** The text of the last error reply. */
  lastError = '';
  totalReads = 0;
  totalWrites = 0;
  clientOutputLimitDisconnections = 0;
  queryBufferLimitDisconnections = 0;
  /** Error replies by their code, "ERR" and the like. */
  readonly errors = new Map<string, number>();
  /** Rounds of the event loop. */
  readonly loop = new EventLoop();

  /** Counts an error reply, by its code. */
  count(text: string): void {
    this.totalErrorReplies++;
    this.lastError = text;
    const code = text.slice(0, Math.max(0, text.indexOf(' ')));
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  /** Sets all counters back, for CONFIG RESETSTAT. */
  reset(): void {
    const { errors, loop } = this;
    Object.assign(this, new Stats(), { errors, loop });
    errors.clear();
    loop.reset();
  }
}
