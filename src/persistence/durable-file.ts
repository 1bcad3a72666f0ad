/**
 * Files that must survive power loss: a file whose failed fsync is final, and the replacement of a
 * whole file in one step.
 *
 * A failed fsync is never tried again as if nothing happened. The kernel reports a lost page once
 * and then calls it clean (Rebello et al., "Can Applications Recover from fsync Failures?", ATC
 * 2020), so a second fsync that succeeds says nothing about the bytes before it. A `DurableFile`
 * whose fsync failed is poisoned: every further write and sync throws `PoisonedFileError`. Its
 * bytes must be written again to another file.
 *
 * The folder after a crash at each step of `writeFileDurably('a.conf')`:
 *
 *   1 open temp, write    a.conf (old)  temp-a.conf (part of it)    next call starts it anew
 *   2 fsync temp          a.conf (old)  temp-a.conf (whole)
 *   3 rename              a.conf (old or new, never a mixture)
 *   4 fsync the folder    a.conf (new)
 */
import { basename, join } from 'node:path';
import { errorText, type FileSystem, folderOf, type OpenFile } from './file-system.ts';

/** Thrown by every use of a file after its fsync failed. */
export class PoisonedFileError extends Error {
  readonly code: string;

  constructor(action: string, path: string, reason: unknown) {
    super(
      `${action} ${path} failed (${errorText(reason)}); what was written to it may be lost, so ` +
        'it is not used again: its content has to be written to a new file',
    );
    this.name = 'PoisonedFileError';
    this.code = 'EPOISONED';
  }
}

/** An open file that writes whole ranges and remembers a failed fsync. */
export class DurableFile {
  readonly path: string;
  readonly #file: OpenFile;
  #poison: PoisonedFileError | undefined;

  constructor(file: OpenFile) {
    this.path = file.path;
    this.#file = file;
    this.#poison = undefined;
  }

  /** Why the file cannot be trusted any more, or undefined. */
  get poison(): PoisonedFileError | undefined {
    return this.#poison;
  }

  /** Writes all of `buf[off .. off + len)` at `position`, or throws with a part written. */
  writeAllSync(buf: Uint8Array, off: number, len: number, position: number): void {
    if (this.#poison !== undefined) throw this.#poison;
    let done = 0;
    while (done < len) {
      const count = this.#file.writeSync(buf, off + done, len - done, position + done);
      if (count <= 0) throw noProgress(this.path);
      done += count;
    }
  }

  /** Like `writeAllSync`, off the loop; the bytes are borrowed until the promise settles. */
  async writeAll(buf: Uint8Array, off: number, len: number, position: number): Promise<void> {
    let done = 0;
    while (done < len) {
      if (this.#poison !== undefined) throw this.#poison;
      const count = await this.#file.write(buf, off + done, len - done, position + done);
      if (count <= 0) throw noProgress(this.path);
      done += count;
    }
  }

  /**
   * Writes all of `buf[off .. off + len)` at `position` and makes it durable, off the loop; calls
   * `done` later. The bytes are borrowed until then. Only these bytes are made durable: what was
   * written otherwise needs `syncData` before. A failure poisons the file, since it may have been
   * the fsync's.
   */
  writeAllSynced(
    buf: Uint8Array,
    off: number,
    len: number,
    position: number,
    done: (error: Error | undefined) => void,
  ): void {
    const wrote = (error: Error | null, count: number): void => {
      if (error !== null) done(this.#poisoned('synced write to', error));
      else if (this.#poison !== undefined) done(this.#poison);
      else if (count <= 0) done(this.#poisoned('synced write to', noProgress(this.path)));
      else if (count >= len) done(undefined);
      else this.writeAllSynced(buf, off + count, len - count, position + count, done);
    };
    if (this.#poison !== undefined) queueMicrotask(() => done(this.#poison));
    else this.#file.writeSynced(buf, off, len, position, wrote);
  }

  /** fdatasync, off the loop. A failure poisons the file. */
  async syncData(): Promise<void> {
    if (this.#poison !== undefined) throw this.#poison;
    try {
      await this.#file.syncData();
    } catch (error) {
      throw this.#poisoned('fsync of', error);
    }
    if (this.#poison !== undefined) throw this.#poison;
  }

  syncDataSync(): void {
    if (this.#poison !== undefined) throw this.#poison;
    try {
      this.#file.syncDataSync();
    } catch (error) {
      throw this.#poisoned('fsync of', error);
    }
  }

  #poisoned(action: string, error: unknown): PoisonedFileError {
    this.#poison ??= new PoisonedFileError(action, this.path, error);
    return this.#poison;
  }

  read(buf: Uint8Array, off: number, len: number, position: number): Promise<number> {
    return this.#file.read(buf, off, len, position);
  }

  truncateSync(size: number): void {
    this.#file.truncateSync(size);
  }

  truncate(size: number): Promise<void> {
    return this.#file.truncate(size);
  }

  sizeSync(): number {
    return this.#file.sizeSync();
  }

  closeSync(): void {
    this.#file.closeSync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function noProgress(path: string): Error {
  return Object.assign(new Error(`write to ${path} made no progress`), { code: 'EIO' });
}

/** The name under which `writeFileDurably` prepares a file, in the same folder. */
export function temporaryName(path: string): string {
  return join(folderOf(path), `temp-${basename(path)}`);
}

/**
 * Replaces the file at `path` by `bytes` in one durable step. When it throws, the old file stands
 * (or, if only the last step failed, which of the two survives power loss is open) and the
 * temporary file has been removed as far as the disk allowed.
 */
export async function writeFileDurably(
  fs: FileSystem,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const temp = temporaryName(path);
  try {
    const file = new DurableFile(await fs.open(temp, 'replace'));
    try {
      await file.writeAll(bytes, 0, bytes.length, 0);
      await file.syncData();
    } finally {
      await file.close();
    }
    await fs.rename(temp, path);
  } catch (error) {
    await fs.unlink(temp).catch(() => undefined);
    throw error;
  }
  await fs.fsyncDir(folderOf(path));
}

/** Renames within one folder and makes the new name durable. */
export async function renameDurably(fs: FileSystem, from: string, to: string): Promise<void> {
  await fs.rename(from, to);
  await fs.fsyncDir(folderOf(to));
}

/** Makes a folder, and those above it that are not there, durably. */
export function makeFolderDurably(fs: FileSystem, path: string): void {
  if (fs.statSync(path)?.kind === 'folder') return;
  const above = folderOf(path);
  makeFolderDurably(fs, above);
  fs.mkdirSync(path);
  fs.fsyncDirSync(above);
}

/** The whole of a small file (64 MiB at most), or undefined where there is none. */
export function readFileWholeSync(fs: FileSystem, path: string): Uint8Array | undefined {
  const stat = fs.statSync(path);
  if (stat === undefined) return undefined;
  if (stat.kind !== 'file' || stat.size > WHOLE_FILE_BYTES_MAX) {
    throw new Error(`${path} is not a file of at most ${WHOLE_FILE_BYTES_MAX} bytes`);
  }
  const file = fs.openSync(path, 'read');
  try {
    const bytes = new Uint8Array(stat.size);
    let done = 0;
    while (done < bytes.length) {
      const count = file.readSync(bytes, done, bytes.length - done, done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  } finally {
    file.closeSync();
  }
}

const WHOLE_FILE_BYTES_MAX = 64 * 1024 * 1024;
