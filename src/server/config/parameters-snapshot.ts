/** Snapshots: when an RDB file is written, where, and how. */
import {
  choice,
  flag,
  INT_MAX,
  INT_MIN,
  integer,
  special,
  type Traits,
  text,
} from './parameter.ts';
import { directoryType, saveType } from './special-type.ts';

/** A name without folders. */
export function plainName(parameter: string, kind: string, mayBeEmpty: boolean): Traits<string> {
  return {
    check: (value) => {
      if (value === '' && !mayBeEmpty) return `${parameter} can't be empty`;
      return /[/\\]/.test(value) ? `${parameter} can't be a path, just a ${kind}` : undefined;
    },
  };
}

export const snapshotParameters = [
  special(
    'save',
    saveType,
    [
      { seconds: 3600, changes: 1 },
      { seconds: 300, changes: 100 },
      { seconds: 60, changes: 10000 },
    ],
    'Save after so many seconds if so many changes were made; "" never.',
  ),
  special('dir', directoryType, '', 'Folder of all files; relative paths start there.', {
    protected: true,
    denyLoading: true,
  }),
  text('dbfilename', 'dump.rdb', 'Name of the snapshot.', {
    protected: true,
    ...plainName('dbfilename', 'filename', true),
  }),
  flag('rdbcompression', true, 'Compress strings of more than 20 bytes with LZF.'),
  flag('rdbchecksum', true, 'Write a checksum and verify it.', { immutable: true }),
  integer(
    'rdb-save-version',
    [9, 11],
    10,
    'Version of the RDB format: 9 for Redis 5 and later, 10 for 7.0, 11 for 7.2.',
  ),
  flag('rdb-save-incremental-fsync', true, 'Write to the disk every 4 MB while saving.'),
  flag('rdb-del-sync-files', false, 'Delete snapshots that only replication needed.'),
  flag('disk-space-check', true, 'Begin no snapshot and no rewrite that the disk has no room for.'),
  flag('stop-writes-on-bgsave-error', true, 'Refuse writes while saving fails.'),
  choice(
    'sanitize-dump-payload',
    ['no', 'yes', 'clients'],
    'no',
    'Look at the order of stream entries in what RESTORE and files bring; the rest always is.',
  ),
  integer('rdb-key-save-delay', [INT_MIN, INT_MAX], 0, 'Microseconds to wait after each key.', {
    hidden: true,
  }),
  integer('key-load-delay', [INT_MIN, INT_MAX], 0, 'Microseconds to wait after each key.', {
    hidden: true,
  }),
  integer(
    'loading-process-events-interval-bytes',
    [1024, INT_MAX],
    2 * 1024 * 1024,
    'Bytes to load between two looks at the clients.',
    { hidden: true, inert: 'loading gives way to clients by time' },
  ),
] as const;
