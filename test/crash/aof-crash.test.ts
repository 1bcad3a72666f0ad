/**
 * The AOF under every failure of every file-system call.
 *
 * A scenario (start, turns, a rewrite, turns, a rewrite that is aborted, turns, a rewrite, close)
 * is run once to count its calls. Then it is run again for each call and each way to break it: the
 * process ends before, half way through or after the call; the power goes; the call fails with EIO
 * or ENOSPC. Afterwards a new process starts on what the disk kept, and must find
 *
 *   kill -9, any policy         everything acknowledged
 *   power loss, `always`        everything acknowledged
 *   power loss, `everysec`      a prefix of what was executed, with everything fsynced
 *
 * and never a hole, a write doubled or a start refused. `recover` throws on each of these.
 */
import { describe, expect, it } from 'vitest';
import type { FsyncPolicy } from '../../src/persistence/aof/aof-options.ts';
import { AofDriver, nextTurn, recover } from '../support/aof-driver.ts';
import { command } from '../support/aof-samples.ts';
import { type Failure, FaultyFileSystem, type NameLoss } from '../support/faulty-file-system.ts';

const POLICIES: readonly FsyncPolicy[] = ['always', 'everysec', 'no'];
const LOSSES: readonly NameLoss[] = ['none', 'all', 'prefix', 'some'];

type Run = { executed: number; acknowledged: number; synced: number; driver?: AofDriver };

function newDisk(): FaultyFileSystem {
  const fs = new FaultyFileSystem();
  fs.put('/data/.keep', new Uint8Array(0));
  return fs;
}

/** Lets background work run until the disk is silent for a while. */
async function settle(fs: FaultyFileSystem): Promise<void> {
  for (let idle = 0, calls = -1; idle < 6; idle++) {
    if (fs.calls.length !== calls) idle = 0;
    calls = fs.calls.length;
    await nextTurn();
  }
}

/** A rewrite as the server does it: when something fails it is aborted, and life goes on. */
async function rewrite(driver: AofDriver, meanwhile: () => Promise<void>): Promise<void> {
  try {
    if (!(await driver.begin())) return;
    await meanwhile();
    await driver.finish();
  } catch {
    if (driver.aof.isRewriting) await driver.aof.abortRewrite();
  }
}

/** Runs the scenario as far as the disk allows. */
async function scenario(fs: FaultyFileSystem, policy: FsyncPolicy): Promise<Run> {
  const run: Run = { executed: 0, acknowledged: 0, synced: 0 };
  try {
    const driver = await AofDriver.start(fs, { policy });
    run.driver = driver;
    const turns = async (count: number) => {
      for (let i = 0; i < count && !fs.dead; i++) {
        driver.turn(1 + (i % 3));
        if (i % 2 === 0) await nextTurn();
      }
    };
    await turns(4);
    await driver.pass(200);
    await turns(3);
    await rewrite(driver, () => turns(3));
    await turns(3);
    await driver.pass(1100);
    if (await driver.begin().catch(() => false)) {
      await turns(2);
      await driver.aof.abortRewrite();
    }
    await turns(2);
    await settle(fs);
    await rewrite(driver, () => turns(2));
    await turns(1);
    await driver.aof.close();
  } catch {
    // The call was broken; what counts is what the next start finds.
  }
  await settle(fs);
  const { driver } = run;
  if (driver !== undefined) {
    run.executed = driver.written;
    run.acknowledged = driver.acknowledged;
  }
  return run;
}

async function countCalls(policy: FsyncPolicy): Promise<number> {
  const fs = newDisk();
  const run = await scenario(fs, policy);
  expect(run.acknowledged).toBe(run.executed);
  expect(run.executed).toBeGreaterThan(25);
  expect(await recover(fs)).toBe(run.executed);
  return fs.calls.length;
}

/** Runs the scenario once for each call, broken so. */
async function breakEach(
  policy: FsyncPolicy,
  failure: Failure,
  check: (fs: FaultyFileSystem, run: Run, call: number) => Promise<void>,
): Promise<void> {
  const calls = await countCalls(policy);
  expect(calls).toBeGreaterThan(60);
  for (let call = 1; call <= calls; call++) {
    const fs = newDisk();
    fs.breakCall(call, failure);
    const run = await scenario(fs, policy);
    try {
      await check(fs, run, call);
    } catch (error) {
      throw new Error(`at call ${call}, ${fs.calls[call - 1]}: ${String(error)}`, { cause: error });
    }
  }
}

/** Starts on what is left, checks that it can be written to, and gives the number found. */
async function startAgain(fs: FaultyFileSystem): Promise<number> {
  const driver = await AofDriver.start(fs, { policy: 'always' });
  const found = driver.written;
  driver.turn(2);
  await driver.aof.close();
  expect(await recover(fs)).toBe(found + 2);
  return found;
}

describe.each(POLICIES)('appendfsync %s', (policy) => {
  it.each(['before', 'half', 'after'] as const)(
    'kill -9 %s any call loses nothing acknowledged',
    async (when) => {
      await breakEach(policy, { kind: 'kill', when }, async (fs, run) => {
        const found = await startAgain(fs.kill());
        expect(found).toBeGreaterThanOrEqual(run.acknowledged);
        expect(found).toBeLessThanOrEqual(run.executed);
      });
    },
    240_000,
  );

  it('power loss after kill -9 and a new start loses nothing that start found', async () => {
    await breakEach(policy, { kind: 'kill', when: 'after' }, async (fs, _run, call) => {
      for (const [i, loss] of LOSSES.entries()) {
        const disk = fs.kill();
        const found = await startAgain(disk);
        expect(await recover(disk.cutPower(call * 17 + i, loss))).toBe(found + 2);
        const early = fs.kill();
        const driver = await AofDriver.start(early, { policy });
        expect(driver.written).toBe(found);
        expect(await recover(early.cutPower(call * 13 + i, loss))).toBe(found);
      }
    });
  }, 240_000);

  it('an error at one call and power loss some calls later leave a prefix', async () => {
    const calls = await countCalls(policy);
    for (let call = 1; call <= calls; call++) {
      for (const [i, loss] of LOSSES.entries()) {
        const fs = newDisk();
        fs.breakCall(call, { kind: 'error', code: 'EIO' });
        fs.breakCall(call + 1 + ((call * 7 + i * 11) % 40), { kind: 'kill', when: 'after' });
        const run = await scenario(fs, policy);
        const found = await startAgain(fs.cutPower(call * 5 + i, loss)).catch((error) => {
          throw new Error(`error at call ${call}, ${fs.calls[call - 1]}: ${String(error)}`);
        });
        expect(found).toBeLessThanOrEqual(run.executed);
        if (policy === 'always') expect(found).toBeGreaterThanOrEqual(run.acknowledged);
      }
    }
  }, 240_000);

  it.each(['before', 'half', 'after'] as const)(
    'power loss %s any call leaves a prefix',
    async (when) => {
      let lost = 0;
      await breakEach(policy, { kind: 'kill', when }, async (fs, run, call) => {
        for (const [i, loss] of LOSSES.entries()) {
          const found = await startAgain(fs.cutPower(call * 31 + i, loss));
          expect(found).toBeLessThanOrEqual(run.executed);
          if (policy === 'always') expect(found).toBeGreaterThanOrEqual(run.acknowledged);
          if (found < run.acknowledged) lost++;
        }
      });
      // Without `always` something acknowledged must be lost somewhere, or the disk is too kind.
      expect(lost > 0).toBe(policy !== 'always');
    },
    240_000,
  );

  it.each(['ENOSPC', 'EIO'])(
    '%s at any call neither loses nor doubles a write',
    async (code) => {
      await breakEach(policy, { kind: 'error', code }, async (fs, run) => {
        const found = await startAgain(fs.kill());
        expect(found).toBeGreaterThanOrEqual(run.acknowledged);
        expect(found).toBeLessThanOrEqual(run.executed);
        if (run.driver?.fatal !== undefined) expect(policy).toBe('always');
      });
    },
    240_000,
  );

  it('a disk that is full from any byte on keeps what it acknowledged', async () => {
    for (let space = 0; space < 1600; space += 23) {
      const fs = newDisk();
      fs.spaceBytes = space;
      const run = await scenario(fs, policy);
      const next = fs.kill();
      const found = await startAgain(next);
      expect(found, `space ${space}`).toBeGreaterThanOrEqual(run.acknowledged);
      expect(found).toBeLessThanOrEqual(run.executed);
    }
  }, 240_000);

  it('short writes change nothing', async () => {
    for (const bytes of [1, 7, 50]) {
      const fs = newDisk();
      fs.writeBytesMax = bytes;
      const run = await scenario(fs, policy);
      expect(run.acknowledged).toBe(run.executed);
      expect(await recover(fs.kill())).toBe(run.executed);
    }
  });
});

describe('what was fsynced under everysec', () => {
  it('is always found after power loss', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const fs = newDisk();
      const driver = await AofDriver.start(fs, { policy: 'everysec' });
      let synced = 0;
      for (let i = 0; i < 30; i++) {
        driver.turn();
        const { aof } = driver;
        if (aof.syncedBytes === aof.appendedBytes) synced = driver.written;
        await driver.pass(100 * (1 + (seed % 4)));
        if (aof.syncedBytes === aof.appendedBytes) synced = driver.written;
        if (i === 9 + (seed % 7)) await driver.rewrite();
      }
      expect(synced).toBeGreaterThan(0);
      const found = await recover(fs.cutPower(seed, 'some'));
      expect(found).toBeGreaterThanOrEqual(synced);
    }
  }, 240_000);
});

describe('switching on while running', () => {
  it('is all or nothing at every call', async () => {
    const switchOn = async (fs: FaultyFileSystem) => {
      const driver = new AofDriver(fs, { policy: 'always' });
      driver.turn(4);
      let isPromised = false;
      try {
        await driver.aof.switchOn();
        await driver.begin();
        driver.turn(2);
        await driver.finish();
        isPromised = true;
        driver.turn();
        await driver.aof.flush();
      } catch {
        // As above.
      }
      await settle(fs);
      return { driver, isPromised };
    };
    const count = newDisk();
    await switchOn(count);
    for (let call = 1; call <= count.calls.length; call++) {
      for (const [i, loss] of LOSSES.entries()) {
        const fs = newDisk();
        fs.breakCall(call, { kind: 'kill', when: i % 2 === 0 ? 'before' : 'after' });
        const { driver, isPromised } = await switchOn(fs);
        const found = await startAgain(fs.cutPower(call + i, loss));
        if (isPromised) expect(found).toBeGreaterThanOrEqual(driver.acknowledged);
        else expect([0, 4, 5, 6, 7]).toContain(found);
      }
    }
  });
});

describe('taking in the file of an older server', () => {
  it('keeps it whole whatever call the power goes at', async () => {
    const old = Buffer.concat([command('W', '0'), command('W', '1')]);
    const disk = () => {
      const fs = newDisk();
      fs.put('/data/a', old);
      return fs;
    };
    const count = disk();
    await (await AofDriver.start(count, { policy: 'always' })).aof.close();
    for (let call = 1; call <= count.calls.length; call++) {
      for (const loss of LOSSES) {
        const fs = disk();
        fs.breakCall(call, { kind: 'kill', when: 'after' });
        await AofDriver.start(fs, { policy: 'always' })
          .then((driver) => driver.aof.close())
          .catch(() => undefined);
        await settle(fs);
        const what = `call ${call}, ${fs.calls[call - 1]}, ${loss}`;
        expect(await startAgain(fs.cutPower(call, loss)), what).toBe(2);
      }
    }
  });
});
