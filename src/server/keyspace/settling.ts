/**
 * Settles, bit by bit, what was converted but is too large for one turn: an intset of some hundred
 * thousand integers that became a table.
 *
 *     SADD set word     the set is a table, its integers wait
 *     slice, slice, slice ...      (other commands run in between; all see the whole set)
 *
 * A slice takes at most SLICE_MS, then the event loop has its turn.
 */
import type { Keyspace } from '../../core/keyspace.ts';

const SLICE_MS = 0.5;
const SLICE_PARTS = 64;

export class SettlingSlices {
  private readonly keyspace: Keyspace;
  private scheduled = false;
  private readonly sliceBound = (): void => this.slice();

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
  }

  /** Sees to it that what waits is settled. Costs next to nothing when nothing waits. */
  kick(): void {
    if (this.scheduled || !this.keyspace.hasSettling) return;
    this.scheduled = true;
    setImmediate(this.sliceBound);
  }

  private slice(): void {
    this.scheduled = false;
    const until = performance.now() + SLICE_MS;
    let more = true;
    while (more && performance.now() < until) more = this.keyspace.settleSlice(SLICE_PARTS);
    if (more) this.kick();
  }
}
