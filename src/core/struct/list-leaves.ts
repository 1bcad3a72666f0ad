/**
 * Nodes that were cut out of a list, leaves of its directory together with all that they name, and
 * wait for their memory to be given back in slices. So a list is trimmed by a million elements in
 * the time that a few dozen leaves take.
 */
import type { Releasable } from '../keyspace.ts';
import type { Arena } from '../memory/arena.ts';
import { LEAF_WORDS } from './directory-blocks.ts';

export class CutLeaves implements Releasable {
  private readonly arena: Arena;
  private readonly leaves: number[] = [];

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Adds a leaf; the sum of the sizes of its nodes' blocks. */
  add(leaf: number): number {
    const { arena } = this;
    this.leaves.push(leaf);
    const words = arena.words(leaf);
    const at = arena.wordOffset(leaf);
    const end = at + 1 + words[at]! * LEAF_WORDS;
    let bytes = 0;
    for (let i = at + 1; i < end; i += LEAF_WORDS) bytes += arena.sizeOf(words[i]!);
    return bytes;
  }

  /** Frees up to `limit` nodes or leaves; true while some are left. */
  release(limit: number): boolean {
    const { arena, leaves } = this;
    for (let i = 0; i < limit && leaves.length > 0; i++) {
      const leaf = leaves[leaves.length - 1]!;
      const words = arena.words(leaf);
      const at = arena.wordOffset(leaf);
      const left = words[at]! - 1;
      if (left < 0) arena.free(leaves.pop()!);
      else {
        arena.free(words[at + 1 + left * LEAF_WORDS]!);
        words[at] = left;
      }
    }
    return leaves.length > 0;
  }
}
