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

import { intsetCount, intsetGet, intsetSlot, intsetValid } from '../../core/struct/intset.ts';
import { lpCount, lpFirst, lpNext } from '../../core/struct/listpack.ts';
import { lpValid } from '../../core/struct/listpack-valid.ts';
import { parseInteger } from '../../core/text/integer.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { parseScore } from '../../core/text/score.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { lpDistinct } from '../../core/types/listpack-distinct.ts';
import { ByteView } from '../../core/value.ts';
import * as rdb from './rdb-format.ts';
import { HeldString } from './rdb-held.ts';
import type { RdbReader } from './rdb-reader.ts';
import { SeenMembers } from './rdb-seen-members.ts';
import { skipModuleParts } from './rdb-skip.ts';
import type { RdbVisitor, WalkDoubt } from './rdb-walk.ts';
import { StreamWalker } from './rdb-walk-stream.ts';
import { ZiplistReader } from './ziplist.ts';
import { ZipmapReader } from './zipmap.ts';

/** Scores of type 3 that are no text. */
const SCORE_NAN = 253;
const SCORE_MAX = 254;
const SCORE_MIN = 255;

export class ValueWalker {
  readonly #reader: RdbReader;
  readonly #visitor: RdbVisitor;
  readonly #doubt: WalkDoubt;
  readonly #seen: SeenMembers | null;
  readonly #streams: StreamWalker;
  readonly #view = new ByteView();
  readonly #held = new HeldString();
  readonly #first = new ElementView();
  readonly #second = new ElementView();
  readonly #third = new ElementView();
  readonly #ziplist = new ZiplistReader();
  readonly #zipmap = new ZipmapReader();
  #type = 0;
  #elements = 0;
  #isStream = false;
  /** Pieces still to come. */
  #left = 0;
  /** Whether a hash whose fields expire is in Valkey's form. */
  #isValkey = false;
  #leastMs = 0;

  constructor(reader: RdbReader, visitor: RdbVisitor, doubt: WalkDoubt) {
    this.#reader = reader;
    this.#visitor = visitor;
    this.#doubt = doubt;
    this.#seen = doubt === 'all' ? new SeenMembers() : null;
    this.#streams = new StreamWalker(reader, visitor, doubt);
  }

  /** Begins a value of this type, and shows it if it comes in one piece. */
  begin(type: number, version: number): void {
    const reader = this.#reader;
    this.#type = type;
    this.#elements = 0;
    this.#left = 0;
    this.#isStream = false;
    this.#seen?.clear();
    switch (type) {
      case rdb.RDB_LIST:
      case rdb.RDB_LIST_QUICKLIST:
      case rdb.RDB_LIST_QUICKLIST_2:
      case rdb.RDB_SET:
      case rdb.RDB_HASH:
      case rdb.RDB_ZSET:
      case rdb.RDB_ZSET_2:
        this.#left = reader.length();
        return;
      case rdb.RDB_HASH_METADATA_PRE_GA:
      case rdb.RDB_HASH_METADATA:
        this.#isValkey = version >= rdb.RDB_VERSION_VALKEY;
        this.#leastMs = type === rdb.RDB_HASH_METADATA ? reader.int64() : 0;
        this.#left = reader.length();
        return;
      case rdb.RDB_STREAM_LISTPACKS:
      case rdb.RDB_STREAM_LISTPACKS_2:
      case rdb.RDB_STREAM_LISTPACKS_3:
        this.#isStream = true;
        this.#streams.begin(type);
        return;
      default:
        this.#elements = this.#whole(type);
    }
  }

  /** Shows the next piece; false when there is none. */
  next(): boolean {
    if (this.#isStream) return this.#streams.next();
    if (this.#left === 0) return false;
    this.#elements += this.#piece(this.#type);
    this.#left--;
    return true;
  }

  /** Elements shown of the value; 1 for a string. */
  get elements(): number {
    return this.#isStream ? this.#streams.entries : this.#elements;
  }

  /** A value that comes in one piece. Returns the number of its elements. */
  #whole(type: number): number {
    switch (type) {
      case rdb.RDB_STRING:
        this.#reader.string(this.#view);
        this.#visitor.text?.(this.#view);
        return 1;
      case rdb.RDB_LIST_ZIPLIST:
        this.#reader.string(this.#view);
        return this.#ziplistElements();
      case rdb.RDB_SET_INTSET:
        return this.#intset();
      case rdb.RDB_SET_LISTPACK:
        return this.#setPack();
      case rdb.RDB_HASH_ZIPMAP:
        return this.#zipmapHash();
      case rdb.RDB_HASH_ZIPLIST:
        return this.#ziplistPairs('hash', (value) => this.#visitor.field?.(this.#first, value, 0));
      case rdb.RDB_HASH_LISTPACK:
        return this.#listpackPairs('hash', (value) => this.#visitor.field?.(this.#first, value, 0));
      case rdb.RDB_HASH_LISTPACK_EX_PRE_GA:
      case rdb.RDB_HASH_LISTPACK_EX:
        return this.#expiringPack(type);
      case rdb.RDB_ZSET_ZIPLIST:
        return this.#ziplistPairs('sorted set', (value) => this.#packedScore(value));
      case rdb.RDB_ZSET_LISTPACK:
        return this.#listpackPairs('sorted set', (value) => this.#packedScore(value));
      case rdb.RDB_MODULE_2:
        return this.#module();
      default:
        throw this.#reader.fail(`a value of the unknown type ${type}`);
    }
  }

  /** Reads all of a piece before it shows any. Returns the number of its elements. */
  #piece(type: number): number {
    switch (type) {
      case rdb.RDB_SET:
        this.#reader.string(this.#view);
        this.#once(this.#view, 'a member twice in a set');
        this.#visitor.member?.(this.#view);
        return 1;
      case rdb.RDB_HASH:
        return this.#fieldAndValue(0);
      case rdb.RDB_HASH_METADATA_PRE_GA:
      case rdb.RDB_HASH_METADATA:
        return this.#expiringField(type);
      case rdb.RDB_ZSET:
      case rdb.RDB_ZSET_2:
        return this.#memberAndScore(type);
      default:
        return this.#node(type);
    }
  }

  // ---------------------------------------------------------------- lists

  #node(type: number): number {
    const reader = this.#reader;
    const container = type === rdb.RDB_LIST_QUICKLIST_2 ? reader.length() : rdb.LIST_NODE_PACKED;
    if (container !== rdb.LIST_NODE_PLAIN && container !== rdb.LIST_NODE_PACKED) {
      throw reader.fail(`a quicklist node of the unknown kind ${container}`);
    }
    reader.string(this.#view);
    if (type === rdb.RDB_LIST_QUICKLIST) return this.#ziplistElements();
    if (type !== rdb.RDB_LIST && container === rdb.LIST_NODE_PACKED)
      return this.#listpackElements();
    if (type !== rdb.RDB_LIST && this.#view.length === 0) throw this.#damaged('node', 'list');
    this.#visitor.element?.(this.#view);
    return 1;
  }

  #listpackElements(): number {
    const { bytes, length, offset } = this.#view;
    if (this.#doubt !== 'none' && !lpValid(bytes, offset, length, true)) {
      throw this.#damaged('listpack', 'list');
    }
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
    const { bytes, offset } = this.#listpack('set', 1);
    for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
      this.#first.showListpack(bytes, offset, at);
      this.#visitor.member?.(this.#first);
    }
    return lpCount(bytes, offset);
  }

  // ---------------------------------------------------------------- hashes

  /** A field and the value behind it. */
  #fieldAndValue(expiryMs: number): number {
    this.#held.read(this.#reader);
    this.#reader.string(this.#view);
    return this.#field(this.#view, expiryMs);
  }

  #field(value: ByteView, expiryMs: number): number {
    this.#first.show(this.#held.bytes, 0, this.#held.length);
    this.#once(this.#first, 'a field twice in a hash');
    this.#visitor.field?.(this.#first, value, expiryMs);
    return 1;
  }

  #zipmapHash(): number {
    this.#reader.string(this.#view);
    const { bytes, length, offset } = this.#view;
    const zipmap = this.#zipmap;
    if (!zipmap.open(bytes, offset, length)) throw this.#damaged('zipmap', 'hash');
    while (zipmap.next(this.#first, this.#second)) {
      this.#once(this.#first, 'a field twice in a hash');
      this.#visitor.field?.(this.#first, this.#second, 0);
    }
    return zipmap.count;
  }

  #expiringField(type: number): number {
    const reader = this.#reader;
    if (!this.#isValkey) {
      const said = reader.length();
      const isAbsolute = said === 0 || type !== rdb.RDB_HASH_METADATA;
      return this.#fieldAndValue(isAbsolute ? said : said + this.#leastMs - 1);
    }
    this.#held.read(reader);
    reader.string(this.#view);
    // Eight bytes more may move the reader's buffer, and with it what is shown of the value.
    const { bytes, length, offset } = this.#view;
    const value = bytes.slice(offset, offset + length);
    const expiryMs = Math.max(0, reader.int64());
    this.#second.show(value, 0, length);
    return this.#field(this.#second, expiryMs);
  }

  #expiringPack(type: number): number {
    if (type === rdb.RDB_HASH_LISTPACK_EX) this.#reader.int64();
    const { bytes, offset } = this.#listpack('hash', 3);
    for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
      this.#first.showListpack(bytes, offset, at);
      at = lpNext(bytes, offset, at);
      this.#second.showListpack(bytes, offset, at);
      at = lpNext(bytes, offset, at);
      this.#third.showListpack(bytes, offset, at);
      const { bytes: digits, length: count, offset: from } = this.#third;
      const expiryMs = parseInteger(digits, from, count);
      if (!(expiryMs >= 0)) throw this.#reader.fail('a field of a hash whose expiry is no time');
      this.#visitor.field?.(this.#first, this.#second, expiryMs);
    }
    return lpCount(bytes, offset) / 3;
  }

  // ---------------------------------------------------------------- sorted sets

  #memberAndScore(type: number): number {
    const held = this.#held;
    held.read(this.#reader);
    const score = type === rdb.RDB_ZSET_2 ? this.#reader.double() : this.#textScore();
    this.#first.show(held.bytes, 0, held.length);
    this.#once(this.#first, 'a member twice in a sorted set');
    this.#scored(score);
    return 1;
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
    const { bytes, offset } = this.#listpack(of, 2);
    for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
      this.#first.showListpack(bytes, offset, at);
      at = lpNext(bytes, offset, at);
      this.#second.showListpack(bytes, offset, at);
      show(this.#second);
    }
    return lpCount(bytes, offset) / 2;
  }

  /** Reads a listpack whose every `step` entries are a member, looked through if need be. */
  #listpack(of: string, step: number): ByteView {
    this.#reader.string(this.#view);
    if (this.#doubt === 'none') return this.#view;
    const { bytes, length, offset } = this.#view;
    if (!lpValid(bytes, offset, length, true) || lpCount(bytes, offset) % step !== 0) {
      throw this.#damaged('listpack', of);
    }
    if (!lpDistinct(bytes, offset, step)) throw this.#reader.fail(`a member twice in a ${of}`);
    return this.#view;
  }

  #ziplistPairs(of: string, show: (second: ByteView) => void): number {
    this.#reader.string(this.#view);
    const { bytes, length, offset } = this.#view;
    const ziplist = this.#ziplist;
    if (!ziplist.open(bytes, offset, length) || ziplist.count % 2 !== 0) {
      throw this.#damaged('ziplist', of);
    }
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
    this.#first.show(latin1Bytes(text), 0, text.length);
    this.#visitor.modulePart?.(this.#first);
  }

  #once(member: ByteView, refusal: string): void {
    if (this.#seen?.add(member) === false) throw this.#reader.fail(refusal);
  }

  #damaged(form: string, of: string): Error {
    return this.#reader.fail(`a damaged ${form} of a ${of}`);
  }
}
