/**
 * What replication asks of snapshots: the dataset as it is now, as an RDB, into a file or to its
 * replicas.
 */
import type { StreamTaker } from '../persistence/snapshot/snapshot-output.ts';
import type { SnapshotContent } from './replica.ts';
import type { ReplicationAux } from './replication-id.ts';

export interface SyncSnapshotRequest {
  /** `stream` hands out bytes as they are made, `file` leaves a file behind. */
  readonly target: 'file' | 'stream';
  readonly content: SnapshotContent;
  /**
   * The fields to be written into the RDB: whose stream the dataset belongs to, and how much of it
   * is in it.
   */
  readonly aux: ReplicationAux;
  /** `stream`: takes the RDB; what it holds back comes after `resume`. */
  readonly taker: StreamTaker;
}

export interface SyncSnapshot {
  /**
   * Resolves when the RDB is whole; with the path of the file, or null when it was streamed.
   * The file is the caller's to remove.
   */
  readonly done: Promise<{ readonly path: string | null }>;
  /** Goes on handing out bytes. */
  resume(): void;
  /** Nobody needs it any more; `done` may reject. */
  cancel(): void;
}

/**
 * Begins a snapshot of the dataset as it is in this very moment; null when none can begin now: ask
 * again.
 */
export type SnapshotStarter = (request: SyncSnapshotRequest) => SyncSnapshot | null;
