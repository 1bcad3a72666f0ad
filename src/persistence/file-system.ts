/**
 * The door to the disk: every file action of the server goes through a `FileSystem`, so that a
 * test can replace the disk by one that tears writes, runs out of space and fails fsync.
 *
 * What the calls promise is what POSIX promises and no more:
 *
 *   write       may write fewer bytes than asked; survives `kill -9`, not power loss
 *   syncData    the bytes and the length written before the call survive power loss
 *   writeSynced  the bytes it wrote survive power loss, and the length; nothing is said of others
 *   rename      replaces the target at once for every reader; survives power loss after fsyncDir
 *   open, unlink  the name appears or goes; survives power loss after fsyncDir of its folder
 *
 * Positions are always explicit (pwrite), never the file's own cursor: a write that failed half
 * way is repeated at the same position and cannot leave its first half behind in the middle.
 *
 * The forms ending in `Sync` block the event loop: they are for start, shutdown, and writes that
 * end in the page cache. The others run in libuv's thread pool.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';

/**
 * How a file is opened: `read` an existing one; `replace` creates or empties; `update` creates or
 * keeps what is there; `journal` as `update`, and `writeSynced` is one call. All but the first
 * read and write.
 */
export type OpenMode = 'read' | 'replace' | 'update' | 'journal';

/** What a name stands for. Sizes in bytes. */
export type FileStat = {
  readonly kind: 'file' | 'folder' | 'other';
  readonly size: number;
};

/** An open file. Offsets and lengths in bytes; errors are thrown with a `code` such as ENOSPC. */
export interface OpenFile {
  readonly path: string;
  /** Returns the bytes read; 0 at the end of the file. */
  readSync(buf: Uint8Array, off: number, len: number, position: number): number;
  read(buf: Uint8Array, off: number, len: number, position: number): Promise<number>;
  /** Returns the bytes written, possibly fewer than `len`. */
  writeSync(buf: Uint8Array, off: number, len: number, position: number): number;
  write(buf: Uint8Array, off: number, len: number, position: number): Promise<number>;
  /**
   * Writes and makes durable what it wrote. Calls `done` later with the bytes written, possibly
   * fewer than `len`, or with the error of either half: which one, and how much of the bytes is on
   * disk, is not known then.
   */
  writeSynced(
    buf: Uint8Array,
    off: number,
    len: number,
    position: number,
    done: (error: Error | null, count: number) => void,
  ): void;
  /** Calls fdatasync(2), waiting for the disk. */
  syncDataSync(): void;
  syncData(): Promise<void>;
  truncateSync(size: number): void;
  truncate(size: number): Promise<void>;
  sizeSync(): number;
  closeSync(): void;
  close(): Promise<void>;
}

/** The names of a disk. `stat` gives undefined where nothing has the name. */
export interface FileSystem {
  openSync(path: string, mode: OpenMode): OpenFile;
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  renameSync(from: string, to: string): void;
  rename(from: string, to: string): Promise<void>;
  unlinkSync(path: string): void;
  unlink(path: string): Promise<void>;
  /** Makes the names in the folder durable. */
  fsyncDirSync(path: string): void;
  fsyncDir(path: string): Promise<void>;
  readdirSync(path: string): string[];
  readdir(path: string): Promise<string[]>;
  statSync(path: string): FileStat | undefined;
  stat(path: string): Promise<FileStat | undefined>;
  /** Makes a folder, and those above it; one that is there stays. */
  mkdirSync(path: string): void;
  mkdir(path: string): Promise<void>;
  /** Bytes that an ordinary user may still write where `path` lies. */
  freeBytes(path: string): Promise<number>;
  freeBytesSync(path: string): number;
}

/** The folder that holds `path`, never empty. */
export function folderOf(path: string): string {
  return dirname(path);
}

/**
 * Whether something thrown is an error, whoever made it. A test runner that gives each test a
 * context of its own (Jest, Vitest with vmThreads) runs this code with an `Error` of its own, while
 * errors of system calls are made with Node's: to `instanceof` they are none.
 */
export function isError(thrown: unknown): thrown is Error {
  return Object.prototype.toString.call(thrown) === '[object Error]';
}

/** The errno name of an error of a file call, or `unknown`. */
export function errorCode(error: unknown): string {
  if (isError(error) && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'unknown';
}

/** The text of anything thrown. */
export function errorText(error: unknown): string {
  return isError(error) ? error.message : String(error);
}

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY,
  replace: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC,
  update: fs.constants.O_RDWR | fs.constants.O_CREAT,
  journal: fs.constants.O_RDWR | fs.constants.O_CREAT,
};

/**
 * With O_DSYNC a write returns when its bytes are durable: one trip to the thread pool instead of
 * two. Only Linux is known to flush the disk's own cache for it as fdatasync does.
 */
const SYNCED_FLAGS =
  process.platform === 'linux' ? fs.constants.O_WRONLY | fs.constants.O_DSYNC : undefined;

const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

/** The file systems of the machine, through `node:fs`. */
export const realFileSystem: FileSystem = {
  openSync: (path, mode) => {
    const fd = fs.openSync(path, FLAGS[mode], FILE_MODE);
    if (mode !== 'journal' || SYNCED_FLAGS === undefined) return new RealFile(path, fd, -1);
    try {
      return new RealFile(path, fd, fs.openSync(path, SYNCED_FLAGS));
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  },
  open: async (path, mode) => {
    const fd = await openDescriptor(path, FLAGS[mode]);
    if (mode !== 'journal' || SYNCED_FLAGS === undefined) return new RealFile(path, fd, -1);
    try {
      return new RealFile(path, fd, await openDescriptor(path, SYNCED_FLAGS));
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  },
  renameSync: (from, to) => fs.renameSync(from, to),
  rename: (from, to) => settle((done) => fs.rename(from, to, done)),
  unlinkSync: (path) => fs.unlinkSync(path),
  unlink: (path) => settle((done) => fs.unlink(path, done)),
  fsyncDirSync: (path) => {
    const fd = fs.openSync(path, fs.constants.O_RDONLY);
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  fsyncDir: async (path) => {
    const fd = await openDescriptor(path, fs.constants.O_RDONLY);
    try {
      await settle((done) => fs.fsync(fd, done));
    } finally {
      fs.closeSync(fd);
    }
  },
  readdirSync: (path) => fs.readdirSync(path),
  readdir: (path) => fs.promises.readdir(path),
  statSync: (path) => {
    try {
      return describe(fs.statSync(path));
    } catch (error) {
      return nothingThere(error);
    }
  },
  stat: async (path) => {
    try {
      return describe(await fs.promises.stat(path));
    } catch (error) {
      return nothingThere(error);
    }
  },
  mkdirSync: (path) => {
    try {
      fs.mkdirSync(path, FOLDER_MODE);
    } catch (error) {
      makeFolderAfter(error, path);
    }
  },
  mkdir: async (path) => {
    try {
      await fs.promises.mkdir(path, FOLDER_MODE);
    } catch (error) {
      makeFolderAfter(error, path);
    }
  },
  freeBytes: async (path) => {
    const stat = await fs.promises.statfs(path);
    return stat.bavail * stat.bsize;
  },
  freeBytesSync: (path) => {
    const stat = fs.statfsSync(path);
    return stat.bavail * stat.bsize;
  },
};

/** What stat(2) says where nothing has the name, or nothing can, below a file; throws all else. */
function nothingThere(error: unknown): undefined {
  const code = errorCode(error);
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
}

function describe(stat: fs.Stats): FileStat {
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
  return { kind, size: stat.size };
}

/**
 * Goes on after mkdir(2) has failed: the folder may be there, or those above it be missing. Node
 * would do all that in one call, but then calls a read-only disk a missing file.
 */
function makeFolderAfter(error: unknown, path: string): void {
  const code = errorCode(error);
  if (code === 'ENOENT') fs.mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  else if (code !== 'EEXIST') throw error;
  else if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const reason = `ENOTDIR: not a directory, mkdir '${path}'`;
    throw Object.assign(new Error(reason), { code: 'ENOTDIR', path });
  }
}

function settle(
  call: (done: (error: NodeJS.ErrnoException | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error === null ? resolve() : reject(error)));
  });
}

function openDescriptor(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, FILE_MODE, (error, fd) => (error === null ? resolve(fd) : reject(error)));
  });
}

/** A write that failed, with the file that it was for: of a descriptor the system names none. */
function withPath(error: Error, path: string): Error {
  return Object.assign(error, { path });
}

class RealFile implements OpenFile {
  readonly path: string;
  readonly #fd: number;
  /** The same file opened with O_DSYNC, or -1. */
  readonly #syncedFd: number;

  constructor(path: string, fd: number, syncedFd: number) {
    this.path = path;
    this.#fd = fd;
    this.#syncedFd = syncedFd;
  }

  readSync(buf: Uint8Array, off: number, len: number, position: number): number {
    return fs.readSync(this.#fd, buf, off, len, position);
  }

  read(buf: Uint8Array, off: number, len: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, buf, off, len, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  writeSync(buf: Uint8Array, off: number, len: number, position: number): number {
    try {
      return fs.writeSync(this.#fd, buf, off, len, position);
    } catch (error) {
      throw isError(error) ? withPath(error, this.path) : error;
    }
  }

  write(buf: Uint8Array, off: number, len: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#fd, buf, off, len, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(withPath(error, this.path));
      });
    });
  }

  writeSynced(
    buf: Uint8Array,
    off: number,
    len: number,
    position: number,
    done: (error: Error | null, count: number) => void,
  ): void {
    if (this.#syncedFd >= 0) {
      fs.write(this.#syncedFd, buf, off, len, position, done);
      return;
    }
    fs.write(this.#fd, buf, off, len, position, (writeError, count) => {
      if (writeError !== null) done(writeError, 0);
      else fs.fdatasync(this.#fd, (error) => done(error, count));
    });
  }

  syncDataSync(): void {
    fs.fdatasyncSync(this.#fd);
  }

  syncData(): Promise<void> {
    return settle((done) => fs.fdatasync(this.#fd, done));
  }

  truncateSync(size: number): void {
    fs.ftruncateSync(this.#fd, size);
  }

  truncate(size: number): Promise<void> {
    return settle((done) => fs.ftruncate(this.#fd, size, done));
  }

  sizeSync(): number {
    return fs.fstatSync(this.#fd).size;
  }

  closeSync(): void {
    if (this.#syncedFd >= 0) fs.closeSync(this.#syncedFd);
    fs.closeSync(this.#fd);
  }

  async close(): Promise<void> {
    if (this.#syncedFd >= 0) await settle((done) => fs.close(this.#syncedFd, done));
    await settle((done) => fs.close(this.#fd, done));
  }
}
