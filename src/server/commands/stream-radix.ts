/**
 * How many nodes Redis's radix tree would have for the nodes of a stream: XINFO STREAM tells it.
 *
 * Keys are first ids, 16 bytes big-endian. Where keys part there is a branch, and at its end each
 * key has a leaf; bytes that several keys share, or that one has alone, stand together in one node:
 *
 *     [shared bytes] -> (branch) -+-> [bytes] -> (leaf)
 *                                 +-> (branch) ...
 */
import { StreamId } from '../../core/struct/stream-id.ts';
import type { StreamLog } from '../../core/struct/stream-log.ts';

const KEY_BYTES = 16;
/** Keys of even and of odd nodes: each is read once. */
const evenKey = new StreamId();
const oddKey = new StreamId();

export function radixNodes(log: StreamLog): number {
  const { nodeCount } = log;
  // What neighbouring keys share; the tree has a branch at each such depth that is not deeper down.
  let nodes = 1;
  if (nodeCount === 0) return nodes;
  const open: number[] = [];
  let before = -1;
  log.nodeFirstId(0, evenKey);
  for (let i = 1; i <= nodeCount; i++) {
    let shared = -1;
    if (i < nodeCount) {
      log.nodeFirstId(i, (i & 1) === 0 ? evenKey : oddKey);
      shared = sharedBytes(evenKey, oddKey);
    }
    // The leaf of key i - 1 hangs on the deeper of the two branches beside it.
    const branch = Math.max(before, shared);
    nodes += edge(branch, KEY_BYTES);
    while (open.length > 0 && open.at(-1)! > shared) {
      const depth = open.pop()!;
      nodes += edge(Math.max(open.at(-1) ?? -1, shared), depth);
    }
    if (shared >= 0 && open.at(-1) !== shared) open.push(shared);
    before = shared;
  }
  return nodes - 1;
}

/** Nodes from a branch at one depth (-1: the root) to what is at another, which counts too. */
function edge(from: number, to: number): number {
  return 1 + (to > from + 1 ? 1 : 0);
}

/** How many bytes two different keys begin with alike. */
function sharedBytes(one: StreamId, other: StreamId): number {
  if (one.msHigh !== other.msHigh) return Math.clz32(one.msHigh ^ other.msHigh) >>> 3;
  if (one.msLow !== other.msLow) return 4 + (Math.clz32(one.msLow ^ other.msLow) >>> 3);
  if (one.seqHigh !== other.seqHigh) return 8 + (Math.clz32(one.seqHigh ^ other.seqHigh) >>> 3);
  return 12 + (Math.clz32(one.seqLow ^ other.seqLow) >>> 3);
}
