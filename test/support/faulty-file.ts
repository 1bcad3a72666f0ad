/**
 * A file of the faulty disk: what one `open` gave out. Every call goes through the disk, which
 * counts it and may break it.
 */
import type { OpenFile } from '../../src/persistence/file-system.ts';
import type { FaultyFileSystem } from './faulty-file-system.ts';

/** The content of a file: as every process sees it, and as the last fsync made sure of it. */
export type Inode = { live: Uint8Array; durable: Uint8Array };

export function fileError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code });
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class FaultyFile implements OpenFile {
  readonly path: string;
  readonly #fs: FaultyFileSystem;
  readonly #inode: Inode;

  constructor(fs: FaultyFileSystem, path: string, inode: Inode) {
    this.path = path;
    this.#fs = fs;
    this.#inode = inode;
  }

  readSync(buf: Uint8Array, off: number, len: number, position: number): number {
    return this.#fs.act('read', this.path, () => {
      const bytes = this.#inode.live.subarray(position, position + len);
      buf.set(bytes, off);
      return bytes.length;
    });
  }

  writeSync(buf: Uint8Array, off: number, len: number, position: number): number {
    const fs = this.#fs;
    const half = () => this.#store(buf, off, len >> 1, position);
    const whole = () => {
      if (fs.failWriteOf?.test(this.path)) throw fileError('EIO', 'write', this.path);
      if (fs.spaceBytes <= 0 && len > 0) throw fileError('ENOSPC', 'write', this.path);
      const count = Math.min(len, fs.writeBytesMax, fs.spaceBytes);
      fs.spaceBytes -= count;
      this.#store(buf, off, count, position);
      return count;
    };
    const endMs = performance.now() + fs.writeDelayMs;
    while (fs.writeDelayMs > 0 && performance.now() < endMs);
    return fs.act('write', this.path, whole, half);
  }

  #store(buf: Uint8Array, off: number, len: number, position: number): void {
    const size = Math.max(this.#inode.live.length, position + len);
    const live = new Uint8Array(size);
    live.set(this.#inode.live);
    live.set(buf.subarray(off, off + len), position);
    this.#inode.live = live;
  }

  /** As a write and a sync in a row, but it makes nothing durable that was not in this write. */
  writeSynced(
    buf: Uint8Array,
    off: number,
    len: number,
    position: number,
    done: (error: Error | null, count: number) => void,
  ): void {
    const steps = async (): Promise<number> => {
      const count = await this.write(buf, off, len, position);
      const written = this.#inode.live.slice(position, position + count);
      await this.#fs.whileHeld(this.path);
      this.#failingSync(() => {
        const { durable } = this.#inode;
        const longer = new Uint8Array(Math.max(durable.length, position + count));
        longer.set(durable);
        longer.set(written, position);
        this.#inode.durable = longer;
      });
      return count;
    };
    steps().then(
      (count) => done(null, count),
      (error) => done(error, 0),
    );
  }

  syncDataSync(): void {
    this.#sync(this.#inode.live);
  }

  #sync(asOf: Uint8Array): void {
    this.#failingSync(() => {
      this.#inode.durable = asOf.slice();
    });
  }

  #failingSync(action: () => void): void {
    this.#fs.act('syncData', this.path, () => {
      if (this.#fs.failSyncOf?.test(this.path)) throw fileError('EIO', 'fdatasync', this.path);
      action();
    });
  }

  /** Makes durable what was there at the call, not what came while it ran. */
  async syncData(): Promise<void> {
    const asOf = this.#inode.live;
    await turn();
    await this.#fs.whileHeld(this.path);
    this.#sync(asOf);
  }

  truncateSync(size: number): void {
    this.#fs.act('truncate', this.path, () => {
      this.#fs.spaceBytes += Math.max(0, this.#inode.live.length - size);
      const live = new Uint8Array(size);
      live.set(this.#inode.live.subarray(0, size));
      this.#inode.live = live;
    });
  }

  sizeSync(): number {
    return this.#fs.act('fstat', this.path, () => this.#inode.live.length);
  }

  closeSync(): void {
    this.#fs.act('close', this.path, () => undefined);
  }

  async read(buf: Uint8Array, off: number, len: number, position: number): Promise<number> {
    await turn();
    return this.readSync(buf, off, len, position);
  }

  async write(buf: Uint8Array, off: number, len: number, position: number): Promise<number> {
    await turn();
    return this.writeSync(buf, off, len, position);
  }

  async truncate(size: number): Promise<void> {
    await turn();
    this.truncateSync(size);
  }

  async close(): Promise<void> {
    await turn();
    this.closeSync();
  }
}
