/**
 * FAILOVER: hands the role of primary over to a replica without losing a write.
 *
 *     none --FAILOVER--> waiting     writes pause until a replica has everything
 *                          |  a replica has caught up, or time is up and FORCE was given
 *                          v
 *                        handing     this server follows it, with PSYNC ... FAILOVER: it takes over
 *                          |
 *                          v
 *                        none        writes go on: here they are refused, there they are taken
 *
 * ABORT, the end of the time without FORCE, or a refusal of the replica takes everything back.
 */
import type { Replica } from '../../replication/replica.ts';

export type FailoverState = 'no-failover' | 'waiting-for-sync' | 'failover-in-progress';

export interface FailoverTarget {
  readonly host: string;
  readonly port: number;
}

export interface FailoverDeps {
  readonly replicas: () => Iterable<Replica>;
  /** How long the stream is, everything executed so far included. */
  readonly streamOffset: () => number;
  readonly pauseWrites: () => void;
  readonly resumeWrites: () => void;
  readonly follow: (target: FailoverTarget) => void;
  readonly promote: () => void;
  readonly log: (level: 'notice' | 'warning', text: string) => void;
}

export class Failover {
  state: FailoverState = 'no-failover';
  private readonly deps: FailoverDeps;
  private target: FailoverTarget | null = null;
  private force = false;
  /** When waiting for the replica ends, by the clock of `performance`; 0 is for ever. */
  private untilMs = 0;

  constructor(deps: FailoverDeps) {
    this.deps = deps;
  }

  get isRunning(): boolean {
    return this.state !== 'no-failover';
  }

  /** Begins. `timeoutMs` 0 is no limit. */
  begin(target: FailoverTarget | null, force: boolean, timeoutMs: number): void {
    this.target = target;
    this.force = force;
    this.untilMs = timeoutMs === 0 ? 0 : performance.now() + timeoutMs;
    this.state = 'waiting-for-sync';
    const where = target === null ? 'any replica' : `${target.host}:${target.port}`;
    this.deps.log('notice', `FAILOVER requested to ${where}.`);
    this.deps.pauseWrites();
  }

  /** Gives the failover up, logs why, and is a primary again. */
  abort(reason: string): void {
    if (!this.isRunning) return;
    this.deps.log('notice', `Aborting failover: ${reason}`);
    const wasHanding = this.state === 'failover-in-progress';
    this.end();
    if (wasHanding) this.deps.promote();
  }

  /** Ends the failover, since the replica has taken over. */
  succeeded(): void {
    if (this.state === 'failover-in-progress') this.end();
  }

  /** Looks how far replicas are. Called ten times a second, and at every ACK. */
  check(): void {
    if (this.state !== 'waiting-for-sync') return;
    if (this.untilMs !== 0 && performance.now() >= this.untilMs) {
      if (this.force && this.target !== null) {
        this.deps.log('notice', 'Failover time out exceeded, failing over.');
        this.hand(this.target);
      } else {
        this.abort('Replica never caught up before timeout');
      }
      return;
    }
    const offset = this.deps.streamOffset();
    for (const replica of this.deps.replicas()) {
      if (replica.state !== 'online' || replica.ackOffset !== offset) continue;
      if (this.target !== null && !isAt(replica, this.target)) continue;
      this.hand({ host: replica.address, port: replica.listeningPort });
      return;
    }
  }

  private hand(target: FailoverTarget): void {
    this.state = 'failover-in-progress';
    this.deps.log(
      'notice',
      `Failover target is synced, failing over to ${target.host}:${target.port}.`,
    );
    this.deps.follow(target);
  }

  private end(): void {
    this.state = 'no-failover';
    this.target = null;
    this.force = false;
    this.untilMs = 0;
    this.deps.resumeWrites();
  }
}

/** Whether a replica is the one that a client names. */
export function isAt(replica: Replica, { host, port }: FailoverTarget): boolean {
  return replica.address.toLowerCase() === host.toLowerCase() && replica.listeningPort === port;
}
