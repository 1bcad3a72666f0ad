/**
 * What the tests of snapshots share: a child process that is none, which takes frames when a test
 * lets it and makes an RDB of them, and a snapshot of which a test makes every move.
 */
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { RdbAssembler } from '../../../src/persistence/rdb/rdb-assembler.ts';
import {
  type SnapshotRequest,
  type SnapshotRun,
  startSnapshot,
} from '../../../src/persistence/snapshot/snapshot.ts';
import type { RdbContent } from '../../../src/persistence/snapshot/snapshot-now.ts';
import {
  type FrameTransport,
  SnapshotQueue,
} from '../../../src/persistence/snapshot/snapshot-queue.ts';
import { SnapshotWalker } from '../../../src/persistence/snapshot/snapshot-walker.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';
import { saveOptions } from '../rdb/rdb-support.ts';

type Waiting = { readonly bytes: Uint8Array; readonly sent: () => void };

export class SlowTransport implements FrameTransport {
  readonly waiting: Waiting[] = [];
  hasEnded = false;
  readonly #parts: Uint8Array[] = [];
  readonly #assembler = new RdbAssembler((bytes, length) => {
    this.#parts.push(bytes.slice(0, length));
  }, true);

  data(bytes: Uint8Array, sent: () => void): void {
    this.waiting.push({ bytes, sent });
  }

  end(): void {
    this.hasEnded = true;
  }

  /** Takes up to `count` pieces, as they are in memory now. */
  deliver(count: number): void {
    for (const { bytes, sent } of this.waiting.splice(0, count)) {
      this.#assembler.feed(bytes, 0, bytes.length);
      sent();
    }
  }

  /** The RDB, once all was delivered. */
  finish(): Uint8Array {
    while (this.waiting.length > 0) this.deliver(1);
    if (!this.hasEnded) throw new Error('the frames have not ended');
    this.#assembler.finish();
    return Buffer.concat(this.#parts);
  }
}

/** A snapshot whose every move is the test's. */
export class HandSnapshot {
  readonly transport = new SlowTransport();
  readonly queue: SnapshotQueue;
  readonly walker: SnapshotWalker;
  #now = 0;

  constructor(keyspace: Keyspace, changed: Partial<RdbContent> = {}, dataset = true) {
    const content = { ...saveOptions(new FaultyFileSystem()), ...changed };
    this.queue = new SnapshotQueue(this.transport, keyspace.arena, () => {});
    this.walker = new SnapshotWalker(keyspace, this.queue, content, dataset);
  }

  /** Walks a number of buckets. */
  walk(buckets: number): void {
    const until = this.#now + buckets;
    this.walker.walk(until, () => ++this.#now, Number.POSITIVE_INFINITY);
  }

  /** Walks and delivers to the end, and gives the RDB. */
  finish(): Uint8Array {
    while (!this.walker.isDone) {
      this.walk(1000);
      this.transport.deliver(3);
    }
    return this.transport.finish();
  }

  abort(): void {
    this.walker.detach();
    this.queue.drop();
  }
}

/** Begins a snapshot that goes on by itself, as a server's does. */
export function running(request: SnapshotRequest): SnapshotRun {
  const run = startSnapshot(request);
  const step = (): void => {
    if (run.step(1)) setImmediate(step);
    else run.onRoom(step);
  };
  step();
  return run;
}
