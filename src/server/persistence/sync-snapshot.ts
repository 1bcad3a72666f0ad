/**
 * Snapshots for full syncs: what replication asks for, done by the server's one snapshot runner.
 */
import type {
  SnapshotStarter,
  SyncSnapshot,
  SyncSnapshotRequest,
} from '../../replication/snapshot-starter.ts';
import { auxFields } from '../replication/replication-aux.ts';
import type { Persistence } from './persistence.ts';

/** Number that keeps the files of several syncs apart. */
let syncs = 0;

/** Begins snapshots for replicas; none while another one runs. */
export function syncSnapshotStarter(persistence: Persistence): SnapshotStarter {
  return (request: SyncSnapshotRequest): SyncSnapshot | null => {
    if (persistence.isBusy) return null;
    const path =
      request.target === 'file'
        ? persistence.pathOf(`temp-sync-${process.pid}-${++syncs}.rdb`)
        : null;
    const target =
      path === null ? { stream: request.taker } : { file: path, incrementalFsync: false };
    const done = persistence.maker.begin('sync', target, {
      aux: auxFields(request.aux),
      dataset: request.content.data,
      functions: request.content.functions,
    });
    return {
      done: done.then(() => ({ path })),
      resume: () => persistence.snapshots.resume(),
      cancel: () => persistence.snapshots.abort(),
    };
  };
}
