/**
 * Putting a backup, an RDB file or an LZ4 frame of one, into a data folder.
 *
 *     temp-dump.rdb                   unpacked, fsynced, looked through as check-rdb does
 *     dump.rdb                        renamed: what a server without AOF loads
 *     appendonlydir/                  what a server with AOF loads
 *       appendonly.aof.1.base.rdb     a copy of it
 *       appendonly.aof.1.incr.aof     empty
 *       appendonly.aof.manifest       written last
 *
 * Both forms stand by default, since whether a server loads one or the other is a matter of its
 * configuration. A second name of one file would be a trap: `cp other.rdb dump.rdb` writes into
 * what is there, and the base, though whole, would be of another dataset than the increments behind
 * it. Where the file system can, the copy shares its blocks until either file is changed.
 */
import { constants, copyFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AofFolder, type AofPlace } from '../aof/aof-folder.ts';
import type { FolderHold } from '../aof/folder-hold.ts';
import { loadedFiles, ManifestError } from '../aof/manifest.ts';
import { DurableFile, makeFolderDurably } from '../durable-file.ts';
import { errorCode, errorText, type FileSystem, type OpenFile } from '../file-system.ts';
import { removeIfThere } from '../rdb/rdb-file.ts';
import { type ByteSource, FileSource, type ReadProgress } from '../rdb/rdb-source.ts';
import type { Rest } from '../rdb/rdb-walk.ts';
import { checkRdbFileResting, type RdbCheckReport } from './check-rdb.ts';
import { decodeLz4, LZ4_MAGIC, type Lz4Sink } from './lz4-frame.ts';

export interface RestoreBackupOptions {
  readonly fs: FileSystem;
  /** The backup. */
  readonly from: string;
  /** The data folder and the names of the AOF in it; `dir` is made if it is not there. */
  readonly place: AofPlace;
  /** `dbfilename`. */
  readonly dbFilename: string;
  /** Which of the forms to make. */
  readonly as: 'both' | 'rdb' | 'aof';
  /** Keeps a server from the AOF that is made. */
  readonly hold: FolderHold | null;
  /** Replace what the folder holds. */
  readonly force: boolean;
  readonly nowMs: number;
  /** Begins to show how far a step is. */
  readonly progress: (doing: string) => ReadProgress;
  /** Asked for on the way, until the folder begins to change; see `RdbWalk.runResting`. */
  readonly rest: Rest;
}

export interface RestoreBackupResult {
  readonly isLz4: boolean;
  readonly rdbBytes: number;
  readonly keys: number;
  /** Paths of the files that were made. */
  readonly files: readonly string[];
}

const PIECE_BYTES = 1 << 20;
/** Bytes between two fsyncs on the way. */
const SYNC_EVERY_BYTES = 32 << 20;

/** Restores. Rejects with what is wrong; what the folder held stands then. */
export async function restoreBackup(options: RestoreBackupOptions): Promise<RestoreBackupResult> {
  const { as, from, fs, hold, place } = options;
  if (fs.statSync(from)?.kind === 'folder') {
    const instead = '--to-timestamp and --to-offset take an AOF';
    throw new Error(`${from} is a folder, and a backup is a file; ${instead}`);
  }
  refuseNonEmpty(fs, place.dir, options.force);
  const folder = new AofFolder(fs, place, hold);
  return inFolder(fs, place.dir, () =>
    as === 'rdb' ? restoreTo(options, folder) : whileHeld(folder, () => restoreTo(options, folder)),
  );
}

/** Works in an AOF folder that no server has; see `inFolder`. */
export function whileHeld<T>(folder: AofFolder, work: () => Promise<T>): Promise<T> {
  return inFolder(folder.fs, folder.path, async () => {
    await folder.takeHold();
    try {
      return await work();
    } finally {
      folder.letGo();
    }
  });
}

/** Works in a folder, which is made if it is not there, and then goes with what fails. */
export async function inFolder<T>(
  fs: FileSystem,
  folder: string,
  work: () => Promise<T>,
): Promise<T> {
  const wasThere = fs.statSync(folder) !== undefined;
  makeFolderDurably(fs, folder);
  try {
    return await work();
  } catch (error) {
    if (!wasThere) removeEmpty(folder);
    throw error;
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It holds something, or is gone.
  }
}

async function restoreTo(
  options: RestoreBackupOptions,
  folder: AofFolder,
): Promise<RestoreBackupResult> {
  const { as, dbFilename, fs, place } = options;
  const temp = join(place.dir, `temp-${dbFilename}`);
  if (isOneFile(options.from, temp)) {
    throw new Error(`${options.from} is where a restore works: give it another name first`);
  }
  try {
    const isLz4 = await unpack(options, temp);
    const report = await verified(options, temp);
    const files: string[] = [];
    if (as !== 'rdb') files.push(...(await adopt(folder, options, temp)));
    if (as !== 'aof') {
      const path = join(place.dir, dbFilename);
      fs.renameSync(temp, path);
      files.unshift(path);
    }
    fs.fsyncDirSync(place.dir);
    return { isLz4, rdbBytes: report.offset, keys: report.keys, files };
  } catch (error) {
    removeIfThere(fs, temp);
    throw error;
  }
}

/** Whether two names are those of one file, which is there. */
function isOneFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

/** Throws when a folder holds anything, unless that is to be replaced. */
export function refuseNonEmpty(fs: FileSystem, folder: string, force: boolean): void {
  const stat = fs.statSync(folder);
  if (stat === undefined) return;
  if (stat.kind !== 'folder') throw new Error(`${folder} is no folder`);
  const names = fs.readdirSync(folder);
  if (names.length === 0 || force) return;
  throw new Error(
    `${folder} is not empty (it holds ${names.slice(0, 3).join(', ')}): choose another folder, ` +
      'or say --force to replace what it holds',
  );
}

/** Copies the backup to `temp`, unpacked and durably. Returns whether it was LZ4. */
async function unpack(options: RestoreBackupOptions, temp: string): Promise<boolean> {
  const { fs, from, rest } = options;
  const source = fs.openSync(from, 'read');
  try {
    const isLz4 = beginsWithLz4(source);
    const file = new DurableFile(fs.openSync(temp, 'replace'));
    try {
      let written = 0;
      let synced = 0;
      const sink = async (bytes: Uint8Array, length: number): Promise<void> => {
        file.writeAllSync(bytes, 0, length, written);
        written += length;
        if (written - synced >= SYNC_EVERY_BYTES) {
          file.syncDataSync();
          synced = written;
        }
        await rest();
      };
      const reader = new FileSource(source, options.progress(isLz4 ? 'unpacking' : 'copying'));
      await (isLz4 ? decodeLz4(reader, sink) : copyPlain(reader, sink));
      file.syncDataSync();
    } finally {
      file.closeSync();
    }
    return isLz4;
  } catch (error) {
    // The disk says by itself which file it means.
    if (errorCode(error) !== 'unknown') throw error;
    throw new Error(`${from}: ${errorText(error)}`, { cause: error });
  } finally {
    source.closeSync();
  }
}

async function copyPlain(source: ByteSource, sink: Lz4Sink): Promise<void> {
  const piece = new Uint8Array(PIECE_BYTES);
  for (;;) {
    const count = source.read(piece, 0, piece.length);
    if (count === 0) return;
    await sink(piece, count);
  }
}

function beginsWithLz4(file: OpenFile): boolean {
  const start = Buffer.alloc(4);
  return file.readSync(start, 0, 4, 0) === 4 && start.readUInt32LE(0) === LZ4_MAGIC;
}

async function verified(options: RestoreBackupOptions, temp: string): Promise<RdbCheckReport> {
  const { from, fs, nowMs, rest } = options;
  const report = await checkRdbFileResting(fs, temp, nowMs, options.progress('checking'), rest);
  if (report.ok) return report;
  throw new Error(`${from} is not sound, so it was not restored: ${report.error}`);
}

/** Makes the file at `temp` the base of an AOF. Returns the paths of its files. */
async function adopt(
  folder: AofFolder,
  options: RestoreBackupOptions,
  temp: string,
): Promise<string[]> {
  await folder.makeFolder();
  try {
    await folder.read();
  } catch (error) {
    // A manifest that cannot be read is replaced like one that can.
    if (!(error instanceof ManifestError) || !options.force) throw error;
  }
  const base = folder.temporaryBasePath('restore');
  removeIfThere(options.fs, base);
  try {
    if (options.as === 'aof') move(options.fs, temp, base);
    else copy(options.fs, temp, base);
    await folder.adoptBase(base, 'rdb', 0);
  } catch (error) {
    removeIfThere(options.fs, base);
    throw error;
  }
  await folder.addIncr();
  await folder.deleteHistory();
  return [
    folder.manifestPath,
    ...loadedFiles(folder.manifest).map(({ name }) => folder.pathOf(name)),
  ];
}

/** Gives a file another name, also on another file system. */
function move(fs: FileSystem, from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (errorCode(error) !== 'EXDEV') throw error;
    copy(fs, from, to);
    fs.unlinkSync(from);
  }
}

/** Makes a copy of a file, durably. */
function copy(fs: FileSystem, from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  const file = fs.openSync(to, 'update');
  try {
    file.syncDataSync();
  } finally {
    file.closeSync();
  }
}
