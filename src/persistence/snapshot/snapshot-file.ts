/**
 * What is made of the frames of a snapshot: an RDB, in a file or as a stream, or an AOF base of
 * commands. The child works with it, and a server that writes the dump itself.
 *
 *     begin -> data, sync ... -> end      the file stands under its name
 *                         ... -> abort    what was written is removed
 *
 * After a failure, which is reported at once, it only waits for its end.
 */
import { type FrameConsumer, frameConsumer } from '../aof/aof-base.ts';
import { errorCode, errorText, type FileSystem } from '../file-system.ts';
import { RdbFile, spaceRefusal } from '../rdb/rdb-file.ts';
import type { ChildReport, SnapshotJob } from './snapshot-protocol.ts';

const PROGRESS_STEP_BYTES = 1 << 22;

/** Where it all goes. */
export interface SnapshotOutput {
  readonly fs: FileSystem;
  readonly report: (what: ChildReport) => void;
  /** Takes the bytes of a stream. */
  readonly stream: (bytes: Uint8Array, length: number) => void;
}

export class SnapshotFile {
  readonly #job: SnapshotJob;
  readonly #door: SnapshotOutput;
  readonly #assembler: FrameConsumer;
  #file: RdbFile | null = null;
  #isOver = false;
  #reportedBytes = 0;

  constructor(job: SnapshotJob, door: SnapshotOutput) {
    this.#job = job;
    this.#door = door;
    const output = (bytes: Uint8Array, length: number): void => {
      if (job.path === null) door.stream(bytes, length);
      else this.#file?.write(bytes, length);
    };
    this.#assembler = frameConsumer(output, job.checksum, job.commands);
  }

  async begin(): Promise<void> {
    const { path, expectedBytes, incrementalFsync } = this.#job;
    const { fs } = this.#door;
    if (path === null) return;
    const refusal = await spaceRefusal(fs, path, expectedBytes);
    if (refusal !== null) {
      this.#fail('ENOSPC', refusal);
      return;
    }
    this.#try(() => {
      this.#file = new RdbFile(fs, path, process.pid, incrementalFsync, true);
    });
  }

  data(bytes: Uint8Array, off: number, len: number): void {
    this.#try(() => this.#assembler.feed(bytes, off, len));
    const { producedBytes } = this.#assembler;
    if (producedBytes - this.#reportedBytes < PROGRESS_STEP_BYTES) return;
    this.#reportedBytes = producedBytes;
    this.#door.report({ event: 'progress', bytes: producedBytes });
  }

  /** Lets what was written go to the disk when it is time. */
  async sync(): Promise<void> {
    const file = this.#file;
    if (file?.isDue === true) await this.#tryLater(() => file.syncBeside());
  }

  async end(): Promise<void> {
    this.#try(() => this.#assembler.finish());
    await this.#tryLater(async () => this.#file?.settled());
    this.#try(() => this.#file?.finish());
    const ok = !this.#isOver;
    this.#isOver = true;
    this.#door.report({ event: 'ended', ok, bytes: this.#assembler.producedBytes });
  }

  abort(): void {
    if (!this.#isOver) this.#forget();
    this.#door.report({ event: 'ended', ok: false, bytes: this.#assembler.producedBytes });
  }

  #try(action: () => void): void {
    if (this.#isOver) return;
    try {
      action();
    } catch (error) {
      this.#fail(errorCode(error), errorText(error));
    }
  }

  async #tryLater(action: () => Promise<void>): Promise<void> {
    if (this.#isOver) return;
    try {
      await action();
    } catch (error) {
      this.#fail(errorCode(error), errorText(error));
    }
  }

  #fail(code: string, reason: string): void {
    // What failed first is what counts, and the name may be another's by now.
    if (this.#isOver) return;
    this.#forget();
    this.#door.report({ event: 'failed', code, reason });
  }

  /** Removes what was written. */
  #forget(): void {
    this.#isOver = true;
    try {
      this.#file?.discard();
    } catch {
      // What failed first is what counts; the server removes the temporary file as well.
    }
  }
}
