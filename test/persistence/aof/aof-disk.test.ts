/** The disk side of the AOF where two things meet: an error and a policy, a write and an fsync. */
import { describe, expect, it } from 'vitest';
import {
  type AofDriver,
  aofFolderNames,
  AOF_FOLDER as FOLDER,
  freshDriver as fresh,
  givenUp,
  nextTurn,
  recover,
} from '../../support/aof-driver.ts';
import type { FaultyFileSystem } from '../../support/faulty-file-system.ts';

const sizeOf = (fs: FaultyFileSystem, name: string) => fs.content(`${FOLDER}/${name}`)!.length;

/** So many writes are found after power loss, whatever it takes of what was not made safe. */
async function expectAfterPowerLoss(fs: FaultyFileSystem, count: number): Promise<void> {
  for (let seed = 0; seed < 12; seed++) {
    expect(await recover(fs.cutPower(seed, 'all'))).toBe(count);
  }
}

describe('appendfsync always, set while turns wait', () => {
  it('makes safe what everysec has written before the turns that its disk refused', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn(3);
    fs.spaceBytes = 0;
    driver.turn(2);
    fs.spaceBytes = 1e9;
    driver.aof.disk.setPolicy('always');
    await driver.pass(100);
    expect(driver.acknowledged).toBe(5);
    await expectAfterPowerLoss(fs, 5);
  });

  it('makes safe what was written while fsyncs were suspended', async () => {
    const { fs, driver } = await fresh('always');
    driver.aof.disk.setFsyncSuspended(true);
    driver.turn(2);
    await driver.pass(2000);
    expect(driver.acknowledged).toBe(2);
    expect(driver.aof.syncedBytes).toBe(0);
    driver.aof.disk.setFsyncSuspended(false);
    await driver.pass(100);
    expect(driver.aof.syncedBytes).toBe(driver.aof.appendedBytes);
    await expectAfterPowerLoss(fs, 2);
  });

  it('answers nobody when the fsync for what was written meanwhile fails', async () => {
    const { fs, driver } = await fresh('always');
    driver.aof.disk.setFsyncSuspended(true);
    driver.turn(2);
    driver.aof.disk.setFsyncSuspended(false);
    fs.failSyncOf = /a\.1\.incr/;
    await driver.pass(100);
    expect(driver.fatal?.message).toMatch(/fsync of/);
    expect(driver.acknowledged).toBe(0);
  });

  it('cuts off half a group before the process ends', async () => {
    const { fs, driver } = await fresh('always');
    driver.turn();
    await driver.pass(100);
    const size = sizeOf(fs, 'a.1.incr.aof');
    fs.spaceBytes = 25;
    driver.turn(3);
    await driver.pass(100);
    expect(driver.fatal?.message).toMatch(/ENOSPC/);
    expect(sizeOf(fs, 'a.1.incr.aof')).toBe(size);
  });

  it('left again while a group fails, is made good by a rewrite', async () => {
    const { fs, driver } = await fresh('always');
    fs.holdSyncs();
    driver.turn();
    driver.aof.disk.setPolicy('everysec');
    fs.failSyncOf = /a\.1\.incr/;
    await driver.pass(100);
    fs.releaseSyncs();
    await driver.pass(100);
    expect([driver.fatal, driver.acknowledged]).toEqual([undefined, 0]);
    expect(driver.aof.lastError?.message).toMatch(/synced write/);
    await driver.rewrite();
    driver.turn();
    await driver.pass(2000);
    expect(driver.aof.lastError).toBeUndefined();
    expect(driver.acknowledged).toBe(2);
    await expectAfterPowerLoss(fs, 2);
  });
});

describe('a write of the chain', () => {
  it('takes no turns that come while it is under way', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    fs.holdSyncs();
    await driver.pass(100);
    driver.turn();
    driver.turn(2);
    for (let i = 0; i < 6; i++) await nextTurn();
    expect(driver.acknowledged).toBe(4);
    expect(await recover(fs.kill())).toBe(4);
  });

  it('that ends after a failed fsync does not have writes taken again', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    fs.holdSyncs();
    await driver.pass(100);
    fs.failSyncOf = /a\.1\.incr/;
    driver.turn();
    fs.releaseSyncs();
    await driver.pass(100);
    expect(driver.aof.lastError?.message).toMatch(/fsync of/);
    expect(driver.aof.rewriteReason(driver.nowMs)).toBe('need');
    expect(driver.acknowledged).toBe(1);
  });
});

describe('the end of a rewrite', () => {
  it.each(['done', 'given up'])('%s, leaves alone what waits for its file', async (how) => {
    const { fs, driver } = await fresh('always');
    driver.turn();
    await driver.begin();
    await driver.pass(100);
    fs.holdSyncs(/a\.2\.incr/);
    driver.turn();
    driver.turn();
    if (how === 'done') await driver.finish();
    else await driver.aof.abortRewrite();
    fs.releaseSyncs();
    await driver.pass(100);
    driver.turn();
    await driver.pass(100);
    expect(driver.acknowledged).toBe(4);
    await expectAfterPowerLoss(fs, 4);
  });
});

describe('a rewrite', () => {
  it('closes no gap before the manifest names its base', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    fs.failSyncOf = /incr/;
    await driver.pass(1000);
    await driver.begin();
    driver.turn();
    fs.failSyncOf = /manifest/;
    await expect(driver.finish()).rejects.toThrow(/EIO/);
    fs.failSyncOf = undefined;
    await driver.pass(1000);
    expect([driver.acknowledged, driver.aof.syncedBytes]).toEqual([1, 0]);
    await driver.aof.abortRewrite();
    await driver.rewrite();
    expect(driver.acknowledged).toBe(2);
    await expectAfterPowerLoss(fs, 2);
  });

  it('while the AOF is off leaves its base alone, without the increments of before', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn(2);
    await driver.aof.switchOff();
    driver.turn();
    await driver.aof.switchOn();
    await driver.begin();
    const path = driver.folder.temporaryBasePath('off');
    await driver.writeBase(path);
    await driver.aof.finishRewrite(path, 'aof', false);
    await driver.aof.switchOff();
    expect(aofFolderNames(fs)).toEqual(['a.2.base.aof', 'a.manifest']);
    await expectAfterPowerLoss(fs, 3);
  });

  it('that succeeds ends the waiting that failures have brought about', async () => {
    const { driver } = await fresh('no');
    const minutes: number[] = [];
    for (let i = 0; i < 6; i++) {
      await driver.begin();
      if (i === 4) await driver.finish();
      else minutes.push(await driver.aof.abortRewrite());
    }
    expect(minutes).toEqual([0, 0, 1, 2, 0]);
  });
});

describe('the figures', () => {
  it.each(['always', 'everysec'] as const)(
    'under %s do not go back when what they count ends after a base',
    async (policy) => {
      let driver: AofDriver | undefined;
      const seen: (readonly [written: number, synced: number])[] = [];
      const onProgress = () => {
        if (driver !== undefined) seen.push([driver.aof.writtenBytes, driver.aof.syncedBytes]);
      };
      const made = await fresh(policy, { onProgress });
      driver = made.driver;
      await driver.aof.prepareRewrite(0);
      made.fs.holdSyncs(/a\.1\.incr/);
      driver.turn();
      await driver.pass(100);
      driver.turn();
      driver.beginPrepared();
      driver.turn();
      await driver.finish();
      made.fs.releaseSyncs();
      await driver.pass(2000);
      for (const i of [0, 1] as const) {
        const figures = seen.map((pair) => pair[i]);
        expect(figures).toEqual([...figures].sort((a, b) => a - b));
        expect(figures.at(-1)).toBe(driver.aof.appendedBytes);
      }
      await expectAfterPowerLoss(made.fs, 3);
    },
  );
});

describe('a base that is done', () => {
  it('makes safe what it holds, and nothing that was written since', async () => {
    const { driver } = await fresh('everysec');
    const { aof } = driver;
    driver.turn();
    await driver.begin();
    await driver.pass(100);
    const held = aof.appendedBytes;
    driver.turn();
    await driver.finish();
    expect([aof.writtenBytes, aof.syncedBytes]).toEqual([aof.appendedBytes, held]);
    await driver.begin();
    driver.turn();
    await driver.pass(2000);
    await driver.finish();
    expect(aof.syncedBytes).toBe(aof.appendedBytes);
  });
});

describe('files that are let go', () => {
  it.each(['always', 'everysec'] as const)(
    'under %s are closed when nothing works on them any more',
    async (policy) => {
      const { fs, end } = await givenUp(policy);
      const before = fs.calls.length;
      for (let i = 0; i < 10; i++) await nextTurn();
      expect(fs.calls.slice(before)).toEqual([]);
      fs.releaseSyncs();
      await end;
      expect(fs.calls.at(-1)).toBe('close a.1.incr.aof');
    },
  );

  it('are closed behind a change of the folder, that of a rewrite not begun, too', async () => {
    const { fs, driver } = await fresh('everysec');
    fs.holdSyncs(/manifest$/);
    const preparation = driver.aof.prepareRewrite(0);
    const end = driver.aof.giveUp();
    for (let i = 0; i < 10; i++) await nextTurn();
    expect(driver.aof.state).toBe('on');
    fs.releaseSyncs();
    await Promise.all([preparation, end]);
    expect(driver.aof.state).toBe('off');
    expect(fs.calls.slice(-2)).toEqual(['close a.1.incr.aof', 'close a.2.incr.aof']);
  });

  it('answer nobody whose write they do not hold', async () => {
    const { fs, driver } = await fresh('everysec');
    fs.spaceBytes = 0;
    driver.turn();
    await driver.aof.giveUp();
    expect(driver.acknowledged).toBe(0);
  });

  it('answer nobody either once they have failed for good', async () => {
    const { fs, driver } = await fresh('always');
    fs.failSyncOf = /incr/;
    driver.turn();
    await driver.pass(100);
    expect(driver.fatal?.message).toMatch(/EIO/);
    await driver.aof.switchOff();
    expect(driver.acknowledged).toBe(0);
  });

  it('leave nothing behind that those which follow would wait for', async () => {
    const { fs, driver } = await fresh('everysec');
    fs.spaceBytes = 0;
    driver.turn();
    await driver.aof.switchOff();
    fs.spaceBytes = 1e9;
    await driver.aof.switchOn();
    await driver.rewrite();
    driver.turn();
    expect(driver.acknowledged).toBe(2);
    expect(await recover(fs.kill())).toBe(2);
  });
});

describe('switching off and on', () => {
  it.each(['prepared', 'begun'])('leaves the way open when a rewrite is %s', async (step) => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    if (step === 'prepared') await driver.aof.prepareRewrite(0);
    else await driver.begin();
    await driver.aof.switchOff();
    await driver.aof.switchOn();
    await driver.rewrite();
    driver.turn();
    await driver.pass(1500);
    expect(driver.aof.state).toBe('on');
    await expectAfterPowerLoss(fs, 2);
  });

  it('answers when all before it is safe, and leaves no increment without a base', async () => {
    const { fs, driver } = await fresh('always');
    fs.holdSyncs();
    driver.turn();
    driver.turn();
    const off = driver.aof.switchOff();
    await driver.pass(100);
    expect(driver.acknowledged).toBe(0);
    fs.releaseSyncs();
    await off;
    expect(driver.acknowledged).toBe(2);
    await driver.aof.switchOn();
    await driver.begin();
    expect(aofFolderNames(fs)).toContain('temp-a.incr');
    await driver.aof.switchOff();
    expect(aofFolderNames(fs)).toEqual(['a.1.base.aof', 'a.1.incr.aof', 'a.manifest']);
    await expectAfterPowerLoss(fs, 2);
  });

  it('leaves a failed fsync behind', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    fs.failSyncOf = /incr/;
    await driver.pass(1000);
    driver.turn();
    expect(driver.acknowledged).toBe(1);
    fs.failSyncOf = undefined;
    await driver.aof.switchOff();
    expect(driver.acknowledged).toBe(2);
    await driver.aof.switchOn();
    await driver.rewrite();
    driver.turn();
    await driver.pass(1500);
    expect(driver.aof.syncedBytes).toBe(driver.aof.appendedBytes);
    await expectAfterPowerLoss(fs, 3);
  });

  it('takes nothing over from an increment that was never given a base', async () => {
    const { fs, driver } = await fresh('everysec');
    await driver.aof.switchOff();
    fs.put(`${FOLDER}/temp-a.incr`, Buffer.alloc(500, 'x'));
    await driver.aof.switchOn();
    await driver.rewrite();
    driver.turn();
    expect(await recover(fs.kill())).toBe(1);
  });

  it('goes to the folder that is named, and does nothing where the AOF is on', async () => {
    const { fs, driver } = await fresh('everysec');
    fs.put('/other/.keep', new Uint8Array(0));
    await driver.aof.switchOn('/other');
    expect(driver.aof.state).toBe('on');
    await driver.aof.switchOff();
    await expect(driver.aof.prepareRewrite(0)).rejects.toThrow(/switched off/);
    await driver.aof.switchOn('/other');
    await driver.rewrite();
    expect(fs.paths()).toContain('/other/aofs/a.manifest');
    expect(aofFolderNames(fs)).toEqual(['a.1.base.aof', 'a.1.incr.aof', 'a.manifest']);
  });
});

describe('an fsync', () => {
  it('waits for the end of the one that runs', async () => {
    const { fs, driver } = await fresh('everysec');
    await driver.aof.prepareRewrite(0);
    driver.turn();
    fs.holdSyncs(/a\.1\.incr/);
    await driver.pass(100);
    driver.beginPrepared();
    const flushed = driver.aof.flush();
    await driver.pass(1500);
    expect(fs.heldSyncs).toBe(1);
    fs.releaseSyncs();
    await flushed;
    expect(driver.aof.syncedBytes).toBe(driver.aof.appendedBytes);
  });
});
