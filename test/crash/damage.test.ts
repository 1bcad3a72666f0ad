/**
 * Damage to the files of an AOF, looked for where it hurts:
 *
 *   a torn tail at every byte of the last 4 KB of an increment   a start keeps every whole turn,
 *                                                                and what it then appends
 *   a flipped bit in the base or an increment                    noticed, every time
 *   a flipped bit in the manifest                                the same, or without effect (a key
 *                                                                in another case); nothing deleted
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ManifestError } from '../../src/persistence/aof/manifest.ts';
import { checkAof } from '../../src/persistence/tools/check-aof.ts';
import {
  AOF_FOLDER,
  AofDriver,
  aofFolderNames,
  freshDriver,
  recover,
} from '../support/aof-driver.ts';
import { load, PLACE } from '../support/aof-samples.ts';
import type { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { emptyDisk, InProcessServer } from '../support/in-process-server.ts';
import { Random } from '../support/random.ts';

const TAIL_BYTES = 4096;
/** Of the cuts, every so manieth is started on and appended to; the others are loaded. */
const START_EVERY = 37;
const FLIPS = Number(process.env.CRASH_ROUNDS ?? 700);

const MANIFEST = `${AOF_FOLDER}/${PLACE.appendFilename}.manifest`;

/** A disk with these files. */
function disk(files: ReadonlyMap<string, Uint8Array>): FaultyFileSystem {
  const fs = emptyDisk();
  for (const [path, bytes] of files) fs.put(path, bytes);
  return fs;
}

function filesOf(fs: FaultyFileSystem): Map<string, Uint8Array> {
  return new Map(fs.paths().map((path) => [path, fs.content(path)!]));
}

describe('a torn tail', () => {
  it('at every byte of the last 4 KB is cut, and every whole turn is kept', async () => {
    const { fs, driver } = await freshDriver('always');
    /** The size of the increment and the number of writes after each turn. */
    const ends: [bytes: number, writes: number][] = [];
    const incr = `${AOF_FOLDER}/${PLACE.appendFilename}.1.incr.aof`;
    for (let i = 0; ends.length === 0 || ends.at(-1)![0] < TAIL_BYTES + 2000; i++) {
      driver.turn(1 + (i % 4));
      await driver.aof.flush();
      ends.push([fs.content(incr)!.length, driver.written]);
    }
    await driver.aof.close();
    const whole = fs.content(incr)!;
    const files = filesOf(fs);
    for (let cut = whole.length - 1; cut >= whole.length - TAIL_BYTES; cut--) {
      const torn = whole.slice(0, cut);
      // Now and then the length reached the disk and the bytes did not.
      const bytes = cut % 5 === 0 ? new Uint8Array(cut + 1 + (cut % 60)) : torn;
      bytes.set(torn);
      const after = disk(new Map([...files, [incr, bytes]]));
      const kept = ends.findLast(([end]) => end <= cut)?.[1] ?? 0;
      const inTurn = (ends.find(([end]) => end > cut)?.[1] ?? 0) - kept;
      if (cut % START_EVERY !== 0) {
        const found = await recover(after);
        expect(found, `cut at ${cut}`).toBeGreaterThanOrEqual(kept);
        expect(found, `cut at ${cut}`).toBeLessThan(kept + inTurn);
        continue;
      }
      const again = await AofDriver.start(after, { policy: 'always' });
      const found = again.written;
      again.turn(2);
      await again.aof.close();
      expect(await recover(after.cutPower(cut, 'all')), `cut at ${cut}`).toBe(found + 2);
    }
  }, 240_000);
});

describe('a flipped bit', () => {
  const open: InProcessServer[] = [];
  afterEach(async () => {
    for (const server of open.splice(0)) await server.abandon();
  });

  /** The files of a small AOF with a base, two increments (a rewrite came to nothing) and keys. */
  async function sample(preamble: string): Promise<Map<string, Uint8Array>> {
    const fs = emptyDisk();
    const server = await InProcessServer.start(fs, {
      'aof-use-rdb-preamble': preamble,
      'auto-aof-rewrite-percentage': 0,
    });
    open.push(server);
    const client = await server.connect();
    const fill = async (from: number): Promise<void> => {
      for (let i = from; i < from + 12; i++) await client.send('SET', `key:${i}`, `v${i * i}`);
      await client.send('RPUSH', 'list', 'a', 'b', 'x'.repeat(100));
    };
    await fill(0);
    await client.send('BGREWRITEAOF');
    for (; server.server.persistence.isBusy; ) await new Promise((done) => setTimeout(done, 5));
    await fill(100);
    client.close();
    await server.server.close({ save: undefined, now: true, force: true });
    return new Map([...filesOf(fs)].filter(([path]) => path.includes('appendonlydir')));
  }

  /** What was loaded, and which files are there. */
  async function stateOf(server: InProcessServer, fs: FaultyFileSystem): Promise<string> {
    const client = await server.connect();
    const keys = (await client.send('DBSIZE')).value;
    const digest = (await client.send('DEBUG', 'DIGEST')).value;
    client.close();
    const paths = fs.paths().filter((path) => path.includes('appendonlydir'));
    return `${keys} keys, ${digest}, ${paths.join(' ')}`;
  }

  it.each(['yes', 'no'])(
    'is noticed in every file (RDB base: %s)',
    async (preamble) => {
      const files = await sample(preamble);
      expect([...files.keys()].map((path) => path.replace(/.*\.(?=base|incr|mani)/, ''))).toEqual([
        preamble === 'yes' ? 'base.rdb' : 'base.aof',
        'incr.aof',
        'manifest',
      ]);
      const whole = disk(files);
      open.push(await InProcessServer.start(whole));
      const wanted = await stateOf(open.at(-1)!, whole);
      expect(wanted).toContain('25 keys');
      const random = new Random(9);
      const places = [...files].flatMap(([path, bytes]) => {
        const all = Array.from({ length: bytes.length * 8 }, (_, bit): [string, number] => [
          path,
          bit,
        ]);
        return path.endsWith('manifest')
          ? all.slice(0, 1600)
          : random.shuffled(all).slice(0, FLIPS);
      });
      for (const [path, bit] of random.shuffled(places).slice(0, FLIPS)) {
        const bytes = files.get(path)!.slice();
        bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
        const what = `${path}, byte ${bit >> 3}, bit ${bit & 7}`;
        const damaged = disk(new Map([...files, [path, bytes]]));
        const started = await InProcessServer.start(damaged, {
          'aof-load-truncated': false,
        }).catch(() => null);
        if (started !== null) open.push(started);
        if (started === null || !path.endsWith('manifest')) expect(started, what).toBeNull();
        else expect(await stateOf(started, damaged), what).toBe(wanted);
      }
    },
    240_000,
  );

  it.each(['prepared', 'begun', 'finished', 'deleted'])(
    'anywhere in the manifest is noticed by a start and by the checker, or harmless: %s',
    async (step) => {
      const { fs, driver } = await freshDriver('always', { keepHistory: step === 'finished' });
      driver.turn(3);
      await driver.rewrite();
      driver.turn(2);
      await driver.aof.flush();
      await driver.aof.prepareRewrite(0);
      if (step !== 'prepared') await driver.begin();
      if (step !== 'prepared') driver.turn(2);
      await driver.aof.flush();
      if (step === 'finished' || step === 'deleted') await driver.finish();
      await driver.aof.close();
      const manifest = fs.content(MANIFEST)!;
      const files = filesOf(fs);
      const { commands } = await load(disk(files));
      let harmless = 0;
      for (let bit = 0; bit < manifest.length * 8; bit++) {
        const bytes = manifest.slice();
        bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
        const damaged = disk(new Map([...files, [MANIFEST, bytes]]));
        const found = await load(damaged).catch((error: Error) => error);
        const verdict = await checkAof(damaged, MANIFEST, { readRdb: async () => 0 }).catch(
          (error: Error) => error,
        );
        expect(aofFolderNames(damaged), `bit ${bit}`).toEqual(aofFolderNames(fs));
        if (found instanceof Error) {
          expect(found, `bit ${bit}`).toBeInstanceOf(ManifestError);
          // A first line that does not begin with "file" is no manifest to it, but no AOF either.
          expect(verdict instanceof Error || !verdict.isValid, `bit ${bit}`).toBe(true);
        } else {
          harmless++;
          expect(found.commands, `bit ${bit}`).toEqual(commands);
          expect(verdict, `bit ${bit}`).toMatchObject({ isValid: true });
        }
      }
      // The keys' eleven letters in another case.
      expect(harmless).toBe(11 * Buffer.from(manifest).toString().match(/^file/gm)!.length);
    },
    240_000,
  );
});
