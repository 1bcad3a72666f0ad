/** What a command that stores a sorted set does with what it has built: ZUNIONSTORE and its kin. */
import type { ZsetBuilder } from '../../core/types/zset-builder.ts';
import type { Context } from '../context.ts';
import { NOTIFY_GENERIC, NOTIFY_NEW, NOTIFY_ZSET } from '../notify-classes.ts';

/**
 * Stores what was built, which is in order, under the key in argument 1, whatever that held, and
 * answers how many members it has; nothing deletes the key.
 */
export function storeZset(c: Context, builder: ZsetBuilder, event: string): void {
  const { db, keyspace, reply } = c;
  const { bytes, lengths, offsets } = c.args;
  const existing = c.lookupWrite(1);
  const { count } = builder.large;
  reply.integer(count);
  if (count > 0) {
    builder.store(db, bytes[1]!, offsets[1]!, lengths[1]!, existing);
    if (existing === 0) c.notify(1, NOTIFY_NEW, 'new');
    c.changed(1, NOTIFY_ZSET, event);
    return;
  }
  builder.discard();
  if (existing === 0) return;
  keyspace.remove(db, existing);
  c.changed(1, NOTIFY_GENERIC, 'del');
}
