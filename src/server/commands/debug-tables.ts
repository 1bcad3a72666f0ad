/**
 * DEBUG HTSTATS and HTSTATS-KEY: how full the tables of databases and large values are.
 */
import type { Database } from '../../core/database.ts';
import type { Dict } from '../../core/struct/dict.ts';
import type { Context } from '../dispatch/context.ts';
import { NOT_AN_INTEGER } from '../dispatch/errors.ts';
import { tableOf } from './value-tables.ts';

const EMPTY = 'No stats available for empty dictionaries\n';
const TABLE = 'Hash table 0 stats (main hash table):\n';

export function debugHtstats(c: Context): void {
  const number = c.integer(2, NOT_AN_INTEGER);
  if (Number.isNaN(number)) return;
  const db = c.keyspace.databases[number];
  if (db === undefined) {
    c.reply.error('ERR Out of range database');
    return;
  }
  const dictionary = `[Dictionary HT]\n${TABLE}${describeDict(db.dict)}`;
  c.reply.verbatim('txt', `${dictionary}[Expires HT]\n${TABLE}${describeExpires(db)}`);
}

export function debugHtstatsKey(c: Context): void {
  const { args, keyspace, reply } = c;
  const bytes = args.bytes[2]!;
  const address = keyspace.lookupInspect(c.db, bytes, args.offsets[2]!, args.lengths[2]!);
  if (address === 0) {
    reply.error('ERR no such key');
    return;
  }
  const table = tableOf(keyspace, address);
  if (table === null) {
    const text = 'The value stored at the specified key is not represented using an hash table';
    reply.error(`ERR ${text}`);
    return;
  }
  reply.verbatim('txt', TABLE + describeDict(table));
}

/** Figures of a dict; a slot is a bucket of twelve entries and those that hang from it. */
function describeDict(dict: Dict): string {
  if (dict.count === 0) return EMPTY;
  const sizes = new Map<number, number>();
  let longest = 0;
  for (let bucket = 0; bucket < dict.bucketCount; bucket++) {
    const size = dict.bucketSize(bucket);
    sizes.set(size, (sizes.get(size) ?? 0) + 1);
    longest = Math.max(longest, size);
  }
  const used = dict.bucketCount - (sizes.get(0) ?? 0);
  const lines = [
    ` table size: ${dict.bucketCount}`,
    ` number of elements: ${dict.count}`,
    ` different slots: ${used}`,
    ` max chain length: ${longest}`,
    ` avg chain length (counted): ${(dict.count / used).toFixed(2)}`,
    ` avg chain length (computed): ${(dict.count / used).toFixed(2)}`,
    ' Chain length distribution:',
  ];
  for (let size = 0; size <= longest; size++) {
    const count = sizes.get(size);
    if (count === undefined) continue;
    lines.push(`   ${size}: ${count} (${((count * 100) / dict.bucketCount).toFixed(2)}%)`);
  }
  return `${lines.join('\n')}\n`;
}

/** Figures of the expiry index, which is a heap and no table. */
function describeExpires(db: Database): string {
  const { expires } = db;
  if (expires.size === 0) return EMPTY;
  return ` number of elements: ${expires.size}\n bytes of the heap: ${expires.overheadBytes}\n`;
}
