/**
 * Snapshots for full syncs: what replication asks for, done by the server's one snapshot runner.
 */
import type { FileSystem } from '../../persistence/file-system.ts';
import { removeIfThere } from '../../persistence/rdb/rdb-file.ts';
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
export function syncSnapshotStarter(persistence: Persistence, fs: FileSystem): SnapshotStarter {
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
      done: done.then(
        () => ({ path }),
        (error: unknown) => {
          // It may have got its name in the very moment in which it was given up.
          if (path !== null) removeIfThere(fs, path);
          throw error;
        },
      ),
      resume: () => persistence.snapshots.resume(),
      cancel: () => persistence.snapshots.abort(),
    };
  };
}
