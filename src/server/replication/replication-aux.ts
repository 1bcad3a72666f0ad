/**
 * What an RDB says of the replication stream that its dataset belongs to, as AUX fields.
 *
 *     repl-stream-db   the database that the stream has selected
 *     repl-id          40 hexadecimal digits
 *     repl-offset      bytes of the stream that the dataset holds
 */
import { type AofPosition, positionOfAux } from '../../persistence/aof/aof-position.ts';
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
  return auxAt(positionOfAux(fields));
}

/** What the position at the end of an AOF says of its dataset. */
export function auxAt(position: AofPosition | null): ReplicationAux | null {
  if (position === null) return null;
  return { id: position.id, offset: position.offset, streamDb: position.db };
}
