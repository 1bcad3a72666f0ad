/** What ZUNIONSTORE and its kin do with what they have gathered. */
import type { ZsetResult } from '../../core/types/zset-result.ts';
import type { Context } from '../dispatch/context.ts';
import { NOTIFY_NEW, NOTIFY_ZSET } from '../dispatch/notify-classes.ts';

/**
 * Stores what was gathered, which is sorted, under the key in argument 1, whatever that held, and
 * answers how many members it has; nothing deletes the key.
 */
export function storeZset(c: Context, result: ZsetResult, event: string): void {
  const { db, reply } = c;
  const { bytes, lengths, offsets } = c.args;
  const { count } = result;
  reply.integer(count);
  if (count === 0) {
    result.end();
    c.storeNothing(1);
    return;
  }
  const existing = c.lookupWrite(1);
  result.store(db, bytes[1]!, offsets[1]!, lengths[1]!, existing);
  result.end();
  if (existing === 0) c.notify(1, NOTIFY_NEW, 'new');
  c.changed(1, NOTIFY_ZSET, event);
}
