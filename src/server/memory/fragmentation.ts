/**
 * What of the memory that is held is of no use, as INFO memory and MEMORY STATS show it.
 *
 *     rss     [ Node's code, its heap, buffers | the arena: in use | a chunk | slack ]
 *     needed  [ -------------------------------------------------------- ]
 *
 * Redis divides rss by `used_memory`, in which nearly all of its process is found again. Here it
 * has nothing of Node's own memory, so that of a server with little data the ratio would be in the
 * thousands, and an alert for wasted memory would never rest. So what is outside the arena counts
 * as needed; how much that is shows `rss_overhead_bytes`. Nor is it waste that the arena has room
 * for what comes next: up to a chunk, the least that it can take from the system.
 *
 * Where less is resident than is in use, the system has swapped some out: the ratio is below 1, as
 * in Redis.
 */
import { CHUNK_BYTES } from '../../core/memory/chunk-space.ts';

export interface Fragmentation {
  /** Fragmentation of the arena alone, in bytes and as a ratio. */
  readonly arenaBytes: number;
  readonly arenaRatio: number;
  /** Fragmentation of the whole process; negative, and below 1, when some of it is swapped out. */
  readonly processBytes: number;
  readonly processRatio: number;
}

/** `used` is the memory in use, all in all, and `rss` what the system says of the process. */
export function fragmentationOf(
  arena: { readonly reservedBytes: number; readonly usedBytes: number },
  used: number,
  rss: number,
): Fragmentation {
  const { reservedBytes, usedBytes } = arena;
  const arenaBytes = Math.max(0, reservedBytes - usedBytes - CHUNK_BYTES);
  const needed = Math.max(1, used, rss - arenaBytes);
  return {
    arenaBytes,
    arenaRatio: 1 + arenaBytes / Math.max(1, usedBytes),
    processBytes: rss - needed,
    processRatio: rss / needed,
  };
}
