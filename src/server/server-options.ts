/** What a server is made from, beside its configuration. */
import type { FolderHold } from '../persistence/aof/folder-hold.ts';
import type { FileSystem } from '../persistence/file-system.ts';
import type { SnapshotHelper } from '../persistence/snapshot/snapshot-helper.ts';
import type { Config } from './config/config.ts';
import type { Logger } from './log.ts';

export interface ServerOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Port 0 means any free port instead of none. */
  readonly anyPort: boolean;
  /** Another disk than the machine's: tests have one that fails. */
  readonly fs?: FileSystem;
  /** Keeps other servers from the AOF, where there can be any. */
  readonly hold?: FolderHold;
  /** The writer of snapshots, if not a child process. */
  readonly snapshotHelper?: SnapshotHelper;
  /** Called when the sockets are bound, before the dataset is loaded. */
  readonly onBound?: (() => void) | undefined;
  readonly onRole?: ((role: 'primary' | 'replica') => void) | undefined;
  /** Called when SHUTDOWN has ended the server, or a failing disk has. */
  readonly exit?: ((code: number) => void) | undefined;
}
