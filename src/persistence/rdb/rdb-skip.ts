/**
 * Passing over a value without taking it in: what a checker does with every type, and a loader with
 * keys whose time has come. It follows the structure that the type byte promises; strings inside,
 * listpacks among them, are passed over whole.
 *
 *     list, set          n, n strings            hash        n, n (field, value)
 *     zset-v1            n, n (member, score as text behind its length; 253 NaN, 254 inf, 255 -inf)
 *     zset-v2            n, n (member, 8-byte score)
 *     ziplist, intset,
 *     listpack, zipmap   one string
 *     quicklist          n, n strings (ziplists)
 *     quicklist-v2       n, n (container, string)
 *     stream             n, n (16-byte id as a string, listpack), length, last id (2 lengths),
 *                        [v2: first id, highest deleted id, entries ever added: 5 lengths],
 *                        groups: n, n (name, last id, [v2: entries read],
 *                          pending: n, n (16 bytes id, 8 bytes time, deliveries),
 *                          consumers: n, n (name, 8 bytes seen, [v3: 8 bytes active],
 *                            pending: n, n (16 bytes id)))
 *     hash-hashtable-md  [8 bytes least expiry], n, n (expiry as a length, field, value);
 *                        in a file of Valkey n, n (field, value, 8 bytes expiry)
 *     hash-listpack-md   [8 bytes least expiry], one string
 *     module-value       id, then (part, value)... until the part 0
 */
import { ByteView } from '../../core/value.ts';
import * as rdb from './rdb-format.ts';
import type { RdbReader } from './rdb-reader.ts';
import { ID_BYTES } from './rdb-stream-write.ts';

const view = new ByteView();

/** Passes over a value of this type. `version` is the file's. */
export function skipValue(reader: RdbReader, type: number, version: number): void {
  switch (type) {
    case rdb.RDB_STRING:
    case rdb.RDB_HASH_ZIPMAP:
    case rdb.RDB_LIST_ZIPLIST:
    case rdb.RDB_SET_INTSET:
    case rdb.RDB_ZSET_ZIPLIST:
    case rdb.RDB_HASH_ZIPLIST:
    case rdb.RDB_HASH_LISTPACK:
    case rdb.RDB_ZSET_LISTPACK:
    case rdb.RDB_SET_LISTPACK:
    case rdb.RDB_HASH_LISTPACK_EX_PRE_GA:
      skipString(reader);
      return;
    case rdb.RDB_LIST:
    case rdb.RDB_SET:
    case rdb.RDB_LIST_QUICKLIST:
      skipStrings(reader, reader.length());
      return;
    case rdb.RDB_HASH:
      skipStrings(reader, reader.length() * 2);
      return;
    case rdb.RDB_ZSET:
    case rdb.RDB_ZSET_2:
      skipScored(reader, type);
      return;
    case rdb.RDB_LIST_QUICKLIST_2:
      skipQuicklist(reader);
      return;
    case rdb.RDB_STREAM_LISTPACKS:
    case rdb.RDB_STREAM_LISTPACKS_2:
    case rdb.RDB_STREAM_LISTPACKS_3:
      skipStream(reader, type);
      return;
    case rdb.RDB_HASH_METADATA_PRE_GA:
    case rdb.RDB_HASH_METADATA:
      skipExpiringHash(reader, type, version);
      return;
    case rdb.RDB_HASH_LISTPACK_EX:
      reader.int64();
      skipString(reader);
      return;
    case rdb.RDB_MODULE_2:
      reader.wideLength();
      skipModuleParts(reader);
      return;
    default:
      throw reader.fail(`a value of the unknown type ${type}`);
  }
}

/** Passes over the next string. A compressed one is still tried. */
export function skipString(reader: RdbReader): void {
  const length = reader.lengthOrEncoding();
  if (length >= 0) reader.skip(length);
  else if (length === -1 - rdb.ENCODED_LZF) reader.compressed(view);
  else reader.encodedInteger(-1 - length);
}

function skipStrings(reader: RdbReader, count: number): void {
  for (let i = 0; i < count; i++) skipString(reader);
}

function skipScored(reader: RdbReader, type: number): void {
  const count = reader.length();
  for (let i = 0; i < count; i++) {
    skipString(reader);
    if (type === rdb.RDB_ZSET_2) {
      reader.skip(8);
    } else {
      const length = reader.byte();
      if (length < 253) reader.skip(length);
    }
  }
}

function skipQuicklist(reader: RdbReader): void {
  const count = reader.length();
  for (let i = 0; i < count; i++) {
    const container = reader.length();
    if (container !== 1 && container !== 2) {
      throw reader.fail(`a quicklist node of the unknown kind ${container}`);
    }
    skipString(reader);
  }
}

function skipExpiringHash(reader: RdbReader, type: number, version: number): void {
  const isValkey = version >= rdb.RDB_VERSION_VALKEY;
  if (type === rdb.RDB_HASH_METADATA) reader.skip(8);
  const count = reader.length();
  for (let i = 0; i < count; i++) {
    if (!isValkey) reader.length();
    skipString(reader);
    skipString(reader);
    if (isValkey) reader.skip(8);
  }
}

function skipStream(reader: RdbReader, type: number): void {
  skipStrings(reader, reader.length() * 2);
  const hasMore = type !== rdb.RDB_STREAM_LISTPACKS;
  skipLengths(reader, hasMore ? 8 : 3);
  const groups = reader.length();
  for (let i = 0; i < groups; i++) {
    skipString(reader);
    skipLengths(reader, hasMore ? 3 : 2);
    const pending = reader.length();
    for (let entry = 0; entry < pending; entry++) {
      reader.skip(ID_BYTES + 8);
      reader.length();
    }
    const consumers = reader.length();
    for (let consumer = 0; consumer < consumers; consumer++) {
      skipString(reader);
      reader.skip(type === rdb.RDB_STREAM_LISTPACKS_3 ? 16 : 8);
      const owned = reader.length();
      for (let entry = 0; entry < owned; entry++) reader.skip(ID_BYTES);
    }
  }
}

/** Numbers of 64 bits, some of which no JavaScript number holds. */
function skipLengths(reader: RdbReader, count: number): void {
  for (let i = 0; i < count; i++) reader.wideLength();
}

/**
 * Passes over the parts of a module's value, behind its id. `show` is given each: the text of a
 * number, or bytes.
 */
export function skipModuleParts(reader: RdbReader, show?: (part: ByteView) => void): void {
  for (;;) {
    const from = reader.offset;
    const part = reader.length();
    switch (part) {
      case rdb.MODULE_EOF:
        return;
      case rdb.MODULE_SINT:
      case rdb.MODULE_UINT:
        reader.wideLength();
        break;
      case rdb.MODULE_FLOAT:
        reader.skip(4);
        break;
      case rdb.MODULE_DOUBLE:
        reader.skip(8);
        break;
      case rdb.MODULE_STRING:
        if (show === undefined) skipString(reader);
        else {
          reader.string(view);
          show(view);
          continue;
        }
        break;
      default:
        throw reader.fail(`a part of a module's value of the unknown kind ${part}`);
    }
    if (show !== undefined) showNumber(reader, reader.offset - from, show);
  }
}

/** Shows the last `length` bytes read: the kind of a part and its number, as the file has them. */
function showNumber(reader: RdbReader, length: number, show: (part: ByteView) => void): void {
  view.bytes = reader.buf;
  view.offset = reader.at - length;
  view.length = length;
  show(view);
}
