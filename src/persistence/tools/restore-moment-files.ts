/**
 * Writing the files of an AOF as of a moment. Where the folder holds an AOF already, the new one
 * takes the names behind it, and the manifest goes from one to the other at once:
 *
 *     a.3.base.rdb  a.3.incr.aof                                a.manifest: 3 3
 *     a.3.base.rdb  a.3.incr.aof  a.6.base.rdb  a.7.incr.aof    a.manifest: 3 3
 *     a.3.base.rdb  a.3.incr.aof  a.6.base.rdb  a.7.incr.aof    a.manifest: 6 7
 *                                 a.6.base.rdb  a.7.incr.aof    a.manifest: 6 7
 *
 * What fails before the manifest is written takes the new files away again.
 */
import type { AofFolder } from '../aof/aof-folder.ts';
import type { CutPlace } from '../aof/aof-moment.ts';
import { encodePositionLine } from '../aof/aof-position.ts';
import { becameShorter } from '../aof/aof-reader.ts';
import { voidHeadIn } from '../aof/aof-scan.ts';
import {
  type AofFileInfo,
  EMPTY_MANIFEST,
  formatManifest,
  type Manifest,
  ManifestError,
  withNextIncr,
} from '../aof/manifest.ts';
import { DurableFile, readFileWholeSync } from '../durable-file.ts';
import type { FileSystem } from '../file-system.ts';
import { removeIfThere } from '../rdb/rdb-file.ts';
import type { ReadProgress } from '../rdb/rdb-source.ts';
import type { Rest } from '../rdb/rdb-walk.ts';

/** A file of the source, and how much of it is taken. */
export interface Part {
  readonly info: AofFileInfo;
  readonly path: string;
  readonly place: CutPlace;
}

interface MomentFilesOptions {
  readonly progress: (doing: string) => ReadProgress;
  readonly rest: Rest;
}

const PIECE_BYTES = 1 << 20;

/** Writes into one folder, which is there. */
export class MomentFiles {
  readonly #fs: FileSystem;
  readonly #folder: AofFolder;
  readonly #options: MomentFilesOptions;
  readonly #made: string[] = [];

  constructor(folder: AofFolder, options: MomentFilesOptions) {
    this.#fs = folder.fs;
    this.#folder = folder;
    this.#options = options;
  }

  /** Makes the parts the AOF of the folder. Rejects with what the disk says. */
  async write(parts: readonly Part[]): Promise<Manifest> {
    const before = await this.#manifestBefore();
    const manifest = this.#manifestOf(parts);
    try {
      const names = [manifest.base, ...manifest.incrs].filter((info) => info !== undefined);
      for (const [index, part] of parts.entries()) await this.#copy(part, names[index]!.name);
      await this.#end(names.at(-1)!.name);
      await this.#fs.fsyncDir(this.#folder.path);
      await this.#folder.write(manifest);
    } catch (error) {
      this.#takeAway(manifest);
      throw error;
    }
    this.#removeOld(before, manifest);
    return manifest;
  }

  async #manifestBefore(): Promise<Manifest> {
    try {
      return await this.#folder.read();
    } catch (error) {
      // Nobody can tell what such a manifest names; it is replaced like one that can be read.
      if (!(error instanceof ManifestError)) throw error;
      return EMPTY_MANIFEST;
    }
  }

  /** The parts under their new names, and the increment that ends the history. */
  #manifestOf(parts: readonly Part[]): Manifest {
    const lastSeq = this.#lastSeq(parts);
    const infos = parts.map(({ info }) => this.#renamed(info, lastSeq));
    const base = infos.find(({ type }) => type === 'base');
    const incrs = infos.filter(({ type }) => type === 'incr');
    const baseSeq = base?.seq ?? 0;
    const incrSeq = incrs.at(-1)?.seq ?? lastSeq;
    const kept = { ...EMPTY_MANIFEST, base, incrs, baseSeq, incrSeq };
    return withNextIncr(kept, this.#appendFilename).manifest;
  }

  /** The highest number in the folder's names; 0 where no name is in the way. */
  #lastSeq(parts: readonly Part[]): number {
    const start = `${this.#appendFilename}.`;
    const numbers = this.#fs.readdirSync(this.#folder.path).map((name) => {
      const rest = name.startsWith(start) ? name.slice(start.length) : '';
      const seq = Number(/^(\d{1,15})\.(?:base|incr)\./.exec(rest)?.[1] ?? 0);
      return seq === 0 && parts.some(({ info }) => info.name === name) ? 1 : seq;
    });
    return Math.max(0, ...numbers);
  }

  #renamed(info: AofFileInfo, by: number): AofFileInfo {
    if (by === 0) return info;
    const seq = info.seq + by;
    const end = info.name.endsWith('.rdb') ? 'rdb' : 'aof';
    return { ...info, name: `${this.#appendFilename}.${seq}.${info.type}.${end}`, seq };
  }

  get #appendFilename(): string {
    return this.#folder.place.appendFilename;
  }

  async #copy(part: Part, name: string): Promise<void> {
    const { bytes, headOffset } = part.place;
    const tell = this.#options.progress(`copying ${part.info.name}`);
    const from = await this.#fs.open(part.path, 'read');
    try {
      await this.#make(name, async (to) => {
        const piece = new Uint8Array(Math.min(PIECE_BYTES, Math.max(1, bytes)));
        for (let done = 0; done < bytes; ) {
          const count = await from.read(piece, 0, Math.min(piece.length, bytes - done), done);
          if (count === 0) throw becameShorter(part.path);
          await to.writeAll(piece, 0, count, done);
          done += count;
          tell(done, bytes);
          await this.#options.rest();
        }
        if (headOffset >= 0) await voidHeadIn(to, headOffset);
      });
    } finally {
      await from.close();
    }
  }

  /** The file that ends the history. */
  #end(name: string): Promise<void> {
    const line = encodePositionLine(null);
    return this.#make(name, (file) => file.writeAll(line, 0, line.length, 0));
  }

  /** Makes a file, durably. */
  async #make(name: string, fill: (file: DurableFile) => Promise<void>): Promise<void> {
    const path = this.#folder.pathOf(name);
    const file = new DurableFile(await this.#fs.open(path, 'replace'));
    this.#made.push(path);
    try {
      await fill(file);
      await file.syncData();
    } finally {
      await file.close();
    }
  }

  /** Removes what was made, unless the manifest came to name it all the same. */
  #takeAway(manifest: Manifest): void {
    const text = readFileWholeSync(this.#fs, this.#folder.manifestPath);
    if (text !== undefined && Buffer.from(text).toString('latin1') === formatManifest(manifest)) {
      return;
    }
    for (const path of this.#made) removeIfThere(this.#fs, path);
  }

  #removeOld(before: Manifest, manifest: Manifest): void {
    const kept = new Set([manifest.base, ...manifest.incrs].map((info) => info?.name));
    for (const info of [before.base, ...before.history, ...before.incrs]) {
      if (info === undefined || kept.has(info.name)) continue;
      removeIfThere(this.#fs, this.#folder.pathOf(info.name));
    }
  }
}
