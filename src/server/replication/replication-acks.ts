/**
 * What a replica tells its primary of how far it is: never further than its own log is.
 *
 *     stream    ....[ executed ]GETACK                        [ executed ]GETACK
 *     log       ....[ appended ............ safe ]            [ appended ...
 *     ACK                                        ^ 900        (1400, when that is safe)
 *
 * A client of the primary that WAITs for a replica is promised what a client of this server would
 * be: under `always` that the write is on this disk, else that it survives the death of this
 * process. So an ACK waits for the log as replies do (server/turn/turn.ts), with the offset of the
 * moment in which it was asked for. While the disk is slow the primary is told once a second the
 * last offset that was safe, as a sign of life. Without a log there is nothing to wait for.
 */
import type { PrimaryLink } from '../../replication/primary-link.ts';
import type { Turn } from '../turn/turn.ts';
import type { ReplicationJournal } from './replication-journal.ts';

/** An ACK that waits: until so much of the log is safe. */
interface WaitingAck {
  readonly logBytes: number;
  readonly offset: number;
}

export class ReplicationAcks {
  private readonly link: PrimaryLink;
  private readonly journal: ReplicationJournal;
  private readonly turn: Turn;
  /** In the order in which they were asked for. */
  private waiting: WaitingAck[] = [];
  /** The last offset told over this connection, -1 for none. */
  private told = -1;

  constructor(link: PrimaryLink, journal: ReplicationJournal, turn: Turn) {
    this.link = link;
    this.journal = journal;
    this.turn = turn;
  }

  /** The primary asks, or it is time to tell: everything executed so far, as soon as it is safe. */
  request(): void {
    this.link.settle();
    this.waiting.push({ logBytes: this.journal.executedBytes, offset: this.journal.streamEnd });
    this.turn.schedule();
  }

  /** Once a second. */
  tick(): void {
    if (this.waiting.length > 0 && this.told >= 0) this.tell(this.told);
    this.request();
  }

  /** Called when more of the log may be safe. */
  check(): void {
    let count = 0;
    for (const { logBytes } of this.waiting) {
      if (!this.turn.isSafe(logBytes)) break;
      count++;
    }
    if (count === 0) return;
    this.told = this.waiting[count - 1]!.offset;
    this.waiting = this.waiting.slice(count);
    this.tell(this.told);
  }

  /** The connection has ended, and nobody waits for these any more. */
  clear(): void {
    this.waiting = [];
    this.told = -1;
  }

  private tell(offset: number): void {
    this.link.acknowledge(offset, this.journal.fsyncedOffset);
  }
}
