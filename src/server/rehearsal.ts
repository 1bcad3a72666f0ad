/**
 * Has the process rehearse a snapshot soon after its start, a step at a time between whatever else
 * the loop has to do (persistence/snapshot/snapshot-rehearsal.ts).
 *
 * What is rehearsed is the code, so once is enough for a process. The memory goes back to the
 * system at the end.
 */
import { SnapshotRehearsal } from '../persistence/snapshot/snapshot-rehearsal.ts';
import { giveBack } from './memory/give-back.ts';

/** A server has other things to do when it starts, and may be gone soon. */
const AFTER_MS = 1500;
const BETWEEN_MS = 2;

/** Rehearses after a while; resolves when that is done. The process does not stay for it. */
export async function rehearseSoon(afterMs = AFTER_MS): Promise<void> {
  await pause(afterMs);
  const rehearsal = new SnapshotRehearsal();
  while (rehearsal.step()) await pause(BETWEEN_MS);
  giveBack(rehearsal.memory);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
