/**
 * The folder that the program was started in, where relative paths begin. It may have been deleted
 * since: that is told by name, and keeps nobody from the folders that are there. So is a name that
 * Node cannot say.
 */

/** Stands for a folder that is gone: nothing is found in it, and nothing can be made there. */
export const GONE_FOLDER = '/proc/self/cwd';

export function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return GONE_FOLDER;
  }
}

export const NOT_UTF8 = 'The name of this folder is not UTF-8: Node.js cannot reach it';

/** Whether bytes that are no UTF-8 were replaced: the name is of no folder now, or of another. */
export function isNotUtf8(path: string): boolean {
  return path.includes('\ufffd');
}
