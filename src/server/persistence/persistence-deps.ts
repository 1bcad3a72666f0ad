/** What the server's files and what is done with them need of the rest of the server. */
import type { Keyspace } from '../../core/keyspace.ts';
import type { AofTailSink } from '../../persistence/aof/aof-tail.ts';
import type { FolderHold } from '../../persistence/aof/folder-hold.ts';
import type { FileSystem } from '../../persistence/file-system.ts';
import type { SnapshotHelper } from '../../persistence/snapshot/snapshot-helper.ts';
import type { ReplicationAux } from '../../replication/replication-id.ts';
import type { Client } from '../clients/client.ts';
import type { FrontDesk } from '../clients/front-desk.ts';
import type { Config } from '../config/config.ts';
import type { Dispatcher } from '../dispatch/dispatch.ts';
import type { Propagator } from '../dispatch/propagate.ts';
import type { Stats } from '../info/stats.ts';
import type { Logger } from '../log.ts';
import type { Turn } from '../turn/turn.ts';
import type { DatasetAside } from './dataset-aside.ts';

export interface PersistenceDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly keyspace: Keyspace;
  readonly fs: FileSystem;
  /** Keeps other servers from the AOF; null where there can be none. */
  readonly hold: FolderHold | null;
  /** The writer of snapshots; by default a child process. */
  readonly helper: SnapshotHelper | undefined;
  readonly stats: Stats;
  readonly dispatcher: Dispatcher;
  /** Stops commands, and hears how long the disk takes. */
  readonly desk: Pick<FrontDesk, 'gates' | 'pause' | 'latency' | 'expiry'>;
  readonly turn: Turn;
  readonly propagator: Propagator;
  /** The client without a link that runs the commands of an AOF. */
  readonly client: Client;
  /** Whether the server has a process of its own, so that a save may be asked of it at any time. */
  readonly isProcess: boolean;
  /** Whether the data belong to a primary elsewhere: keys are then kept whatever the clock says. */
  readonly isReplica: () => boolean;
  /** AUX fields of replication, for what is saved. */
  readonly replicationAux: () => Readonly<Record<string, string>>;
  /** AUX fields of what was loaded at start. */
  readonly onLoaded: (aux: ReplicationAux | null) => void;
  /** Who takes the end of the replication stream from the AOF at the start; null for nobody. */
  readonly earlierStream: () => AofTailSink | null;
  /** Somebody begins or ceases to read the journal. */
  readonly readersChanged: () => void;
  /** Empties all databases, as FLUSHALL does, without telling anybody. */
  readonly flushAll: () => void;
  /** Puts a dataset that was loaded aside in the place of all databases. */
  readonly install: (aside: DatasetAside) => void;
  /** The disk failed under `always`: the process must end rather than lie. */
  readonly onFatal: (error: Error) => void;
}
