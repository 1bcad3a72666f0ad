/**
 * A path through a quicklist's directory (list-directory.ts): names one node, and shows what the
 * directory says of it. Whoever walks over a list has one of these.
 */

/** The second word of an entry: elements below, kind above. */
export const COUNT_MASK = 0x1fffffff;
export const KIND_SHIFT = 29;
const LEVELS_MAX = 16;

/** An entry of a directory, and what it says. */
export class DirectoryPath {
  /** Address of the node's block. */
  address = 0;
  /** Elements in the node. */
  count = 0;
  /** 0 to 7. */
  kind = 0;
  /** The node's bytes. */
  bytes = 0;
  /** Block and slot on each level; level 0 is the leaf. */
  readonly blocks = new Uint32Array(LEVELS_MAX);
  readonly slots = new Int32Array(LEVELS_MAX);

  /** Shows the entry at `words[at]`. */
  read(words: Uint32Array, at: number): void {
    this.address = words[at]!;
    this.count = words[at + 1]! & COUNT_MASK;
    this.kind = words[at + 1]! >>> KIND_SHIFT;
    this.bytes = words[at + 2]!;
  }
}
