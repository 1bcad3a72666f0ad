/**
 * A snapshot: the dataset of one moment, written as an RDB by a child process while this one
 * serves.
 *
 *     walker, door -> frames -> queue (4 MiB) -> pipe -> child: LZF, CRC64 -> file or stream
 *
 * `startSnapshot` is that moment. From then on its owner calls `step` between the turns of its
 * loop, as long as `step` says so, and after a pause when `onRoom` calls back:
 *
 *     const run = startSnapshot(request);
 *     const slice = () => { if (run.step(0.5)) setImmediate(slice); else run.onRoom(slice); };
 *     slice();
 *     const { keys, bytes } = await run.done;
 *
 * The walker takes its budget and little more: it looks at the clock after every bucket, and a
 * large value is lent to the queue, not copied. A change that comes before the walker pays for the
 * entry it changes, nothing else. Extra memory is the queue plus what was changed meanwhile and not
 * yet sent.
 *
 * Whatever fails (the disk, the child, an abort) ends the snapshot alone: the old file stands, the
 * temporary one is removed, and the keyspace is as if nothing had been.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import { contentForCommands } from '../aof/aof-base.ts';
import type { CommandBase } from '../command-writer.ts';
import type { SnapshotWriter } from './snapshot-helper.ts';
import type { RdbContent } from './snapshot-now.ts';
import type { StreamTaker } from './snapshot-output.ts';
import type { ChildReport } from './snapshot-protocol.ts';
import { type QueueMemory, SnapshotQueue } from './snapshot-queue.ts';
import { SnapshotWalker } from './snapshot-walker.ts';

/** Where the RDB goes: a file, which replaces the old one when it is complete; or to a taker. */
export type SnapshotTarget =
  | {
      readonly file: string;
      readonly incrementalFsync: boolean;
      /** Makes it an AOF base of commands instead of an RDB. */
      readonly commands?: CommandBase;
    }
  /** The taker of a stream; what it holds back comes after `resume`. */
  | { readonly stream: StreamTaker };

export interface SnapshotRequest extends RdbContent {
  readonly keyspace: Keyspace;
  /** The writer of the frames: a child process, or a stand-in. */
  readonly helper: SnapshotWriter;
  readonly target: SnapshotTarget;
  /** False leaves the keys out; default true. */
  readonly dataset?: boolean;
  /** The room that a file will want: where less is free it is not begun. Default 0. */
  readonly expectedBytes?: number;
  /** Microseconds to wait after each key; for tests. */
  readonly keySaveDelayUs?: number;
  /** Where the queue's memory comes from, and goes when the snapshot has succeeded. */
  readonly memory?: QueueMemory;
}

export interface SnapshotResult {
  readonly keys: number;
  /** Bytes of the RDB. */
  readonly bytes: number;
  readonly durationMs: number;
  /** The most memory that was ever held on its account. */
  readonly queuedBytesPeak: number;
}

export interface SnapshotFigures {
  readonly keysTotal: number;
  readonly keysDone: number;
  /** The part of `keysDone` that was emitted because the keys were about to change. */
  readonly doorKeys: number;
  /** Memory held on its account, now and at most: what is queued, and old values not yet sent. */
  readonly queuedBytes: number;
  readonly queuedBytesPeak: number;
  /** Bytes of the RDB that the child has made, as it last said. */
  readonly writtenBytes: number;
}

/** Why a snapshot failed. `code` is an errno name, `ABORTED`, or `CHILD` when the child died. */
export class SnapshotError extends Error {
  readonly code: string;

  constructor(code: string, reason: string) {
    super(reason);
    this.name = 'SnapshotError';
    this.code = code;
  }
}

const clock = (): number => performance.now();

/** Begins a snapshot of the keyspace as it is now. Only while no other one runs. */
export function startSnapshot(request: SnapshotRequest): SnapshotRun {
  return new SnapshotRun(request);
}

export class SnapshotRun {
  /**
   * Resolves when the RDB is complete and, if it is a file, durable. Rejects with a
   * `SnapshotError`.
   */
  readonly done: Promise<SnapshotResult>;
  readonly #helper: SnapshotWriter;
  readonly #queue: SnapshotQueue;
  readonly #walker: SnapshotWalker;
  readonly #stream: StreamTaker | null;
  readonly #keyDelayMs: number;
  #keysDelayed = 0;
  readonly #startMs = clock();
  #resolve: (result: SnapshotResult) => void = () => {};
  #reject: (error: SnapshotError) => void = () => {};
  #isOver = false;
  #onRoom: (() => void) | null = null;
  #pause: NodeJS.Timeout | null = null;
  #writtenBytes = 0;
  #streamedBytes = 0;
  /** What the child said at its end, while its last bytes are still on their way. */
  #endBytes = -1;

  constructor(request: SnapshotRequest) {
    const { keyspace, helper, target } = request;
    if (keyspace.snapshot !== null) throw new Error('a snapshot of this keyspace runs already');
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => {});
    this.#helper = helper;
    this.#stream = 'stream' in target ? target.stream : null;
    this.#keyDelayMs = Math.max(0, request.keySaveDelayUs ?? 0) / 1000;
    const commands = 'file' in target ? (target.commands ?? null) : null;
    const content = commands === null ? request : contentForCommands(request);
    const job = {
      path: 'file' in target ? target.file : null,
      checksum: request.checksum,
      commands,
      incrementalFsync: 'file' in target && target.incrementalFsync,
      expectedBytes: request.expectedBytes ?? 0,
    };
    helper.begin(job, {
      stream: this.#stream && this.#counted(this.#stream),
      report: (what) => this.#report(what),
      gone: (reason) => this.#fail('CHILD', reason),
    });
    const changed = (): void => this.#queueChanged();
    this.#queue = new SnapshotQueue(helper, keyspace.arena, changed, request.memory);
    this.#walker = new SnapshotWalker(keyspace, this.#queue, content, request.dataset !== false);
  }

  /** Memory that is held on its account now. */
  get queuedBytes(): number {
    return this.#queue.memoryBytes;
  }

  get figures(): SnapshotFigures {
    const { keysTotal, keys: keysDone, doorKeys } = this.#walker;
    const { memoryBytes, memoryBytesPeak } = this.#queue;
    return {
      keysTotal,
      keysDone,
      doorKeys,
      queuedBytes: memoryBytes,
      queuedBytesPeak: memoryBytesPeak,
      writtenBytes: this.#writtenBytes,
    };
  }

  /** Walks for about `budgetMs`. True asks to be called again soon; false to wait for `onRoom`. */
  step(budgetMs: number): boolean {
    if (this.#isOver || this.#walker.isDone || this.#pause !== null) return false;
    if (this.#owesDelay()) return false;
    const keysMax = this.#keyDelayMs > 0 ? 1 : Number.POSITIVE_INFINITY;
    this.#walker.walk(clock() + budgetMs, clock, keysMax);
    return !this.#walker.isDone && !this.#queue.isFull;
  }

  /** Calls back once when `step` may go on; never when the walk is over. */
  onRoom(callback: () => void): void {
    this.#onRoom = callback;
    this.#queueChanged();
  }

  /** Goes on handing out a stream that its receiver held back. */
  resume(): void {
    if (!this.#isOver) this.#helper.resume();
  }

  /** Ends the snapshot; `done` rejects. */
  abort(): void {
    this.#fail('ABORTED', 'the snapshot was aborted');
  }

  /** Sleeps for a key that has gone out, whether it was walked to or about to change. */
  #owesDelay(): boolean {
    if (this.#keyDelayMs === 0 || this.#keysDelayed >= this.#walker.keys) return false;
    this.#keysDelayed++;
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.#queueChanged();
    }, this.#keyDelayMs);
    return true;
  }

  #queueChanged(): void {
    if (this.#isOver || this.#walker.isDone) return;
    const callback = this.#onRoom;
    if (callback === null || this.#pause !== null || !this.#queue.hasRoom) return;
    this.#onRoom = null;
    callback();
  }

  /** The taker, behind one who looks whether it has all. */
  #counted(taker: StreamTaker): StreamTaker {
    return {
      take: (buffer, count) => {
        this.#streamedBytes += count;
        const goesOn = taker.take(buffer, count);
        this.#succeedIfWhole();
        return goesOn;
      },
      room: () => taker.room(),
    };
  }

  #report(what: ChildReport): void {
    if (what.event === 'progress') this.#writtenBytes = what.bytes;
    else if (what.event === 'failed') this.#fail(what.code, what.reason);
    else if (what.event === 'ended' && what.ok) {
      this.#endBytes = what.bytes;
      this.#succeedIfWhole();
    }
  }

  #succeedIfWhole(): void {
    if (this.#isOver || this.#endBytes < 0) return;
    if (this.#stream !== null && this.#streamedBytes < this.#endBytes) return;
    this.#writtenBytes = this.#endBytes;
    this.#finish();
    this.#queue.giveBack();
    this.#resolve({
      keys: this.#walker.keys,
      bytes: this.#endBytes,
      durationMs: clock() - this.#startMs,
      queuedBytesPeak: this.#queue.memoryBytesPeak,
    });
  }

  #fail(code: string, reason: string): void {
    if (this.#isOver) return;
    this.#finish();
    this.#reject(new SnapshotError(code, reason));
  }

  /** Lets go of the keyspace and of the child. */
  #finish(): void {
    this.#isOver = true;
    this.#onRoom = null;
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = null;
    this.#walker.detach();
    this.#queue.drop();
    this.#helper.leave();
  }
}
