/** Which keys of an RDB a tool looks at: of one database, with names that match a pattern. */
import { globMatch } from '../../core/text/glob.ts';
import type { RdbEntry } from '../rdb/rdb-walk.ts';

export interface RdbFilter {
  /** The database, undefined for all. */
  readonly db?: number | undefined;
  /** A pattern as KEYS takes it, undefined for all keys. */
  readonly match?: Uint8Array | undefined;
}

export function passesFilter(entry: RdbEntry, filter: RdbFilter): boolean {
  if (filter.db !== undefined && entry.db !== filter.db) return false;
  const { match } = filter;
  if (match === undefined) return true;
  return globMatch(match, 0, match.length, entry.key, 0, entry.keyLength, false);
}
