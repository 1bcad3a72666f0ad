/**
 * What wakes a client that waits in XREAD or XREADGROUP.
 *
 * Often many wait for one stream, the workers of a group above all, and a new entry is for one of
 * them. So each is asked here first, which takes some nanoseconds where its command takes
 * microseconds. True for a stream that has nothing after all costs a command that goes on waiting;
 * false for one that has something would leave the client waiting.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { StreamId } from '../../core/struct/stream-id.ts';
import { streamOf } from '../../core/types/stream.ts';
import { TYPE_STREAM, typeOf } from '../../core/value.ts';

type Wakes = (address: number, key: Uint8Array) => boolean;

/** For a reader of a group: entries that the group has not seen, or that there is no group. */
export function wakesGroup(keyspace: Keyspace, name: string): Wakes {
  return (address) => {
    if (!holdsStream(keyspace, address)) return true;
    const log = streamOf(keyspace, address);
    const group = log.groups.get(name);
    return group === undefined || log.lastId.compare(group.lastId) > 0;
  };
}

/** For a reader of `keys`, of each from behind the id in `after`. */
export function wakesReader(
  keyspace: Keyspace,
  keys: readonly Uint8Array[],
  after: readonly StreamId[],
): Wakes {
  return (address, key) => {
    if (!holdsStream(keyspace, address)) return false;
    const { lastId } = streamOf(keyspace, address);
    return keys.some((one, i) => lastId.compare(after[i]!) > 0 && Buffer.compare(one, key) === 0);
  };
}

function holdsStream(keyspace: Keyspace, address: number): boolean {
  return address !== 0 && typeOf(keyspace.arena, address) === TYPE_STREAM;
}
