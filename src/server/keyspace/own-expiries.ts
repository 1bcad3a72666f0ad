/**
 * Keys of a replica that may be written to: those that its own clients gave a time.
 *
 * A replica removes nothing by the clock, since its primary says when a key goes. Nobody would ever
 * say so of a key that only the replica has: it would stay hidden, and take memory, for ever. So
 * keys whose time was set by anyone but the primary are noted here, and when they are due the
 * replica removes them itself.
 *
 * A key is noted by database and name; whatever has become of it meanwhile is seen when it is
 * looked at. Each look takes a slice of time at most and goes on behind where the last one ended.
 */
import { entriesLimit } from '../../core/entries-limit.ts';
import { EXPIRY_HIDE } from '../../core/keyspace.ts';
import { latin1Text } from '../../core/text/latin1.ts';
import type { Services } from '../services.ts';

const SLICE_MS = 1;
/** Keys looked at between two looks at the clock. */
const CHECK_EVERY = 16;
const LOOK_EVERY_MS = 100;

interface OwnKey {
  readonly db: number;
  readonly key: Uint8Array;
}

export class OwnExpiries {
  private readonly services: Services;
  /** The keys in the order in which they are to be looked at. */
  private readonly keys = new Map<string, OwnKey>();
  private nextLookMs = 0;

  constructor(services: Services) {
    this.services = services;
  }

  /** Keys that are noted. */
  get size(): number {
    return this.keys.size;
  }

  /** Begins to note keys, or ends it; a primary needs to know none. */
  follow(isReplica: boolean, mayWrite: boolean): void {
    const { keyspace } = this.services;
    if (!isReplica) this.forget();
    const notes = isReplica && mayWrite;
    keyspace.onExpirySet = notes ? (db, address) => this.note(db.id, address) : null;
  }

  /** Forgets all keys, when the dataset is replaced by the primary's. */
  forget(): void {
    this.keys.clear();
  }

  /** Removes what is due. Called at the end of each turn, and by the clock. */
  look(): void {
    const { keyspace, propagator } = this.services;
    const begunMs = performance.now();
    if (begunMs < this.nextLookMs || keyspace.expiryMode !== EXPIRY_HIDE) return;
    this.nextLookMs = begunMs + LOOK_EVERY_MS;
    keyspace.nowMs = Date.now();
    propagator.beginUnit(false);
    let left = this.keys.size;
    for (const [id, one] of this.keys) {
      this.keys.delete(id);
      if (!this.isOver(one)) this.keys.set(id, one);
      left--;
      const isSliceEnd = left % CHECK_EVERY === 0 && performance.now() - begunMs > SLICE_MS;
      if (left === 0 || isSliceEnd) break;
    }
    propagator.endUnit();
    this.services.endTurnSoon();
  }

  /** Whether the key needs no further look: it has no time, or it is removed now. */
  private isOver({ db, key }: OwnKey): boolean {
    const { keyspace } = this.services;
    const database = keyspace.databases[db]!;
    const address = database.dict.find(key, 0, key.length);
    if (address === 0 || !keyspace.hasExpiry(address)) return true;
    if (!keyspace.isExpired(database, address)) return false;
    keyspace.expire(database, address);
    return true;
  }

  /**
   * A key was given a time. What the primary's stream, or a file, does is not noted, nor more than
   * a Map may have.
   */
  private note(db: number, address: number): void {
    const { keyspace } = this.services;
    if (keyspace.expiryMode !== EXPIRY_HIDE || this.keys.size >= entriesLimit.max) return;
    const offset = keyspace.keyOffset(address);
    const key = keyspace.arena.bytes(address).slice(offset, offset + keyspace.keyLength(address));
    this.keys.set(`${db}:${latin1Text(key, 0, key.length)}`, { db, key });
  }
}
