/**
 * A dataset that is loaded from a socket as it comes, into databases that nobody sees.
 *
 *     bytes -> fed reader -> databases aside      the old dataset stands, and may be served
 *     all of it came, and it is right             `install`: it takes the place of the old one
 *     anything else                               `giveUp`: nothing has happened
 *
 * Loading takes slices, and the loop has its turn between them, so clients are answered meanwhile.
 * The price is memory for two datasets.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import type { RdbLoad } from '../../persistence/rdb/rdb-load.ts';
import type { RdbReader } from '../../persistence/rdb/rdb-reader.ts';
import type { PayloadFile } from '../../replication/payload.ts';

export interface DatasetAsideDeps {
  readonly keyspace: Keyspace;
  readonly databases: readonly Database[];
  /** Fed with what comes, and read by `load` into `databases`. */
  readonly reader: RdbReader;
  readonly load: RdbLoad;
  readonly sliceMs: number;
  /** Lets the loop have its turn; rejects when the server ends. */
  readonly rest: () => Promise<void>;
  readonly onProgress: (loadedBytes: number) => void;
  /** Called when the load is over, whether it succeeded or not. */
  readonly onOver: () => void;
}

export class DatasetAside implements PayloadFile {
  private readonly deps: DatasetAsideDeps;
  private fedBytes = 0;
  private isOver = false;

  constructor(deps: DatasetAsideDeps) {
    this.deps = deps;
  }

  get databases(): readonly Database[] {
    return this.deps.databases;
  }

  /** What the dataset has beside its keys: AUX fields, and the sources of function libraries. */
  get contents(): Pick<RdbLoad, 'aux' | 'functions'> {
    return this.deps.load;
  }

  /** Loads what came. Rejects with what is wrong with it. */
  async writeAll(bytes: Uint8Array, offset: number, length: number): Promise<void> {
    this.deps.reader.feed(bytes.subarray(offset, offset + length));
    this.fedBytes += length;
    await this.run();
  }

  /** Ends the load. Rejects when the RDB is not whole, or bytes follow it. */
  async end(): Promise<void> {
    const { reader, load } = this.deps;
    reader.endOfFeed();
    const isDone = await this.run();
    if (!isDone) throw reader.fail('the RDB ends too early');
    if (load.bytes !== this.fedBytes) throw reader.fail('bytes behind the end of the RDB');
  }

  /** Does nothing, since nothing of it is on disk. */
  async syncData(): Promise<void> {}

  /** Does nothing: whoever opened it installs it, or gives it up. */
  async close(): Promise<void> {}

  /** Puts it in the place of the dataset that stands. */
  install(): void {
    this.deps.keyspace.install(this.databases);
    this.finish();
  }

  /** Gives it up and frees its keys, unless it was installed. */
  giveUp(): void {
    if (this.isOver) return;
    this.deps.keyspace.discard(this.databases);
    this.finish();
  }

  private finish(): void {
    this.isOver = true;
    this.deps.onOver();
  }

  /** Loads what was fed; true when that was the end. */
  private async run(): Promise<boolean> {
    const { load, keyspace, sliceMs, rest, onProgress } = this.deps;
    while (!load.step(sliceMs, () => performance.now())) {
      onProgress(load.bytes);
      if (load.isHungry) return false;
      await rest();
      keyspace.nowMs = Date.now();
    }
    onProgress(load.bytes);
    return true;
  }
}
