/**
 * A disk in memory that behaves as badly as POSIX allows.
 *
 * Every file has two contents: `live`, which every process sees, and `durable`, what the last
 * fsync made sure of. Every folder has a list of name changes since its last fsync; a new folder
 * goes with all that is in it until the one above is fsynced. From there:
 *
 *   kill()      the process ends: nothing is lost, and every call of the old handles fails
 *   cutPower()  the machine ends: of each file some prefix of the unsynced bytes survives (or
 *               zeros stand where they should), and unsynced names are undone
 *   failures    the k-th call fails with a code, or ends the process before, half way or after
 *   space       writes beyond a number of bytes are short, then fail with ENOSPC
 *   syncs       can fail, or be held back until released
 *
 * Calls are counted from 1 over all kinds, so a test first counts the calls of a scenario and then
 * breaks each of them. The asynchronous forms act one event-loop turn later.
 */
import { basename, dirname } from 'node:path';
import type {
  FileStat,
  FileSystem,
  OpenFile,
  OpenMode,
} from '../../src/persistence/file-system.ts';
import { FaultyFile, fileError, type Inode, turn } from './faulty-file.ts';
import { Random } from './random.ts';

type NameChange = {
  readonly undo: ReadonlyMap<string, Inode | undefined>;
  readonly redo: ReadonlyMap<string, Inode | undefined>;
};

/** What a broken call does: fail with a code, or end the process (`after` the call, if told). */
export type Failure =
  | { readonly kind: 'error'; readonly code: string }
  | { readonly kind: 'kill'; readonly when: 'before' | 'half' | 'after' };

/** How names that were not synced come back after power loss. */
export type NameLoss = 'none' | 'all' | 'prefix' | 'some';

/** Thrown by every call once the process of the test has "ended". */
class ProcessEnded extends Error {
  readonly code = 'EDEAD';
}

export class FaultyFileSystem implements FileSystem {
  /** Every call made, as `kind path`. */
  readonly calls: string[] = [];
  /** Bytes that may still be written before ENOSPC. */
  spaceBytes = Number.POSITIVE_INFINITY;
  /** When set, a write stores at most this many bytes. */
  writeBytesMax = Number.POSITIVE_INFINITY;
  /** When set, every syncData of a matching path fails with EIO. */
  failSyncOf: RegExp | undefined;
  /** When set, every write to a matching path fails with EIO. */
  failWriteOf: RegExp | undefined;
  /** Every write in the loop takes so long. */
  writeDelayMs = 0;
  dead = false;
  #names = new Map<string, Inode>();
  #folders = new Set<string>(['/']);
  /** Those of the folders that power loss may take. */
  #newFolders = new Set<string>();
  #changes = new Map<string, NameChange[]>();
  #failures = new Map<number, Failure>();
  #kindFailures = new Map<string, Failure>();
  #kindCalls = new Map<string, number>();
  /** Called when the process ends at a broken call. */
  onDeath: () => void = () => {};
  #held: (() => void)[] | undefined;
  #heldOf = /^/;

  /** Breaks the call with this number. */
  breakCall(number: number, failure: Failure): void {
    this.#failures.set(number, failure);
  }

  /** Breaks the call of this kind (`write`, `rename`, ...) with this number among its like. */
  breakCallOf(kind: string, number: number, failure: Failure): void {
    this.#kindFailures.set(`${kind} ${number}`, failure);
  }

  /** How often each kind of call was made. */
  get kindCalls(): ReadonlyMap<string, number> {
    return this.#kindCalls;
  }

  /** Asynchronous syncs, of matching paths, wait from now on; `releaseSyncs` lets them go. */
  holdSyncs(of = /^/): void {
    this.#held ??= [];
    this.#heldOf = of;
  }

  releaseSyncs(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const release of held) release();
  }

  get heldSyncs(): number {
    return this.#held?.length ?? 0;
  }

  /** The content of a file, or undefined. */
  content(path: string): Uint8Array | undefined {
    return this.#names.get(path)?.live.slice();
  }

  /** Puts a file there, durable, and so are the folders that it is in. */
  put(path: string, bytes: Uint8Array): void {
    for (let one = path; one !== dirname(one); one = dirname(one)) this.#folders.add(dirname(one));
    this.#names.set(path, { live: bytes.slice(), durable: bytes.slice() });
  }

  /** Every path, sorted. */
  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** The disk as a new process finds it after `kill -9` of the old one. */
  kill(): FaultyFileSystem {
    this.dead = true;
    const next = new FaultyFileSystem();
    for (const folder of this.#folders) next.#folders.add(folder);
    for (const folder of this.#newFolders) next.#newFolders.add(folder);
    const copies = new Map<Inode, Inode>();
    const copy = (inode: Inode): Inode => {
      const known = copies.get(inode);
      if (known !== undefined) return known;
      const fresh = { ...inode };
      copies.set(inode, fresh);
      return fresh;
    };
    const copyAll = (names: ReadonlyMap<string, Inode | undefined>) =>
      new Map([...names].map(([path, inode]) => [path, inode && copy(inode)]));
    for (const [path, inode] of this.#names) next.#names.set(path, copy(inode));
    for (const [folder, changes] of this.#changes) {
      const copied = changes.map(({ undo, redo }) => ({
        undo: copyAll(undo),
        redo: copyAll(redo),
      }));
      next.#changes.set(folder, copied);
    }
    return next;
  }

  /** The disk as the machine finds it after power loss; the same seed loses the same. */
  cutPower(seed: number, nameLoss: NameLoss = 'prefix'): FaultyFileSystem {
    this.dead = true;
    const random = new Random(seed);
    const next = new FaultyFileSystem();
    const lost = [...this.#newFolders].filter(
      () => nameLoss === 'all' || (nameLoss !== 'none' && random.chance(0.5)),
    );
    const isLost = (path: string) => lost.some((folder) => `${path}/`.startsWith(`${folder}/`));
    for (const folder of this.#folders) if (!isLost(folder)) next.#folders.add(folder);
    const survivors = new Map<Inode, Inode>();
    for (const [path, inode] of this.#namesAfterPowerLoss(random, nameLoss)) {
      if (isLost(path)) continue;
      let survivor = survivors.get(inode);
      if (survivor === undefined) {
        const bytes = bytesAfterPowerLoss(inode, random);
        survivor = { live: bytes, durable: bytes.slice() };
        survivors.set(inode, survivor);
      }
      next.#names.set(path, survivor);
    }
    return next;
  }

  #namesAfterPowerLoss(random: Random, nameLoss: NameLoss): Map<string, Inode> {
    const names = new Map(this.#names);
    for (const changes of this.#changes.values()) {
      for (const change of [...changes].reverse()) apply(names, change.undo);
      const kept = nameLoss === 'none' ? changes.length : random.between(0, changes.length);
      changes.forEach((change, i) => {
        const keep =
          nameLoss === 'all' ? false : nameLoss === 'some' ? random.chance(0.5) : i < kept;
        if (keep) apply(names, change.redo);
      });
    }
    return names;
  }

  // ---- the calls -------------------------------------------------------------------------

  /** Counts a call, lets it fail, and runs it; `half` is what a call cut in two has done. */
  act<T>(call: string, path: string, action: () => T, half?: () => void): T {
    if (this.dead) throw new ProcessEnded(`${call} ${path} after the end of the process`);
    this.calls.push(`${call} ${basename(path)}`);
    const number = (this.#kindCalls.get(call) ?? 0) + 1;
    this.#kindCalls.set(call, number);
    const failure =
      this.#failures.get(this.calls.length) ?? this.#kindFailures.get(`${call} ${number}`);
    if (failure === undefined) return action();
    if (failure.kind === 'error') throw fileError(failure.code, call, path);
    if (failure.when === 'half') half?.();
    if (failure.when === 'after') action();
    this.dead = true;
    this.onDeath();
    throw new ProcessEnded(`killed ${failure.when} ${call} ${path}`);
  }

  openSync(path: string, mode: OpenMode): OpenFile {
    return this.act('open', path, () => {
      let inode = this.#names.get(path);
      if (inode === undefined) {
        if (mode === 'read') throw fileError('ENOENT', 'open', path);
        this.#requireFolder(path);
        inode = { live: new Uint8Array(0), durable: new Uint8Array(0) };
        this.#change(path, new Map([[path, inode]]));
      } else if (mode === 'replace') {
        inode.live = new Uint8Array(0);
      }
      return new FaultyFile(this, path, inode);
    });
  }

  renameSync(from: string, to: string): void {
    this.act('rename', to, () => {
      const inode = this.#names.get(from);
      if (inode === undefined) throw fileError('ENOENT', 'rename', from);
      this.#requireFolder(to);
      if (dirname(from) === dirname(to)) {
        this.#change(to, new Map([[from, undefined], [to, inode]])); // biome-ignore format: a pair
      } else {
        this.#change(to, new Map([[to, inode]]));
        this.#change(from, new Map([[from, undefined]]));
      }
    });
  }

  unlinkSync(path: string): void {
    this.act('unlink', path, () => {
      if (!this.#names.has(path)) throw fileError('ENOENT', 'unlink', path);
      this.#change(path, new Map([[path, undefined]]));
    });
  }

  fsyncDirSync(path: string): void {
    this.act('fsyncDir', path, () => {
      if (!this.#folders.has(path)) throw fileError('ENOENT', 'fsyncDir', path);
      this.#changes.delete(path);
      for (const folder of this.#newFolders) {
        if (dirname(folder) === path) this.#newFolders.delete(folder);
      }
    });
  }

  readdirSync(path: string): string[] {
    return this.act('readdir', path, () => {
      if (!this.#folders.has(path)) throw fileError('ENOENT', 'readdir', path);
      return this.paths()
        .filter((name) => dirname(name) === path)
        .map((name) => basename(name));
    });
  }

  statSync(path: string): FileStat | undefined {
    return this.act('stat', path, () => {
      if (this.#folders.has(path)) return { kind: 'folder', size: 0 };
      const inode = this.#names.get(path);
      if (inode === undefined) return undefined;
      return { kind: 'file', size: inode.live.length };
    });
  }

  mkdirSync(path: string): void {
    this.act('mkdir', path, () => {
      for (let folder = path; folder !== '/' && folder !== '.'; folder = dirname(folder)) {
        if (!this.#folders.has(folder)) this.#newFolders.add(folder);
        this.#folders.add(folder);
      }
    });
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    await turn();
    return this.openSync(path, mode);
  }

  async rename(from: string, to: string): Promise<void> {
    await turn();
    this.renameSync(from, to);
  }

  async unlink(path: string): Promise<void> {
    await turn();
    this.unlinkSync(path);
  }

  async fsyncDir(path: string): Promise<void> {
    await turn();
    this.fsyncDirSync(path);
  }

  async readdir(path: string): Promise<string[]> {
    await turn();
    return this.readdirSync(path);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    await turn();
    return this.statSync(path);
  }

  async mkdir(path: string): Promise<void> {
    await turn();
    this.mkdirSync(path);
  }

  freeBytesSync(path: string): number {
    return this.act('statfs', path, () => this.spaceBytes);
  }

  async freeBytes(path: string): Promise<number> {
    await turn();
    return this.freeBytesSync(path);
  }

  /** Waits while syncs of the file are held. */
  async whileHeld(path: string): Promise<void> {
    const held = this.#heldOf.test(path) ? this.#held : undefined;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
  }

  #requireFolder(path: string): void {
    if (!this.#folders.has(dirname(path))) throw fileError('ENOENT', 'open', path);
  }

  #change(path: string, redo: Map<string, Inode | undefined>): void {
    const undo = new Map([...redo.keys()].map((name) => [name, this.#names.get(name)]));
    apply(this.#names, redo);
    const folder = dirname(path);
    const changes = this.#changes.get(folder) ?? [];
    changes.push({ undo, redo });
    this.#changes.set(folder, changes);
  }
}

function apply(names: Map<string, Inode>, change: ReadonlyMap<string, Inode | undefined>): void {
  for (const [name, inode] of change) {
    if (inode === undefined) names.delete(name);
    else names.set(name, inode);
  }
}

/**
 * Some prefix of what was written since the last fsync, at any byte; sometimes the length reached
 * the disk before the bytes, which leaves zeros at the end.
 */
function bytesAfterPowerLoss(inode: Inode, random: Random): Uint8Array {
  const { live, durable } = inode;
  const kept = random.pick([0, live.length, random.between(0, live.length)]);
  const bytes = new Uint8Array(Math.max(kept, durable.length));
  bytes.set(durable);
  bytes.set(live.subarray(0, kept));
  if (bytes.length < live.length && random.chance(0.2)) {
    const zeros = new Uint8Array(random.between(bytes.length, live.length));
    zeros.set(bytes);
    return zeros;
  }
  return bytes;
}
