/**
 * The compress depth of a quicklist: after each change the nodes at both ends are raw, and the next
 * ones compressed.
 *
 *     depth 2     raw  raw  LZF  LZF  LZF  LZF  raw  raw
 *
 * Functions walk over as many nodes at each end and look at those that changed, not at all others.
 * A depth of 0 compresses none.
 */
import { DirectoryPath } from './directory-path.ts';
import type { QuicklistNodes } from './quicklist-nodes.ts';

const path = new DirectoryPath();

/**
 * Brings the list back to its compress depth: the nodes at both ends raw, the next ones compressed,
 * and those that hold elements `from` to `to` (none when `to` is less).
 */
export function settle(nodes: QuicklistNodes, depth: number, from: number, to: number): void {
  if (depth === 0) return;
  const { directory } = nodes;
  let found = directory.first(path);
  let headElements = 0;
  for (let i = 0; i < depth && found; i++) {
    nodes.thaw(path);
    headElements += path.count;
    found = directory.next(path);
  }
  found = directory.last(path);
  let tailElements = 0;
  for (let i = 0; i < depth && found; i++) {
    nodes.thaw(path);
    tailElements += path.count;
    found = directory.prev(path);
  }
  const last = directory.elements - tailElements - 1;
  if (last < headElements) return;
  freezeRange(nodes, headElements, headElements);
  freezeRange(nodes, last, last);
  freezeRange(nodes, Math.max(from, headElements), Math.min(to, last));
}

/**
 * Freezes or thaws the node that holds `index` and its neighbours, as their distance from the ends
 * asks.
 */
export function settleAround(nodes: QuicklistNodes, depth: number, index: number): void {
  if (depth === 0) return;
  const { directory } = nodes;
  const start = index - directory.seek(path, index);
  const behind = Math.min(start + path.count, directory.elements - 1);
  settle(nodes, depth, Math.max(0, start - 1), behind);
}

/** Compresses the nodes that hold elements `from` to `to`. */
function freezeRange(nodes: QuicklistNodes, from: number, to: number): void {
  for (let index = from; index <= to; ) {
    const start = index - nodes.directory.seek(path, index);
    nodes.freeze(path);
    index = start + path.count;
  }
}
