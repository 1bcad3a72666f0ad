/**
 * Hashes whose fields may expire, as Redis from 7.4 and Valkey from 9 write them.
 *
 *     type 22   n, n (time, field, value)              times as lengths, of a pre-release of 7.4;
 *               n, n (field, value, 8 bytes time)      in a file of Valkey, -1 for none
 *     type 24   8 bytes least time, n, n (time, field, value)    times as lengths, 0 for none
 *     type 23   one string: a listpack of (field, value, time), of a pre-release of 7.4
 *     type 25   8 bytes least time, one string: such a listpack    time 0 for none
 *
 * Fields do not expire here, and to load one that does as one that does not would keep for ever
 * what was meant to go. So a hash with such a field is refused, and said why; one where no field
 * expires, which is what is left when all that did are gone, is loaded as the plain hash that it
 * is.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import { lpCount, lpElement, lpFirst, lpGet, lpNext } from '../../core/struct/listpack.ts';
import { lpValid } from '../../core/struct/listpack-valid.ts';
import { ElementView } from '../../core/types/element-view.ts';
import type { HashBuilder } from '../../core/types/hash-builder.ts';
import { ByteView } from '../../core/value.ts';
import {
  RDB_HASH_LISTPACK_EX,
  RDB_HASH_LISTPACK_EX_PRE_GA,
  RDB_HASH_METADATA,
  RDB_VERSION_VALKEY,
  rdbTypeName,
} from './rdb-format.ts';
import { HeldString } from './rdb-held.ts';
import type { RdbReader } from './rdb-reader.ts';

const NO_TIME = 0n;
const NO_TIME_VALKEY = -1;
const PARTS_A_FIELD = 3;

const held = new HeldString();
const view = new ByteView();
const field = new ElementView();
const value = new ElementView();

/**
 * Reads a hash of one of the types above into a builder, which the caller discards when this
 * throws. Number of its fields.
 */
export function readExpiringHash(
  keyspace: Keyspace,
  reader: RdbReader,
  builder: HashBuilder,
  type: number,
  version: number,
): number {
  if (type === RDB_HASH_LISTPACK_EX || type === RDB_HASH_METADATA) reader.int64();
  if (type === RDB_HASH_LISTPACK_EX || type === RDB_HASH_LISTPACK_EX_PRE_GA) {
    return readListpack(keyspace, reader, builder, type);
  }
  const isValkey = version >= RDB_VERSION_VALKEY;
  const count = reader.length();
  builder.start(keyspace, count);
  for (let i = 0; i < count; i++) {
    if (!isValkey && reader.wideLength() !== NO_TIME) throw refusal(reader, type);
    held.read(reader);
    reader.string(view);
    add(reader, builder.add(held.bytes, 0, held.length, view.bytes, view.offset, view.length));
    if (isValkey && reader.int64() !== NO_TIME_VALKEY) throw refusal(reader, type);
  }
  return count;
}

function readListpack(
  keyspace: Keyspace,
  reader: RdbReader,
  builder: HashBuilder,
  type: number,
): number {
  reader.string(view);
  const { bytes, length, offset } = view;
  if (!lpValid(bytes, offset, length, true) || lpCount(bytes, offset) % PARTS_A_FIELD !== 0) {
    throw reader.fail('a damaged listpack of a hash');
  }
  const count = lpCount(bytes, offset) / PARTS_A_FIELD;
  builder.start(keyspace, count);
  for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
    field.showListpack(bytes, offset, at);
    at = lpNext(bytes, offset, at);
    value.showListpack(bytes, offset, at);
    at = lpNext(bytes, offset, at);
    lpGet(bytes, offset, at);
    if (!lpElement.isInteger || lpElement.number !== 0) throw refusal(reader, type);
    const { bytes: text, offset: from, length: size } = value;
    add(reader, builder.add(field.bytes, field.offset, field.length, text, from, size));
  }
  return count;
}

function add(reader: RdbReader, isNew: boolean): void {
  if (!isNew) throw reader.fail('a field twice in a hash');
}

function refusal(reader: RdbReader, type: number): Error {
  return reader.fail(
    `a hash with a field that expires (type ${type}, ${rdbTypeName(type)}): fields do not expire ` +
      'here, and it is not loaded without',
  );
}
