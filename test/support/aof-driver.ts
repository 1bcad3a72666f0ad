/**
 * Drives an `Aof` as the server does, on any disk: numbered writes, one or more a turn, a model of
 * the dataset (the list of numbers written), bases that hold that list, and a note of what was
 * acknowledged. After a crash `recover` loads what the disk kept.
 *
 * The base of this driver is a plain AOF of the same numbers, so what a loader gives out is always
 * the dataset in order: `W 0`, `W 1`, ...
 */
import { Aof } from '../../src/persistence/aof/aof.ts';
import { AofFolder } from '../../src/persistence/aof/aof-folder.ts';
import type { AofOptions, FsyncPolicy } from '../../src/persistence/aof/aof-options.ts';
import type { FolderHold } from '../../src/persistence/aof/folder-hold.ts';
import type { FileSystem } from '../../src/persistence/file-system.ts';
import { command, load, PLACE } from './aof-samples.ts';
import { FaultyFileSystem } from './faulty-file-system.ts';

export type DriverOptions = Partial<AofOptions> & { readonly policy: FsyncPolicy };

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function write(i: number): Buffer {
  return command('W', `${i}`);
}

export class AofDriver {
  readonly fs: FileSystem;
  readonly folder: AofFolder;
  readonly aof: Aof;
  readonly log: string[] = [];
  fatal: Error | undefined;
  nowMs = 0;
  /** Writes executed so far: the dataset is 0 .. written - 1. */
  written: number;
  /** Offset in the journal after each write of this run. */
  readonly #ends: { readonly count: number; readonly offset: number }[] = [];
  #acknowledged: number;
  #snapshot = 0;

  constructor(fs: FileSystem, options: DriverOptions, written = 0, hold: FolderHold | null = null) {
    this.fs = fs;
    this.written = written;
    this.#acknowledged = written;
    this.folder = new AofFolder(fs, PLACE, hold);
    this.aof = new Aof(this.folder, {
      checksum: true,
      timestamps: false,
      rewritePercentage: 100,
      rewriteMinSizeBytes: 1000,
      keepHistory: false,
      nowMs: () => this.nowMs,
      unixSeconds: () => this.nowMs / 1000,
      log: (_level, line) => void this.log.push(line),
      onProgress: () => this.#acknowledge(),
      giveBack: () => undefined,
      waitingReplies: () => 0,
      onErrorChange: () => undefined,
      onFatal: (error) => {
        this.fatal = error;
      },
      ...options,
    });
  }

  /** Opens on a disk, loading what is there. */
  static async start(fs: FileSystem, options: DriverOptions): Promise<AofDriver> {
    const numbers = await recover(fs);
    const driver = new AofDriver(fs, options, numbers);
    await driver.folder.read();
    await driver.aof.open((path) => driver.writeBase(path));
    return driver;
  }

  /** Writes acknowledged so far: their replies were sent. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** One turn with `count` writes. */
  turn(count = 1): void {
    const parts = Array.from({ length: count }, () => write(this.written++));
    // A borrowed buffer that is overwritten as soon as the call is over.
    const borrowed = Buffer.concat([Buffer.from('..'), ...parts]);
    this.aof.append(borrowed, 2, borrowed.length - 2);
    this.#ends.push({ count: this.written, offset: this.aof.appendedBytes });
    borrowed.fill('!');
    this.#acknowledge();
  }

  #acknowledge(): void {
    // A process that has ended sends no more replies.
    if ('dead' in this.fs && this.fs.dead === true) return;
    const safe = this.aof.releasableBytes;
    for (const end of this.#ends) {
      if (end.offset <= safe && end.count > this.#acknowledged) this.#acknowledged = end.count;
    }
  }

  /** Lets time pass, in tenths of a second, with what runs in the background. */
  async pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i += 100) {
      this.nowMs += 100;
      this.aof.tick(this.nowMs);
      for (let k = 0; k < 12; k++) await nextTurn();
    }
  }

  /** A base of the first `count` writes, as a snapshot's writer makes it. */
  async writeBase(path: string, count = this.written): Promise<'aof'> {
    const bytes = Buffer.concat(Array.from({ length: count }, (_, i) => write(i)));
    const file = await this.fs.open(path, 'replace');
    try {
      for (let done = 0; done < bytes.length; ) {
        const wrote = await file.write(bytes, done, bytes.length - done, done);
        if (wrote === 0) throw new Error('no progress');
        done += wrote;
      }
      await file.syncData();
    } finally {
      await file.close();
    }
    return 'aof';
  }

  async begin(): Promise<boolean> {
    await this.aof.prepareRewrite(0);
    return this.beginPrepared();
  }

  /** Begins the rewrite that `prepareRewrite` has prepared, with what was written since in it. */
  beginPrepared(): boolean {
    this.#snapshot = this.written;
    return this.aof.beginRewrite();
  }

  async finish(): Promise<void> {
    const path = this.folder.temporaryBasePath(1);
    await this.writeBase(path, this.#snapshot);
    await this.aof.finishRewrite(path, 'aof');
  }

  async rewrite(): Promise<void> {
    if (await this.begin()) await this.finish();
  }
}

/**
 * The number of writes that a start finds on the disk; throws when they are not 0, 1, 2 .. in
 * order: something in the middle is lost or doubled.
 */
export async function recover(fs: FileSystem): Promise<number> {
  const { commands } = await load(fs);
  commands.forEach((line, i) => {
    if (line !== `W ${i}`) throw new Error(`expected W ${i} and found ${line}`);
  });
  return commands.length;
}

/** Where the driver's AOF lies. */
export const AOF_FOLDER = `${PLACE.dir}/${PLACE.appendDirName}`;

/** The names in that folder, sorted. */
export function aofFolderNames(fs: FaultyFileSystem): string[] {
  return fs
    .paths()
    .filter((path) => path.startsWith(`${AOF_FOLDER}/`))
    .map((path) => path.slice(AOF_FOLDER.length + 1));
}

/** A driver on an empty disk. */
export async function freshDriver(
  policy: FsyncPolicy,
  options: Partial<AofOptions> = {},
): Promise<{ readonly fs: FaultyFileSystem; readonly driver: AofDriver }> {
  const fs = new FaultyFileSystem();
  fs.put(`${PLACE.dir}/.keep`, new Uint8Array(0));
  return { fs, driver: await AofDriver.start(fs, { ...options, policy }) };
}

/** Its files are being let go while the disk holds the fsync of one turn; `more` wait behind it. */
export async function givenUp(
  policy: FsyncPolicy,
  more = 0,
): Promise<{ readonly fs: FaultyFileSystem; readonly end: Promise<void> }> {
  const { fs, driver } = await freshDriver(policy);
  fs.holdSyncs();
  driver.turn();
  await driver.pass(100);
  for (let i = 0; i < more; i++) driver.turn();
  return { fs, end: driver.aof.giveUp() };
}
