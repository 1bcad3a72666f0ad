/**
 * The appending end of the AOF: takes the bytes of each event-loop turn, encodes them
 * (`aof-frame.ts`), and hands them to the disk as the fsync policy says.
 *
 * Two ways lead to the file:
 *
 *   in the call   `everysec` and `no`, nothing queued, no fsync running: one write(2) into the page
 *                 cache at the end of the turn, 2 us
 *   the queue     everything else: the turn is copied, and `aof-disk.ts` writes it off the loop
 *                 (under `always`, with an fsync in the same call). All turns that came meanwhile
 *                 go with the next write: group commit
 *
 * Why no write(2) while an fsync runs: measured on ext4 with 128 MB dirty, the median write beside
 * a running fdatasync takes 2 us as ever, but single ones took 6 and 28 ms, since they wait for the
 * journal or for a page under writeback. Handed to the thread pool, that wait delays the replies of
 * these writes and nobody else. So the loop never waits for a disk, and there is no need to
 * postpone writes for two seconds and then block, as Redis does; what remains of that rule is the
 * counter of late fsyncs.
 */
import type { DurableFile } from '../durable-file.ts';
import { AofDisk } from './aof-disk.ts';
import type { AppenderOptions } from './aof-options.ts';
import { encodeTurn, TURN_EXTRA_BYTES_MAX } from './aof-queue.ts';

/** Turns in the queue beyond this many bytes mean that the server should stop reading. */
const AOF_QUEUE_BYTES_HIGH = 64 * 1024 * 1024;

const STAGE_BYTES_MIN = 64 * 1024;
const STAGE_BYTES_MAX = 4 * 1024 * 1024;

export class AofAppender {
  readonly disk: AofDisk;
  checksum: boolean;
  timestamps: boolean;
  /** Called with the milliseconds that each write in the call took; null while nobody asks. */
  onWrite: ((ms: number) => void) | null;
  readonly #nowMs: () => number;
  readonly #unixSeconds: () => number;
  #lastTimeSeconds: number;
  #released: number;
  #stage: Uint8Array;

  constructor(options: AppenderOptions) {
    this.disk = new AofDisk(options);
    this.checksum = options.checksum;
    this.timestamps = options.timestamps;
    this.onWrite = null;
    this.#nowMs = options.nowMs;
    this.#unixSeconds = options.unixSeconds;
    this.#lastTimeSeconds = -1;
    this.#released = 0;
    this.#stage = new Uint8Array(STAGE_BYTES_MIN);
  }

  get appendedBytes(): number {
    return this.disk.offsets.appended;
  }

  /** Replies to everything executed up to this offset may be sent. Never goes back. */
  get releasableBytes(): number {
    const { disk } = this;
    const offset = disk.mustSync ? disk.offsets.synced : disk.offsets.written;
    if (offset > this.#released) this.#released = offset;
    return this.#released;
  }

  /** Whether the disk is so far behind that the server should stop reading. */
  get isCongested(): boolean {
    return this.disk.queue.bytes > AOF_QUEUE_BYTES_HIGH;
  }

  /** Takes the commands of one turn, `buf[off .. off + len)`; borrowed only during the call. */
  append(buf: Uint8Array, off: number, len: number): void {
    if (len === 0) return;
    const { disk } = this;
    disk.offsets.appended += len;
    const file = disk.target;
    if (file === undefined) {
      disk.offsets.skipAll();
      return;
    }
    if (disk.clock.isAllSynced) disk.clock.appended(this.#nowMs());
    if (disk.isCountingOnly) return;
    const timeSeconds = this.#takeTime();
    if (disk.canWriteNow) {
      const stage = this.#stageFor(len + TURN_EXTRA_BYTES_MAX);
      const bytes = encodeTurn(stage, 0, buf, off, len, this.checksum, timeSeconds);
      const isWritten =
        this.onWrite === null
          ? disk.writeNow(file, stage, bytes)
          : this.#writeTimed(file, stage, bytes, this.onWrite);
      if (stage !== this.#stage) disk.queue.done(stage);
      if (isWritten) return;
    }
    disk.queue.add(file, buf, off, len, disk.offsets.appended, this.checksum, timeSeconds);
    disk.wake();
  }

  #writeTimed(
    file: DurableFile,
    stage: Uint8Array,
    bytes: number,
    onWrite: (ms: number) => void,
  ): boolean {
    const startMs = this.#nowMs();
    const done = this.disk.writeNow(file, stage, bytes);
    onWrite(this.#nowMs() - startMs);
    return done;
  }

  /** The next turn gets a time line: a new file begins. */
  forgetTime(): void {
    this.#lastTimeSeconds = -1;
  }

  /** The second to annotate the next turn with, or -1. */
  #takeTime(): number {
    if (!this.timestamps) return -1;
    const seconds = Math.floor(this.#unixSeconds());
    if (seconds <= this.#lastTimeSeconds) return -1;
    this.#lastTimeSeconds = seconds;
    return seconds;
  }

  #stageFor(room: number): Uint8Array {
    if (room <= this.#stage.length) return this.#stage;
    if (room > STAGE_BYTES_MAX) return new Uint8Array(room);
    this.#stage = new Uint8Array(Math.min(room * 2, STAGE_BYTES_MAX));
    return this.#stage;
  }
}
