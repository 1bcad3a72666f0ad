/**
 * Packed collections of a walk (rdb-walk.ts), and what the walkers of all types read values with:
 * views that are made once, not an element, and the refusals of what is not as it should be.
 *
 *     listpack, ziplist    member member member ...              step 1, a set
 *                          field value field value ...           step 2, a hash, a sorted set
 *                          field value expiry field value ...    step 3, a hash whose fields expire
 *
 * One is looked through whole, as far as the doubt of the walk goes, before any of it is shown.
 */
import { lpCount, lpFirst, lpNext } from '../../core/struct/listpack.ts';
import { lpValid } from '../../core/struct/listpack-valid.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { lpDistinct } from '../../core/types/listpack-distinct.ts';
import { ByteView } from '../../core/value.ts';
import type { RdbReader } from './rdb-reader.ts';
import { SeenMembers } from './rdb-seen-members.ts';
import type { WalkDoubt } from './rdb-walk.ts';
import { ZiplistReader } from './ziplist.ts';

export class PackedWalker {
  /** The string that was read last; it is borrowed from the reader. */
  readonly view = new ByteView();
  /** Elements as they are shown, in the order in which they stand. */
  readonly first = new ElementView();
  readonly second = new ElementView();
  readonly third = new ElementView();
  readonly ziplist = new ZiplistReader();
  readonly #reader: RdbReader;
  readonly #doubt: WalkDoubt;
  readonly #seen: SeenMembers | null;

  constructor(reader: RdbReader, doubt: WalkDoubt) {
    this.#reader = reader;
    this.#doubt = doubt;
    this.#seen = doubt === 'all' ? new SeenMembers() : null;
  }

  /** A new collection begins: none of its members was seen. */
  begin(): void {
    this.#seen?.clear();
  }

  /** Reads a listpack whose every `step` entries are a member, looked through if need be. */
  listpack(of: string, step: number): ByteView {
    this.#reader.string(this.view);
    if (this.#doubt === 'none') return this.view;
    const { bytes, length, offset } = this.view;
    if (!lpValid(bytes, offset, length, true) || lpCount(bytes, offset) % step !== 0) {
      throw this.damaged('listpack', of);
    }
    if (!lpDistinct(bytes, offset, step)) throw this.#reader.fail(`a member twice in a ${of}`);
    return this.view;
  }

  /** Reads a listpack of pairs: shows the first in `first`, the second to `show`. */
  listpackPairs(of: string, show: (second: ByteView) => void): number {
    const { bytes, offset } = this.listpack(of, 2);
    for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
      this.first.showListpack(bytes, offset, at);
      at = lpNext(bytes, offset, at);
      this.second.showListpack(bytes, offset, at);
      show(this.second);
    }
    return lpCount(bytes, offset) / 2;
  }

  /** Reads a ziplist of pairs, and shows them in the same way. */
  ziplistPairs(of: string, show: (second: ByteView) => void): number {
    this.#reader.string(this.view);
    const { bytes, length, offset } = this.view;
    const { ziplist } = this;
    if (!ziplist.open(bytes, offset, length) || ziplist.count % 2 !== 0) {
      throw this.damaged('ziplist', of);
    }
    while (ziplist.next(this.first)) {
      ziplist.next(this.second);
      this.once(this.first, `a member twice in a ${of}`);
      show(this.second);
    }
    return ziplist.count / 2;
  }

  /** Refuses a member that was seen before, where the doubt goes that far. */
  once(member: ByteView, refusal: string): void {
    if (this.#seen?.add(member) === false) throw this.#reader.fail(refusal);
  }

  damaged(form: string, of: string): Error {
    return this.#reader.fail(`a damaged ${form} of a ${of}`);
  }
}
