/** An RDB file in the making: what was written goes to the disk meanwhile, and all of it before. */
import { expect, test } from 'vitest';
import { RdbFile } from '../../../src/persistence/rdb/rdb-file.ts';
import { FaultyFileSystem, type NameLoss } from '../../support/faulty-file-system.ts';

const STEP_BYTES = 4 * 1024 * 1024;
const PATH = '/data/dump.rdb';
const TEMP = '/data/temp-7.rdb';
const bytes = new Uint8Array(STEP_BYTES / 4).fill(1);

function begin(fs: FaultyFileSystem, syncsBeside: boolean): RdbFile {
  fs.put(PATH, Uint8Array.of(9));
  return new RdbFile(fs, PATH, 7, true, syncsBeside);
}

const syncsIn = (fs: FaultyFileSystem): number => fs.kindCalls.get('syncData') ?? 0;

test('blocking, every four megabytes are brought to the disk as they are written', () => {
  const fs = new FaultyFileSystem();
  const file = begin(fs, false);
  for (let i = 0; i < 9; i++) file.write(bytes, bytes.length);
  expect(syncsIn(fs)).toBe(2);
  file.finish();
  expect(syncsIn(fs)).toBe(3);
  expect(fs.content(PATH)).toHaveLength(bytes.length * 9);
});

test('beside the writing, one step at a time is on its way, and the end waits for it', async () => {
  const fs = new FaultyFileSystem();
  const file = begin(fs, true);
  for (let i = 0; i < 4; i++) {
    expect(file.isDue).toBe(false);
    file.write(bytes, bytes.length);
  }
  expect(file.isDue).toBe(true);
  expect(syncsIn(fs)).toBe(0);
  fs.holdSyncs();
  await file.syncBeside();
  expect(file.isDue).toBe(false);
  for (let i = 0; i < 4; i++) file.write(bytes, bytes.length);
  const passed: string[] = [];
  const second = file.syncBeside().then(() => passed.push('second'));
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(passed).toEqual([]);
  fs.releaseSyncs();
  await second;
  await file.settled();
  file.finish();
  expect(syncsIn(fs)).toBe(3);
  expect(fs.content(PATH)).toHaveLength(bytes.length * 8);
});

test('a disk that fails beside the writing is heard of, and the old file stands', async () => {
  const fs = new FaultyFileSystem();
  const file = begin(fs, true);
  for (let i = 0; i < 4; i++) file.write(bytes, bytes.length);
  fs.failSyncOf = /temp/;
  await file.syncBeside();
  await expect(file.settled()).rejects.toThrow('fsync of /data/temp-7.rdb failed');
  fs.failSyncOf = undefined;
  // The kernel says it once: a later sync that succeeds means nothing.
  expect(() => file.write(bytes, bytes.length)).toThrow('is not used again');
  await expect(file.syncBeside()).rejects.toThrow('is not used again');
  expect(() => file.finish()).toThrow('is not used again');
  file.discard();
  expect(fs.content(TEMP)).toBeUndefined();
  expect(fs.content(PATH)).toEqual(Uint8Array.of(9));
});

test('a disk that fails when the file was given up ends nobody', async () => {
  const fs = new FaultyFileSystem();
  const file = begin(fs, true);
  for (let i = 0; i < 4; i++) file.write(bytes, bytes.length);
  const unheard: unknown[] = [];
  const hear = (reason: unknown): number => unheard.push(reason);
  process.on('unhandledRejection', hear);
  fs.holdSyncs();
  await file.syncBeside();
  file.discard();
  fs.failSyncOf = /temp/;
  fs.releaseSyncs();
  // Node tells of what nobody has heard behind the turn.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', hear);
  expect(unheard).toEqual([]);
  await expect(file.settled()).rejects.toThrow('fsync of /data/temp-7.rdb failed');
});

test('what is given up is closed once, and removed though its disk fails at that', () => {
  const fs = new FaultyFileSystem();
  const unnamed = begin(fs, false);
  fs.breakCallOf('rename', 1, { kind: 'error', code: 'EIO' });
  expect(() => unnamed.finish()).toThrow('EIO');
  unnamed.discard();
  // By then its descriptor may be another file's.
  expect(fs.kindCalls.get('close')).toBe(1);
  const unclosed = begin(fs, false);
  fs.breakCallOf('close', 2, { kind: 'error', code: 'EIO' });
  expect(() => unclosed.discard()).toThrow('EIO');
  expect(fs.paths()).toEqual([PATH]);
});

test('whatever call the power is cut at, the old file stands or the new one, whole', () => {
  const parts = [Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(6, 7, 8)];
  const make = (fs: FaultyFileSystem): void => {
    const file = begin(fs, false);
    for (const part of parts) file.write(part, part.length);
    file.finish();
  };
  const counted = new FaultyFileSystem();
  make(counted);
  for (let call = 1; call <= counted.calls.length; call++) {
    for (const when of ['before', 'half', 'after'] as const) {
      for (const loss of ['none', 'all', 'prefix', 'some'] as NameLoss[]) {
        for (let seed = 0; seed < 4; seed++) {
          const fs = new FaultyFileSystem();
          fs.breakCall(call, { kind: 'kill', when });
          let isDone = false;
          try {
            make(fs);
            isDone = true;
          } catch {
            // The process has ended.
          }
          const found = fs.cutPower(seed, loss).content(PATH)!.join();
          expect(['9', '1,2,3,4,5,6,7,8']).toContain(found);
          if (isDone) expect(found).toBe('1,2,3,4,5,6,7,8');
        }
      }
    }
  }
  for (const loss of ['none', 'all', 'prefix', 'some'] as NameLoss[]) {
    const fs = new FaultyFileSystem();
    make(fs);
    expect(fs.cutPower(1, loss).content(PATH)!.join()).toBe('1,2,3,4,5,6,7,8');
  }
});
