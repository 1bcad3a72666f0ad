/**
 * The end of the replication stream that an earlier run of this primary has left in its AOF. It
 * becomes the backlog of this run, so that replicas that were behind when that one ended, by
 * `kill -9` perhaps, go on without a full sync.
 */
import type { AofTailSink } from '../../persistence/aof/aof-tail.ts';
import { ReplicationBacklog } from '../../replication/backlog.ts';

export class EarlierStream implements AofTailSink {
  readonly wanted: number;
  /** What was found so far; null for nothing. */
  backlog: ReplicationBacklog | null = null;

  /** Wants as many bytes of it as the backlog has room for. */
  constructor(wanted: number) {
    this.wanted = wanted;
  }

  begin(streamOffset: number): void {
    this.backlog = new ReplicationBacklog(this.wanted, streamOffset);
  }

  take(bytes: Uint8Array, from: number, length: number): void {
    this.backlog?.append(bytes, from, length, []);
  }
}
