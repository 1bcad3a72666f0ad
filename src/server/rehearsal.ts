/**
 * Has the process rehearse a snapshot soon after its start (persistence/snapshot-rehearsal.ts), a
 * step at a time between whatever else the loop has to do.
 *
 * What is rehearsed is the code, so once is enough for a process. The memory is made ready by the
 * pool, like that of a dataset, and goes back to the system at the end.
 */
import { SnapshotRehearsal } from '../persistence/snapshot-rehearsal.ts';
import { giveBack } from './give-back.ts';
import { touchedChunk } from './memory-ahead.ts';

/** A server has other things to do when it starts, and may be gone soon. */
const AFTER_MS = 1500;
const BETWEEN_MS = 2;

/** Rehearses after a while; resolves when that is done. The process does not stay for it. */
export async function rehearseSoon(afterMs = AFTER_MS): Promise<void> {
  await pause(afterMs);
  const chunk = await touchedChunk().catch(() => null);
  // Where memory cannot be made ready, nothing is worth a wait for it.
  if (chunk === null) return;
  const rehearsal = new SnapshotRehearsal(chunk);
  while (rehearsal.step()) await pause(BETWEEN_MS);
  giveBack([chunk]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
