/**
 * Pausing clients: CLIENT PAUSE, and whoever else needs the dataset to stand still for a while
 * (FAILOVER).
 *
 * While a pause holds, a gate stops the commands of ordinary clients, all or only those that may
 * write; such a client waits with the command it sent. When no pause stops them any more they run,
 * in the order in which they came. Meanwhile keys whose time has come are hidden instead of
 * deleted, since a deletion would be a write.
 */
import { Args } from '../../core/resp/args.ts';
import { type Command, MAY_REPLICATE, WRITE } from '../dispatch/command.ts';
import type { Services } from '../services.ts';
import { type Client, RUNNING, WAIT_PAUSED, WAIT_TURN } from './client.ts';
import type { ExpiryHolds } from './expiry-holds.ts';

/** The purposes of a pause. Each may have one pause at a time. */
export type PausePurpose = 'client' | 'failover' | 'shutdown';

interface Pause {
  readonly untilMs: number;
  readonly writesOnly: boolean;
}

const TIMER_MAX_MS = 2 ** 31 - 1;

export class ClientPause {
  /** Called when pausing begins or ends. */
  onChange: () => void = () => {};
  private readonly services: Services;
  private readonly expiry: ExpiryHolds;
  private readonly pauses = new Map<PausePurpose, Pause>();
  private waiting: Client[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(services: Services, expiry: ExpiryHolds) {
    this.services = services;
    this.expiry = expiry;
  }

  get isPaused(): boolean {
    return this.pauses.size > 0;
  }

  /** Clients that wait for the end of a pause. */
  get size(): number {
    return this.waiting.length;
  }

  /**
   * Pauses until a moment of the steady clock; an own pause that lasts longer or holds more stays
   * as it is.
   */
  begin(purpose: PausePurpose, untilMs: number, writesOnly: boolean): void {
    const old = this.pauses.get(purpose);
    this.pauses.set(purpose, {
      untilMs: Math.max(untilMs, old?.untilMs ?? 0),
      writesOnly: writesOnly && old?.writesOnly !== false,
    });
    this.expiry.hold('pause', true);
    this.arm();
    this.onChange();
  }

  /** Ends the pause of one purpose; who waited for that one alone goes on. */
  end(purpose: PausePurpose): void {
    const ended = this.pauses.get(purpose);
    if (ended === undefined) return;
    this.pauses.delete(purpose);
    if (this.isPaused) {
      this.arm();
      if (!ended.writesOnly) this.resumeWaiting();
      return;
    }
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.expiry.hold('pause', false);
    this.onChange();
    this.resumeWaiting();
  }

  /** The server ends: nobody is kept waiting for it to go on. */
  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.pauses.clear();
  }

  /** The gate: '' when the client waits with this command, null when it may pass. */
  admit(client: Client, command: Command, args: Args): string | null {
    if (client.isReplica || client.isPrimary || client.link === null) return null;
    return this.stops(client, command) ? this.postpone(client, args) : null;
  }

  /** A gate's answer: the client waits with this command until `resumeWaiting`. */
  postpone(client: Client, args: Args): '' {
    const words: Uint8Array[] = [];
    for (let i = 0; i < args.count; i++) words.push(args.copy(i));
    client.postponed = words;
    client.waiting = WAIT_PAUSED;
    this.waiting.push(client);
    return '';
  }

  /** Forgets a client that has gone. */
  forget(client: Client): void {
    if (client.postponed === null) return;
    client.postponed = null;
    this.waiting = this.waiting.filter((one) => one !== client);
  }

  private stops(client: Client, command: Command): boolean {
    for (const pause of this.pauses.values()) if (!pause.writesOnly) return true;
    const writes = WRITE | MAY_REPLICATE;
    if ((command.flags & writes) !== 0) return true;
    return command.name === 'exec' && ((client.transaction?.flags ?? 0) & writes) !== 0;
  }

  private arm(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    const until = Math.max(...[...this.pauses.values()].map((pause) => pause.untilMs));
    const left = Math.min(Math.max(0, until - performance.now()), TIMER_MAX_MS);
    this.timer = setTimeout(() => this.expire(), left);
  }

  private expire(): void {
    const now = performance.now();
    const over = [...this.pauses].filter(([, pause]) => pause.untilMs <= now);
    if (over.length === 0) this.arm();
    for (const [purpose] of over) this.end(purpose);
  }

  /**
   * Soon, what waits tries again, in the order in which it came; whatever holds stops it again. The
   * stream of a primary, which waits too, is no client here.
   */
  resumeWaiting(): void {
    for (const client of this.waiting) {
      if (client.waiting === WAIT_PAUSED) client.waiting = WAIT_TURN;
    }
    setImmediate(() => this.resumeAll());
  }

  private resumeAll(): void {
    this.services.replication.follower?.link.goOn();
    const clients = this.waiting;
    this.waiting = [];
    const { dispatcher } = this.services;
    for (const client of clients) {
      const words = client.postponed;
      client.postponed = null;
      if (client.closed || words === null) continue;
      client.waiting = RUNNING;
      dispatcher.startClock(Date.now());
      const args = new Args();
      args.setTo(words);
      dispatcher.run(client, args);
      this.services.listClient(client);
      if (client.waiting === RUNNING) this.services.resumeClient(client);
    }
  }
}
