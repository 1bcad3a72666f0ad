/** SAVE on a disk that fails: the old dump or the new one, whole, and nothing left lying about. */
import { describe, expect, it, vi } from 'vitest';
import { spaceRefusal, spaceRefusalSync } from '../../../src/persistence/rdb/rdb-file.ts';
import { saveNow } from '../../../src/persistence/snapshot/snapshot-now.ts';
import { FaultyFileSystem, type NameLoss } from '../../support/faulty-file-system.ts';
import { fileReader, loaded, makeKeyspace, put, saveOptions } from '../rdb/rdb-support.ts';

const PATH = '/data/dump.rdb';

function keyspaceOf(name: string, keys: number) {
  const keyspace = makeKeyspace();
  put(keyspace, 0, 'name', name);
  for (let i = 0; i < keys; i++) put(keyspace, 0, `key ${i}`, `${i}`.repeat(i % 30));
  return keyspace;
}

const fresh = keyspaceOf('new', 400);

/** A disk on which an older dump stands. */
function diskWithOld(): FaultyFileSystem {
  const disk = new FaultyFileSystem();
  disk.mkdirSync('/data');
  disk.fsyncDirSync('/');
  saveNow(keyspaceOf('old', 3), saveOptions(disk));
  disk.calls.length = 0;
  return disk;
}

function nameIn(disk: FaultyFileSystem): string {
  const { keyspace } = loaded(fileReader(disk.content(PATH)!));
  return keyspace.databases[0]!.dict.count === 4 ? 'old' : 'new';
}

function fails(disk: FaultyFileSystem): string {
  try {
    saveNow(fresh, saveOptions(disk));
    return '';
  } catch (error) {
    return String(error);
  }
}

describe('saveNow', () => {
  const count = diskWithOld();
  saveNow(fresh, saveOptions(count));
  const calls = count.calls.length;

  it('writes, syncs, renames and syncs the folder, in this order', () => {
    expect(nameIn(count)).toBe('new');
    expect(count.calls.map((call) => call.replace(/ .*/, '')).slice(-5)).toEqual([
      'write',
      'syncData',
      'close',
      'rename',
      'fsyncDir',
    ]);
    expect(count.paths()).toEqual([PATH]);
  });

  it('as commands ends with all keys and their place in the stream', () => {
    const disk = new FaultyFileSystem();
    disk.mkdirSync('/data');
    const keyspace = makeKeyspace(2);
    put(keyspace, 0, 'a', 'x'.repeat(500));
    put(keyspace, 1, 'b', '2');
    const id = 'ab'.repeat(20);
    const aux = { 'repl-id': id, 'repl-offset': '1234', 'repl-stream-db': '1' };
    const commands = { checksum: false, timeSeconds: -1 };
    saveNow(keyspace, { ...saveOptions(disk), aux, commands });
    const text = Buffer.from(disk.content(PATH)!).toString('latin1');
    const set = (key: string, value: string): string =>
      `*3\r\n$3\r\nSET\r\n$1\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
    const select = (db: number): string => `*2\r\n$6\r\nSELECT\r\n$1\r\n${db}\r\n`;
    expect(text).toBe(
      `${select(0)}${set('a', 'x'.repeat(500))}${select(1)}${set('b', '2')}#RP:r:${id}:1234:1\r\n`,
    );
  });

  it('leaves the old or the new dump, whole, whatever call the power is cut at', () => {
    for (let call = 1; call <= calls; call++) {
      for (const when of ['before', 'half', 'after'] as const) {
        for (const loss of ['none', 'all', 'prefix', 'some'] as NameLoss[]) {
          const disk = diskWithOld();
          disk.breakCall(call, { kind: 'kill', when });
          const error = fails(disk);
          const found = nameIn(disk.cutPower(call * 13, loss));
          if (error === '') expect(found).toBe('new');
          expect(['old', 'new']).toContain(found);
        }
      }
    }
  });

  it('keeps the old dump and removes the temporary file when a call fails', () => {
    for (let call = 1; call < calls; call++) {
      const disk = diskWithOld();
      disk.breakCall(call, { kind: 'error', code: 'EIO' });
      expect(fails(disk), `call ${call}`).toMatch(/EIO/);
      expect(nameIn(disk)).toBe('old');
      expect(disk.paths()).toEqual([PATH]);
    }
  });

  it('says so when the disk is full', () => {
    const disk = diskWithOld();
    disk.spaceBytes = 1000;
    expect(fails(disk)).toMatch(/ENOSPC/);
    expect(nameIn(disk)).toBe('old');
    expect(disk.paths()).toEqual([PATH]);
  });

  it('keeps the old dump wherever the disk runs full, and writes the new one afterwards', () => {
    const room = diskWithOld();
    expect(fails(room)).toBe('');
    const whole = room.content(PATH)!.length;
    for (let left = 0; left < whole; left += Math.max(1, Math.floor(whole / 60))) {
      const disk = diskWithOld();
      disk.spaceBytes = left;
      expect(fails(disk), `${left} bytes left`).toMatch(/ENOSPC/);
      expect(nameIn(disk)).toBe('old');
      expect(disk.paths()).toEqual([PATH]);
      disk.spaceBytes = 1e9;
      expect(fails(disk)).toBe('');
      expect(nameIn(disk)).toBe('new');
    }
  });

  it('syncs every 4 MB on the way, if told to', () => {
    const large = makeKeyspace();
    for (let i = 0; i < 10; i++) put(large, 0, `k${i}`, 'v'.repeat(1_000_000));
    for (const incrementalFsync of [true, false]) {
      const disk = diskWithOld();
      saveNow(large, { ...saveOptions(disk), compress: false, incrementalFsync });
      const syncs = disk.calls.filter((call) => call.startsWith('syncData')).length;
      expect(syncs).toBe(incrementalFsync ? 3 : 1);
    }
  });
});

describe('the look at the free space', () => {
  it('refuses what does not fit, and says what to do', async () => {
    const disk = diskWithOld();
    disk.spaceBytes = 5000;
    expect(await spaceRefusal(disk, PATH, 5000)).toBeNull();
    expect(await spaceRefusal(disk, PATH, 5001)).toMatch(
      /no space: 5001 bytes .* 5000 are free; make room/,
    );
  });

  it('is left out where no room is asked for, whatever the disk would say', async () => {
    const disk = diskWithOld();
    const failure = new Error('it does not tell');
    vi.spyOn(disk, 'freeBytes').mockRejectedValue(failure);
    vi.spyOn(disk, 'freeBytesSync').mockImplementation(() => {
      throw failure;
    });
    expect([await spaceRefusal(disk, PATH, 0), spaceRefusalSync(disk, PATH, 0)]).toEqual([
      null,
      null,
    ]);
    for (const refusal of [await spaceRefusal(disk, PATH, 1), spaceRefusalSync(disk, PATH, 1)]) {
      expect(refusal).toMatch(/cannot look at the folder of .*: it does not tell/);
    }
  });
});
