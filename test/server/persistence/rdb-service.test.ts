/** Saves: when one is due, what counts as saved, and when writes are refused. */
import { tmpdir } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { SnapshotError, type SnapshotResult } from '../../../src/persistence/snapshot/snapshot.ts';
import { Config } from '../../../src/server/config/config.ts';
import type { Settings } from '../../../src/server/config/settings.ts';
import { ServerLog } from '../../../src/server/log.ts';
import { GIVEN_UP, RdbService } from '../../../src/server/persistence/rdb-service.ts';

const RESULT: SnapshotResult = { keys: 1, bytes: 100, durationMs: 1, queuedBytesPeak: 7 };
const FULL = new SnapshotError('FAILED', 'No space left on device');
const ABORTED = new SnapshotError('ABORTED', 'aborted');
const START_MS = 1_000_000_000;

/** A service whose saves end when the test says so. */
class Scene {
  readonly keyspace = { dirty: 0 };
  readonly config = new Config();
  readonly saves: { end: () => void; fail: (error: Error) => void }[] = [];
  readonly rdb: RdbService;
  isBusy = false;
  inPlaceError: Error | undefined;
  ended = 0;

  constructor(settings: Settings = {}) {
    this.config.applySettings({ dir: tmpdir(), save: '60 2', ...settings });
    const deps = {
      config: this.config,
      log: new ServerLog({ level: 'nothing' }),
      keyspace: this.keyspace as Keyspace,
      startSave: () => (this.isBusy ? null : this.#start()),
      startSaveHere: () => this.#start(),
      saveInPlace: () => {
        if (this.inPlaceError !== undefined) throw this.inPlaceError;
      },
      onEnded: () => void this.ended++,
    };
    this.rdb = new RdbService(deps, Date.now());
  }

  #start(): Promise<SnapshotResult> {
    return new Promise((resolve, reject) => {
      this.saves.push({ end: () => resolve(RESULT), fail: reject });
    });
  }

  /** Ends the save that runs, well or with an error; gives what those who wait are told. */
  async end(error?: Error): Promise<string | undefined> {
    const told = this.rdb.ending();
    const save = this.saves.at(-1)!;
    if (error === undefined) save.end();
    else save.fail(error);
    return told;
  }

  /** Seconds pass, and the clock of the server ticks. */
  pass(seconds: number, busy = false): void {
    vi.setSystemTime(Date.now() + seconds * 1000);
    this.rdb.tick(Date.now(), busy);
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START_MS }));
afterEach(() => void vi.useRealTimers());

describe('a save in the background', () => {
  it('leaves unsaved what was changed while it ran', async () => {
    const scene = new Scene();
    scene.keyspace.dirty = 5;
    expect(scene.rdb.begin()).toBe(true);
    scene.keyspace.dirty = 8;
    vi.setSystemTime(START_MS + 9000);
    expect(await scene.end()).toBeUndefined();
    expect(scene.keyspace.dirty).toBe(3);
    expect(scene.rdb.lastSaveSeconds).toBe(START_MS / 1000 + 9);
    expect([scene.rdb.saves, scene.rdb.isSaving, scene.ended]).toEqual([1, false, 1]);
  });

  it('leaves nothing unsaved when what was unsaved has gone meanwhile', async () => {
    const scene = new Scene();
    scene.keyspace.dirty = 5;
    scene.rdb.begin();
    scene.keyspace.dirty = 0;
    await scene.end();
    expect(scene.keyspace.dirty).toBe(0);
  });

  it('that fails has writes refused until one succeeds, and changes nothing else', async () => {
    const scene = new Scene();
    const { rdb, keyspace, config } = scene;
    keyspace.dirty = 5;
    rdb.begin();
    expect(await scene.end(FULL)).toBe(FULL.message);
    expect([keyspace.dirty, rdb.lastSaveSeconds, rdb.saves]).toEqual([5, START_MS / 1000, 0]);
    expect(rdb.isBroken).toBe(true);
    config.applySettings({ 'stop-writes-on-bgsave-error': false });
    expect(rdb.isBroken).toBe(false);
    config.applySettings({ 'stop-writes-on-bgsave-error': true, save: '' });
    expect(rdb.isBroken).toBe(false);
    config.applySettings({ save: '60 2' });
    rdb.begin();
    await scene.end();
    expect([rdb.isBroken, keyspace.dirty]).toEqual([false, 0]);
  });

  it('that is given up is no failure, and saves nothing', async () => {
    const scene = new Scene();
    scene.keyspace.dirty = 5;
    scene.rdb.begin();
    expect(await scene.end(ABORTED)).toBe(ABORTED.message);
    expect([scene.rdb.isBroken, scene.keyspace.dirty]).toEqual([false, 5]);
  });

  it('that was asked for begins as soon as it can, once', async () => {
    const scene = new Scene();
    scene.rdb.scheduled = true;
    scene.pass(1, true);
    expect(scene.saves.length).toBe(0);
    scene.isBusy = true;
    scene.pass(1);
    expect([scene.rdb.scheduled, scene.rdb.isSaving]).toEqual([true, false]);
    scene.isBusy = false;
    scene.pass(1);
    expect([scene.rdb.scheduled, scene.rdb.isSaving]).toEqual([false, true]);
    await scene.end();
    scene.pass(1);
    expect(scene.saves.length).toBe(1);
  });
});

describe('a save point', () => {
  it('is due when its time is over and as much was changed', async () => {
    const scene = new Scene();
    scene.keyspace.dirty = 1;
    scene.pass(100);
    expect(scene.saves.length).toBe(0);
    scene.keyspace.dirty = 2;
    scene.pass(0, true);
    expect(scene.saves.length).toBe(0);
    scene.pass(0);
    expect(scene.saves.length).toBe(1);
    await scene.end();
    scene.keyspace.dirty = 9;
    scene.pass(60);
    expect(scene.saves.length).toBe(1);
    scene.pass(1);
    expect(scene.saves.length).toBe(2);
  });

  it('is due for itself, whatever those before it say', () => {
    const scene = new Scene({ save: '100 9 60 2' });
    scene.keyspace.dirty = 2;
    scene.pass(61);
    expect(scene.saves.length).toBe(1);
  });

  it('waits five seconds after a failure, and is tried again then', async () => {
    const scene = new Scene();
    scene.keyspace.dirty = 2;
    scene.pass(61);
    await scene.end(FULL);
    scene.pass(4);
    expect(scene.saves.length).toBe(1);
    scene.pass(1);
    expect(scene.saves.length).toBe(2);
  });
});

describe('a save that is waited for', () => {
  it('holds everything, or says why not and leaves it unsaved', () => {
    const one = new Scene();
    one.keyspace.dirty = 5;
    one.inPlaceError = FULL;
    expect(one.rdb.saveInPlace()).toBe(FULL.message);
    expect([one.keyspace.dirty, one.rdb.isBroken, one.ended]).toEqual([5, false, 1]);
    one.inPlaceError = undefined;
    expect(one.rdb.saveInPlace()).toBeUndefined();
    expect([one.keyspace.dirty, one.rdb.saves, one.ended]).toEqual([0, 1, 2]);
  });

  it('in the background has no writes refused when it fails', async () => {
    const scene = new Scene();
    const { rdb, keyspace } = scene;
    keyspace.dirty = 5;
    rdb.begin(true);
    expect(await scene.end(FULL)).toBe(FULL.message);
    expect([keyspace.dirty, rdb.isBroken, rdb.isSaving]).toEqual([5, false, false]);
    // It mends nothing either.
    for (const isAwaited of [false, true]) {
      rdb.begin(isAwaited);
      await scene.end(FULL);
      expect(rdb.isBroken).toBe(true);
    }
    rdb.begin(true);
    await scene.end();
    expect([keyspace.dirty, rdb.isBroken]).toEqual([0, false]);
  });

  it('between the turns counts as saved what it began with, once it is done', async () => {
    const scene = new Scene();
    const { rdb, keyspace } = scene;
    keyspace.dirty = 5;
    const saved = rdb.saveHere();
    keyspace.dirty = 6;
    await turn();
    expect([keyspace.dirty, rdb.isSaving]).toEqual([6, true]);
    scene.saves[0]!.end();
    expect(await saved).toBeUndefined();
    expect([keyspace.dirty, rdb.isSaving, scene.ended]).toEqual([1, false, 1]);
  });

  it.each([
    [FULL, FULL.message],
    [ABORTED, GIVEN_UP],
  ])('between the turns says what went wrong: %s', async (error, told) => {
    const scene = new Scene();
    scene.keyspace.dirty = 5;
    const saved = scene.rdb.saveHere();
    scene.saves[0]!.fail(error);
    expect(await saved).toBe(told);
    expect([scene.keyspace.dirty, scene.rdb.isSaving, scene.ended]).toEqual([5, false, 1]);
  });
});
