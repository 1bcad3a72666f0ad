/**
 * An RDB file in the making: written under a name of its own, and given its final name when all of
 * it is on the disk.
 *
 *     1 open, write      dump.rdb (old)        temp-<pid>.rdb (part of it)
 *     2 fsync            dump.rdb (old)        temp-<pid>.rdb (whole)
 *     3 rename           dump.rdb (old or new, never a mixture)
 *     4 fsync the folder dump.rdb (new)
 *
 * After a crash before 3 the old file stands, and the temporary one may be deleted. Every 4 MB are
 * brought to the disk on the way, so that the fsync at the end does not hit it with everything. Who
 * can wait without blocking has that done beside the writing, and has no more than 8 MB on the way.
 */
import { join } from 'node:path';
import { DurableFile } from '../durable-file.ts';
import { errorText, type FileSystem, folderOf } from '../file-system.ts';

/** Bytes between two fsyncs on the way. */
const SYNC_STEP_BYTES = 4 * 1024 * 1024;

/** The name under which the process `pid` prepares the file at `path`. */
export function temporaryRdbName(path: string, pid: number): string {
  return join(folderOf(path), `temp-${pid}.rdb`);
}

export class RdbFile {
  /** Bytes written. */
  bytes: number;
  readonly #fs: FileSystem;
  readonly #temp: string;
  readonly #path: string;
  readonly #file: DurableFile;
  readonly #syncStep: number;
  #syncedBytes: number;
  readonly #syncsBeside: boolean;
  #syncing: Promise<void> | null = null;
  #isOpen: boolean;

  /**
   * Begins the file that will be `path`. Throws what the disk says. With `syncsBeside` its owner
   * calls `syncBeside` when that `isDue`, and `settled` before `finish`.
   */
  constructor(
    fs: FileSystem,
    path: string,
    pid: number,
    incrementalFsync: boolean,
    syncsBeside = false,
  ) {
    this.bytes = 0;
    this.#fs = fs;
    this.#temp = temporaryRdbName(path, pid);
    this.#path = path;
    this.#file = new DurableFile(fs.openSync(this.#temp, 'replace'));
    this.#syncStep = incrementalFsync ? SYNC_STEP_BYTES : Number.POSITIVE_INFINITY;
    this.#syncedBytes = 0;
    this.#syncsBeside = syncsBeside;
    this.#isOpen = true;
  }

  /** Appends bytes. */
  write(bytes: Uint8Array, length: number): void {
    this.#file.writeAllSync(bytes, 0, length, this.bytes);
    this.bytes += length;
    if (this.#syncsBeside || !this.isDue) return;
    this.#file.syncDataSync();
    this.#syncedBytes = this.bytes;
  }

  /** Whether what was written since the last time should be brought to the disk. */
  get isDue(): boolean {
    return this.bytes - this.#syncedBytes >= this.#syncStep;
  }

  /**
   * Begins to bring all to the disk that was written so far, once this has ended for what was
   * before. Throws what the disk said to that.
   */
  async syncBeside(): Promise<void> {
    await this.settled();
    this.#syncedBytes = this.bytes;
    this.#syncing = this.#file.syncData();
    // Whoever waits for it hears of it.
    this.#syncing.catch(() => {});
  }

  /** Waits until what `syncBeside` has begun is done. Throws what the disk said. */
  async settled(): Promise<void> {
    await this.#syncing;
  }

  /**
   * Makes the file durable under its name. Throws when it could not; the old file stands then, and
   * `discard` is still to be called.
   */
  finish(): void {
    this.#file.syncDataSync();
    this.#close();
    this.#fs.renameSync(this.#temp, this.#path);
    this.#fs.fsyncDirSync(folderOf(this.#path));
  }

  /** Removes what was written, as far as the disk allows. */
  discard(): void {
    try {
      this.#close();
    } finally {
      removeIfThere(this.#fs, this.#temp);
    }
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.closeSync();
  }
}

/** Unlinks a file that may be gone already. */
export function removeIfThere(fs: FileSystem, path: string): void {
  try {
    fs.unlinkSync(path);
  } catch {
    // It is gone, or its folder is: either way nothing of ours is left to remove.
  }
}

/**
 * Why a file of about `expectedBytes` would not fit where `path` lies, or null when it would. With
 * 0 the disk is not asked.
 */
export async function spaceRefusal(
  fs: FileSystem,
  path: string,
  expectedBytes: number,
): Promise<string | null> {
  if (expectedBytes === 0) return null;
  try {
    return refusal(path, expectedBytes, await fs.freeBytes(folderOf(path)));
  } catch (error) {
    return unknownSpace(path, error);
  }
}

/** Like `spaceRefusal`, but waits for the disk. */
export function spaceRefusalSync(
  fs: FileSystem,
  path: string,
  expectedBytes: number,
): string | null {
  if (expectedBytes === 0) return null;
  try {
    return refusal(path, expectedBytes, fs.freeBytesSync(folderOf(path)));
  } catch (error) {
    return unknownSpace(path, error);
  }
}

function unknownSpace(path: string, error: unknown): string {
  return `cannot look at the folder of ${path}: ${errorText(error)}`;
}

function refusal(path: string, expectedBytes: number, freeBytes: number): string | null {
  if (freeBytes >= expectedBytes) return null;
  return (
    `no space: ${expectedBytes} bytes are wanted in ${folderOf(path)} and ${freeBytes} are free; ` +
    "make room, change 'dir', or set disk-space-check to no to try all the same"
  );
}
