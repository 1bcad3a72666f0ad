/** What the AOF in the server needs of the rest of it. */
import type { AofFolder } from '../../persistence/aof/aof-folder.ts';
import type { Config } from '../config/config.ts';
import type { Propagator } from '../dispatch/propagate.ts';
import type { Logger } from '../log.ts';
import type { Turn } from '../turn/turn.ts';

export interface AofServiceDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly turn: Turn;
  readonly propagator: Propagator;
  readonly folder: AofFolder;
  /** Starts the snapshot that becomes the base, written to `path`; null while another one runs. */
  readonly startBase: (path: string) => Promise<'rdb' | 'aof'> | null;
  /** Whether any snapshot runs: another one has to wait for its end. */
  readonly isSnapshotRunning: () => boolean;
  /** Whether a dataset takes the place of the old one: a base would hold a part of it. */
  readonly isLoading: () => boolean;
  /** Ends that snapshot, if it runs; what was promised for it rejects. */
  readonly abortBase: () => void;
  /** Writes the base of a fresh folder and waits for it. */
  readonly writeFirstBase: (path: string) => Promise<'rdb' | 'aof'>;
  /** Bytes that the base will take at most, as far as can be told. */
  readonly expectedBaseBytes: () => number;
  /** Called when the journal has a reader now, or has lost one. */
  readonly readersChanged: () => void;
  /** The disk begins or ceases to fail. */
  readonly onErrorChange: () => void;
  /** Under `always` the disk failed: the process must end rather than lie. */
  readonly onFatal: (error: Error) => void;
}
