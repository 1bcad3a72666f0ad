/**
 * Looks at the beginning of an RDB: which version it is, and whether it holds anything.
 *
 *     REDIS0010  [250 name value]...  255  <checksum>         empty: only auxiliary fields
 *     REDIS0010  [250 name value]...  254 0 ...               keys
 *                                     245 ...                 functions
 *
 * A string is a length and bytes: 00llllll | 01llllll + 1 byte | 0x80 + 4 bytes | 0x81 + 8 bytes;
 * or 0xc0, 0xc1, 0xc2 and an integer of 1, 2, 4 bytes. Auxiliary fields are never compressed. That
 * of Valkey 9 begins with VALKEY080.
 */
import { rdbVersionIn } from '../persistence/rdb/rdb-ends.ts';
import { OP_AUX, OP_EOF, RDB_HEADER_BYTES } from '../persistence/rdb/rdb-format.ts';

/** The version of the RDB that begins so, or null when it is none. */
export function snapshotVersion(head: Buffer): number | null {
  return rdbVersionIn(head, 0)?.version ?? null;
}

/** Whether the RDB that begins so holds no key and no function. False for what cannot be told. */
export function isEmptySnapshot(head: Buffer): boolean {
  let at = RDB_HEADER_BYTES;
  while (head[at] === OP_AUX) {
    const name = skipString(head, at + 1);
    at = name < 0 ? -1 : skipString(head, name);
    if (at < 0) return false;
  }
  return head[at] === OP_EOF;
}

/** The place behind the string at `at`, or -1 when it is unusual or not all there. */
function skipString(head: Buffer, at: number): number {
  const first = head[at];
  if (first === undefined) return -1;
  if (first < 0x40) return at + 1 + first;
  if (first < 0x80) {
    const second = head[at + 1];
    return second === undefined ? -1 : at + 2 + (((first & 0x3f) << 8) | second);
  }
  if (first === 0xc0) return at + 2;
  if (first === 0xc1) return at + 3;
  if (first === 0xc2) return at + 5;
  if (first === 0x80 && at + 5 <= head.length) return at + 5 + head.readUInt32BE(at + 1);
  return -1;
}
