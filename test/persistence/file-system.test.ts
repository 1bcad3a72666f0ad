/** What the door to the disk asks of the system: that it syncs, and that nothing stays open. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  DurableFile,
  readFileWholeSync,
  writeFileDurably,
} from '../../src/persistence/durable-file.ts';
import { type OpenMode, realFileSystem } from '../../src/persistence/file-system.ts';

vi.mock('node:fs', { spy: true });

const BYTES = Buffer.from('some bytes');
const isLinux = process.platform === 'linux';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'cairn-door-'));
  vi.clearAllMocks();
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const both = (path: string, mode: OpenMode) =>
  Promise.all([realFileSystem.openSync(path, mode), realFileSystem.open(path, mode)]);

const descriptors = (): number => fs.readdirSync('/proc/self/fd').length;

describe('the real file system', () => {
  it('syncs files, and the names of a folder', async () => {
    const file = realFileSystem.openSync(join(folder, 'f'), 'update');
    file.syncDataSync();
    expect(fs.fdatasyncSync).toHaveBeenCalledTimes(1);
    await file.syncData();
    expect(fs.fdatasync).toHaveBeenCalledTimes(1);
    await file.close();
    realFileSystem.fsyncDirSync(folder);
    expect(fs.fsyncSync).toHaveBeenCalledTimes(1);
    await realFileSystem.fsyncDir(folder);
    expect(fs.fsync).toHaveBeenCalledTimes(1);
  });

  it.runIf(isLinux)('writes synced through a descriptor that is, or syncs', async () => {
    for (const mode of ['journal', 'update'] as const) {
      for (const file of await both(join(folder, mode), mode)) {
        vi.clearAllMocks();
        await new Promise((resolve) => file.writeSynced(BYTES, 0, BYTES.length, 0, resolve));
        const fd = vi.mocked(fs.write).mock.calls[0]![0];
        const [, flags] = /flags:\s*(\d+)/.exec(
          fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'),
        )!;
        const isSynced = (Number.parseInt(flags!, 8) & fs.constants.O_DSYNC) !== 0;
        const syncs = vi.mocked(fs.fdatasync).mock.calls.length;
        expect([isSynced, syncs]).toEqual(mode === 'journal' ? [true, 0] : [false, 1]);
        await file.close();
      }
    }
  });

  it('reads and writes where it is told', async () => {
    const path = join(folder, 'f');
    for (const file of await both(path, 'update')) {
      expect(file.writeSync(BYTES, 5, 5, 15)).toBe(5);
      expect(file.writeSync(BYTES, 0, 5, 10)).toBe(5);
      expect(await file.write(BYTES, 5, 5, 5)).toBe(5);
      expect(await file.write(BYTES, 0, 5, 0)).toBe(5);
      expect(fs.readFileSync(path, 'utf8')).toBe(`${BYTES}${BYTES}`);
      await file.truncate(0);
      await file.close();
    }
  });

  it('tells of a read or a write that failed', async () => {
    const path = join(folder, 'f');
    fs.writeFileSync(path, '');
    const file = realFileSystem.openSync(path, 'read');
    const error = await new Promise((resolve) => file.writeSynced(BYTES, 0, 1, 0, resolve));
    expect(error).toMatchObject({ code: 'EBADF' });
    await expect(file.write(BYTES, 0, 1, 0)).rejects.toMatchObject({ code: 'EBADF', path });
    expect(() => file.writeSync(BYTES, 0, 1, 0)).toThrow(expect.objectContaining({ path }));
    file.closeSync();
    const names = realFileSystem.openSync(folder, 'read');
    await expect(names.read(Buffer.alloc(1), 0, 1, 0)).rejects.toMatchObject({ code: 'EISDIR' });
    names.closeSync();
  });

  it('says of a write that it syncs itself how much it was, and whether that failed', async () => {
    const file = realFileSystem.openSync(join(folder, 'f'), 'update');
    const synced = (): Promise<unknown[]> =>
      new Promise((resolve) => {
        file.writeSynced(BYTES, 0, BYTES.length, 0, (error, count) => resolve([error, count]));
      });
    vi.mocked(fs.write).mockImplementationOnce(((...args: unknown[]) => {
      (args.at(-1) as (error: null, count: number) => void)(null, 3);
    }) as typeof fs.write);
    expect(await synced()).toEqual([null, 3]);
    const failure = Object.assign(new Error('EIO'), { code: 'EIO' });
    vi.mocked(fs.fdatasync).mockImplementationOnce((_fd, done) => done(failure));
    expect((await synced())[0]).toBe(failure);
    file.closeSync();
  });

  it('tells files and folders from what is neither', async () => {
    fs.writeFileSync(join(folder, 'f'), BYTES);
    for (const [path, kind] of [
      [join(folder, 'f'), 'file'],
      [folder, 'folder'],
      ['/dev/null', 'other'],
    ] as const) {
      expect(realFileSystem.statSync(path)?.kind).toBe(kind);
      expect((await realFileSystem.stat(path))?.kind).toBe(kind);
    }
  });

  it('tells of a name that it cannot look at, and of room in bytes', async () => {
    const path = join(folder, 'x'.repeat(1000));
    await expect(realFileSystem.stat(path)).rejects.toThrow(/ENAMETOOLONG/);
    expect(() => realFileSystem.statSync(path)).toThrow(/ENAMETOOLONG/);
    const { bavail, bsize } = fs.statfsSync(folder);
    const least = (bavail * bsize) / 2;
    expect(await realFileSystem.freeBytes(folder)).toBeGreaterThan(least);
    expect(realFileSystem.freeBytesSync(folder)).toBeGreaterThan(least);
  });

  it('empties a file that it replaces', async () => {
    const path = join(folder, 'f');
    for (const open of [realFileSystem.openSync, realFileSystem.open]) {
      fs.writeFileSync(path, BYTES);
      const file = await open(path, 'replace');
      expect(file.sizeSync()).toBe(0);
      await file.close();
    }
  });

  it('finds nothing below what is no folder', async () => {
    fs.writeFileSync(join(folder, 'f'), BYTES);
    const path = join(folder, 'f', 'below');
    expect(realFileSystem.statSync(path)).toBeUndefined();
    expect(await realFileSystem.stat(path)).toBeUndefined();
  });

  it('counts no room that is kept for the system', async () => {
    const disk = { ...fs.statfsSync(folder), bavail: 3, bfree: 5, bsize: 7 };
    vi.spyOn(fs.promises, 'statfs').mockResolvedValueOnce(disk as never);
    vi.mocked(fs.statfsSync).mockReturnValueOnce(disk as never);
    const both = [await realFileSystem.freeBytes(folder), realFileSystem.freeBytesSync(folder)];
    expect(both).toEqual([21, 21]);
  });

  it('keeps what is there when it opens for update', async () => {
    const path = join(folder, 'f');
    fs.writeFileSync(path, BYTES);
    for (const mode of ['update', 'journal'] as const) {
      for (const file of await both(path, mode)) {
        expect(file.sizeSync()).toBe(BYTES.length);
        await file.close();
      }
    }
  });

  it('lets nobody but the owner write', async () => {
    const mask = process.umask(0);
    try {
      const [file, other] = await both(join(folder, 'f'), 'replace');
      file.closeSync();
      await other.close();
      realFileSystem.mkdirSync(join(folder, 'g'));
      await realFileSystem.mkdir(join(folder, 'h', 'i'));
    } finally {
      process.umask(mask);
    }
    const modes = ['f', 'g', 'h/i'].map((name) => fs.statSync(join(folder, name)).mode & 0o777);
    expect(modes).toEqual([0o644, 0o755, 0o755]);
  });

  it('says what it is that keeps a folder from being made', async () => {
    const [file, link] = [join(folder, 'f'), join(folder, 'l')];
    fs.writeFileSync(file, '');
    fs.symlinkSync('nowhere', link);
    for (const path of [file, link]) {
      const refusal = {
        code: 'ENOTDIR',
        path,
        message: `ENOTDIR: not a directory, mkdir '${path}'`,
      };
      expect(() => realFileSystem.mkdirSync(path)).toThrow(expect.objectContaining(refusal));
      await expect(realFileSystem.mkdir(path)).rejects.toMatchObject(refusal);
    }
    vi.mocked(fs.mkdirSync).mockImplementation((path, options) => {
      // What Node makes of a read-only disk.
      const isDeep = typeof options === 'object' && options?.recursive === true;
      throw Object.assign(new Error(`mkdir ${path}`), { code: isDeep ? 'ENOENT' : 'EROFS' });
    });
    expect(() => realFileSystem.mkdirSync(join(folder, 'g'))).toThrow(
      expect.objectContaining({ code: 'EROFS' }),
    );
    vi.mocked(fs.mkdirSync).mockRestore();
    for (const _ of [1, 2]) realFileSystem.mkdirSync(join(folder, 'g'));
  });

  it('reads no file whole that is larger than those are', () => {
    const path = join(folder, 'f');
    fs.writeFileSync(path, '');
    fs.truncateSync(path, 64 * 1024 * 1024 + 1);
    expect(() => readFileWholeSync(realFileSystem, path)).toThrow(/at most 67108864 bytes/);
  });

  it.runIf(isLinux)('leaves no descriptor open', async () => {
    const before = descriptors();
    const path = join(folder, 'f');
    await writeFileDurably(realFileSystem, path, BYTES);
    readFileWholeSync(realFileSystem, path);
    new DurableFile(realFileSystem.openSync(path, 'read')).closeSync();
    for (const mode of ['replace', 'update', 'journal', 'read'] as const) {
      const [first, second] = await both(path, mode);
      first.closeSync();
      await second.close();
    }
    realFileSystem.fsyncDirSync(folder);
    await realFileSystem.fsyncDir(folder);
    expect(descriptors()).toBe(before);
  });

  it.runIf(isLinux)('leaves no folder open whose names it cannot sync', async () => {
    const before = descriptors();
    const failure = Object.assign(new Error('EIO'), { code: 'EIO' });
    vi.mocked(fs.fsyncSync).mockImplementationOnce(() => {
      throw failure;
    });
    expect(() => realFileSystem.fsyncDirSync(folder)).toThrow('EIO');
    vi.mocked(fs.fsync).mockImplementationOnce((_fd, done) => done(failure));
    await expect(realFileSystem.fsyncDir(folder)).rejects.toThrow('EIO');
    expect(descriptors()).toBe(before);
  });

  it.runIf(isLinux)('leaves none open of a journal that it can open but once', async () => {
    const before = descriptors();
    const path = join(folder, 'f');
    const { openSync, open } = await vi.importActual<typeof fs>('node:fs');
    const refusal = Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
    vi.mocked(fs.openSync)
      .mockImplementationOnce(openSync)
      .mockImplementationOnce(() => {
        throw refusal;
      });
    expect(() => realFileSystem.openSync(path, 'journal')).toThrow('EMFILE');
    vi.mocked(fs.open)
      .mockImplementationOnce(open as typeof fs.open)
      .mockImplementationOnce(((...args: unknown[]) => {
        (args.at(-1) as (error: Error) => void)(refusal);
      }) as typeof fs.open);
    await expect(realFileSystem.open(path, 'journal')).rejects.toThrow('EMFILE');
    expect(descriptors()).toBe(before);
  });
});
