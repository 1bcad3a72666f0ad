/** Where a tool writes a file: looked at before the work begins, which may take long. */
import { accessSync, constants, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * The path of a file that is to be written or replaced; a link is followed, so that it stays one.
 * Throws where its folder is not there or closed, and where something has the name that a file must
 * not replace, such as a device or a pipe.
 */
export function targetPath(path: string): string {
  const wanted = resolve(path);
  openFolder(dirname(wanted));
  if (lstatSync(wanted, { throwIfNoEntry: false }) === undefined) return wanted;
  const stat = statSync(wanted, { throwIfNoEntry: false });
  if (stat === undefined) throw new Error(`${path} is a link to nothing`);
  if (stat.isDirectory()) throw new Error(`${path} is a folder`);
  if (!stat.isFile()) throw new Error(`${path} is no file that can be replaced`);
  return realpathSync(wanted);
}

function openFolder(folder: string): void {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) throw new Error(`the folder ${folder} is not there`);
  if (!stat.isDirectory()) throw new Error(`${folder} is no folder`);
  accessSync(folder, constants.W_OK);
}

/** Whether two paths lead to one file. */
export function isSameFile(one: string, other: string): boolean {
  const a = statSync(one, { throwIfNoEntry: false });
  const b = statSync(other, { throwIfNoEntry: false });
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
