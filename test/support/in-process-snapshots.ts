/**
 * Writes snapshots in the test's own process and through its own file system, so that a disk which
 * fails or loses power fails and loses them too. It takes the place of the child process, and does
 * the same work in the same order.
 */
import { type FrameConsumer, frameConsumer } from '../../src/persistence/aof/aof-base.ts';
import type { FileSystem } from '../../src/persistence/file-system.ts';
import { errorCode, errorText } from '../../src/persistence/file-system.ts';
import { RdbFile, spaceRefusal } from '../../src/persistence/rdb/rdb-file.ts';
import {
  type JobListener,
  SnapshotHelper,
} from '../../src/persistence/snapshot/snapshot-helper.ts';
import type { SnapshotJob } from '../../src/persistence/snapshot/snapshot-protocol.ts';

const PID = 77;

/** A snapshot being written: its steps run one after the other, each in a turn of its own. */
class Job {
  readonly #fs: FileSystem;
  readonly #listener: JobListener;
  #steps: Promise<void>;
  #file: RdbFile | null = null;
  #assembler: FrameConsumer | null = null;
  #isOver = false;

  constructor(fs: FileSystem, job: SnapshotJob, listener: JobListener) {
    this.#fs = fs;
    this.#listener = listener;
    this.#steps = Promise.resolve();
    this.step(() => this.#open(job));
  }

  step(work: () => void | Promise<void>): void {
    this.#steps = this.#steps.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#isOver) return;
      try {
        await work();
      } catch (error) {
        this.fail(errorCode(error), errorText(error));
      }
    });
  }

  async #open(job: SnapshotJob): Promise<void> {
    const { path } = job;
    if (path === null) throw new Error('streams are not for this helper');
    const refusal = await spaceRefusal(this.#fs, path, job.expectedBytes);
    if (refusal !== null) {
      this.fail('ENOSPC', refusal);
      return;
    }
    const file = new RdbFile(this.#fs, path, PID, job.incrementalFsync, true);
    this.#file = file;
    const output = (bytes: Uint8Array, length: number): void => file.write(bytes, length);
    this.#assembler = frameConsumer(output, job.checksum, job.commands);
  }

  async feed(bytes: Uint8Array): Promise<void> {
    this.#assembler?.feed(bytes, 0, bytes.length);
    if (this.#file?.isDue === true) await this.#file.syncBeside();
  }

  async finish(): Promise<void> {
    this.#assembler?.finish();
    await this.#file?.settled();
    if (this.#isOver) return;
    this.#file?.finish();
    this.#isOver = true;
    const bytes = this.#assembler?.producedBytes ?? 0;
    this.#listener.report({ event: 'ended', ok: true, bytes });
  }

  fail(code: string, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#file?.discard();
    } catch {
      // A disk that is dead keeps what it has.
    }
    this.#listener.report({ event: 'failed', code, reason });
  }
}

export class InProcessSnapshots extends SnapshotHelper {
  readonly #fs: FileSystem;
  #job: Job | null = null;

  constructor(fs: FileSystem) {
    super('no child is started');
    this.#fs = fs;
  }

  override warm(): void {}

  override close(): void {
    this.leave();
  }

  override begin(job: SnapshotJob, listener: JobListener): void {
    this.#job = new Job(this.#fs, job, listener);
  }

  override data(bytes: Uint8Array, sent: () => void): void {
    const job = this.#job;
    job?.step(async () => {
      await job.feed(bytes);
      sent();
    });
  }

  override end(): void {
    const job = this.#job;
    job?.step(() => job.finish());
  }

  override leave(): void {
    this.#job?.fail('ABORTED', 'given up');
    this.#job = null;
  }

  override resume(): void {}
}
