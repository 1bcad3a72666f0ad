/**
 * The save at the end of a server: written by its own process, since nobody is left to be served
 * well, and in slices, so that a second SIGINT and SHUTDOWN ABORT are heard.
 *
 * The dump is the new one, complete, or the old one. When the dataset is replaced as a whole
 * meanwhile, which only a primary's stream can do then, the save is given up and begun again.
 */
import { GIVEN_UP, type RdbService } from './rdb-service.ts';
import type { SnapshotRunner } from './snapshot-runner.ts';

export interface LastSaveDeps {
  readonly rdb: RdbService;
  readonly snapshots: SnapshotRunner;
  /** Whether what is in memory is not whole. */
  readonly isLoading: () => boolean;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class LastSave {
  /** Somebody wants the server to go on. */
  isAborted = false;
  private isRunning = false;
  private readonly deps: LastSaveDeps;

  constructor(deps: LastSaveDeps) {
    this.deps = deps;
  }

  /** Ends other snapshots and saves. Resolves with what went wrong, if anything. */
  async run(): Promise<string | undefined> {
    this.isAborted = false;
    this.isRunning = true;
    try {
      for (;;) {
        await this.endOthers();
        if (this.isAborted) return GIVEN_UP;
        if (this.deps.isLoading()) return undefined;
        const error = await this.deps.rdb.saveHere();
        if (error !== GIVEN_UP) return error;
      }
    } finally {
      this.isRunning = false;
    }
  }

  /** Gives the save up: false when none runs. */
  abort(): boolean {
    if (!this.isRunning) return false;
    this.isAborted = true;
    this.deps.snapshots.abort();
    return true;
  }

  /** Whoever waited for one hears of its end first, and may begin another; that is ended, too. */
  private async endOthers(): Promise<void> {
    do {
      this.deps.snapshots.abort();
      await nextTurn();
    } while (this.deps.snapshots.isRunning);
  }
}
