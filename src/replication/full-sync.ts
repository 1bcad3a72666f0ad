/**
 * Full syncs: who waits for one, when a snapshot begins, and for whom of them.
 *
 *     replicas wait | snapshot begins: +FULLRESYNC id offset | is sent | changes since, the stream
 *                   ^ who waits for the same content joins             ^ online
 *
 * A snapshot and the replicas that it is for are a round (sync-round.ts): to a file, or streamed to
 * those who take that (`repl-diskless-sync`). One is made at a time; a file may still be sent while
 * the next one is made. A replica that comes while a file is being written for the same content
 * joins as well: the changes since the beginning are all here.
 *
 * Changes since the beginning are in the backlog, which holds them for the members of a round. If
 * they let them grow beyond `client-output-buffer-limit replica` they are given up, and with its
 * last member the round; so is a replica that takes nothing for `repl-timeout`, so that it cannot
 * hold up the others.
 */
import { type Replica, sameContent } from './replica.ts';
import type { ReplicationAux } from './replication-id.ts';
import { type BufferLimit, SyncRound, type SyncRoundDeps, type SyncTarget } from './sync-round.ts';

export interface FullSyncSettings {
  readonly diskless: boolean;
  readonly delaySeconds: number;
  /** Replicas that end the delay; 0 for none. */
  readonly replicasMax: number;
  readonly timeoutMs: number;
  readonly bufferLimit: BufferLimit;
}

export interface FullSyncDeps extends SyncRoundDeps {
  settings(): FullSyncSettings;
  /**
   * Everything executed so far is made part of the stream; what a snapshot that begins now should
   * say of itself.
   */
  settleStream(): ReplicationAux;
  /** A snapshot began: the stream selects its database anew. */
  began(): void;
}

export class FullSync {
  private readonly deps: FullSyncDeps;
  private readonly waiting = new Set<Replica>();
  private readonly rounds = new Set<SyncRound>();

  constructor(deps: FullSyncDeps) {
    this.deps = deps;
  }

  /** Whether any replica waits, or is being sent a snapshot. */
  get isBusy(): boolean {
    return this.waiting.size > 0 || this.rounds.size > 0;
  }

  /**
   * The replica needs everything. A snapshot begins in a later `startIfDue`, or it joins one that
   * runs.
   */
  request(replica: Replica, nowMs: number): void {
    replica.state = 'waiting';
    replica.waitingSinceMs = nowMs;
    replica.progressMs = nowMs;
    for (const round of this.rounds) {
      if (!round.isOpenTo(replica)) continue;
      this.deps.log('notice', 'Waiting for end of BGSAVE for SYNC');
      round.join(replica);
      return;
    }
    this.waiting.add(replica);
  }

  /**
   * Starts a snapshot when replicas have waited long enough. Not to be called while a command runs.
   */
  startIfDue(nowMs: number): void {
    const first = this.waiting.values().next().value;
    if (first === undefined || this.isMaking) return;
    const group = [...this.waiting].filter((one) => sameContent(one.content, first.content));
    const { diskless, delaySeconds, replicasMax } = this.deps.settings();
    const filtered = !first.content.data || !first.content.functions;
    const streams = (diskless || filtered) && group.every((one) => one.takesStreamed);
    const waitedMs = nowMs - Math.min(...group.map((one) => one.waitingSinceMs));
    const enough = replicasMax > 0 && group.length >= replicasMax;
    if (streams && !enough && waitedMs < delaySeconds * 1000) return;
    this.begin(group, streams ? 'stream' : 'file');
  }

  /** Drops replicas of a running sync that the stream has grown too far ahead of. */
  grown(nowMs: number): void {
    for (const round of this.rounds) round.checkLimit(nowMs, this.deps.settings().bufferLimit);
  }

  /** The replica has read a streamed snapshot. */
  acknowledged(replica: Replica): void {
    this.roundOf(replica)?.acknowledged(replica);
  }

  /** The replica's connection has gone. */
  forget(replica: Replica): void {
    this.waiting.delete(replica);
    this.roundOf(replica)?.leave(replica);
  }

  /** Once a second: signs of life for those who wait, and those who take nothing are given up. */
  tick(nowMs: number): void {
    for (const replica of this.waiting) replica.connection.send('\n');
    const { bufferLimit, timeoutMs } = this.deps.settings();
    for (const round of this.rounds) {
      round.checkLimit(nowMs, bufferLimit);
      round.tick(nowMs, timeoutMs);
    }
  }

  /** Whether a snapshot for replicas is being made. */
  private get isMaking(): boolean {
    for (const round of this.rounds) if (round.isMaking) return true;
    return false;
  }

  private roundOf(replica: Replica): SyncRound | null {
    for (const round of this.rounds) if (round.members.has(replica)) return round;
    return null;
  }

  private begin(group: readonly Replica[], target: SyncTarget): void {
    const { deps } = this;
    const content = group[0]?.content;
    if (content === undefined) return;
    const round = new SyncRound(deps, target, content, deps.settleStream(), () => {
      this.rounds.delete(round);
      this.hold();
    });
    if (!round.start()) return;
    const kind = target === 'file' ? 'disk' : 'replicas sockets';
    deps.log('notice', `Starting BGSAVE for SYNC with target: ${kind}`);
    deps.began();
    this.rounds.add(round);
    this.hold();
    for (const replica of group) {
      this.waiting.delete(replica);
      round.join(replica);
    }
  }

  /** Has the backlog hold what the oldest round needs. */
  private hold(): void {
    let from = Number.POSITIVE_INFINITY;
    for (const { offset } of this.rounds) from = Math.min(from, offset);
    this.deps.backlog()?.hold(from);
  }
}
