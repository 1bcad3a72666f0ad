/** Turns that wait for the disk: what is queued is written, once, whatever came before. */
import { describe, expect, it } from 'vitest';
import { freshDriver as fresh, recover } from '../../support/aof-driver.ts';

describe('the queue', () => {
  it('keeps all turns of a group that grows, and of one that follows on it', async () => {
    const { fs, driver } = await fresh('always');
    driver.turn();
    await driver.pass(100);
    driver.turn(999);
    await driver.pass(100);
    for (let round = 0; round < 3; round++) {
      fs.holdSyncs(/incr/);
      for (let i = 0; i < 1000; i++) driver.turn();
      fs.releaseSyncs();
      await driver.pass(100);
    }
    expect(driver.acknowledged).toBe(4000);
    expect(await recover(fs.kill())).toBe(4000);
  });

  it('loses nothing to a write that ends when its file has failed', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    await driver.aof.prepareRewrite(0);
    fs.holdSyncs(/a\.1\.incr/);
    await driver.pass(100);
    fs.failSyncOf = /a\.1\.incr/;
    driver.turn();
    await driver.begin();
    driver.turn();
    fs.releaseSyncs();
    await driver.pass(100);
    expect(driver.aof.lastError?.message).toMatch(/fsync of/);
    await driver.finish();
    driver.turn();
    await driver.pass(2000);
    expect(driver.acknowledged).toBe(4);
    expect(await recover(fs.kill())).toBe(4);
  });
});
