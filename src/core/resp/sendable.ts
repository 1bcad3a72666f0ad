/** A long reply as the pieces that one vectored write sends. */
import type { Reply } from './reply.ts';

/**
 * What may be sent of the full chunks and the current one, in pieces that are not empty: up to
 * `limit` bytes, or the first piece where that is longer.
 */
export function sendableParts(reply: Reply, limit: number): Uint8Array[] {
  const { queue, released, sent } = reply;
  const parts: Uint8Array[] = [];
  let start = reply.queueStart;
  let size = 0;
  for (let i = 0; i <= queue.length && start < released; i++) {
    const full = queue[i];
    const length = full === undefined ? reply.at : full.length;
    const from = Math.max(sent - start, 0);
    const to = Math.min(length, released - start);
    start += length;
    if (from >= to) continue;
    size += to - from;
    if (parts.length > 0 && size > limit) break;
    parts.push((full === undefined ? reply.chunk : full.bytes).subarray(from, to));
  }
  return parts;
}
