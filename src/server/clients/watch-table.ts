/**
 * Which clients WATCH which keys: optimistic transactions.
 *
 * A key is named "db:key" with one character a byte. Watched keys are few beside the data, so they
 * are ordinary strings; and when nobody watches, a change costs one comparison. A client may watch
 * very many, so what it remembers of a key is found from the key, not looked for among all of its.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { latin1Text } from '../../core/text/latin1.ts';
import type { Client, WatchedKey } from './client.ts';

/** Who watches keys: a client, or whoever else wants to know whether they have changed. */
export type Watcher = Pick<Client, 'watched' | 'watchedBytes' | 'watchedChanged'>;

export class WatchTable {
  /** Set while the key that is touched goes because its time has come. */
  expiring = false;
  private readonly watchers = new Map<string, Map<Watcher, WatchedKey>>();

  /** Keys that are watched. */
  get size(): number {
    return this.watchers.size;
  }

  /** `client` watches the key from now on. */
  add(client: Watcher, keyspace: Keyspace, db: number, key: Uint8Array): void {
    const id = watchId(db, key, 0, key.length);
    const byClient = this.watchers.get(id);
    if (byClient?.has(client) === true) return;
    const { dict } = keyspace.databases[db]!;
    const address = dict.find(key, 0, key.length);
    const wasExpired = address !== 0 && keyspace.isExpired(keyspace.databases[db]!, address);
    const watched = { id, db, key, wasExpired };
    client.watched.push(watched);
    client.watchedBytes += key.length;
    if (byClient === undefined) this.watchers.set(id, new Map([[client, watched]]));
    else byClient.set(client, watched);
  }

  /** `client` watches nothing any more. */
  clear(client: Watcher): void {
    client.watchedChanged = false;
    if (client.watched.length === 0) return;
    for (const one of client.watched) {
      const byClient = this.watchers.get(one.id);
      byClient?.delete(client);
      if (byClient?.size === 0) this.watchers.delete(one.id);
    }
    client.watched = [];
    client.watchedBytes = 0;
  }

  /** Whether one of the client's keys has expired since it was watched. */
  expired(client: Watcher, keyspace: Keyspace): boolean {
    return client.watched.some((one) => {
      if (one.wasExpired) return false;
      const db = keyspace.databases[one.db]!;
      const address = db.dict.find(one.key, 0, one.key.length);
      return address !== 0 && keyspace.isExpired(db, address);
    });
  }

  /** Spoils the transactions of all who watch the key. */
  touch(db: number, key: Uint8Array, offset: number, length: number): void {
    if (this.watchers.size === 0) return;
    const id = watchId(db, key, offset, length);
    const byClient = this.watchers.get(id);
    if (byClient === undefined) return;
    for (const [client, watched] of byClient) {
      if (this.expiring && watched.wasExpired) watched.wasExpired = false;
      else client.watchedChanged = true;
    }
  }

  /**
   * A whole database is emptied, or `other` takes its place. A key changes when it is there before
   * or after; but one that had expired when it was watched does not change by going, nor by being
   * there expired again.
   */
  touchAll(keyspace: Keyspace, db: Database, other: Database | null): void {
    if (this.watchers.size === 0) return;
    const seen = new Set<Watcher>();
    for (const byClient of this.watchers.values()) {
      for (const client of byClient.keys()) seen.add(client);
    }
    for (const client of seen) {
      for (const one of client.watched) {
        if (one.db === db.id && isReplaced(keyspace, db, other, one)) client.watchedChanged = true;
      }
    }
  }
}

/** Whether a watched key changes when `db` gives way to `other`. */
function isReplaced(
  keyspace: Keyspace,
  db: Database,
  other: Database | null,
  watched: WatchedKey,
): boolean {
  const { key } = watched;
  const before = db.dict.find(key, 0, key.length);
  const after = other === null ? 0 : other.dict.find(key, 0, key.length);
  if (before === 0 && after === 0) return false;
  const isExpired = other !== null && after !== 0 && keyspace.isExpired(other, after);
  if (watched.wasExpired) {
    watched.wasExpired = after !== 0;
    return after !== 0 && !isExpired;
  }
  watched.wasExpired = before === 0 && isExpired;
  return !watched.wasExpired;
}

function watchId(db: number, key: Uint8Array, offset: number, length: number): string {
  return `${db}:${latin1Text(key, offset, length)}`;
}
