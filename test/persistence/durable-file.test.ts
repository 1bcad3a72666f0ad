/** Durable files: whole replacement under any crash, poison after a failed fsync, the real disk. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  DurableFile,
  PoisonedFileError,
  readFileWholeSync,
  renameDurably,
  temporaryName,
  writeFileDurably,
} from '../../src/persistence/durable-file.ts';
import { errorCode, realFileSystem } from '../../src/persistence/file-system.ts';
import { FaultyFile } from '../support/faulty-file.ts';
import { FaultyFileSystem, type NameLoss } from '../support/faulty-file-system.ts';

const OLD = Buffer.from('the old content, somewhat longer than the new one');
const NEW = Buffer.from('the new content');
const PATH = '/data/a.conf';

function diskWithOld(): FaultyFileSystem {
  const disk = new FaultyFileSystem();
  disk.put(PATH, OLD);
  return disk;
}

const folders: string[] = [];
function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-file-'));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('writeFileDurably', () => {
  it('leaves the old or the new file, whole, whatever call the power is cut at', async () => {
    const count = diskWithOld();
    await writeFileDurably(count, PATH, NEW);
    expect(count.calls.length).toBeGreaterThan(5);
    for (let call = 1; call <= count.calls.length; call++) {
      for (const when of ['before', 'half', 'after'] as const) {
        for (const loss of ['none', 'all', 'prefix', 'some'] as NameLoss[]) {
          const disk = diskWithOld();
          disk.breakCall(call, { kind: 'kill', when });
          const failed = await writeFileDurably(disk, PATH, NEW).then(
            () => false,
            () => true,
          );
          for (let seed = 0; seed < 8; seed++) {
            const found = Buffer.from(disk.cutPower(seed, loss).content(PATH)!).toString();
            expect([OLD.toString(), NEW.toString()]).toContain(found);
            if (!failed) expect(found).toBe(NEW.toString());
          }
        }
      }
    }
  });

  it('keeps the old file and removes the other when a call before the rename fails', async () => {
    for (const code of ['ENOSPC', 'EIO']) {
      for (let call = 1; call <= 5; call++) {
        const disk = diskWithOld();
        disk.breakCall(call, { kind: 'error', code });
        await expect(writeFileDurably(disk, PATH, NEW)).rejects.toThrow();
        expect(disk.paths()).toEqual([PATH]);
        expect(Buffer.from(disk.content(PATH)!).toString()).toBe(OLD.toString());
      }
    }
  });

  it('leaves nothing of a longer file that an earlier attempt began', async () => {
    const disk = diskWithOld();
    disk.put(temporaryName(PATH), Buffer.concat([OLD, OLD]));
    await writeFileDurably(disk, PATH, NEW);
    expect(Buffer.from(disk.content(PATH)!).toString()).toBe(NEW.toString());
  });

  it('writes to the real disk', async () => {
    const path = join(tempFolder(), 'b.conf');
    await writeFileDurably(realFileSystem, path, NEW);
    expect(readFileSync(path, 'utf8')).toBe(NEW.toString());
    expect(realFileSystem.statSync(temporaryName(path))).toBeUndefined();
  });
});

describe('renameDurably', () => {
  it('has a name that survives power loss when it is done', async () => {
    const disk = diskWithOld();
    await renameDurably(disk, PATH, '/data/b.conf');
    expect(disk.cutPower(1, 'all').paths()).toEqual(['/data/b.conf']);
  });
});

describe('readFileWholeSync', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('reads on after short reads, and gives no more than there is', () => {
    const disk = diskWithOld();
    vi.spyOn(disk, 'statSync').mockReturnValue({ kind: 'file', size: 100 });
    const read = FaultyFile.prototype.readSync;
    vi.spyOn(FaultyFile.prototype, 'readSync').mockImplementation(function (
      this: FaultyFile,
      buf,
      off,
      len,
      position,
    ) {
      return read.call(this, buf, off, Math.min(len, 3), position);
    });
    expect(Buffer.from(readFileWholeSync(disk, PATH)!).toString()).toBe(OLD.toString());
  });
});

function synced(file: DurableFile, bytes: Uint8Array, at: number): Promise<Error | undefined> {
  return new Promise((resolve) => file.writeAllSynced(bytes, 0, bytes.length, at, resolve));
}

describe('DurableFile', () => {
  it('goes on after short writes and stops when there is no space', async () => {
    const disk = diskWithOld();
    disk.writeBytesMax = 3;
    const file = new DurableFile(disk.openSync('/data/b', 'replace'));
    file.writeAllSync(NEW, 0, NEW.length, 0);
    await file.writeAll(NEW, 4, 11, NEW.length);
    expect(Buffer.from(disk.content('/data/b')!).toString()).toBe('the new contentnew content');
    disk.spaceBytes = 2;
    expect(() => file.writeAllSync(NEW, 0, NEW.length, 0)).toThrow(/ENOSPC/);
  });

  it('gives up where a write makes no progress', async () => {
    const disk = diskWithOld();
    disk.writeBytesMax = 0;
    const file = new DurableFile(disk.openSync('/data/b', 'replace'));
    expect(() => file.writeAllSync(NEW, 0, NEW.length, 0)).toThrow(/no progress/);
    await expect(file.writeAll(NEW, 0, NEW.length, 0)).rejects.toThrow(/no progress/);
    expect(file.poison).toBeUndefined();
    expect(String(await synced(file, NEW, 0))).toMatch(/no progress/);
    expect(file.poison).toBeDefined();
  });

  it.each<[string, (file: DurableFile) => Promise<unknown>, number?]>([
    ['an fsync', (file: DurableFile) => file.syncData().catch((error: Error) => error)],
    ['a synced write', (file: DurableFile) => synced(file, NEW, 0)],
    [
      'a write in pieces',
      (file: DurableFile) => file.writeAll(NEW, 0, NEW.length, 0).catch((error: Error) => error),
    ],
    [
      'a synced write, though it was whole',
      (file: DurableFile) => synced(file, NEW, 0),
      NEW.length,
    ],
  ])('fails %s under way when another fsync fails meanwhile', async (_what, begin, most = 3) => {
    const disk = diskWithOld();
    disk.writeBytesMax = most;
    const file = new DurableFile(disk.openSync(PATH, 'update'));
    disk.holdSyncs();
    const outcome = begin(file);
    disk.failSyncOf = /a\.conf/;
    expect(() => file.syncDataSync()).toThrow(PoisonedFileError);
    disk.failSyncOf = undefined;
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    disk.releaseSyncs();
    expect(await outcome).toBe(file.poison);
  });

  it('never trusts a file again after a failed fsync', async () => {
    const disk = diskWithOld();
    const file = new DurableFile(disk.openSync(PATH, 'update'));
    disk.failSyncOf = /a\.conf/;
    await expect(file.syncData()).rejects.toThrow(PoisonedFileError);
    disk.failSyncOf = undefined;
    const calls = disk.calls.length;
    await expect(file.syncData()).rejects.toThrow(/new file/);
    expect(() => file.syncDataSync()).toThrow(PoisonedFileError);
    expect(() => file.writeAllSync(NEW, 0, 1, 0)).toThrow(PoisonedFileError);
    await expect(file.writeAll(NEW, 0, 1, 0)).rejects.toThrow(PoisonedFileError);
    expect(disk.calls.length).toBe(calls);
    expect(file.poison?.code).toBe('EPOISONED');
    file.closeSync();
  });

  it('makes a synced write durable, and nothing before it', async () => {
    const disk = diskWithOld();
    disk.writeBytesMax = 4;
    const file = new DurableFile(disk.openSync(PATH, 'journal'));
    const size = OLD.length;
    file.writeAllSync(Buffer.from('lost'), 0, 4, size);
    expect(await synced(file, NEW, size + 4)).toBeUndefined();
    const found = Buffer.from(disk.cutPower(1, 'all').content(PATH)!).toString('latin1');
    expect(found.slice(size + 4)).toBe(NEW.toString());
    expect(disk.calls.filter((call) => call.startsWith('syncData')).length).toBe(4);
  });

  it.each(['failSyncOf', 'failWriteOf'] as const)('poisons by a synced write: %s', async (what) => {
    const disk = diskWithOld();
    const file = new DurableFile(disk.openSync(PATH, 'journal'));
    disk[what] = /a\.conf/;
    expect(await synced(file, NEW, 0)).toBeInstanceOf(PoisonedFileError);
    disk[what] = undefined;
    const calls = disk.calls.length;
    let isDone = false;
    file.writeAllSynced(NEW, 0, NEW.length, 0, () => {
      isDone = true;
    });
    expect(isDone).toBe(false);
    expect(await synced(file, NEW, 0)).toBe(file.poison);
    expect(disk.calls.length).toBe(calls);
    expect(() => file.writeAllSync(NEW, 0, 1, 0)).toThrow(/synced write to .* failed/);
  });

  it('poisons in the blocking form too', () => {
    const disk = diskWithOld();
    const file = new DurableFile(disk.openSync(PATH, 'update'));
    disk.failSyncOf = /a\.conf/;
    expect(() => file.syncDataSync()).toThrow(PoisonedFileError);
    expect(file.poison).toBeDefined();
  });
});

describe('the real file system', () => {
  it.each(['journal', 'update'] as const)('writes synced to a file opened for %s', async (mode) => {
    const path = join(tempFolder(), 'f');
    const files = [await realFileSystem.open(path, mode), realFileSystem.openSync(path, mode)];
    for (const [i, open] of files.entries()) {
      const file = new DurableFile(open);
      expect(await synced(file, NEW, i * NEW.length)).toBeUndefined();
      await file.close();
      expect(await synced(file, NEW, 0)).toBeInstanceOf(PoisonedFileError);
    }
    expect(readFileSync(path, 'utf8')).toBe(`${NEW}${NEW}`);
  });

  it('opens, reads, writes, cuts, renames, lists and removes', async () => {
    const folder = tempFolder();
    const path = join(folder, 'f');
    const file = await realFileSystem.open(path, 'update');
    expect(file.writeSync(NEW, 0, 7, 0)).toBe(7);
    expect(await file.write(NEW, 7, 8, 7)).toBe(8);
    await file.syncData();
    file.syncDataSync();
    const buf = new Uint8Array(30);
    expect(file.readSync(buf, 2, 20, 4)).toBe(11);
    expect(await file.read(buf, 0, 20, 100)).toBe(0);
    expect(Buffer.from(buf.subarray(2, 13)).toString()).toBe('new content');
    await file.truncate(9);
    expect(file.sizeSync()).toBe(9);
    file.truncateSync(3);
    await file.close();
    expect(await realFileSystem.stat(path)).toMatchObject({ kind: 'file', size: 3 });
    await renameDurably(realFileSystem, path, join(folder, 'g'));
    expect(await realFileSystem.readdir(folder)).toEqual(['g']);
    expect(realFileSystem.readdirSync(folder)).toEqual(['g']);
    const kept = realFileSystem.openSync(join(folder, 'g'), 'read');
    expect(kept.sizeSync()).toBe(3);
    kept.closeSync();
    realFileSystem.openSync(join(folder, 'g'), 'replace').closeSync();
    expect(realFileSystem.statSync(join(folder, 'g'))?.size).toBe(0);
    await realFileSystem.unlink(join(folder, 'g'));
    expect(await realFileSystem.stat(join(folder, 'g'))).toBeUndefined();
    await realFileSystem.mkdir(join(folder, 'h', 'i'));
    realFileSystem.mkdirSync(join(folder, 'h', 'i'));
    realFileSystem.fsyncDirSync(join(folder, 'h'));
    expect((await realFileSystem.stat(join(folder, 'h')))?.kind).toBe('folder');
    expect(await realFileSystem.freeBytes(folder)).toBeGreaterThan(0);
  });

  it('gives errors with their code, and undefined for what is not there', async () => {
    const path = join(tempFolder(), 'none');
    await expect(realFileSystem.open(path, 'read')).rejects.toSatisfy(
      (error) => errorCode(error) === 'ENOENT',
    );
    await expect(realFileSystem.unlink(path)).rejects.toThrow(/ENOENT/);
    expect(readFileWholeSync(realFileSystem, path)).toBeUndefined();
    writeFileSync(path, 'x');
    expect(await realFileSystem.stat(join(path, 'below'))).toBeUndefined();
    expect(() => readFileWholeSync(realFileSystem, tmpdir())).toThrow(/not a file/);
  });
});

describe('the faulty disk itself', () => {
  it('loses unsynced bytes and names with the power, and nothing with kill', async () => {
    const disk = diskWithOld();
    const file = disk.openSync('/data/new', 'replace');
    file.writeSync(NEW, 0, NEW.length, 0);
    const killed = disk.kill();
    expect(Buffer.from(killed.content('/data/new')!).toString()).toBe(NEW.toString());
    expect(() => file.sizeSync()).toThrow(/after the end/);
    expect(killed.cutPower(1, 'all').paths()).toEqual([PATH]);
    const lengths = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      lengths.add(disk.cutPower(seed, 'none').content('/data/new')!.length);
    }
    expect(lengths.size).toBeGreaterThan(5);
    expect(lengths.has(0) && lengths.has(NEW.length)).toBe(true);
  });

  it('keeps what a sync saw, not what came while it ran', async () => {
    const disk = diskWithOld();
    const file = disk.openSync('/data/a.conf', 'update');
    disk.holdSyncs();
    const sync = file.syncData();
    file.writeSync(NEW, 0, NEW.length, OLD.length);
    await new Promise((resolve) => setImmediate(resolve));
    expect(disk.heldSyncs).toBe(1);
    disk.releaseSyncs();
    await sync;
    const lengths = Array.from({ length: 20 }, (_, i) => disk.cutPower(i).content(PATH)!.length);
    expect(Math.min(...lengths)).toBe(OLD.length);
  });
});
