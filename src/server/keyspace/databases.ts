/**
 * Changes of whole databases: emptied, exchanged, replaced by others. Whoever watches, caches or
 * waits for keys in them learns of it here.
 */
import type { DatasetAside } from '../persistence/dataset-aside.ts';
import type { Services } from '../services.ts';

/** What the changes touch. */
export type Surroundings = Pick<Services, 'keyspace' | 'watches' | 'desk' | 'blocking'>;

/** Empties a database and tells its clients, not the journal. Returns how many keys it held. */
export function flushDatabase(around: Surroundings, id: number): number {
  const { keyspace, watches, desk, blocking } = around;
  const old = keyspace.databases[id];
  if (old === undefined) return 0;
  watches.touchAll(keyspace, old, null);
  if (desk.tracking.isActive) desk.tracking.invalidateAll();
  blocking.signalDatabase(id);
  return keyspace.flush(id);
}

/** Empties all databases, as `flushDatabase` does each. */
export function flushAll(around: Surroundings): void {
  for (const { id } of around.keyspace.databases) flushDatabase(around, id);
}

/** Exchanges the contents of two databases. */
export function swapDatabases(around: Surroundings, a: number, b: number): void {
  const { keyspace, watches, blocking } = around;
  const first = keyspace.databases[a];
  const second = keyspace.databases[b];
  if (first === undefined || second === undefined) return;
  watches.touchAll(keyspace, first, second);
  watches.touchAll(keyspace, second, first);
  keyspace.swap(a, b);
  for (const id of [a, b]) blocking.signalDatabase(id);
}

/** Puts a dataset that was loaded aside in the place of all databases. */
export function installDatabases(around: Surroundings, aside: DatasetAside): void {
  const { keyspace, watches, desk, blocking } = around;
  for (const old of keyspace.databases) {
    watches.touchAll(keyspace, old, aside.databases[old.id] ?? null);
  }
  if (desk.tracking.isActive) desk.tracking.invalidateAll();
  aside.install();
  for (const { id } of keyspace.databases) blocking.signalDatabase(id);
}
