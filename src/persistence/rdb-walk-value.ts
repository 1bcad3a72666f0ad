/**
 * The values of a walk (rdb-walk.ts): every type byte's bytes, shown element by element.
 *
 * What each type byte stands before is drawn in rdb-skip.ts. Fields with an expiry of their own:
 *
 *     type 24   8 bytes least expiry, n, n (0 or expiry - least + 1 as a length, field, value)
 *     type 22   the same without the least: the expiry itself; in a file of Valkey n, n (field,
 *               value, 8 bytes expiry, -1 for none)
 *     type 25   8 bytes least expiry, a listpack of (field, value, expiry or 0)
 *     type 23   the listpack alone
 */
import { intsetCount, intsetGet, intsetSlot, intsetValid } from '../core/struct/intset.ts';
import { lpCount, lpFirst, lpNext } from '../core/struct/listpack.ts';
import { lpValid } from '../core/struct/listpack-valid.ts';
import { parseInteger } from '../core/text/integer.ts';
import { parseScore } from '../core/text/score.ts';
import { ElementView } from '../core/types/element-view.ts';
import { lpDistinct } from '../core/types/listpack-distinct.ts';
import { ByteView } from '../core/value.ts';
import * as rdb from './rdb-format.ts';
import type { RdbReader } from './rdb-reader.ts';
import { SeenMembers } from './rdb-seen-members.ts';
import { skipModuleParts } from './rdb-skip.ts';
import { HeldString } from './rdb-table.ts';
import type { RdbVisitor } from './rdb-walk.ts';
import { StreamWalker } from './rdb-walk-stream.ts';
import { ZiplistReader } from './ziplist.ts';
import { ZipmapReader } from './zipmap.ts';

const CONTAINER_PLAIN = 1;
const CONTAINER_PACKED = 2;
/** Scores of type 3 that are no text. */
const SCORE_NAN = 253;
const SCORE_MAX = 254;
const SCORE_MIN = 255;

export class ValueWalker {
  readonly #reader: RdbReader;
  readonly #visitor: RdbVisitor;
  readonly #seen: SeenMembers | null;
  readonly #streams: StreamWalker;
  readonly #view = new ByteView();
  readonly #held = new HeldString();
  readonly #first = new ElementView();
  readonly #second = new ElementView();
  readonly #third = new ElementView();
  readonly #ziplist = new ZiplistReader();
  readonly #zipmap = new ZipmapReader();

  /** `distinct`: a member that comes twice is an error in unpacked collections, too. */
  constructor(reader: RdbReader, visitor: RdbVisitor, distinct: boolean) {
    this.#reader = reader;
    this.#visitor = visitor;
    this.#seen = distinct ? new SeenMembers() : null;
    this.#streams = new StreamWalker(reader, visitor);
  }

  /** Shows a value of this type. Returns the number of its elements, 1 for a string. */
  walk(type: number, version: number): number {
    const reader = this.#reader;
    switch (type) {
      case rdb.RDB_STRING:
        reader.string(this.#view);
        this.#visitor.text?.(this.#view);
        return 1;
      case rdb.RDB_LIST:
      case rdb.RDB_LIST_ZIPLIST:
      case rdb.RDB_LIST_QUICKLIST:
      case rdb.RDB_LIST_QUICKLIST_2:
        return this.#list(type);
      case rdb.RDB_SET:
        return this.#set();
      case rdb.RDB_SET_INTSET:
        return this.#intset();
      case rdb.RDB_SET_LISTPACK:
        return this.#setPack();
      case rdb.RDB_HASH:
        return this.#hash();
      case rdb.RDB_HASH_ZIPMAP:
        return this.#zipmapHash();
      case rdb.RDB_HASH_ZIPLIST:
        return this.#ziplistPairs('hash', (value) => this.#visitor.field?.(this.#first, value, 0));
      case rdb.RDB_HASH_LISTPACK:
        return this.#listpackPairs('hash', (value) => this.#visitor.field?.(this.#first, value, 0));
      case rdb.RDB_HASH_METADATA_PRE_GA:
      case rdb.RDB_HASH_METADATA:
        return this.#expiringHash(type, version);
      case rdb.RDB_HASH_LISTPACK_EX_PRE_GA:
      case rdb.RDB_HASH_LISTPACK_EX:
        return this.#expiringPack(type);
      case rdb.RDB_ZSET:
      case rdb.RDB_ZSET_2:
        return this.#zset(type);
      case rdb.RDB_ZSET_ZIPLIST:
        return this.#ziplistPairs('sorted set', (value) => this.#packedScore(value));
      case rdb.RDB_ZSET_LISTPACK:
        return this.#listpackPairs('sorted set', (value) => this.#packedScore(value));
      case rdb.RDB_STREAM_LISTPACKS:
      case rdb.RDB_STREAM_LISTPACKS_2:
      case rdb.RDB_STREAM_LISTPACKS_3:
        return this.#streams.walk(type);
      case rdb.RDB_MODULE_2:
        return this.#module();
      default:
        throw reader.fail(`a value of the unknown type ${type}`);
    }
  }

  // ---------------------------------------------------------------- lists

  #list(type: number): number {
    const reader = this.#reader;
    const view = this.#view;
    const count = type === rdb.RDB_LIST_ZIPLIST ? 1 : reader.length();
    let elements = 0;
    for (let i = 0; i < count; i++) {
      const container = type === rdb.RDB_LIST_QUICKLIST_2 ? reader.length() : CONTAINER_PACKED;
      if (container !== CONTAINER_PLAIN && container !== CONTAINER_PACKED) {
        throw reader.fail(`a quicklist node of the unknown kind ${container}`);
      }
      reader.string(view);
      if (type === rdb.RDB_LIST || container === CONTAINER_PLAIN) {
        this.#visitor.element?.(view);
        elements++;
      } else if (type === rdb.RDB_LIST_QUICKLIST_2) {
        elements += this.#listpackElements();
      } else {
        elements += this.#ziplistElements();
      }
    }
    return elements;
  }

  #listpackElements(): number {
    const { bytes, length, offset } = this.#view;
    if (!lpValid(bytes, offset, length, true)) throw this.#damaged('listpack', 'list');
    let elements = 0;
    for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
      this.#first.showListpack(bytes, offset, at);
      this.#visitor.element?.(this.#first);
      elements++;
    }
    return elements;
  }

  #ziplistElements(): number {
    const { bytes, length, offset } = this.#view;
    const ziplist = this.#ziplist;
    if (!ziplist.open(bytes, offset, length)) throw this.#damaged('ziplist', 'list');
    while (ziplist.next(this.#first)) this.#visitor.element?.(this.#first);
    return ziplist.count;
  }

  // ---------------------------------------------------------------- sets

  #set(): number {
    const reader = this.#reader;
    const count = reader.length();
    this.#seen?.clear();
    for (let i = 0; i < count; i++) {
      reader.string(this.#view);
      this.#once(this.#view, 'a member twice in a set');
      this.#visitor.member?.(this.#view);
    }
    return count;
  }

  #intset(): number {
    this.#reader.string(this.#view);
    const { bytes, length, offset } = this.#view;
    if (!intsetValid(bytes, offset, length, true)) throw this.#reader.fail('a damaged intset');
    const count = intsetCount(bytes, offset);
    for (let i = 0; i < count; i++) {
      intsetGet(bytes, offset, i);
      this.#first.showInteger(intsetSlot.low, intsetSlot.high);
      this.#visitor.member?.(this.#first);
    }
    return count;
  }

  #setPack(): number {
    this.#reader.string(this.#view);
    const { bytes, length, offset } = this.#view;
    if (!lpValid(bytes, offset, length, true)) throw this.#damaged('listpack', 'set');
    if (!lpDistinct(bytes, offset, 1)) throw this.#reader.fail('a member twice in a set');
    for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
      this.#first.showListpack(bytes, offset, at);
      this.#visitor.member?.(this.#first);
    }
    return lpCount(bytes, offset);
  }

  // ---------------------------------------------------------------- hashes

  #hash(): number {
    const count = this.#reader.length();
    this.#seen?.clear();
    for (let i = 0; i < count; i++) {
      this.#heldField();
      this.#reader.string(this.#view);
      this.#visitor.field?.(this.#first, this.#view, 0);
    }
    return count;
  }

  /** Reads a field, which lasts while its value is read. */
  #heldField(): void {
    this.#held.read(this.#reader);
    this.#first.show(this.#held.bytes, 0, this.#held.length);
    this.#once(this.#first, 'a field twice in a hash');
  }

  #zipmapHash(): number {
    this.#reader.string(this.#view);
    const { bytes, length, offset } = this.#view;
    const zipmap = this.#zipmap;
    if (!zipmap.open(bytes, offset, length)) throw this.#damaged('zipmap', 'hash');
    this.#seen?.clear();
    while (zipmap.next(this.#first, this.#second)) {
      this.#once(this.#first, 'a field twice in a hash');
      this.#visitor.field?.(this.#first, this.#second, 0);
    }
    return zipmap.count;
  }

  #expiringHash(type: number, version: number): number {
    const reader = this.#reader;
    const isValkey = version >= rdb.RDB_VERSION_VALKEY;
    const least = type === rdb.RDB_HASH_METADATA ? reader.int64() : 0;
    const count = reader.length();
    this.#seen?.clear();
    for (let i = 0; i < count; i++) {
      const said = isValkey ? 0 : reader.length();
      let expiryMs = said === 0 || type !== rdb.RDB_HASH_METADATA ? said : said + least - 1;
      this.#heldField();
      reader.string(this.#view);
      if (isValkey) {
        // Eight bytes more may move the reader's buffer, and with it what is shown of the value.
        const value = this.#view.bytes.slice(
          this.#view.offset,
          this.#view.offset + this.#view.length,
        );
        expiryMs = Math.max(0, reader.int64());
        this.#second.show(value, 0, value.length);
        this.#visitor.field?.(this.#first, this.#second, expiryMs);
      } else {
        this.#visitor.field?.(this.#first, this.#view, expiryMs);
      }
    }
    return count;
  }

  #expiringPack(type: number): number {
    const reader = this.#reader;
    if (type === rdb.RDB_HASH_LISTPACK_EX) reader.int64();
    reader.string(this.#view);
    const { bytes, length, offset } = this.#view;
    if (!lpValid(bytes, offset, length, true) || lpCount(bytes, offset) % 3 !== 0) {
      throw this.#damaged('listpack', 'hash');
    }
    if (!lpDistinct(bytes, offset, 3)) throw reader.fail('a field twice in a hash');
    for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
      this.#first.showListpack(bytes, offset, at);
      at = lpNext(bytes, offset, at);
      this.#second.showListpack(bytes, offset, at);
      at = lpNext(bytes, offset, at);
      this.#third.showListpack(bytes, offset, at);
      const { bytes: digits, length: count, offset: from } = this.#third;
      const expiryMs = parseInteger(digits, from, count);
      if (!(expiryMs >= 0)) throw reader.fail('a field of a hash whose expiry is no time');
      this.#visitor.field?.(this.#first, this.#second, expiryMs);
    }
    return lpCount(bytes, offset) / 3;
  }

  // ---------------------------------------------------------------- sorted sets

  #zset(type: number): number {
    const reader = this.#reader;
    const count = reader.length();
    this.#seen?.clear();
    for (let i = 0; i < count; i++) {
      this.#held.read(reader);
      this.#first.show(this.#held.bytes, 0, this.#held.length);
      this.#once(this.#first, 'a member twice in a sorted set');
      const score = type === rdb.RDB_ZSET_2 ? reader.double() : this.#textScore();
      this.#scored(score);
    }
    return count;
  }

  #textScore(): number {
    const reader = this.#reader;
    const length = reader.byte();
    if (length === SCORE_NAN) return Number.NaN;
    if (length === SCORE_MAX) return Number.POSITIVE_INFINITY;
    if (length === SCORE_MIN) return Number.NEGATIVE_INFINITY;
    reader.need(length);
    reader.at += length;
    return parseScore(reader.buf, reader.at - length, length);
  }

  #packedScore(value: ByteView): void {
    this.#scored(parseScore(value.bytes, value.offset, value.length));
  }

  #scored(score: number): void {
    if (Number.isNaN(score)) throw this.#reader.fail('a score of a sorted set that is no number');
    this.#visitor.scored?.(this.#first, score);
  }

  // ---------------------------------------------------------------- packed pairs

  /** Shows the pairs of a listpack: the first in `#first`, the second to `show`. */
  #listpackPairs(of: string, show: (second: ByteView) => void): number {
    this.#reader.string(this.#view);
    const { bytes, length, offset } = this.#view;
    if (!lpValid(bytes, offset, length, true) || lpCount(bytes, offset) % 2 !== 0) {
      throw this.#damaged('listpack', of);
    }
    if (!lpDistinct(bytes, offset, 2)) throw this.#reader.fail(`a member twice in a ${of}`);
    for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
      this.#first.showListpack(bytes, offset, at);
      at = lpNext(bytes, offset, at);
      this.#second.showListpack(bytes, offset, at);
      show(this.#second);
    }
    return lpCount(bytes, offset) / 2;
  }

  #ziplistPairs(of: string, show: (second: ByteView) => void): number {
    this.#reader.string(this.#view);
    const { bytes, length, offset } = this.#view;
    const ziplist = this.#ziplist;
    if (!ziplist.open(bytes, offset, length) || ziplist.count % 2 !== 0) {
      throw this.#damaged('ziplist', of);
    }
    this.#seen?.clear();
    while (ziplist.next(this.#first)) {
      ziplist.next(this.#second);
      this.#once(this.#first, `a member twice in a ${of}`);
      show(this.#second);
    }
    return ziplist.count / 2;
  }

  // ---------------------------------------------------------------- modules

  #module(): number {
    const visitor = this.#visitor;
    const name = rdb.moduleName(this.#reader.wideLength());
    const { modulePart } = visitor;
    if (modulePart === undefined) {
      skipModuleParts(this.#reader);
      return 1;
    }
    this.#showText(name);
    let parts = 0;
    skipModuleParts(this.#reader, (part) => {
      modulePart.call(visitor, part);
      parts++;
    });
    return Math.max(1, parts);
  }

  #showText(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.#first.show(bytes, 0, bytes.length);
    this.#visitor.modulePart?.(this.#first);
  }

  #once(member: ByteView, refusal: string): void {
    if (this.#seen === null) return;
    if (!this.#seen.add(member)) throw this.#reader.fail(refusal);
  }

  #damaged(form: string, of: string): Error {
    return this.#reader.fail(`a damaged ${form} of a ${of}`);
  }
}
