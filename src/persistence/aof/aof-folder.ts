/**
 * The AOF's folder: the manifest on disk, the files it names, and what a crash may have left
 * beside them. `manifest.ts` shows the folder at each step of a rewrite.
 *
 *   <dir>/
 *     appendonly.aof                       the single file of a Redis before 7.0, taken in below
 *     appendonlydir/
 *       appendonly.aof.manifest
 *       appendonly.aof.1.base.rdb
 *       appendonly.aof.1.incr.aof
 *       temp-appendonly.aof.manifest       a manifest being written: removed at start
 *       temp-appendonly.aof.incr           switched on, first rewrite not finished: removed
 *       temp-rewriteaof-<pid>.aof          a base that was written: removed
 *       temp-<pid>.rdb                     a base being written (rdb-file.ts): removed
 *
 * Every change goes `a new manifest value -> disk -> adopted`. When the disk refuses, the old value
 * stays, but the sequence numbers it would have used are spent: a manifest that may have reached
 * the disk after all must never find its names on other content.
 *
 * Taking in an old single file, and a start after a crash at each step:
 *
 *   1 make the folder                          nothing taken in yet: starts over
 *   2 manifest: base `appendonly.aof` seq 1    the base is not in the folder: goes on with 3
 *   3 move the file into the folder            done
 */
import { join } from 'node:path';
import { readFileWholeSync, renameDurably, writeFileDurably } from '../durable-file.ts';
import { errorCode, errorText, type FileSystem } from '../file-system.ts';
import type { FolderHold } from './folder-hold.ts';
import {
  type AofFileInfo,
  EMPTY_MANIFEST,
  formatManifest,
  loadedFiles,
  type Manifest,
  manifestName,
  nextBase,
  parseManifest,
  withBase,
  withNextIncr,
  withoutHistory,
} from './manifest.ts';

/** Where the AOF lives; names as in the configuration. */
export type AofPlace = {
  /** `dir`, absolute. */
  readonly dir: string;
  /** `appenddirname`. */
  readonly appendDirName: string;
  /** `appendfilename`. */
  readonly appendFilename: string;
};

export class AofFolder {
  readonly fs: FileSystem;
  readonly #hold: FolderHold | null;
  #place: AofPlace;
  #manifest: Manifest;

  /** `hold` keeps others away; null where nobody else can be. */
  constructor(fs: FileSystem, place: AofPlace, hold: FolderHold | null) {
    this.fs = fs;
    this.#hold = hold;
    this.#place = place;
    this.#manifest = EMPTY_MANIFEST;
  }

  get place(): AofPlace {
    return this.#place;
  }

  /** The folder's path. */
  get path(): string {
    return join(this.#place.dir, this.#place.appendDirName);
  }

  /**
   * Takes hold of the folder: to be done before anything in it is changed. Rejects with
   * `FolderHeldError` while another server has it. One that is not there is made, or left so.
   */
  async takeHold(when: 'made' | 'if there' = 'made'): Promise<void> {
    if (when === 'if there' && (await this.fs.stat(this.path)) === undefined) return;
    await this.#take(this.path);
  }

  async #take(path: string): Promise<void> {
    if (this.#hold === null) return;
    await this.fs.mkdir(path);
    await this.#hold.take(path);
  }

  /** Others may have the folder. */
  letGo(): void {
    this.#hold?.letGo();
  }

  /**
   * Turns to the folder of the same name in `dir`: takes hold of it, reads what is in it, and makes
   * it when it is not there. Has hold of no folder when it rejects.
   */
  async moveTo(dir: string): Promise<void> {
    try {
      await this.#take(join(dir, this.#place.appendDirName));
      this.#place = { ...this.#place, dir };
      this.#manifest = EMPTY_MANIFEST;
      await this.read();
      await this.makeFolder();
    } catch (error) {
      this.letGo();
      throw error;
    }
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  /** Whether there is anything to load. */
  get isFresh(): boolean {
    return loadedFiles(this.#manifest).length === 0;
  }

  pathOf(name: string): string {
    return join(this.path, name);
  }

  get manifestPath(): string {
    return this.pathOf(manifestName(this.place.appendFilename));
  }

  /** The increment of an AOF that was switched on and has no base yet. */
  get temporaryIncrPath(): string {
    return this.pathOf(`temp-${this.place.appendFilename}.incr`);
  }

  /** Where a rewrite writes its base before `adoptBase`. */
  temporaryBasePath(tag: string | number): string {
    return this.pathOf(`temp-rewriteaof-${tag}.aof`);
  }

  /**
   * Reads the manifest and makes what was read durable. Throws `ManifestError`, or the disk's
   * error.
   */
  async read(): Promise<Manifest> {
    const hasFolder = (await this.fs.stat(this.path))?.kind === 'folder';
    if (hasFolder) {
      // A manifest renamed just before kill -9 is visible, and may still go with the power.
      await this.fs.fsyncDir(this.path);
      const bytes = readFileWholeSync(this.fs, this.manifestPath);
      this.#manifest =
        bytes === undefined ? EMPTY_MANIFEST : parseManifest(bytes, this.place.appendFilename);
    } else {
      this.#manifest = EMPTY_MANIFEST;
    }
    return this.#manifest;
  }

  /**
   * Takes in the single file of an older server as base 1, when there is one and nothing else to
   * load. For a start with `appendonly yes`, after `read`. Returns whether it did.
   */
  async takeInOldFile(): Promise<boolean> {
    const name = this.place.appendFilename;
    const oldPath = join(this.place.dir, name);
    if ((await this.fs.stat(oldPath))?.kind !== 'file') return false;
    const { base, incrs } = this.#manifest;
    const isInterrupted =
      base?.name === name &&
      incrs.length === 0 &&
      (await this.fs.stat(this.pathOf(name))) === undefined;
    if (!this.isFresh && !isInterrupted) return false;
    await this.makeFolder();
    if (!isInterrupted) {
      await this.write({ ...EMPTY_MANIFEST, base: { name, seq: 1, type: 'base' }, baseSeq: 1 });
    }
    await renameDurably(this.fs, oldPath, this.pathOf(name));
    await this.fs.fsyncDir(this.place.dir);
    return true;
  }

  /** Makes the folder, durably. */
  async makeFolder(): Promise<void> {
    await this.fs.mkdir(this.path);
    await this.fs.fsyncDir(this.place.dir);
  }

  /** The files to load in order, with their sizes; throws when one is missing. */
  async filesToLoad(): Promise<{ readonly info: AofFileInfo; readonly size: number }[]> {
    const files = [];
    for (const info of loadedFiles(this.#manifest)) {
      const stat = await this.fs.stat(this.pathOf(info.name));
      if (stat?.kind !== 'file') {
        throw new Error(
          `can't open the append-only file ${info.name} for reading: No such file or directory. ` +
            `The AOF manifest ${this.manifestPath} names it: put the file back, or restore the ` +
            'folder from a backup',
        );
      }
      files.push({ info, size: stat.size });
    }
    return files;
  }

  /** Writes and adopts a manifest. */
  async write(manifest: Manifest): Promise<void> {
    try {
      const text = formatManifest(manifest);
      await writeFileDurably(this.fs, this.manifestPath, Buffer.from(text, 'latin1'));
    } catch (error) {
      const baseSeq = Math.max(this.#manifest.baseSeq, manifest.baseSeq);
      const incrSeq = Math.max(this.#manifest.incrSeq, manifest.incrSeq);
      this.#manifest = { ...this.#manifest, baseSeq, incrSeq };
      throw error;
    }
    this.#manifest = manifest;
  }

  /** Adds a new, empty increment to the manifest. */
  async addIncr(): Promise<AofFileInfo> {
    const { manifest, incr } = withNextIncr(this.#manifest, this.place.appendFilename);
    // Spent, whatever comes: a name that stands there already is not new to the folder, and its
    // next fsync would not make durable what this one failed to.
    this.#manifest = { ...this.#manifest, incrSeq: incr.seq };
    const file = await this.fs.open(this.pathOf(incr.name), 'replace');
    await file.close();
    // The name before the manifest that names it.
    await this.fs.fsyncDir(this.path);
    await this.write(manifest);
    return incr;
  }

  /**
   * Makes the finished, synced file at `temporaryPath` the base, in the place of all but the last
   * `keptIncrs` increments. `renamedIncr`: that path becomes the next increment as well.
   */
  async adoptBase(
    temporaryPath: string,
    format: 'rdb' | 'aof',
    keptIncrs: number,
    renamedIncr?: string,
  ): Promise<void> {
    const name = this.place.appendFilename;
    const base = nextBase(this.#manifest, name, format);
    let next = this.#manifest;
    await this.fs.rename(temporaryPath, this.pathOf(base.name));
    if (renamedIncr !== undefined) {
      const added = withNextIncr(next, name);
      next = added.manifest;
      await this.fs.rename(renamedIncr, this.pathOf(added.incr.name));
    }
    await this.fs.fsyncDir(this.path);
    await this.write(withBase(next, base, keptIncrs));
  }

  /** Deletes the history files and takes them out of the manifest. */
  async deleteHistory(): Promise<void> {
    if (this.#manifest.history.length === 0) return;
    for (const info of this.#manifest.history) await this.#unlinkIfThere(this.pathOf(info.name));
    await this.write(withoutHistory(this.#manifest));
  }

  /** Removes what an interrupted start, switch or rewrite has left behind. Returns the names. */
  async removeLeftovers(): Promise<string[]> {
    const { appendFilename } = this.place;
    const temporary = new Set([
      `temp-${appendFilename}.incr`,
      `temp-${manifestName(appendFilename)}`,
    ]);
    const names = (await this.fs.readdir(this.path)).filter(
      (name) => temporary.has(name) || /^temp-(?:rewriteaof-.*\.aof|\d+\.rdb)$/.test(name),
    );
    for (const name of names) await this.#unlinkIfThere(this.pathOf(name));
    return names;
  }

  async #unlinkIfThere(path: string): Promise<void> {
    try {
      await this.fs.unlink(path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') {
        throw new Error(`could not delete ${path} (${errorText(error)})`, { cause: error });
      }
    }
  }
}
