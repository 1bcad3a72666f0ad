/**
 * What an RDB says of the replication stream that its dataset belongs to, as AUX fields.
 *
 *     repl-stream-db   the database that the stream has selected
 *     repl-id          40 hexadecimal digits
 *     repl-offset      bytes of the stream that the dataset holds
 */
import type { AofPosition } from '../../persistence/aof/aof-position.ts';
import type { ReplicationAux } from '../../replication/replication-id.ts';

/** The fields for a dump; none when nobody could go on from it. */
export function auxFields(aux: ReplicationAux | null): Readonly<Record<string, string>> {
  if (aux === null) return {};
  return {
    'repl-stream-db': `${aux.streamDb}`,
    'repl-id': aux.id,
    'repl-offset': `${aux.offset}`,
  };
}

/** What the fields of a dump say, null when they do not. */
export function auxOf(fields: ReadonlyMap<string, string>): ReplicationAux | null {
  const id = fields.get('repl-id');
  const offset = Number(fields.get('repl-offset'));
  if (id === undefined || id.length !== 40 || !Number.isSafeInteger(offset)) return null;
  const streamDb = Number(fields.get('repl-stream-db') ?? 0);
  return { id, offset, streamDb: Number.isSafeInteger(streamDb) ? Math.max(0, streamDb) : 0 };
}

/** The position of a dump in the stream, as the AOF that follows it sees it. */
export function positionOf(aux: ReplicationAux | null): AofPosition | null {
  if (aux === null) return null;
  return { continues: false, id: aux.id, offset: aux.offset, db: aux.streamDb };
}

/** What the position at the end of an AOF says of its dataset. */
export function auxAt(position: AofPosition | null): ReplicationAux | null {
  if (position === null) return null;
  return { id: position.id, offset: position.offset, streamDb: position.db };
}
