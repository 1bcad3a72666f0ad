/**
 * Has the process rehearse a snapshot soon after its start, a step at a time between whatever else
 * the loop has to do (persistence/snapshot/snapshot-rehearsal.ts).
 *
 * What is rehearsed is the code, so once is enough for a process. While a real snapshot runs, it
 * waits: that has enough to do, and does the same. The memory goes back to the system at the end.
 */
import { SnapshotRehearsal } from '../persistence/snapshot/snapshot-rehearsal.ts';
import { giveBack } from './memory/give-back.ts';

/** A server has other things to do when it starts, and may be gone soon. */
const AFTER_MS = 1500;
const BETWEEN_MS = 2;
/** How often it looks whether a real snapshot has ended. */
const LOOK_MS = 100;

/**
 * Rehearses after a while, unless a real snapshot runs just then; resolves when that is done. The
 * process does not stay for it.
 */
export async function rehearseSoon(isSaving: () => boolean, afterMs = AFTER_MS): Promise<void> {
  await pause(afterMs);
  const rehearsal = new SnapshotRehearsal();
  do {
    while (isSaving()) await pause(LOOK_MS);
    await pause(BETWEEN_MS);
  } while (rehearsal.step());
  giveBack(rehearsal.memory);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
