/**
 * The folder that the program was started in, where relative paths begin. It may have been deleted
 * since: that is told by name, and keeps nobody from the folders that are there.
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
