/**
 * The hashes of a walk (rdb-walk.ts), shown field by field. Those whose fields have an expiry of
 * their own:
 *
 *     type 24   8 bytes least expiry, n, n (0 or expiry - least + 1 as a length, field, value)
 *     type 22   the same without the least: the expiry itself; in a file of Valkey n, n (field,
 *               value, 8 bytes expiry, -1 for none)
 *     type 25   8 bytes least expiry, a listpack of (field, value, expiry or 0)
 *     type 23   the listpack alone
 */
import { lpCount, lpFirst, lpNext } from '../../core/struct/listpack.ts';
import { parseInteger } from '../../core/text/integer.ts';
import type { ByteView } from '../../core/value.ts';
import * as rdb from './rdb-format.ts';
import { HeldString } from './rdb-held.ts';
import type { RdbReader } from './rdb-reader.ts';
import type { RdbVisitor } from './rdb-walk.ts';
import type { PackedWalker } from './rdb-walk-packed.ts';
import { ZipmapReader } from './zipmap.ts';

export class HashWalker {
  readonly #reader: RdbReader;
  readonly #visitor: RdbVisitor;
  readonly #packed: PackedWalker;
  readonly #name = new HeldString();
  readonly #zipmap = new ZipmapReader();
  #type = 0;
  /** Whether the expiries are in Valkey's form. */
  #isValkey = false;
  #leastMs = 0;

  constructor(reader: RdbReader, visitor: RdbVisitor, packed: PackedWalker) {
    this.#reader = reader;
    this.#visitor = visitor;
    this.#packed = packed;
  }

  /** Begins a table of this type; returns the number of its fields. */
  begin(type: number, version: number): number {
    this.#type = type;
    this.#isValkey = version >= rdb.RDB_VERSION_VALKEY;
    this.#leastMs = type === rdb.RDB_HASH_METADATA ? this.#reader.int64() : 0;
    return this.#reader.length();
  }

  /** Reads the next field of a table, then shows it. */
  next(): void {
    const reader = this.#reader;
    if (this.#type === rdb.RDB_HASH) this.#fieldAndValue(0);
    else if (this.#isValkey) this.#valkeyField();
    else {
      const said = reader.length();
      const isAbsolute = said === 0 || this.#type !== rdb.RDB_HASH_METADATA;
      this.#fieldAndValue(isAbsolute ? said : said + this.#leastMs - 1);
    }
  }

  #fieldAndValue(expiryMs: number): void {
    const { view } = this.#packed;
    this.#name.read(this.#reader);
    this.#reader.string(view);
    this.#show(view, expiryMs);
  }

  #valkeyField(): void {
    const reader = this.#reader;
    const { second, view } = this.#packed;
    this.#name.read(reader);
    reader.string(view);
    // Eight bytes more may move the reader's buffer, and with it what is shown of the value.
    const { bytes, length, offset } = view;
    const value = bytes.slice(offset, offset + length);
    const expiryMs = Math.max(0, reader.int64());
    second.show(value, 0, length);
    this.#show(second, expiryMs);
  }

  /** Shows the field whose name was read, with its value. */
  #show(value: ByteView, expiryMs: number): void {
    const { first } = this.#packed;
    first.show(this.#name.bytes, 0, this.#name.length);
    this.#packed.once(first, 'a field twice in a hash');
    this.#visitor.field?.(first, value, expiryMs);
  }

  /** A hash that comes in one piece. Returns the number of its fields. */
  whole(type: number): number {
    const packed = this.#packed;
    const show = (value: ByteView): void => this.#visitor.field?.(packed.first, value, 0);
    switch (type) {
      case rdb.RDB_HASH_ZIPMAP:
        return this.#fromZipmap();
      case rdb.RDB_HASH_ZIPLIST:
        return packed.ziplistPairs('hash', show);
      case rdb.RDB_HASH_LISTPACK:
        return packed.listpackPairs('hash', show);
      default:
        return this.#expiringPack(type);
    }
  }

  #fromZipmap(): number {
    const { first, second, view } = this.#packed;
    this.#reader.string(view);
    const { bytes, length, offset } = view;
    const zipmap = this.#zipmap;
    if (!zipmap.open(bytes, offset, length)) throw this.#packed.damaged('zipmap', 'hash');
    while (zipmap.next(first, second)) {
      this.#packed.once(first, 'a field twice in a hash');
      this.#visitor.field?.(first, second, 0);
    }
    return zipmap.count;
  }

  #expiringPack(type: number): number {
    const { first, second, third } = this.#packed;
    if (type === rdb.RDB_HASH_LISTPACK_EX) this.#reader.int64();
    const { bytes, offset } = this.#packed.listpack('hash', 3);
    for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
      first.showListpack(bytes, offset, at);
      at = lpNext(bytes, offset, at);
      second.showListpack(bytes, offset, at);
      at = lpNext(bytes, offset, at);
      third.showListpack(bytes, offset, at);
      const { bytes: digits, length: count, offset: from } = third;
      const expiryMs = parseInteger(digits, from, count);
      if (!(expiryMs >= 0)) throw this.#reader.fail('a field of a hash whose expiry is no time');
      this.#visitor.field?.(first, second, expiryMs);
    }
    return lpCount(bytes, offset) / 3;
  }
}
