/**
 * Keys that go without a client's command: their time has come, or memory is short.
 *
 * Replicas and readers of the AOF decide neither on their own, so each such key is written into the
 * journal as DEL (UNLINK where the configuration says that such keys are freed lazily), spoils the
 * transactions that watch it, and is told to those who listen for keyspace events.
 */
import type { Database } from '../../core/database.ts';
import { NOTIFY_EVICTED, NOTIFY_EXPIRED } from '../dispatch/notify-classes.ts';
import type { Services } from '../services.ts';

/** The entry at `address` is about to be removed because its time has come. */
export function announceExpired(services: Services, db: Database, address: number): void {
  services.watches.expiring = true;
  const lazy = services.config.values.lazyfreeLazyExpire;
  announce(services, db, address, NOTIFY_EXPIRED, 'expired', lazy);
  services.watches.expiring = false;
}

/** The entry at `address` is about to be removed because memory is short. */
export function announceEvicted(services: Services, db: Database, address: number): void {
  const lazy = services.config.values.lazyfreeLazyEviction;
  announce(services, db, address, NOTIFY_EVICTED, 'evicted', lazy);
}

function announce(
  services: Services,
  db: Database,
  address: number,
  eventClass: number,
  event: string,
  lazy: boolean,
): void {
  const { keyspace, propagator } = services;
  const bytes = keyspace.arena.bytes(address);
  const offset = keyspace.keyOffset(address);
  const length = keyspace.keyLength(address);
  if ((services.notifyClasses & eventClass) !== 0) {
    services.notifyKey(db.id, bytes, offset, length, eventClass, event);
  }
  const { tracking } = services.desk;
  tracking.isNobodysDoing = true;
  services.keyChanged(db, bytes, offset, length);
  tracking.isNobodysDoing = false;
  if (propagator.begin(db.id, 2)) {
    propagator.word(lazy ? 'UNLINK' : 'DEL');
    propagator.bytes(bytes, offset, length);
  }
}
