/**
 * Removes keys when they are due.
 *
 * The expiry indexes know the next key due, so there is nothing to search: a timer is set for that
 * moment, and what is due then is removed in the order of time, over all databases. A cycle takes
 * at most a slice of time; when more is due than fits, it rests as long as keeps it within its
 * share of the processor, and goes on.
 *
 *     |- slice -|----- rest -----|- slice -|----- rest -----|     slice : rest = share : 1 - share
 *
 * The share is 25 %, and 2 % more for each step of active-expire-effort above 1, as Redis spends.
 * Meanwhile nobody sees a key past its time, since every look-up checks; what waits is its memory.
 * How long it waits is `lagMs`.
 *
 * A replica removes nothing but what its own clients wrote (own-expiries.ts). A server whose
 * clients are paused, or that is loading data, removes nothing at all: its keyspace is not in
 * EXPIRY_DELETE.
 */
import type { Database } from '../../core/database.ts';
import { EXPIRY_DELETE } from '../../core/keyspace.ts';
import type { Services } from '../services.ts';
import { OwnExpiries } from './own-expiries.ts';

const SLICE_MS = 1;
const SHARE = 0.25;
const SHARE_STEP = 0.02;
/** Keys removed between two looks at the clock. */
const CHECK_EVERY = 16;
/** The longest time until the clock is looked at again: it may have been set meanwhile. */
const WAIT_MS_MAX = 1000;

export class ActiveExpiry {
  /** Whether keys are removed when due; DEBUG SET-ACTIVE-EXPIRE sets it. */
  enabled = true;
  /** Keys that a writable replica removes itself. */
  readonly own: OwnExpiries;

  private readonly services: Services;
  private timer: NodeJS.Timeout | null = null;
  /** When the timer will fire, as the clock shows it; none is set while this is infinite. */
  private armedMs = Number.POSITIVE_INFINITY;
  private resting = false;

  constructor(services: Services) {
    this.services = services;
    this.own = new OwnExpiries(services);
  }

  /** How long the key that is due next has been waiting for its removal. */
  get lagMs(): number {
    return Math.max(0, Date.now() - this.services.keyspace.soonestExpiryMs);
  }

  /** Sees to it that the next key due will be removed in time. Called at the end of each turn. */
  arm(): void {
    if (this.own.size > 0 && this.enabled) this.own.look();
    const { soonestExpiryMs } = this.services.keyspace;
    if (this.resting || soonestExpiryMs >= this.armedMs || !this.mayRun) return;
    this.armedMs = soonestExpiryMs;
    // A key is due in the millisecond after its moment.
    this.wait(soonestExpiryMs + 1 - Date.now());
  }

  /** Removes nothing any more. */
  stop(): void {
    this.enabled = false;
    this.disarm();
  }

  private get mayRun(): boolean {
    const { keyspace, persistence } = this.services;
    // Nobody would be told of keys that go while a dataset is being loaded.
    return this.enabled && keyspace.expiryMode === EXPIRY_DELETE && !persistence.isLoading;
  }

  private wait(ms: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.cycle(), Math.min(WAIT_MS_MAX, Math.max(1, ms)));
    this.timer.unref();
  }

  private disarm(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.armedMs = Number.POSITIVE_INFINITY;
    this.resting = false;
  }

  private cycle(): void {
    this.disarm();
    if (!this.mayRun) return;
    const { config, desk, keyspace, propagator, stats } = this.services;
    const share = SHARE + SHARE_STEP * (config.values.activeExpireEffort - 1);
    keyspace.nowMs = Date.now();
    const startMs = performance.now();
    propagator.beginUnit(false);
    const isDone = this.removeDue(startMs + SLICE_MS);
    propagator.endUnit();
    const tookMs = performance.now() - startMs;
    stats.expiryMs += tookMs;
    desk.latency.sample('expire-cycle', tookMs);
    keyspace.findSoonestExpiry();
    this.services.endTurnSoon();
    if (isDone) return;
    stats.expiredTimeCapReached++;
    this.resting = true;
    this.wait(SLICE_MS / share - SLICE_MS);
  }

  /** Removes keys that are due until the clock shows `untilMs`; true when none is left. */
  private removeDue(untilMs: number): boolean {
    const { keyspace, stats } = this.services;
    for (;;) {
      const db = this.earliest();
      if (db === null) return true;
      const lagMs = keyspace.nowMs - db.expires.timeAt(0);
      stats.expiryLagMsMax = Math.max(stats.expiryLagMsMax, lagMs);
      for (let i = 0; i < CHECK_EVERY; i++) {
        const address = keyspace.nextDue(db);
        if (address === 0) break;
        keyspace.expire(db, address);
      }
      if (performance.now() >= untilMs) return this.earliest() === null;
    }
  }

  /** The database whose next key has been due for longest, null when no key is due. */
  private earliest(): Database | null {
    const { keyspace } = this.services;
    let earliest: Database | null = null;
    let time = keyspace.nowMs;
    for (const db of keyspace.databases) {
      if (db.expires.size === 0 || db.expires.timeAt(0) >= time) continue;
      earliest = db;
      time = db.expires.timeAt(0);
    }
    return earliest;
  }
}
