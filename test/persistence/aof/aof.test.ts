/** The AOF in use: policies and offsets, errors and recovery, rewrites, switching on and off. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  AofDriver,
  aofFolderNames,
  AOF_FOLDER as FOLDER,
  freshDriver as fresh,
  nextTurn,
  recover,
} from '../../support/aof-driver.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

const names = aofFolderNames;
const manifestOf = (fs: FaultyFileSystem) =>
  Buffer.from(fs.content(`${FOLDER}/a.manifest`)!).toString();

describe('open', () => {
  it('makes a fresh folder with a base and an increment', async () => {
    const { fs, driver } = await fresh('everysec');
    expect(names(fs)).toEqual(['a.1.base.aof', 'a.1.incr.aof', 'a.manifest']);
    expect(manifestOf(fs)).toBe('file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\n');
    expect(driver.aof.state).toBe('on');
    expect(driver.aof.releasableBytes).toBe(0);
  });

  it('goes on behind what was loaded, and removes leftovers', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn(3);
    await driver.aof.close();
    const leftovers = ['temp-rewriteaof-77.aof', 'temp-77.rdb', 'temp-a.manifest', 'temp-a.incr'];
    for (const name of [...leftovers, 'mine.txt']) {
      fs.put(`${FOLDER}/${name}`, new Uint8Array(3));
    }
    const again = await AofDriver.start(fs, { policy: 'no' });
    again.turn(2);
    await again.aof.close();
    expect(await recover(fs)).toBe(5);
    expect(names(fs)).toEqual(['a.1.base.aof', 'a.1.incr.aof', 'a.manifest', 'mine.txt']);
    expect(again.log.join()).toMatch(/removed temp-rewriteaof-77\.aof/);
  });

  it('writes to nothing but the last file, so that those before it may be read-only', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn();
    await driver.aof.close();
    const open = vi.spyOn(fs, 'open');
    await AofDriver.start(fs, { policy: 'no' });
    const written = open.mock.calls.filter(([, mode]) => mode !== 'read');
    expect(written).toEqual([[`${FOLDER}/a.1.incr.aof`, 'journal']]);
  });

  it('makes all durable that was loaded, for it can be seen from then on', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn(3);
    await driver.rewrite();
    await driver.begin();
    driver.turn(2);
    await driver.pass(100);
    expect(driver.acknowledged).toBe(5);
    const left = fs.kill();
    await AofDriver.start(left, { policy: 'no' });
    expect(await recover(left.cutPower(1, 'all'))).toBe(5);
  });

  it('keeps others from the folder until the AOF is off', async () => {
    const fs = new FaultyFileSystem();
    fs.put('/data/.keep', new Uint8Array(0));
    let held = 0;
    const hold = { take: async () => void (held = 1), letGo: () => void (held = 0) };
    const driver = new AofDriver(fs, { policy: 'no' }, 0, hold);
    await driver.folder.takeHold();
    await driver.folder.read();
    await driver.aof.open((path) => driver.writeBase(path));
    await driver.aof.letGo();
    expect(held).toBe(1);
    await driver.aof.switchOff();
    expect(held).toBe(1);
    await driver.aof.letGo();
    expect(held).toBe(0);
  });
});

describe('everysec', () => {
  it('writes in the call, and fsyncs a second later', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    const { aof } = driver;
    expect(driver.acknowledged).toBe(1);
    expect([aof.writtenBytes, aof.syncedBytes]).toEqual([aof.appendedBytes, 0]);
    await driver.pass(300);
    expect(aof.syncedBytes).toBe(aof.appendedBytes);
    driver.turn();
    await driver.pass(600);
    expect(aof.syncedBytes).toBeLessThan(aof.appendedBytes);
    expect(aof.disk.clock.unsyncedAgeMs(driver.nowMs)).toBe(600);
    await driver.pass(500);
    expect(aof.syncedBytes).toBe(aof.appendedBytes);
    expect(aof.disk.clock.unsyncedAgeMs(driver.nowMs)).toBe(0);
    await driver.pass(3000);
    expect(aof.disk.clock.count).toBe(2);
    expect(await recover(fs.cutPower(1))).toBe(2);
  });

  it('hands writes to the chain while an fsync runs, and never runs two', async () => {
    const { fs, driver } = await fresh('everysec');
    const { aof } = driver;
    driver.turn();
    await driver.pass(100);
    driver.turn();
    fs.holdSyncs();
    await driver.pass(1000);
    expect(fs.heldSyncs).toBe(1);
    const before = fs.calls.length;
    driver.turn();
    driver.turn();
    expect(fs.calls.length).toBe(before);
    expect(driver.acknowledged).toBe(2);
    await nextTurn();
    await nextTurn();
    await nextTurn();
    expect(driver.acknowledged).toBe(4);
    await driver.pass(4500);
    expect(fs.heldSyncs).toBe(1);
    expect(aof.disk.clock.delayedCount).toBe(2);
    fs.releaseSyncs();
    await driver.pass(1000);
    expect(aof.syncedBytes).toBe(aof.appendedBytes);
    driver.turn();
    expect(driver.acknowledged).toBe(5);
  });

  it('counts only what an fsync could see as safe', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    fs.holdSyncs();
    await driver.pass(100);
    const safe = driver.aof.appendedBytes;
    driver.turn();
    await driver.pass(100);
    expect(driver.acknowledged).toBe(2);
    fs.releaseSyncs();
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(driver.aof.syncedBytes).toBe(safe);
    expect(driver.aof.disk.clock.unsyncedAgeMs(driver.nowMs)).toBe(100);
  });

  it('never fsyncs under `no`, and not while suspended', async () => {
    const { driver } = await fresh('no');
    driver.turn();
    await driver.pass(3000);
    expect(driver.aof.syncedBytes).toBe(0);
    driver.aof.disk.setPolicy('everysec');
    driver.aof.disk.setFsyncSuspended(true);
    await driver.pass(3000);
    expect(driver.aof.syncedBytes).toBe(0);
    driver.aof.disk.setFsyncSuspended(false);
    await driver.pass(200);
    expect(driver.aof.syncedBytes).toBe(driver.aof.appendedBytes);
  });
});

describe('always', () => {
  afterEach(() => void vi.useRealTimers());

  it('acknowledges after the fsync, many turns with one', async () => {
    const { fs, driver } = await fresh('always');
    const syncs = () => fs.calls.filter((call) => call === 'syncData a.1.incr.aof').length;
    const before = syncs();
    fs.holdSyncs();
    driver.turn();
    for (let i = 0; i < 20; i++) {
      await nextTurn();
      driver.turn();
    }
    expect(driver.acknowledged).toBe(0);
    fs.releaseSyncs();
    await driver.pass(200);
    expect(driver.acknowledged).toBe(21);
    expect(syncs() - before).toBe(2);
    expect(await recover(fs.cutPower(3))).toBe(21);
  });

  it('takes over from everysec and gives back, never taking an acknowledgement back', async () => {
    const { driver } = await fresh('everysec');
    const { aof } = driver;
    driver.turn();
    expect(driver.acknowledged).toBe(1);
    aof.disk.setPolicy('always');
    expect(aof.releasableBytes).toBe(aof.appendedBytes);
    driver.turn();
    expect(driver.acknowledged).toBe(1);
    await driver.pass(100);
    expect(aof.syncedBytes).toBe(aof.appendedBytes);
    expect(driver.acknowledged).toBe(2);
    driver.turn();
    aof.disk.setPolicy('everysec');
    await driver.pass(100);
    expect(driver.acknowledged).toBe(3);
    driver.turn();
    expect(driver.acknowledged).toBe(4);
  });

  it('makes safe what everysec left before the first group', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn(3);
    driver.aof.disk.setPolicy('always');
    driver.turn(2);
    await driver.pass(100);
    expect(driver.acknowledged).toBe(5);
    // A group makes its own bytes durable, and no others: the disk of the test is that strict.
    expect(await recover(fs.cutPower(1, 'all'))).toBe(5);
  });

  it('goes on with short writes, at the place where they ended', async () => {
    const { fs, driver } = await fresh('always');
    fs.writeBytesMax = 7;
    driver.turn(3);
    await driver.pass(300);
    expect(driver.acknowledged).toBe(3);
    expect(await recover(fs.cutPower(1, 'all'))).toBe(3);
  });

  it('sends the next group before it releases the replies of the last one', async () => {
    const flying: boolean[] = [];
    let driver: AofDriver | undefined;
    const onProgress = () => flying.push(driver?.aof.disk.queue.head?.flying ?? false);
    const made = await fresh('always', { onProgress });
    driver = made.driver;
    driver.turn();
    driver.turn();
    await driver.pass(100);
    expect(flying).toEqual([true, false]);
  });

  it('holds a group on a slow disk until the clients are back, and not for ever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let waiting = 8;
    const { driver } = await fresh('always', { waitingReplies: () => waiting });
    driver.turn();
    await driver.pass(100);
    expect(driver.acknowledged).toBe(1);
    waiting = 1;
    driver.turn();
    expect(driver.aof.disk.queue.head?.flying).toBe(false);
    waiting = 7;
    driver.turn();
    expect(driver.aof.disk.queue.head?.flying).toBe(true);
    await driver.pass(100);
    expect(driver.acknowledged).toBe(3);
    waiting = 1;
    driver.turn();
    expect(driver.aof.disk.queue.head?.flying).toBe(false);
    vi.advanceTimersByTime(10);
    expect(driver.aof.disk.queue.head?.flying).toBe(true);
    await driver.pass(100);
    driver.turn();
    await driver.aof.flush();
    expect(driver.aof.syncedBytes).toBe(driver.aof.appendedBytes);
  });

  it.each(['write', 'fsync'])('ends the process when a %s fails', async (what) => {
    const { fs, driver } = await fresh('always');
    driver.turn();
    await driver.pass(100);
    if (what === 'write') fs.failWriteOf = /incr/;
    else fs.failSyncOf = /incr/;
    driver.turn();
    driver.turn();
    await driver.pass(100);
    expect(driver.fatal?.message).toMatch(/EIO/);
    expect(driver.acknowledged).toBe(1);
    driver.turn();
    await driver.pass(2000);
    expect(driver.acknowledged).toBe(1);
    await expect(driver.aof.close()).rejects.toThrow(/EIO/);
  });
});

describe('a full disk', () => {
  it.each([
    ['nobody asks', null],
    ['somebody asks', () => {}],
  ])(
    'refuses, keeps the turn, cuts the file, and recovers; %s for times',
    async (_who, onWrite) => {
      const { fs, driver } = await fresh('everysec');
      driver.aof.appender.onWrite = onWrite;
      driver.turn(2);
      const size = fs.content(`${FOLDER}/a.1.incr.aof`)!.length;
      fs.spaceBytes = 25;
      driver.turn(3);
      expect(driver.aof.lastError?.message).toMatch(/ENOSPC/);
      expect(driver.acknowledged).toBe(2);
      expect(fs.content(`${FOLDER}/a.1.incr.aof`)!.length).toBe(size);
      const calls = fs.calls.length;
      driver.turn();
      await nextTurn();
      expect(fs.calls.length).toBe(calls);
      await driver.pass(3000);
      expect(driver.acknowledged).toBe(2);
      expect(fs.content(`${FOLDER}/a.1.incr.aof`)!.length).toBe(size);
      fs.spaceBytes = 1e9;
      await driver.pass(1100);
      expect(driver.aof.lastError).toBeUndefined();
      expect(driver.acknowledged).toBe(6);
      expect(driver.log.join()).toMatch(/refused.*taken again/);
      expect(driver.log.length).toBe(2);
      expect(await recover(fs.kill())).toBe(6);
    },
  );

  it('leaves no hole even when the cut fails too', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn();
    fs.spaceBytes = 30;
    fs.breakCall(fs.calls.length + 3, { kind: 'error', code: 'EIO' });
    driver.turn(2);
    expect(driver.log.join()).toMatch(/could not cut/);
    fs.spaceBytes = 1e9;
    await driver.pass(1500);
    expect(driver.acknowledged).toBe(3);
    expect(await recover(fs.kill())).toBe(3);
  });

  it('refuses a rewrite that would not fit', async () => {
    const { fs, driver } = await fresh('everysec');
    fs.spaceBytes = 1000;
    await expect(driver.aof.prepareRewrite(5000)).rejects.toThrow(/wants about 5000 bytes/);
    expect(names(fs)).toEqual(['a.1.base.aof', 'a.1.incr.aof', 'a.manifest']);
  });
});

describe('annotations', () => {
  it('carry the time once a second and at the start of a file', async () => {
    const { fs, driver } = await fresh('no', { timestamps: true, checksum: false });
    driver.nowMs = 5000;
    for (let i = 0; i < 5; i++) {
      driver.turn();
      driver.nowMs += 400;
    }
    const incr = Buffer.from(fs.content(`${FOLDER}/a.1.incr.aof`)!).toString();
    expect(incr.match(/#TS:\d+\r\n/g)).toEqual(['#TS:5\r\n', '#TS:6\r\n']);
    driver.nowMs = 6800;
    await driver.rewrite();
    driver.turn();
    await driver.pass(100);
    const next = Buffer.from(fs.content(`${FOLDER}/a.2.incr.aof`)!).toString();
    expect(next).toMatch(/^#TS:6\r\n\*2/);
  });

  it('can be switched while running', async () => {
    const { fs, driver } = await fresh('no');
    driver.turn();
    driver.aof.appender.checksum = false;
    driver.turn();
    driver.aof.appender.checksum = true;
    driver.turn();
    // What would say nothing takes no head either: a start would refuse one.
    driver.aof.append(new Uint8Array(0), 0, 0);
    const incr = Buffer.from(fs.content(`${FOLDER}/a.1.incr.aof`)!).toString();
    expect(incr.match(/#CK:/g)?.length).toBe(2);
    expect(await recover(fs.kill())).toBe(3);
  });
});

describe('close and flush', () => {
  it('make everything safe under any policy', async () => {
    for (const policy of ['always', 'everysec', 'no'] as const) {
      const { fs, driver } = await fresh(policy);
      for (let i = 0; i < 5; i++) driver.turn();
      await driver.aof.flush();
      expect(driver.aof.syncedBytes).toBe(driver.aof.appendedBytes);
      driver.turn();
      await driver.aof.close();
      expect(await recover(fs.cutPower(1))).toBe(6);
    }
  });

  it('say what is not safe', async () => {
    const { fs, driver } = await fresh('no');
    fs.spaceBytes = 0;
    driver.turn();
    await expect(driver.aof.flush()).rejects.toThrow(/ENOSPC/);
    fs.failSyncOf = /incr/;
    fs.spaceBytes = 1e9;
    await expect(driver.aof.close()).rejects.toThrow(/fsync/);
    expect(driver.acknowledged).toBe(1);
  });

  it('a queue that grows is reported', async () => {
    const { fs, driver } = await fresh('no');
    fs.spaceBytes = 0;
    const huge = Buffer.alloc(20 * 1024 * 1024, 'x');
    for (let i = 0; i < 4; i++) driver.aof.append(huge, 0, huge.length);
    expect(driver.aof.appender.isCongested).toBe(true);
    expect(driver.aof.disk.queue.bytes).toBeGreaterThan(80e6);
  });
});
