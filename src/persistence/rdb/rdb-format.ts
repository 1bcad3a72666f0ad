/**
 * The RDB format: its numbers.
 *
 *     "REDIS" + 4 digits            the version; from 80 on "VALKEY" + 3 digits
 *     AUX key value ...             opcode 250, two strings
 *     FUNCTION2 library ...         opcode 245, one string
 *     SELECTDB n                    opcode 254, a length
 *       RESIZEDB keys expires       opcode 251, two lengths: a hint
 *       [EXPIRETIME_MS ms]          opcode 252, 8 bytes little-endian (253: 4 bytes, seconds)
 *       [IDLE seconds | FREQ n]     opcode 248, a length | 249, one byte
 *       type key value              type below 244, a string, then as the type says
 *       ...
 *     EOF                           opcode 255
 *     CRC64 of all before it        8 bytes little-endian, 0: not computed; since version 5
 *
 * A length:
 *
 *     00LLLLLL                      6 bits
 *     01LLLLLL LLLLLLLL             14 bits
 *     10000000 4 bytes              32 bits, big-endian
 *     10000001 8 bytes              64 bits, big-endian
 *     11EEEEEE                      no length: a string encoded as E says
 *
 * A string: a length and so many bytes, or
 *
 *     11000000 b                    the text of an int8; 11000001 of an int16, 11000010 of an
 *                                   int32, little-endian
 *     11000011 len full bytes       LZF: `len` bytes that decompress to `full`
 *
 * Versions: 5 Redis 2.6, 6 2.8, 7 3.2, 8 4.0, 9 5.0, 10 7.0, 11 7.2 and Valkey 8, 12 Redis 7.4, 80
 * Valkey 9. A real server loads its own and all older ones.
 */

export const RDB_VERSION_MAX = 12;
export const RDB_VERSION_VALKEY = 80;
/** The first version that ends with a checksum. */
export const RDB_VERSION_CHECKSUM = 5;
/** The first version of a server that reads functions: those before refuse such a file. */
export const RDB_VERSION_FUNCTIONS = 10;
export const RDB_HEADER_BYTES = 9;

export const OP_SLOT_IMPORT = 243;
export const OP_SLOT_INFO = 244;
export const OP_FUNCTION2 = 245;
export const OP_FUNCTION_PRE_GA = 246;
export const OP_MODULE_AUX = 247;
export const OP_IDLE = 248;
export const OP_FREQ = 249;
export const OP_AUX = 250;
export const OP_RESIZEDB = 251;
export const OP_EXPIRETIME_MS = 252;
export const OP_EXPIRETIME = 253;
export const OP_SELECTDB = 254;
export const OP_EOF = 255;

export const RDB_STRING = 0;
export const RDB_LIST = 1;
export const RDB_SET = 2;
export const RDB_ZSET = 3;
export const RDB_HASH = 4;
export const RDB_ZSET_2 = 5;
export const RDB_MODULE_PRE_GA = 6;
export const RDB_MODULE_2 = 7;
export const RDB_HASH_ZIPMAP = 9;
export const RDB_LIST_ZIPLIST = 10;
export const RDB_SET_INTSET = 11;
export const RDB_ZSET_ZIPLIST = 12;
export const RDB_HASH_ZIPLIST = 13;
export const RDB_LIST_QUICKLIST = 14;
export const RDB_STREAM_LISTPACKS = 15;
export const RDB_HASH_LISTPACK = 16;
export const RDB_ZSET_LISTPACK = 17;
export const RDB_LIST_QUICKLIST_2 = 18;
export const RDB_STREAM_LISTPACKS_2 = 19;
export const RDB_SET_LISTPACK = 20;
export const RDB_STREAM_LISTPACKS_3 = 21;
/** In a file of Valkey 9 (version 80) this is a hash whose fields carry an expiry. */
export const RDB_HASH_METADATA_PRE_GA = 22;
export const RDB_HASH_LISTPACK_EX_PRE_GA = 23;
export const RDB_HASH_METADATA = 24;
export const RDB_HASH_LISTPACK_EX = 25;

/** What a node of a `RDB_LIST_QUICKLIST_2` is: one element, or a listpack of some. */
export const LIST_NODE_PLAIN = 1;
export const LIST_NODE_PACKED = 2;

const TYPE_NAMES: readonly string[] = [
  'string',
  'list-linked',
  'set-hashtable',
  'zset-v1',
  'hash-hashtable',
  'zset-v2',
  'module-pre-release',
  'module-value',
  '',
  'hash-zipmap',
  'list-ziplist',
  'set-intset',
  'zset-ziplist',
  'hash-ziplist',
  'quicklist',
  'stream',
  'hash-listpack',
  'zset-listpack',
  'quicklist-v2',
  'stream-v2',
  'set-listpack',
  'stream-v3',
  'hash-hashtable-md-pre-release',
  'hash-listpack-md-pre-release',
  'hash-hashtable-md',
  'hash-listpack-md',
];

/** Whether `type` is that of a value, not an opcode. */
export function isObjectType(type: number): boolean {
  return (TYPE_NAMES[type] ?? '') !== '';
}

/** The name that the checkers give to a type byte. */
export function rdbTypeName(type: number): string {
  return TYPE_NAMES[type] || 'unknown';
}

/** A string that is the text of an integer, by its size, or compressed. */
export const ENCODED_INT8 = 0;
export const ENCODED_INT16 = 1;
export const ENCODED_INT32 = 2;
export const ENCODED_LZF = 3;

/**
 * Strings of up to this many bytes are tried as an integer; longer than `LZF_OVER` are compressed.
 */
export const INTEGER_TEXT_MAX = 11;
export const LZF_OVER = 20;

/** The parts of a module's value (`RDB_MODULE_2`, `OP_MODULE_AUX`). */
export const MODULE_EOF = 0;
export const MODULE_SINT = 1;
export const MODULE_UINT = 2;
export const MODULE_FLOAT = 3;
export const MODULE_DOUBLE = 4;
export const MODULE_STRING = 5;

const MODULE_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The name in a module type's id: nine characters of 6 bits, above 10 bits of version. */
export function moduleName(id: bigint): string {
  let name = '';
  for (let shift = 58n; shift >= 10n; shift -= 6n) {
    name += MODULE_CHARACTERS[Number((id >> shift) & 63n)];
  }
  return name;
}

/** The unsigned number in four bytes, the highest first. */
export function bigEndian32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}
