/**
 * Takes the place of the snapshot's child: this process writes the file itself, between the turns
 * of its loop. It takes longer than beside the loop, and what waits for the loop waits longer; so
 * it is for a server that has little else to do any more, but must hear signals and commands.
 *
 * Each step has a turn of its own: begin, a piece of at most 256 KiB, the end. `leave` removes an
 * unfinished file at once.
 */
import type { FileSystem } from '../file-system.ts';
import { SnapshotFile } from './snapshot-file.ts';
import type { JobListener, SnapshotWriter } from './snapshot-helper.ts';
import type { SnapshotJob } from './snapshot-protocol.ts';

/** A file being written, and who hears of it. */
class Work {
  readonly file: SnapshotFile;
  isLeft = false;
  #steps: Promise<void> = Promise.resolve();

  constructor(fs: FileSystem, job: SnapshotJob, listener: JobListener) {
    this.file = new SnapshotFile(job, {
      fs,
      report: (what) => {
        if (!this.isLeft) listener.report(what);
      },
      stream: () => {
        throw new Error('files are written here, not streams');
      },
    });
  }

  /** Has `step` done in a later turn, after those before it. */
  next(step: () => Promise<void>): void {
    this.#steps = this.#steps.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.isLeft) await step();
    });
  }
}

export class SnapshotHere implements SnapshotWriter {
  readonly #fs: FileSystem;
  #work: Work | null;

  constructor(fs: FileSystem) {
    this.#fs = fs;
    this.#work = null;
  }

  begin(job: SnapshotJob, listener: JobListener): void {
    const work = new Work(this.#fs, job, listener);
    this.#work = work;
    work.next(() => work.file.begin());
  }

  data(bytes: Uint8Array, sent: () => void): void {
    const work = this.#work;
    work?.next(async () => {
      work.file.data(bytes, 0, bytes.length);
      await work.file.sync();
      sent();
    });
  }

  end(): void {
    const work = this.#work;
    work?.next(() => work.file.end());
  }

  leave(): void {
    const work = this.#work;
    this.#work = null;
    if (work === null) return;
    work.isLeft = true;
    work.file.abort();
  }

  resume(): void {}
}
