/**
 * Rebuilding an AOF folder as of a moment, from the files of another that reaches beyond it.
 *
 *     FROM   base   incr 1   incr 2 ....|.... incr 3        | the moment
 *     TO     base   incr 1   incr 2 ....  incr 3: #RP:-     manifest, written last
 *
 * Files before the moment are copied, the one it lies in is cut there, later ones are left out, and
 * FROM stays as it is. The last file of TO says that nobody can go on from here in the replication
 * stream: what the stream went on with is what was left out.
 *
 * Nothing before the base can be had: its files are gone since the last rewrite.
 */
import { basename, dirname, join } from 'node:path';
import { AofFolder } from '../aof/aof-folder.ts';
import { type CutPlace, type Moment, type MomentFile, MomentSearch } from '../aof/aof-moment.ts';
import { type AofPosition, positionOfAux } from '../aof/aof-position.ts';
import type { FolderHold } from '../aof/folder-hold.ts';
import { type AofFileInfo, appendFilenameOf, loadedFiles, parseManifest } from '../aof/manifest.ts';
import { readFileWholeSync } from '../durable-file.ts';
import type { FileSystem } from '../file-system.ts';
import { beginsWithRdb, RDB_START_BYTES } from '../rdb/rdb-ends.ts';
import { RdbError } from '../rdb/rdb-error.ts';
import { RdbReader } from '../rdb/rdb-reader.ts';
import { FileSource, type ReadProgress } from '../rdb/rdb-source.ts';
import { RdbWalk, type Rest } from '../rdb/rdb-walk.ts';
import { isManifest } from './check-aof.ts';
import { inFolder, refuseNonEmpty, whileHeld } from './restore-backup.ts';
import { MomentFiles, type Part } from './restore-moment-files.ts';

export interface RestoreMomentOptions {
  readonly fs: FileSystem;
  /** A manifest, an AOF folder, a data folder with one in it, or a single AOF file. */
  readonly from: string;
  /** The data folder that is made. */
  readonly to: string;
  readonly appendDirName: string;
  readonly moment: Moment;
  /** Keeps a server from the AOF that is made. */
  readonly hold: FolderHold | null;
  /** Replace what the folder holds. */
  readonly force: boolean;
  /** Begins to show how far a step is. */
  readonly progress: (doing: string) => ReadProgress;
  /** Asked for on the way, see `RdbWalk.runResting`. */
  readonly rest: Rest;
}

export interface RestoreMomentResult {
  /** The manifest that was written. */
  readonly manifest: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** Commands kept of the increments; the base counts none where it is an RDB. */
  readonly keptCommands: number;
  /** What lies behind the moment. */
  readonly leftOutCommands: number;
  readonly leftOutBytes: number;
  readonly leftOutFiles: readonly string[];
  /** The last second and position at or before the moment, where they are told. */
  readonly lastSecond: number | null;
  readonly position: AofPosition | null;
  /** The first second told behind the moment. */
  readonly nextSecond: number | null;
  /** What is wrong with what was left out; empty when nothing is. */
  readonly trouble: string;
}

/** Restores. Rejects with what is wrong and what to do. */
export async function restoreMoment(options: RestoreMomentOptions): Promise<RestoreMomentResult> {
  const { fs, to } = options;
  const source = await findSource(fs, options.from);
  refuseNonEmpty(fs, to, options.force);
  const place = { dir: to, appendDirName: options.appendDirName, appendFilename: source.name };
  const folder = new AofFolder(fs, place, options.hold);
  if (folder.path === source.folder) throw new Error(`${to} is where the AOF is restored from`);
  const plan = await new Planner(options, source).plan();
  const manifest = await inFolder(fs, to, () =>
    whileHeld(folder, async () => {
      await folder.makeFolder();
      return new MomentFiles(folder, options).write(plan.parts);
    }),
  );
  const files = loadedFiles(manifest).map(({ name }) => ({
    name,
    bytes: fs.statSync(folder.pathOf(name))?.size ?? 0,
  }));
  return { ...plan.result, manifest: folder.manifestPath, files };
}

// ------------------------------------------------------------------ the source

interface Source {
  readonly folder: string;
  /** `appendfilename`. */
  readonly name: string;
  readonly files: readonly { readonly info: AofFileInfo; readonly path: string }[];
}

async function findSource(fs: FileSystem, from: string): Promise<Source> {
  const stat = fs.statSync(from);
  if (stat === undefined) throw new Error(`${from} is not there`);
  const path = stat.kind === 'folder' ? findManifest(fs, from) : from;
  const folder = dirname(path);
  if (!(await isManifest(fs, path))) {
    const name = basename(path);
    const info: AofFileInfo = { name: `${name}.1.base.aof`, seq: 1, type: 'base' };
    return { folder, name, files: [{ info, path }] };
  }
  const name = appendFilenameOf(path);
  const manifest = parseManifest(readFileWholeSync(fs, path) ?? new Uint8Array(0), name);
  const files = loadedFiles(manifest).map((info) => ({ info, path: join(folder, info.name) }));
  for (const file of files) {
    if (fs.statSync(file.path) === undefined) throw new Error(`${file.path} is not there`);
  }
  return { folder, name, files };
}

/** The manifest in a folder, or in one of its folders. */
function findManifest(fs: FileSystem, folder: string): string {
  const manifests = (path: string): string[] =>
    fs
      .readdirSync(path)
      .filter((name) => name.endsWith('.manifest') && !name.startsWith('temp-'))
      .map((name) => join(path, name));
  const found = manifests(folder);
  if (found.length === 0) {
    for (const name of fs.readdirSync(folder)) {
      const path = join(folder, name);
      if (fs.statSync(path)?.kind === 'folder') found.push(...manifests(path));
    }
  }
  if (found.length === 1) return found[0]!;
  if (found.length === 0) throw new Error(`there is no AOF manifest in ${folder}`);
  throw new Error(`there are several AOF manifests in ${folder}: name one of ${found.join(', ')}`);
}

// ------------------------------------------------------------------ what to take

interface Plan {
  readonly parts: readonly Part[];
  readonly result: Omit<RestoreMomentResult, 'manifest' | 'files'>;
}

class Planner {
  readonly #options: RestoreMomentOptions;
  readonly #source: Source;
  readonly #search: MomentSearch;
  readonly #parts: Part[] = [];
  readonly #leftOutFiles: string[] = [];
  #keptCommands = 0;
  #laterCommands = 0;
  #laterBytes = 0;
  #trouble = '';

  constructor(options: RestoreMomentOptions, source: Source) {
    this.#options = options;
    this.#source = source;
    this.#search = new MomentSearch(options.moment);
  }

  async plan(): Promise<Plan> {
    const { files } = this.#source;
    const lastWithContent = files.findLastIndex(({ path }) => this.#sizeOf(path) > 0);
    for (const [index, { info, path }] of files.entries()) {
      const wasPast = this.#search.isPast;
      const found = await this.#look(path, info.type === 'base');
      this.#refuse(found, path, index >= lastWithContent);
      const size = this.#sizeOf(path);
      const place = wasPast ? { bytes: 0, headOffset: -1 } : (found.cut ?? whole(size));
      if (place.bytes > 0) this.#parts.push({ info, path, place });
      if (place.bytes < size) this.#leftOutFiles.push(path);
      this.#keptCommands += found.keptCommands;
      this.#laterCommands += found.laterCommands;
      this.#laterBytes += size - place.bytes;
      if (found.trouble !== '') this.#trouble ||= `${path}: ${found.trouble}`;
    }
    this.#refuseUnknown();
    const { lastPosition, lastSecond, nextSecond } = this.#search;
    return {
      parts: this.#parts,
      result: {
        keptCommands: this.#keptCommands,
        leftOutCommands: this.#laterCommands,
        leftOutBytes: this.#laterBytes,
        leftOutFiles: this.#leftOutFiles,
        lastSecond: lastSecond < 0 ? null : lastSecond,
        nextSecond: nextSecond < 0 ? null : nextSecond,
        position: lastPosition,
        trouble: this.#trouble,
      },
    };
  }

  async #look(path: string, isBase: boolean): Promise<MomentFile> {
    const { fs, progress } = this.#options;
    const rdbBytes = this.#startsWithRdb(path) ? await this.#readRdb(path, isBase) : 0;
    return this.#search.look(fs, path, rdbBytes, progress(`reading ${basename(path)}`));
  }

  #startsWithRdb(path: string): boolean {
    const file = this.#options.fs.openSync(path, 'read');
    try {
      const start = new Uint8Array(RDB_START_BYTES);
      file.readSync(start, 0, start.length, 0);
      return beginsWithRdb(start);
    } finally {
      file.closeSync();
    }
  }

  /** Looks through an RDB in front of commands, and at when it was made. Returns its length. */
  async #readRdb(path: string, isBase: boolean): Promise<number> {
    const { fs, moment, progress, rest } = this.#options;
    const aux = new Map<string, string>();
    const file = fs.openSync(path, 'read');
    try {
      const reader = RdbReader.over(new FileSource(file, progress(`reading ${basename(path)}`)));
      const walk = new RdbWalk(reader, {
        aux: (name, value) => {
          aux.set(name, value);
        },
        entry: () => false,
      });
      await walk.runResting(rest);
      if (!isBase) return reader.offset;
      const madeAt = Number(aux.get('ctime'));
      if ('timestamp' in moment && madeAt > moment.timestamp) {
        throw tooEarly(`is of second ${madeAt}`, path);
      }
      const position = positionOfAux(aux);
      if (position === null) return reader.offset;
      if ('offset' in moment && position.offset > moment.offset) {
        throw tooEarly(`is of offset ${position.offset}`, path);
      }
      this.#search.startAt(position);
      return reader.offset;
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      throw new Error(`${path}: ${error.message}`, { cause: error });
    } finally {
      file.closeSync();
    }
  }

  /** Damage, or a torn end, before the moment. */
  #refuse(found: MomentFile, path: string, isLast: boolean): void {
    if (found.trouble === '' || this.#search.isPast || (found.isTorn && isLast)) return;
    throw new Error(
      `${path}: ${found.trouble}; this lies before the moment, so the history up to it cannot be ` +
        'had: see check-aof',
    );
  }

  #refuseUnknown(): void {
    const { moment } = this.#options;
    const search = this.#search;
    if ('timestamp' in moment && !search.hasTimes) {
      throw new Error(
        'no line of the AOF tells the time: it was written with aof-timestamp-enabled no',
      );
    }
    if ('offset' in moment && !search.hasPositions) {
      throw new Error('the AOF tells no offsets: the server had no replication stream');
    }
    if ('offset' in moment && search.isPast && search.lastPosition === null) {
      throw new Error('the offsets that the AOF tells begin later than that');
    }
    if (this.#parts.length === 0) throw new Error('nothing of the AOF is from before that moment');
  }

  #sizeOf(path: string): number {
    return this.#options.fs.statSync(path)?.size ?? 0;
  }
}

function whole(size: number): CutPlace {
  return { bytes: size, headOffset: -1 };
}

function tooEarly(what: string, path: string): Error {
  return new Error(
    `the base ${path} ${what}, which is later: what was before the last rewrite is gone; ` +
      'take an older copy of the folder',
  );
}
