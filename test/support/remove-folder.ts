/**
 * Removes a folder of a test. A child that a killed server had begun (for a save or a rewrite)
 * outlives it for a moment, and may make a file between the look at what there is and the removal.
 */
import { rmSync } from 'node:fs';

const TRIES = 200;
const PAUSE_MS = 50;

const bell = new Int32Array(new SharedArrayBuffer(4));

/** Without a word when there is no such folder. */
export function removeFolder(path: string): void {
  for (let left = TRIES; ; left--) {
    try {
      rmSync(path, { recursive: true, force: true });
      return;
    } catch (error) {
      if (left === 0 || (error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
      Atomics.wait(bell, 0, 0, PAUSE_MS);
    }
  }
}
