/** A long reply as the pieces that one vectored write sends. */
import type { Reply } from './reply.ts';

/**
 * What may be sent of the full chunks and the current one, in pieces that are not empty: up to
 * `limit` bytes. A chunk that goes beyond is cut, so that what a slow client takes of a large one
 * is seen while it takes it.
 */
export function sendableParts(reply: Reply, limit: number): Uint8Array[] {
  const { queue, released, sent } = reply;
  const parts: Uint8Array[] = [];
  const end = Math.min(released, sent + limit);
  let start = reply.queueStart;
  for (let i = 0; i <= queue.length && start < end; i++) {
    const full = queue[i];
    const length = full === undefined ? reply.at : full.length;
    const from = Math.max(sent - start, 0);
    const to = Math.min(length, end - start);
    start += length;
    if (from < to) parts.push((full === undefined ? reply.chunk : full.bytes).subarray(from, to));
  }
  return parts;
}
