/** Rewrites of the AOF: the steps, a failed fsync made good, switching on and off while running. */
import { describe, expect, it, vi } from 'vitest';
import { parseManifest } from '../../../src/persistence/aof/manifest.ts';
import {
  AofDriver,
  aofFolderNames,
  AOF_FOLDER as FOLDER,
  freshDriver as fresh,
  recover,
} from '../../support/aof-driver.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

const names = aofFolderNames;
const manifestOf = (fs: FaultyFileSystem) =>
  Buffer.from(fs.content(`${FOLDER}/a.manifest`)!).toString();

describe('a rewrite', () => {
  it('replaces base and increments, and counts sizes', async () => {
    const { fs, driver } = await fresh('everysec');
    for (let i = 0; i < 50; i++) driver.turn();
    const sizes = () =>
      names(fs).reduce((sum, name) => {
        return sum + (/\.aof$/.test(name) ? fs.content(`${FOLDER}/${name}`)!.length : 0);
      }, 0);
    expect(driver.aof.size.currentBytes).toBe(sizes());
    expect(driver.aof.rewriteReason(0)).toBe('growth');
    await driver.begin();
    expect(driver.aof.rewriteReason(0)).toBeUndefined();
    driver.turn(5);
    await driver.finish();
    await driver.pass(200);
    expect(driver.aof.size.currentBytes).toBe(sizes());
    expect(names(fs)).toEqual(['a.2.base.aof', 'a.2.incr.aof', 'a.manifest']);
    expect(await recover(fs.kill())).toBe(55);
  });

  it('is followed by sizes that a start finds again', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn(50);
    await driver.rewrite();
    await driver.pass(100);
    driver.turn(9);
    await driver.aof.close();
    const { aof } = await AofDriver.start(fs, { policy: 'no' });
    const [base, incr] = ['base', 'incr'].map((kind) => fs.content(`${FOLDER}/a.2.${kind}.aof`)!);
    expect([aof.size.afterRewriteBytes, aof.size.currentBytes]).toEqual([
      base!.length,
      base!.length + incr!.length,
    ]);
    expect(driver.aof.size.afterRewriteBytes).toBe(base!.length);
  });

  it('says which replaced files cannot be deleted, and keeps their names', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn();
    fs.breakCallOf('unlink', 1, { kind: 'error', code: 'EIO' });
    await driver.rewrite();
    expect(driver.log.join()).toMatch(/files stay for now: could not delete .*a\.1\.incr\.aof/);
    expect(manifestOf(fs)).toContain('file a.1.incr.aof seq 1 type h\n');
    expect(driver.aof.isRewriting).toBe(false);
  });

  it('keeps the increments when it is aborted, and goes on in the new one', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn();
    await driver.begin();
    driver.turn();
    await driver.pass(100);
    expect(await driver.aof.abortRewrite()).toBe(0);
    driver.turn();
    expect(parseManifest(fs.content(`${FOLDER}/a.manifest`)!).incrs.length).toBe(2);
    await driver.rewrite();
    driver.turn();
    await driver.pass(100);
    expect(names(fs)).toEqual(['a.2.base.aof', 'a.3.incr.aof', 'a.manifest']);
    expect(await recover(fs.kill())).toBe(4);
  });

  it('keeps history when told to, and deletes it at the next start when not', async () => {
    const { fs, driver } = await fresh('no', { keepHistory: true });
    driver.turn();
    await driver.rewrite();
    await driver.pass(100);
    expect(names(fs)).toContain('a.1.incr.aof');
    expect(manifestOf(fs)).toContain('file a.1.incr.aof seq 1 type h\n');
    await driver.aof.close();
    const again = await AofDriver.start(fs, { policy: 'no' });
    await again.aof.close();
    expect(names(fs)).toEqual(['a.2.base.aof', 'a.2.incr.aof', 'a.manifest']);
  });

  it('deletes kept history as soon as it is told not to keep it any longer', async () => {
    const { fs, driver } = await fresh('no', { keepHistory: true });
    driver.turn();
    await driver.rewrite();
    await driver.pass(100);
    await driver.aof.setKeepHistory(true);
    expect(names(fs)).toContain('a.1.incr.aof');
    await driver.aof.setKeepHistory(false);
    expect(names(fs)).toEqual(['a.2.base.aof', 'a.2.incr.aof', 'a.manifest']);
    expect(manifestOf(fs)).not.toContain('type h');
  });

  it("deletes no history while it is off, when the folder may be another server's", async () => {
    const { fs, driver } = await fresh('no', { keepHistory: true });
    await driver.rewrite();
    await driver.aof.switchOff();
    const before = names(fs);
    expect(before).toContain('a.1.incr.aof');
    await driver.aof.setKeepHistory(false);
    expect(names(fs)).toEqual(before);
  });

  it('holds new turns until the old file is safe', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    await driver.aof.prepareRewrite(0);
    fs.holdSyncs();
    await driver.begin();
    driver.turn();
    await driver.pass(200);
    expect(driver.acknowledged).toBe(1);
    expect(fs.content(`${FOLDER}/a.2.incr.aof`)!.length).toBe(0);
    fs.releaseSyncs();
    await driver.pass(100);
    expect(driver.acknowledged).toBe(2);
  });

  it('takes the place of turns that the old file never took', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    fs.failWriteOf = /a\.1\.incr/;
    driver.turn();
    expect(driver.acknowledged).toBe(1);
    await driver.begin();
    driver.turn();
    await driver.pass(1500);
    expect(driver.acknowledged).toBe(1);
    await driver.finish();
    await driver.pass(1500);
    expect(driver.aof.lastError).toBeUndefined();
    expect(driver.acknowledged).toBe(3);
    expect(await recover(fs.cutPower(1))).toBe(3);
  });

  it('waits for the end of the last change of files', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    await driver.aof.prepareRewrite(0);
    fs.holdSyncs(/a\.1\.incr/);
    await driver.rewrite();
    driver.turn();
    await driver.pass(300);
    expect(await driver.begin()).toBe(false);
    expect(await driver.begin()).toBe(false);
    fs.releaseSyncs();
    await driver.pass(300);
    await driver.rewrite();
    driver.turn();
    await driver.pass(2000);
    expect(driver.acknowledged).toBe(3);
    expect(names(fs)).toEqual(['a.3.base.aof', 'a.3.incr.aof', 'a.manifest']);
    expect(await recover(fs.cutPower(1))).toBe(3);
  });

  it('does not begin unprepared, nor twice', async () => {
    const { driver } = await fresh('no');
    expect(driver.aof.beginRewrite()).toBe(false);
    await driver.begin();
    expect(driver.aof.beginRewrite()).toBe(false);
    // Nor when the new increment has taken over.
    driver.turn();
    await driver.pass(100);
    expect(driver.aof.beginRewrite()).toBe(false);
    await expect(driver.aof.prepareRewrite(0)).rejects.toThrow(/already running/);
    await driver.finish();
    await expect(driver.aof.finishRewrite('x', 'rdb')).rejects.toThrow(/no AOF rewrite/);
  });
});

describe('switching on and off', () => {
  it('promises nothing before the first rewrite, everything after', async () => {
    const fs = new FaultyFileSystem();
    fs.put('/data/a', Buffer.from('an old file that is not asked for'));
    const driver = new AofDriver(fs, { policy: 'everysec' });
    driver.turn(3);
    expect(driver.acknowledged).toBe(3);
    await driver.aof.switchOn();
    expect(driver.aof.state).toBe('waiting');
    driver.turn();
    expect(driver.aof.rewriteReason(0)).toBe('need');
    await driver.begin();
    driver.turn();
    await driver.pass(1500);
    expect(names(fs)).toEqual(['temp-a.incr']);
    expect(driver.aof.syncedBytes).toBe(0);
    driver.turn();
    await driver.finish();
    expect(driver.aof.syncedBytes).toBe(driver.aof.appendedBytes);
    expect(driver.acknowledged).toBe(6);
    expect(driver.aof.state).toBe('on');
    expect(names(fs)).toEqual(['a.1.base.aof', 'a.1.incr.aof', 'a.manifest']);
    fs.unlinkSync('/data/a');
    expect(await recover(fs.kill())).toBe(6);
  });

  it('starts over when the first rewrite fails', async () => {
    const fs = new FaultyFileSystem();
    fs.put('/data/.keep', new Uint8Array(0));
    const driver = new AofDriver(fs, { policy: 'always' });
    await driver.aof.switchOn();
    await driver.begin();
    driver.turn();
    await driver.aof.abortRewrite();
    expect(driver.acknowledged).toBe(1);
    expect([driver.aof.state, names(fs).length]).toEqual(['waiting', 0]);
    driver.turn();
    await driver.rewrite();
    driver.turn();
    await driver.pass(100);
    expect(driver.acknowledged).toBe(3);
    expect(await recover(fs.cutPower(1))).toBe(3);
  });

  it('off releases what waits for a disk that fails', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    fs.spaceBytes = 0;
    driver.turn();
    expect(driver.acknowledged).toBe(1);
    await driver.aof.switchOff();
    expect(driver.acknowledged).toBe(2);
    expect(driver.log.join()).toMatch(/switched off with bytes that are not on disk/);
    expect(driver.aof.lastError).toBeUndefined();
  });

  it('off leaves the files, on again replaces them', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    await driver.aof.switchOff();
    expect(driver.aof.state).toBe('off');
    driver.turn();
    expect(driver.acknowledged).toBe(2);
    expect(await recover(fs.cutPower(1))).toBe(1);
    const kept = await fresh('everysec');
    await kept.driver.aof.switchOff();
    kept.driver.turn();
    await kept.driver.aof.switchOn();
    const seen = vi.spyOn(kept.fs, 'unlink').mockImplementation((path) => {
      // Nobody is told that the AOF is on while its first rewrite still runs.
      expect([kept.driver.aof.state, kept.driver.aof.isRewriting]).toEqual(['waiting', true]);
      return Promise.resolve(kept.fs.unlinkSync(path));
    });
    await kept.driver.rewrite();
    expect(seen).toHaveBeenCalledTimes(2);
    expect([kept.driver.aof.state, kept.driver.aof.isRewriting]).toEqual(['on', false]);
    kept.driver.turn();
    await kept.driver.pass(1500);
    expect(names(kept.fs)).toEqual(['a.2.base.aof', 'a.2.incr.aof', 'a.manifest']);
    expect(await recover(kept.fs.cutPower(1))).toBe(2);
  });
});

describe('a failed fsync under everysec', () => {
  it('promises nothing more and writes nothing behind the gap', async () => {
    const { fs, driver } = await fresh('everysec');
    const { aof } = driver;
    driver.turn();
    await driver.pass(100);
    driver.turn();
    fs.failSyncOf = /a\.1\.incr/;
    await driver.pass(1000);
    expect(aof.lastError?.message).toMatch(/fsync of .*a\.1\.incr\.aof failed/);
    fs.failSyncOf = undefined;
    const safe = aof.syncedBytes;
    const [calls, lines] = [fs.calls.length, driver.log.length];
    driver.turn();
    await driver.pass(3000);
    expect([fs.calls.length, driver.log.length]).toEqual([calls, lines]);
    expect(driver.acknowledged).toBe(2);
    expect([aof.syncedBytes, aof.lastError === undefined]).toEqual([safe, false]);
    expect(aof.disk.queue.bytes).toBe(0);
    expect(aof.rewriteReason(driver.nowMs)).toBe('need');
    await expect(aof.flush()).rejects.toThrow(/fsync/);
    expect(await recover(fs.kill())).toBe(2);
  });

  it('is over once the rewrite is finished', async () => {
    const { fs, driver } = await fresh('everysec');
    const { aof } = driver;
    driver.turn();
    fs.failSyncOf = /a\.1\.incr/;
    await driver.pass(1000);
    fs.failSyncOf = undefined;
    await driver.pass(2000);
    driver.turn();
    await driver.begin();
    driver.turn();
    expect(aof.disk.queue.bytes).toBeGreaterThan(0);
    await driver.aof.abortRewrite();
    expect(aof.disk.queue.bytes).toBe(0);
    driver.turn();
    await driver.begin();
    driver.turn();
    await driver.pass(300);
    expect(driver.acknowledged).toBe(1);
    expect(fs.content(`${FOLDER}/a.3.incr.aof`)!.length).toBe(0);
    await driver.finish();
    await driver.pass(2000);
    expect(aof.lastError).toBeUndefined();
    expect(aof.rewriteReason(driver.nowMs)).toBeUndefined();
    expect(driver.acknowledged).toBe(5);
    expect(aof.syncedBytes).toBe(aof.appendedBytes);
    expect(names(fs)).toEqual(['a.2.base.aof', 'a.3.incr.aof', 'a.manifest']);
    for (let seed = 0; seed < 10; seed++) expect(await recover(fs.cutPower(seed))).toBe(5);
  });

  it('in the old file during a rewrite is covered by that rewrite', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    await driver.aof.prepareRewrite(0);
    fs.failSyncOf = /a\.1\.incr/;
    await driver.begin();
    driver.turn();
    await driver.pass(500);
    expect(driver.aof.lastError).toBeDefined();
    expect(names(fs)).not.toContain('a.3.incr.aof');
    await driver.finish();
    await driver.pass(2000);
    expect(driver.aof.lastError).toBeUndefined();
    expect(driver.acknowledged).toBe(2);
    expect(await recover(fs.cutPower(1))).toBe(2);
  });

  it('in the old file after its rewrite was given up leaves the way open for another', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    await driver.aof.prepareRewrite(0);
    fs.holdSyncs(/a\.1\.incr/);
    await driver.begin();
    driver.turn();
    await driver.aof.abortRewrite();
    fs.failSyncOf = /a\.1\.incr/;
    fs.releaseSyncs();
    await driver.pass(300);
    expect(driver.aof.lastError).toBeDefined();
    driver.turn();
    await driver.rewrite();
    driver.turn();
    await driver.pass(2000);
    expect(driver.aof.lastError).toBeUndefined();
    expect(driver.acknowledged).toBe(4);
    for (let seed = 0; seed < 10; seed++) expect(await recover(fs.cutPower(seed))).toBe(4);
  });

  it('in the new file during a rewrite needs another one', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    await driver.begin();
    driver.turn();
    await driver.pass(100);
    fs.failSyncOf = /a\.2\.incr/;
    await driver.pass(2000);
    driver.turn();
    await driver.pass(1000);
    fs.failSyncOf = undefined;
    await driver.finish();
    expect(driver.acknowledged).toBe(2);
    expect(driver.aof.lastError?.message).toMatch(/fsync of/);
    expect(driver.aof.rewriteReason(driver.nowMs)).toBe('need');
    await driver.rewrite();
    await driver.pass(2000);
    expect(driver.aof.lastError).toBeUndefined();
    expect(driver.acknowledged).toBe(3);
    expect(await recover(fs.cutPower(1))).toBe(3);
  });
});
