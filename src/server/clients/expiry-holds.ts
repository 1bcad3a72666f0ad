/**
 * What becomes of keys whose time has come. Several want them kept, each for as long as it holds:
 *
 *     replay     an AOF is loaded, whose commands know nothing of the clock        ignored
 *     replica    the primary says when they go; nor may any before roles are known   hidden
 *     pause      a deletion would be a write                                         hidden
 *     disk       nor could it be kept                                                hidden
 *     nobody                                                                         deleted
 *
 * They begin and end in any order, over many turns, so none puts back what it found: what holds is
 * reckoned anew.
 */
import { EXPIRY_DELETE, EXPIRY_HIDE, EXPIRY_IGNORE, type Keyspace } from '../../core/keyspace.ts';

type ExpiryHold = 'replay' | 'replica' | 'pause' | 'disk';

export class ExpiryHolds {
  private readonly keyspace: Keyspace;
  private readonly holds = new Set<ExpiryHold>();

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
  }

  /** Somebody begins or ceases to want them kept. */
  hold(who: ExpiryHold, wants: boolean): void {
    if (wants) this.holds.add(who);
    else this.holds.delete(who);
    this.settle();
  }

  /** Has the keyspace do what holds. */
  settle(): void {
    const { holds, keyspace } = this;
    if (holds.has('replay')) keyspace.expiryMode = EXPIRY_IGNORE;
    else keyspace.expiryMode = holds.size > 0 ? EXPIRY_HIDE : EXPIRY_DELETE;
  }
}
