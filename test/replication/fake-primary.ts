/**
 * A primary whose surroundings are the test's: snapshots that it finishes itself, settings that it
 * changes, a disk in memory.
 */
import { Primary, type PrimarySettings } from '../../src/replication/primary.ts';
import type { Replica } from '../../src/replication/replica.ts';
import { ReplicationHistory } from '../../src/replication/replication-id.ts';
import type { SyncSnapshotRequest } from '../../src/replication/snapshot-starter.ts';
import { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { type FakeConnection, fakeReplica } from './fake-connection.ts';

const READ_BYTES = 65_536;

/** A snapshot that runs until the test ends it. */
export class FakeSnapshot {
  readonly request: SyncSnapshotRequest;
  readonly done: Promise<{ path: string | null }>;
  resumed = 0;
  cancelled = false;
  /** What the next read goes into. */
  #buffer: Buffer = Buffer.alloc(READ_BYTES);
  #resolve: (result: { path: string | null }) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(request: SyncSnapshotRequest) {
    this.request = request;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Hands out bytes, read by read; false when it is asked to hold. */
  emit(text: string): boolean {
    const { taker } = this.request;
    let goesOn = true;
    for (let at = 0; at < text.length; ) {
      const count = this.#buffer.write(text.slice(at, at + READ_BYTES), 'latin1');
      goesOn = taker.take(this.#buffer, count);
      const room = taker.room();
      this.#buffer = Buffer.from(room.buffer, room.byteOffset, room.length);
      at += count;
    }
    return goesOn;
  }

  resume(): void {
    this.resumed++;
  }

  cancel(): void {
    this.cancelled = true;
    this.#reject(new Error('cancelled'));
  }

  async finish(path: string | null = null): Promise<void> {
    this.#resolve({ path });
    await settle();
  }

  async fail(): Promise<void> {
    this.#reject(new Error('the disk is full'));
    await settle();
  }
}

/** Lets promises and the disk in memory do what is due. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits until something holds; fails the test when it never does. */
export async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('what the test waits for never came');
}

export class FakePrimary {
  readonly history = new ReplicationHistory();
  readonly fs = new FaultyFileSystem();
  readonly snapshots: FakeSnapshot[] = [];
  readonly primary: Primary;
  isReplica = false;
  mayStart = true;
  selections = 0;
  /** How often replicas came, went, or moved on. */
  changes = 0;
  /** The id under which the backlog was made or given up, each time. */
  readersChanges: string[] = [];
  settings: PrimarySettings = {
    diskless: true,
    delaySeconds: 0,
    replicasMax: 0,
    timeoutMs: 60_000,
    bufferLimit: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
    backlogBytes: 100_000,
    backlogTtlSeconds: 3600,
    lagSecondsMax: 10,
  };
  tally = { syncFull: 0, syncPartialOk: 0, syncPartialErr: 0, netReplOutputBytes: 0 };

  constructor() {
    this.fs.mkdirSync('/data');
    const self = this;
    this.primary = new Primary({
      history: this.history,
      tally: this.tally,
      fs: this.fs,
      settings: () => this.settings,
      get isReplica() {
        return self.isReplica;
      },
      startSnapshot: (request) => {
        if (!this.mayStart) return null;
        const snapshot = new FakeSnapshot(request);
        this.snapshots.push(snapshot);
        return snapshot;
      },
      settleStream: () => ({ id: this.history.id, offset: this.history.offset, streamDb: 0 }),
      began: () => {
        this.selections++;
      },
      log: () => undefined,
      changed: () => {
        this.changes++;
      },
      readersChanged: () => {
        this.readersChanges.push(this.history.id);
      },
    });
  }

  /** Attaches a replica with a request; `null` asks for everything. */
  attach(
    id: string | null,
    nextByte = -1,
    of: Partial<Pick<Replica, 'content' | 'rdbOnly' | 'takesStreamed'>> = {},
    nowMs = 1000,
  ): { replica: Replica; connection: FakeConnection } {
    const one = fakeReplica();
    Object.assign(one.replica, of);
    one.connection.lastReadMs = nowMs;
    one.connection.onClose = () => this.primary.forget(one.replica);
    this.primary.synchronize(one.replica, { id: id ?? '?', nextByte }, nowMs);
    return one;
  }

  /** A snapshot that runs, the last one that was started. */
  get snapshot(): FakeSnapshot {
    const last = this.snapshots.at(-1);
    if (last === undefined) throw new Error('no snapshot was started');
    return last;
  }

  feed(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.primary.feed(bytes, 0, bytes.length);
  }

  /** A file that a snapshot is said to have written. */
  file(name: string, text: string): string {
    const path = `/data/${name}`;
    const file = this.fs.openSync(path, 'replace');
    const bytes = Buffer.from(text, 'latin1');
    file.writeSync(bytes, 0, bytes.length, 0);
    file.closeSync();
    return path;
  }
}
