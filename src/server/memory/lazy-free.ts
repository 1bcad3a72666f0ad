/**
 * Frees, bit by bit, the memory of what is gone already: flushed databases and large values that
 * were deleted.
 *
 *     DEL big        the key is gone        slice, slice, slice ...      memory is back
 *     FLUSHALL       all keys are gone      (other commands run in between)
 *
 * A slice takes at most SLICE_MS, then the event loop has its turn, so that no command waits longer
 * than that for the freeing, and slices follow each other until nothing is left. A database that
 * the running snapshot still reads stays until the snapshot is done; `kick` is called often enough
 * to notice.
 *
 * Converted values settle in the same manner (settling.ts).
 *
 * What the arena has no use for any more goes back to the system after each slice, and after a
 * turn that left much of it: one chunk at a time, since the kernel takes 0.6 to 0.9 ms for each.
 * Elements go in the order of a hash, so most chunks become empty together, at the very end: all 50
 * of 4 million keys at once took 30 ms. So nothing more is freed while a chunk waits.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import { CHUNK_BYTES } from '../../core/memory/chunk-space.ts';
import { SettlingSlices } from '../keyspace/settling.ts';
import type { Cron } from '../time/cron.ts';
import { giveBack } from './give-back.ts';

const SLICE_MS = 0.5;
const TIDY_MS = 1000;
const SLICE_ENTRIES = 64;

export class LazyFree {
  private readonly keyspace: Keyspace;
  private readonly settling: SettlingSlices;
  private scheduled = false;
  private waiting: (() => void)[] = [];
  private readonly sliceBound = (): void => this.slice();

  constructor(keyspace: Keyspace, cron: Cron) {
    this.keyspace = keyspace;
    this.settling = new SettlingSlices(keyspace);
    cron.every(TIDY_MS, () => this.sweep());
  }

  /**
   * Sees to it that what waits to be freed is freed, and what waits to settle settles. Costs next
   * to nothing when nothing waits.
   */
  kick(): void {
    const { keyspace } = this;
    this.settling.kick();
    if (this.scheduled || !(keyspace.hasDoomed || keyspace.arena.hasEmptied)) return;
    this.scheduled = true;
    setImmediate(this.sliceBound);
  }

  /** Resolves when all that can be freed now is freed. */
  done(): Promise<void> {
    if (!this.keyspace.hasDoomed) return Promise.resolve();
    this.kick();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Frees all that can be freed now, at once. */
  drain(): void {
    while (this.keyspace.freeSlice(SLICE_ENTRIES));
  }

  /** Gives back some of what the arena keeps at hand; with `all`, all to the last empty chunk. */
  tidy(all: boolean): void {
    const { arena } = this.keyspace;
    arena.tidy(all);
    if (all) giveBack(arena.takeEmptied(Number.POSITIVE_INFINITY));
    else if (arena.hasEmptied) giveBack(arena.takeEmptied(CHUNK_BYTES));
  }

  /** Now and then little is given back, too. */
  private sweep(): void {
    const { arena } = this.keyspace;
    arena.tidy(false);
    giveBack(arena.takeEmptied(CHUNK_BYTES));
  }

  private slice(): void {
    this.scheduled = false;
    const { keyspace } = this;
    const { arena } = keyspace;
    const until = performance.now() + SLICE_MS;
    let more = keyspace.hasDoomed;
    while (more && !arena.hasEmptied && performance.now() < until) {
      more = keyspace.freeSlice(SLICE_ENTRIES);
    }
    this.tidy(false);
    if (more || arena.hasEmptied) this.kick();
    if (more) return;
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
