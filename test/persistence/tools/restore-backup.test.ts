/**
 * Putting a backup into a data folder, on a real disk whose calls are watched: what is brought to
 * the disk before it gets a name, what is closed and let go, and what is left when a call fails.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FolderHold } from '../../../src/persistence/aof/folder-hold.ts';
import {
  type FileSystem,
  type OpenFile,
  realFileSystem,
} from '../../../src/persistence/file-system.ts';
import {
  type RestoreBackupOptions,
  restoreBackup,
} from '../../../src/persistence/tools/restore-backup.ts';
import { rdbOf, text } from '../rdb/rdb-support.ts';

const root = mkdtempSync(join(tmpdir(), 'cairn-restore-'));
afterAll(() => rmSync(root, { recursive: true }));

const DUMP = rdbOf('REDIS0010', 0, text('k'), text('v'), 0xff);
const backup = join(root, 'backup.rdb');
writeFileSync(backup, DUMP);

/** The real disk; `calls` are told, and what `refuses` names fails as on a full disk. */
class WatchedDisk {
  readonly calls: string[] = [];
  refuses = '';
  readonly fs: FileSystem = {
    ...realFileSystem,
    openSync: (path, mode) => this.#file(realFileSystem.openSync(path, mode)),
    renameSync: (from, to) => this.#told('rename', to, () => realFileSystem.renameSync(from, to)),
    rename: async (from, to) => this.#told('rename', to, () => realFileSystem.renameSync(from, to)),
    fsyncDirSync: (path) => this.#told('fsyncDir', path, () => realFileSystem.fsyncDirSync(path)),
  };

  #told<T>(kind: string, path: string, act: () => T): T {
    const call = `${kind} ${basename(path)}`;
    if (call === this.refuses) throw Object.assign(new Error(call), { code: 'ENOSPC' });
    this.calls.push(call);
    return act();
  }

  #file(file: OpenFile): OpenFile {
    this.calls.push(`open ${basename(file.path)}`);
    return new Proxy(file, {
      get: (_, name) => {
        const kind = { writeSync: 'write', syncDataSync: 'sync', closeSync: 'close' }[String(name)];
        const member: unknown = Reflect.get(file, name, file);
        if (typeof member !== 'function') return member;
        const act = (...args: unknown[]): unknown => Reflect.apply(member, file, args);
        if (kind === undefined) return act;
        return (...args: unknown[]) => this.#told(kind, file.path, () => act(...args));
      },
    });
  }
}

function restore(dir: string, disk: WatchedDisk, given: Partial<RestoreBackupOptions> = {}) {
  const place = { dir: join(root, dir), appendDirName: 'aofs', appendFilename: 'a' };
  return restoreBackup({
    ...{ fs: disk.fs, from: backup, place, dbFilename: 'dump.rdb', as: 'both', hold: null },
    ...{ force: false, nowMs: 0, progress: () => () => undefined, rest: async () => undefined },
    ...given,
  });
}

describe('a restore of a backup', () => {
  it('has its bytes on the disk before they get a name, and closes what it opens', async () => {
    const disk = new WatchedDisk();
    const { files, keys, rdbBytes } = await restore('order', disk);
    expect([keys, rdbBytes]).toEqual([1, DUMP.length]);
    expect(files.map((path) => basename(path))).toEqual([
      ...['dump.rdb', 'a.manifest', 'a.1.base.rdb', 'a.1.incr.aof'],
    ]);
    const { calls } = disk;
    const inOrder = ['write temp-dump.rdb', 'sync temp-dump.rdb', 'rename a.1.base.rdb'];
    const end = ['rename a.manifest', 'rename dump.rdb', 'fsyncDir order'];
    const places = [...inOrder, ...end].map((call) => calls.lastIndexOf(call));
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(places).not.toContain(-1);
    const count = (kind: string) => calls.filter((call) => call.startsWith(`${kind} `)).length;
    expect(count('close')).toBe(count('open'));
    // Who writes over the dump in place does not touch the base.
    const [dump, base] = [join(root, 'order', 'dump.rdb'), join(root, 'order/aofs/a.1.base.rdb')];
    writeFileSync(dump, 'another');
    expect(readFileSync(base).equals(DUMP)).toBe(true);
  });

  it('makes of it what is asked for, and nothing else', async () => {
    await restore('rdb', new WatchedDisk(), { as: 'rdb' });
    expect(readdirSync(join(root, 'rdb'))).toEqual(['dump.rdb']);
    const { files } = await restore('aof', new WatchedDisk(), { as: 'aof' });
    expect(readdirSync(join(root, 'aof'))).toEqual(['aofs']);
    expect(files.map((path) => basename(path))).not.toContain('dump.rdb');
  });

  const shared = '/dev/shm';
  const isElsewhere = existsSync(shared) && statSync(shared).dev !== statSync(root).dev;
  it.skipIf(!isElsewhere).each([
    ['both', ['aofs', 'dump.rdb']],
    ['aof', ['aofs']],
  ] as const)('as %s copies it, durably, to an AOF folder of another disk', async (as, names) => {
    const far = mkdtempSync(join(shared, 'cairn-restore-'));
    const near = `near ${as}`;
    mkdirSync(join(root, near));
    symlinkSync(far, join(root, near, 'aofs'));
    const disk = new WatchedDisk();
    await restore(near, disk, { as, force: true });
    expect(readdirSync(join(root, near)).toSorted()).toEqual(names);
    expect(readFileSync(join(far, 'a.1.base.rdb')).equals(DUMP)).toBe(true);
    const synced = disk.calls.indexOf('sync temp-rewriteaof-restore.aof');
    expect(synced).toBeGreaterThan(0);
    expect(synced).toBeLessThan(disk.calls.indexOf('rename a.1.base.rdb'));
    rmSync(far, { recursive: true });
  });

  it.each(['write temp-dump.rdb', 'sync temp-dump.rdb', 'rename a.1.base.rdb', 'rename dump.rdb'])(
    'that fails at %s tells the code of the disk, and leaves nothing half-made',
    async (call) => {
      const dir = `failed at ${call}`;
      const disk = new WatchedDisk();
      disk.refuses = call;
      await expect(restore(dir, disk)).rejects.toMatchObject({
        code: /sync/.test(call) ? 'EPOISONED' : 'ENOSPC',
      });
      const left = existsSync(join(root, dir))
        ? readdirSync(join(root, dir), { recursive: true })
        : [];
      expect(left.filter((name) => String(name).includes('temp-'))).toEqual([]);
      const count = (kind: string) => disk.calls.filter((one) => one.startsWith(`${kind} `)).length;
      expect(count('close')).toBe(count('open'));
    },
  );

  it('has hold of the AOF folder meanwhile, and changes nothing without', async () => {
    const told: string[] = [];
    const hold: FolderHold = {
      take: async (path) => {
        told.push(`take ${basename(path)}`);
      },
      letGo: () => told.push('let go'),
    };
    await restore('held', new WatchedDisk(), { hold });
    expect(told).toEqual(['take aofs', 'let go']);
    const another = { ...hold, take: async () => Promise.reject(new Error('another has it')) };
    const given = { hold: another, force: true };
    await expect(restore('other', new WatchedDisk(), given)).rejects.toThrow('another has it');
    expect(existsSync(join(root, 'other'))).toBe(false);
    await restore('other', new WatchedDisk(), { hold: another, as: 'rdb' });
    expect(readdirSync(join(root, 'other'))).toEqual(['dump.rdb']);
  });

  it('does not take a file for its backup that it would write to', async () => {
    mkdirSync(join(root, 'again'));
    const from = join(root, 'again', 'temp-dump.rdb');
    writeFileSync(from, DUMP);
    const given = { from, force: true };
    await expect(restore('again', new WatchedDisk(), given)).rejects.toThrow(/another name/);
    expect(readFileSync(from).equals(DUMP)).toBe(true);
  });

  it('refuses what is no folder, and replaces a manifest that cannot be read if told', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(restore('file', new WatchedDisk())).rejects.toThrow(/is no folder/);
    mkdirSync(join(root, 'damaged', 'aofs'), { recursive: true });
    writeFileSync(join(root, 'damaged', 'aofs', 'a.manifest'), 'no manifest\n');
    await restore('damaged', new WatchedDisk(), { force: true });
    expect(readFileSync(join(root, 'damaged', 'aofs', 'a.manifest'), 'utf8')).toMatch(/^file a\./);
  });
});
