/** What a rewrite makes safe of the old increment before turns have to wait for that. */
import { describe, expect, it } from 'vitest';
import { freshDriver as fresh, recover } from '../../support/aof-driver.ts';

describe('a rewrite that is being prepared', () => {
  it('makes the old file safe while turns go on, before they have to wait for it', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn();
    await driver.pass(100);
    expect(driver.aof.syncedBytes).toBe(0);
    fs.holdSyncs(/a\.1\.incr/);
    const prepared = driver.aof.prepareRewrite(0);
    await driver.pass(300);
    const ahead = driver.aof.appendedBytes;
    driver.turn();
    await driver.pass(100);
    expect(driver.acknowledged).toBe(2);
    fs.releaseSyncs();
    await prepared;
    expect(driver.aof.syncedBytes).toBeGreaterThanOrEqual(ahead);
    await driver.rewrite();
    await driver.pass(100);
    expect(await recover(fs.cutPower(1))).toBe(2);
  });

  it('goes on syncing ahead while that takes long, but not for ever', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn();
    let syncs = 0;
    driver.aof.disk.clock.onSync = () => {
      syncs++;
      driver.turn();
    };
    fs.holdSyncs(/a\.1\.incr/);
    const prepared = driver.aof.prepareRewrite(0);
    for (let i = 0; i < 5; i++) {
      await driver.pass(200);
      fs.releaseSyncs();
      fs.holdSyncs(/a\.1\.incr/);
    }
    await prepared;
    expect(syncs).toBe(3);
  });

  it('begins although the fsync ahead of it failed, and makes that good', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn();
    fs.failSyncOf = /a\.1\.incr/;
    await driver.begin();
    expect(driver.aof.lastError?.message).toMatch(/fsync of/);
    fs.failSyncOf = undefined;
    driver.turn();
    await driver.pass(100);
    expect(driver.acknowledged).toBe(1);
    await driver.finish();
    await driver.pass(100);
    expect(driver.aof.lastError).toBeUndefined();
    expect(driver.acknowledged).toBe(2);
    await driver.aof.flush();
    expect(await recover(fs.cutPower(1))).toBe(2);
  });

  it('makes nothing safe any more once the files are being closed', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn();
    fs.holdSyncs(/a\.1\.incr/);
    const prepared = driver.aof.prepareRewrite(0);
    await driver.pass(100);
    driver.turn();
    await driver.pass(100);
    const closed = driver.aof.giveUp();
    fs.releaseSyncs();
    await Promise.all([prepared, closed]);
    expect(driver.aof.syncedBytes).toBeLessThan(driver.aof.appendedBytes);
  });
});
