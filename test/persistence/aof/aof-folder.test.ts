/** The AOF's folder: the states that manifest.ts draws, and names that are never reused. */
import { describe, expect, it } from 'vitest';
import { AofFolder } from '../../../src/persistence/aof/aof-folder.ts';
import { RewriteSchedule } from '../../../src/persistence/aof/aof-rewrite-schedule.ts';
import { FolderHeldError, type FolderHold } from '../../../src/persistence/aof/folder-hold.ts';
import {
  AOF_FOLDER,
  AofDriver,
  aofFolderNames,
  freshDriver,
  recover,
} from '../../support/aof-driver.ts';
import { PLACE } from '../../support/aof-samples.ts';
import { type Failure, FaultyFileSystem } from '../../support/faulty-file-system.ts';

/** The manifest as `b1 h:b1 i2`. */
function shortManifest(fs: FaultyFileSystem): string {
  const text = Buffer.from(fs.content(`${AOF_FOLDER}/a.manifest`)!).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, kind, seq, type] = /(base|incr)\.aof seq (\d+) type (.)/.exec(line)!;
      return `${type === 'h' ? 'h:' : ''}${kind![0]}${seq}`;
    })
    .join(' ');
}

describe('the hold on a folder', () => {
  /** Notes what is taken and let go; `refused` is held by somebody else. */
  class NotedHold implements FolderHold {
    readonly notes: string[] = [];
    readonly refused: string;

    constructor(refused: string) {
      this.refused = refused;
    }

    async take(path: string): Promise<void> {
      if (path === this.refused) throw new FolderHeldError(path, 7);
      this.notes.push(path);
    }

    letGo(): void {
      this.notes.push('let go');
    }
  }

  function heldDriver(refused = ''): { fs: FaultyFileSystem; driver: AofDriver; notes: string[] } {
    const fs = new FaultyFileSystem();
    fs.put('/data/.keep', new Uint8Array(0));
    fs.put('/other/aofs/a.manifest', Buffer.from('of another'));
    const hold = new NotedHold(refused);
    return { fs, driver: new AofDriver(fs, { policy: 'no' }, 0, hold), notes: hold.notes };
  }

  it('stays while the AOF is off for a while, and ends when it is let go', async () => {
    const { driver, notes } = heldDriver();
    await driver.folder.takeHold();
    await driver.folder.read();
    await driver.aof.open((path) => driver.writeBase(path));
    await driver.aof.letGo();
    await driver.aof.switchOff();
    await driver.aof.switchOn();
    await driver.aof.letGo();
    expect(notes).toEqual([AOF_FOLDER, AOF_FOLDER]);
    await driver.aof.switchOff();
    await driver.aof.letGo();
    expect(notes).toEqual([AOF_FOLDER, AOF_FOLDER, 'let go']);
  });

  it('comes before everything that reads or changes the folder', async () => {
    const { fs, driver, notes } = heldDriver('/other/aofs');
    const before = fs.paths();
    await expect(driver.aof.switchOn('/other')).rejects.toThrow('is held by process 7');
    expect(fs.calls).toEqual(['mkdir aofs']);
    expect(fs.paths()).toEqual(before);
    expect(notes).toEqual(['let go']);
    expect(driver.folder.path).toBe(AOF_FOLDER);
    await driver.aof.takeHold();
    expect(notes).toEqual(['let go']); // there is no folder yet to keep anybody from
  });

  it('ends when what is in the folder cannot be read', async () => {
    const { driver, notes } = heldDriver();
    await expect(driver.aof.switchOn('/other')).rejects.toThrow('manifest');
    expect(notes).toEqual(['/other/aofs', 'let go']);
    expect(driver.aof.state).toBe('off');
  });
});

describe('a rewrite', () => {
  it('goes through the drawn states, each of which a start loads whole', async () => {
    const { fs, driver } = await freshDriver('always');
    driver.turn(2);
    await driver.pass(100);
    const first = fs.calls.length;
    await driver.begin();
    driver.turn();
    await driver.pass(100);
    await driver.finish();
    const calls = fs.calls.length;
    const seen: string[] = [];
    for (let call = first + 1; call <= calls; call++) {
      const again = await freshDriver('always');
      again.driver.turn(2);
      await again.driver.pass(100);
      again.fs.breakCall(call, { kind: 'kill', when: 'after' });
      await again.driver
        .begin()
        .then(async () => {
          again.driver.turn();
          await again.driver.pass(100);
          await again.driver.finish();
        })
        .catch(() => undefined);
      const disk = again.fs.kill();
      const state = shortManifest(disk);
      if (seen.at(-1) !== state) seen.push(state);
      expect(await recover(disk)).toBeGreaterThanOrEqual(again.driver.acknowledged);
      if (!state.startsWith('b2')) continue;
      await (await AofDriver.start(disk, { policy: 'always' })).aof.close();
      expect(aofFolderNames(disk)).toEqual(['a.2.base.aof', 'a.2.incr.aof', 'a.manifest']);
    }
    expect(seen).toEqual(['b1 i1', 'b1 i1 i2', 'b2 h:i1 h:b1 i2', 'b2 i2']);
  });
});

describe('a manifest that may or may not have reached the disk', () => {
  it('spends its names: they are never given to other content', async () => {
    const { fs, driver } = await freshDriver('no');
    driver.turn();
    await driver.begin();
    const path = driver.folder.temporaryBasePath(1);
    await driver.writeBase(path);
    // open, write, fsync and close of the temporary manifest, rename: then the folder's fsync.
    const renamed = fs.calls.length + 2 + 6;
    fs.breakCall(renamed, { kind: 'error', code: 'EIO' });
    await expect(driver.aof.finishRewrite(path, 'aof')).rejects.toThrow(/EIO/);
    expect(fs.calls.at(-1)).toBe('fsyncDir aofs');
    expect(shortManifest(fs)).toBe('b2 h:i1 h:b1 i2');
    await driver.aof.abortRewrite();
    driver.turn();
    expect(await recover(fs.kill())).toBe(2);
    const next = await freshDriver('no');
    next.driver.turn();
    await next.driver.begin();
    await next.driver.writeBase(path);
    next.fs.breakCall(next.fs.calls.length + 8, { kind: 'error', code: 'EIO' });
    await expect(next.driver.aof.finishRewrite(path, 'aof')).rejects.toThrow();
    await next.driver.aof.abortRewrite();
    await next.driver.rewrite();
    expect(aofFolderNames(next.fs)).toContain('a.3.base.aof');
    expect(await recover(next.fs.kill())).toBe(1);
  });
});

describe('the manifest of an AOF that was switched on, which may have reached the disk', () => {
  it('never finds its increment with what came later', async () => {
    const disk = new FaultyFileSystem();
    disk.put('/data/.keep', new Uint8Array(0));
    const driver = new AofDriver(disk, { policy: 'everysec' });
    const breakFsyncDir = (further: number, failure: Failure) =>
      disk.breakCallOf('fsyncDir', (disk.kindCalls.get('fsyncDir') ?? 0) + further, failure);
    driver.turn(2);
    await driver.aof.switchOn();
    await driver.begin();
    driver.turn();
    // The first is that of the new names, the second that of the manifest.
    breakFsyncDir(2, { kind: 'error', code: 'EIO' });
    await expect(driver.finish()).rejects.toThrow(/EIO/);
    await driver.aof.abortRewrite();
    expect(shortManifest(disk)).toBe('b1 i1');
    driver.turn();
    await driver.begin();
    driver.turn();
    breakFsyncDir(1, { kind: 'kill', when: 'after' });
    await expect(driver.finish()).rejects.toThrow(/killed/);
    expect(await recover(disk.kill())).toBe(3);
  });
});

describe('an increment whose name may not have reached the disk', () => {
  it('is not used: the next one has another name', async () => {
    const { fs, driver } = await freshDriver('no');
    driver.turn();
    // open and close of the increment, then the folder's fsync.
    fs.breakCall(fs.calls.length + 3, { kind: 'error', code: 'EIO' });
    await expect(driver.begin()).rejects.toThrow(/EIO/);
    expect(fs.calls.at(-1)).toBe('fsyncDir aofs');
    await driver.begin();
    expect(shortManifest(fs)).toBe('b1 i1 i3');
    driver.turn();
    await driver.pass(100);
    expect(await recover(fs.kill())).toBe(2);
  });
});

describe('changes that are asked for at the same time', () => {
  it('come one after the other', async () => {
    const { fs, driver } = await freshDriver('no', { keepHistory: true });
    driver.turn();
    await driver.rewrite();
    expect(shortManifest(fs)).toBe('b2 h:i1 h:b1 i2');
    await Promise.all([driver.aof.setKeepHistory(false), driver.aof.prepareRewrite(0)]);
    expect(shortManifest(fs)).toBe('b2 i2 i3');
    expect(aofFolderNames(fs)).not.toContain('a.1.base.aof');
  });
});

describe('taking in an old file', () => {
  it('happens when there is nothing else to load, and goes on after a crash', async () => {
    const { fs } = await freshDriver('no');
    fs.put('/data/a', Buffer.from('x'));
    const folder = new AofFolder(fs, PLACE, null);
    await folder.read();
    expect(await folder.takeInOldFile()).toBe(false);
    fs.put(`${AOF_FOLDER}/a.manifest`, Buffer.from('file a seq 1 type b\n'));
    await folder.read();
    expect(await folder.takeInOldFile()).toBe(true);
    expect(fs.paths()).not.toContain('/data/a');
    fs.put('/data/a', Buffer.from('another'));
    await folder.read();
    expect(await folder.takeInOldFile()).toBe(false);
  });

  it.each([
    'file a.1.base.aof seq 1 type b\n',
    'file a seq 1 type b\nfile a.1.incr.aof seq 1 type i\n',
  ])(
    'does not happen where the manifest is %j, whose files are not all there',
    async (manifest) => {
      const { fs } = await freshDriver('no');
      fs.put('/data/a', Buffer.from('x'));
      fs.put(`${AOF_FOLDER}/a.manifest`, Buffer.from(manifest));
      const folder = new AofFolder(fs, PLACE, null);
      await folder.read();
      expect(await folder.takeInOldFile()).toBe(false);
      expect(fs.paths()).toContain('/data/a');
    },
  );
});

describe('RewriteSchedule', () => {
  it('wants a rewrite when the file is large enough and has grown enough', () => {
    const schedule = new RewriteSchedule(100, 1000);
    expect(schedule.reason(0, false, 1000, 10)).toBeUndefined();
    expect(schedule.reason(0, false, 1001, 10)).toBe('growth');
    expect(schedule.reason(0, false, 1999, 1000)).toBeUndefined();
    expect(schedule.reason(0, false, 2000, 1000)).toBe('growth');
    expect(schedule.reason(0, false, 2000, 0)).toBe('growth');
    expect(schedule.reason(0, true, 0, 0)).toBe('need');
    schedule.percentage = 0;
    expect(schedule.reason(0, false, 1e9, 1)).toBeUndefined();
  });

  it('backs off after three failures: 1, 2, 4 .. 60 minutes, until one succeeds', () => {
    const schedule = new RewriteSchedule(100, 0);
    const delays = Array.from({ length: 10 }, () => schedule.failed(0));
    expect(delays).toEqual([0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
    expect(schedule.reason(59 * 60_000, true, 0, 0)).toBeUndefined();
    expect(schedule.reason(60 * 60_000, true, 0, 0)).toBe('need');
    schedule.succeeded();
    expect(schedule.reason(0, true, 0, 0)).toBe('need');
    expect(schedule.failed(0)).toBe(0);
  });
});
