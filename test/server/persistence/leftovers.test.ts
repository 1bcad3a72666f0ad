/** Files of saves and full syncs that were cut off are named at the start, and stay. */
import { afterEach, expect, it } from 'vitest';
import { InProcessScene } from '../../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk } from '../../support/in-process-server.ts';

const scene = new InProcessScene({ appendonly: false });

afterEach(() => scene.end());

/** The lines about them in the log of a server that starts beside these files of 100 bytes. */
async function toldOf(...names: string[]): Promise<string[]> {
  const disk = emptyDisk();
  for (const name of names) disk.put(`${DATA_FOLDER}/${name}`, new Uint8Array(100));
  const { log } = await scene.start(disk);
  for (const name of names) expect(disk.paths()).toContain(`${DATA_FOLDER}/${name}`);
  return log.filter((line) => line.includes('cut off')).map((line) => line.split(' # ')[1]!.trim());
}

it('names them and says how much they take', async () => {
  expect(await toldOf('temp-17.rdb', 'temp-sync-17-2.rdb', 'temp-1700000000-1.17.rdb')).toEqual([
    `300 bytes in ${DATA_FOLDER} are of saves or full syncs that were cut off: ` +
      'temp-17.rdb, temp-1700000000-1.17.rdb, temp-sync-17-2.rdb. ' +
      'Delete them, unless another server works there',
  ]);
});

it('names a few of many', async () => {
  const [line] = await toldOf(...Array.from({ length: 8 }, (_, i) => `temp-${i}.rdb`));
  expect(line).toMatch(/^800 bytes .* temp-0\.rdb, .*temp-4\.rdb, and 3 more\. Delete them/);
  const [all] = await toldOf(...Array.from({ length: 5 }, (_, i) => `temp-${i}.rdb`));
  expect(all).toMatch(/^500 bytes .* temp-0\.rdb, .*temp-4\.rdb\. Delete them/);
});

it('says nothing of other files', async () => {
  expect(await toldOf('temp-.rdb', 'temp-a.rdb', 'my-temp-1.rdb', 'temp-1.rdb.gz')).toEqual([]);
});

it('starts where the folder cannot be read', async () => {
  const disk = emptyDisk();
  disk.readdir = () => Promise.reject(new Error('EACCES'));
  await expect(scene.start(disk)).resolves.toBeDefined();
});
