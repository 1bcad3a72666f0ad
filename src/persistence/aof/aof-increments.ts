/**
 * The files that turns are appended to, as each is opened.
 *
 *   at the start              the last increment that was loaded, behind what it holds
 *   at a rewrite, on          a new increment, empty, which the manifest names already
 *   at a rewrite, waiting     temp-<name>.incr, empty, which no manifest names before there is a
 *                             base: `AofFolder.adoptBase` makes an increment of it
 */
import { DurableFile } from '../durable-file.ts';
import type { AofFolder } from './aof-folder.ts';

/** Makes every loaded file durable and gives the last one, the increment that takes turns. */
export async function openLoadedIncr(folder: AofFolder): Promise<DurableFile> {
  const names = (await folder.filesToLoad()).map((file) => file.info.name);
  for (const [i, name] of names.entries()) {
    const isLast = i === names.length - 1;
    const mode = isLast ? 'journal' : 'read';
    const file = new DurableFile(await folder.fs.open(folder.pathOf(name), mode));
    await file.syncData();
    if (isLast) return file;
    await file.close();
  }
  throw new Error('the AOF manifest has no increment');
}

/** Adds an increment to the manifest, and gives its file. */
export async function openNewIncr(folder: AofFolder): Promise<DurableFile> {
  const incr = await folder.addIncr();
  return new DurableFile(await folder.fs.open(folder.pathOf(incr.name), 'journal'));
}

/** The temporary increment; what an attempt before this one has left in it goes. */
export async function openTemporaryIncr({
  fs,
  temporaryIncrPath,
}: AofFolder): Promise<DurableFile> {
  const file = new DurableFile(await fs.open(temporaryIncrPath, 'journal'));
  try {
    await file.truncate(0);
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  return file;
}
