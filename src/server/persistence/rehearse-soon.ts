/**
 * Schedules the rehearsal of a save (save-rehearsal.ts) soon after the start of the process, a step
 * at a time between whatever else the loop has to do.
 *
 * What is rehearsed is the code, so once is enough for a process. While a real snapshot runs, it
 * waits: that has enough to do, and does the same. The memory goes back to the system at the end.
 */
import type { Config } from '../config/config.ts';
import { giveBack } from '../memory/give-back.ts';
import { SaveRehearsal } from './save-rehearsal.ts';

/** Long enough that a server that has just started is past its first work, or is gone again. */
const AFTER_MS = 1500;
const BETWEEN_MS = 2;
/** How often it looks whether a real snapshot has ended. */
const LOOK_MS = 100;

/**
 * Rehearses after a while, unless a real snapshot runs just then; resolves when that is done. The
 * process does not stay for it. Saves that are slowed down (for tests) are not rehearsed.
 */
export async function rehearseSoon(isSaving: () => boolean, config: Config): Promise<void> {
  await pause(AFTER_MS);
  const rehearsal = new SaveRehearsal(config);
  do {
    while (isSaving()) await pause(LOOK_MS);
    await pause(BETWEEN_MS);
  } while (config.values.rdbKeySaveDelay === 0 && rehearsal.step());
  giveBack(rehearsal.memory);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
