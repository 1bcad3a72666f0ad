/** What the disk side of the AOF keeps count of, which files it lets go, and whom it tells. */
import { describe, expect, it } from 'vitest';
import {
  AofDriver,
  aofFolderNames,
  AOF_FOLDER as FOLDER,
  freshDriver as fresh,
  givenUp,
  nextTurn,
  recover,
} from '../../support/aof-driver.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

/** How many are open, an `open` that was the broken call left out. */
function openFiles(fs: FaultyFileSystem, broken = -1): number {
  const calls = fs.calls.filter((call, i) => i !== broken - 1 || !call.startsWith('open '));
  const count = (word: string) => calls.filter((call) => call.startsWith(word)).length;
  return count('open ') - count('close ');
}

/** Switches on, rewrites twice and switches off; gives up whatever fails. */
async function onAndOff(driver: AofDriver): Promise<void> {
  await driver.aof.switchOn().catch(() => undefined);
  for (let i = 0; i < 2; i++) {
    driver.turn();
    const hasBegun = await driver.begin().catch(() => false);
    driver.turn();
    await driver.pass(100);
    if (hasBegun) await driver.finish().catch(() => driver.aof.abortRewrite());
    else await driver.aof.abortRewrite();
  }
  await driver.aof.switchOff().catch(() => driver.aof.giveUp());
}

describe('the files', () => {
  it.each(['always', 'everysec'] as const)(
    'under %s are closed in the end, whichever call fails',
    async (policy) => {
      let call = 1;
      for (let isOver = false; !isOver; call++) {
        const fs = new FaultyFileSystem();
        fs.put('/data/.keep', new Uint8Array(0));
        fs.breakCall(call, { kind: 'error', code: 'EIO' });
        await onAndOff(new AofDriver(fs, { policy }));
        expect(openFiles(fs, call), `call ${call}, ${fs.calls[call - 1]}`).toBe(0);
        isOver = fs.calls.length < call;
      }
      expect(call).toBeGreaterThan(40);
    },
  );

  it.each(['always', 'everysec'] as const)(
    'under %s are counted with all that is written, and closed once others have followed',
    async (policy) => {
      const { fs, driver } = await fresh(policy);
      const sizes = (): number =>
        aofFolderNames(fs)
          .filter((name) => name !== 'a.manifest')
          .reduce((sum, name) => sum + fs.content(`${FOLDER}/${name}`)!.length, 0);
      driver.turn(3);
      await driver.pass(100);
      driver.turn(2);
      await driver.pass(100);
      expect(driver.aof.size.currentBytes).toBe(sizes());
      await driver.rewrite();
      driver.turn();
      await driver.pass(1500);
      expect(driver.aof.size.currentBytes).toBe(sizes());
      expect(openFiles(fs)).toBe(1);
    },
  );

  it.each(['always', 'everysec'] as const)(
    'under %s are let go with what waits for them',
    async (policy) => {
      const { fs, end } = await givenUp(policy, 1);
      for (let i = 0; i < 10; i++) await nextTurn();
      fs.releaseSyncs();
      fs.holdSyncs();
      await end;
      fs.releaseSyncs();
      for (let i = 0; i < 10; i++) await nextTurn();
      expect(fs.calls.at(-1)).toBe('close a.1.incr.aof');
    },
  );

  it('leave nothing unsafe behind when they are switched off', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    fs.failSyncOf = /incr/;
    await driver.pass(1000);
    fs.failSyncOf = undefined;
    driver.turn();
    await driver.aof.switchOff();
    expect(driver.aof.disk.clock.unsyncedAgeMs(driver.nowMs)).toBe(0);
  });

  it('are closed as well when a rewrite behind a gap is given up', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    fs.failSyncOf = /incr/;
    await driver.pass(1000);
    fs.failSyncOf = undefined;
    await driver.begin();
    await driver.aof.abortRewrite();
    await driver.rewrite();
    await driver.pass(1500);
    expect(openFiles(fs)).toBe(1);
    driver.turn();
    await driver.pass(1500);
    expect(await recover(fs.cutPower(1, 'all'))).toBe(2);
  });
});

describe('under always', () => {
  it('a full disk ends nobody while fsyncs are suspended', async () => {
    const { fs, driver } = await fresh('always');
    driver.aof.disk.setFsyncSuspended(true);
    fs.spaceBytes = 0;
    driver.turn();
    await driver.pass(100);
    expect(driver.aof.lastError?.message).toMatch(/ENOSPC/);
    expect([driver.fatal, driver.acknowledged]).toEqual([undefined, 0]);
    fs.spaceBytes = 1e9;
    await driver.pass(2000);
    expect([driver.aof.lastError, driver.acknowledged]).toEqual([undefined, 1]);
  });

  it('the age of what is unsafe is that of the turn which waits', async () => {
    const { fs, driver } = await fresh('always');
    const { clock } = driver.aof.disk;
    fs.holdSyncs();
    driver.turn();
    await driver.pass(100);
    driver.turn();
    fs.releaseSyncs();
    fs.holdSyncs();
    await driver.pass(300);
    expect(driver.acknowledged).toBe(1);
    expect(clock.unsyncedAgeMs(driver.nowMs)).toBeGreaterThanOrEqual(300);
    fs.releaseSyncs();
    await driver.pass(100);
    expect([driver.acknowledged, clock.unsyncedAgeMs(driver.nowMs)]).toEqual([2, 0]);
  });
});

describe('a flush', () => {
  it('is refused while the files are let go', async () => {
    const { fs, driver } = await fresh('always');
    fs.holdSyncs();
    driver.turn();
    driver.turn();
    const end = driver.aof.giveUp();
    for (let i = 0; i < 3; i++) await nextTurn();
    await expect(driver.aof.flush()).rejects.toThrow(/being closed/);
    fs.releaseSyncs();
    await end;
  });
});
