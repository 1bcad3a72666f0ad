/**
 * Which clients WATCH which keys: optimistic transactions.
 *
 * A key is named "db:key" with one character a byte. Watched keys are few beside the data, so they are ordinary
 * strings; and when nobody watches, a change costs one comparison.
 */
import type { Database } from '../core/database.ts';
import type { Keyspace } from '../core/keyspace.ts';
import type { Client } from './client.ts';

export class WatchTable {
  private readonly watchers = new Map<string, Set<Client>>();

  /** Keys that are watched. */
  get size(): number {
    return this.watchers.size;
  }

  /** `client` watches the key from now on. */
  add(client: Client, keyspace: Keyspace, db: number, key: Uint8Array): void {
    const id = watchId(db, key, 0, key.length);
    if (client.watched.some((one) => one.id === id)) return;
    const { dict } = keyspace.databases[db]!;
    const address = dict.find(key, 0, key.length);
    const wasExpired = address !== 0 && keyspace.isExpired(keyspace.databases[db]!, address);
    client.watched.push({ id, db, key, wasExpired });
    const set = this.watchers.get(id);
    if (set === undefined) this.watchers.set(id, new Set([client]));
    else set.add(client);
  }

  /** `client` watches nothing any more. */
  clear(client: Client): void {
    for (const one of client.watched) {
      const set = this.watchers.get(one.id);
      set?.delete(client);
      if (set?.size === 0) this.watchers.delete(one.id);
    }
    client.watched = [];
    client.watchedChanged = false;
  }

  /** Whether one of the client's keys has expired since it was watched. */
  expired(client: Client, keyspace: Keyspace): boolean {
    return client.watched.some((one) => {
      if (one.wasExpired) return false;
      const db = keyspace.databases[one.db]!;
      const address = db.dict.find(one.key, 0, one.key.length);
      return address !== 0 && keyspace.isExpired(db, address);
    });
  }

  /** A key changed. */
  touch(db: number, key: Uint8Array, offset: number, length: number): void {
    if (this.watchers.size === 0) return;
    const set = this.watchers.get(watchId(db, key, offset, length));
    if (set !== undefined) for (const client of set) client.watchedChanged = true;
  }

  /**
   * A whole database is emptied, or replaced by `other`: the keys that are in either count as changed, those
   * that had expired when they were watched and are not in `other` do not.
   */
  touchAll(db: Database, other: Database | null): void {
    if (this.watchers.size === 0) return;
    const seen = new Set<Client>();
    for (const set of this.watchers.values()) for (const client of set) seen.add(client);
    for (const client of seen) {
      for (const one of client.watched) {
        if (one.db !== db.id) continue;
        const here = db.dict.find(one.key, 0, one.key.length) !== 0 && !one.wasExpired;
        const there = other !== null && other.dict.find(one.key, 0, one.key.length) !== 0;
        if (here || there) client.watchedChanged = true;
      }
    }
  }
}

function watchId(db: number, key: Uint8Array, offset: number, length: number): string {
  const view = Buffer.from(key.buffer, key.byteOffset + offset, length);
  return `${db}:${view.toString('latin1')}`;
}
