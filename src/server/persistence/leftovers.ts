/**
 * What a server that was killed has left in the data folder: files of saves and full syncs that
 * were cut off, which nobody will ever finish. They may be as large as the data, so the log names
 * them at the start; they are not deleted, since another server may be at work in the same folder.
 *
 *     temp-<pid>.rdb                      a save (persistence/rdb/rdb-file.ts)
 *     temp-sync-<pid>-<n>.rdb             sent to replicas
 *     temp-<seconds>-<n>.<pid>.rdb        received from a primary
 */
import { join } from 'node:path';
import type { FileSystem } from '../../persistence/file-system.ts';
import type { Logger } from '../log.ts';

const TEMPORARY = /^temp-(?:\d+|sync-\d+-\d+|\d+-\d+\.\d+)\.rdb$/;
const NAMES_MAX = 5;

/** Tells the log what lies there, and how much it is. */
export async function tellLeftovers(fs: FileSystem, dir: string, log: Logger): Promise<void> {
  const names = (await fs.readdir(dir)).filter((name) => TEMPORARY.test(name)).toSorted();
  if (names.length === 0) return;
  let bytes = 0;
  for (const name of names) bytes += (await fs.stat(join(dir, name)))?.size ?? 0;
  const shown = names.slice(0, NAMES_MAX).join(', ');
  const more = names.length > NAMES_MAX ? `, and ${names.length - NAMES_MAX} more` : '';
  log.warning(
    `${bytes} bytes in ${dir} are of saves or full syncs that were cut off: ${shown}${more}. ` +
      'Delete them, unless another server works there',
  );
}
