/**
 * The values of a walk (rdb-walk.ts): every type byte's bytes, shown element by element.
 *
 * What each type byte stands before is drawn in rdb-skip.ts.
 *
 *     one piece    a string, a packed collection, a module's value         shown by `begin`
 *     pieces       a list's nodes, members, fields, what a stream is of    each shown by `next`
 *
 * Hashes and streams have walkers of their own; lists, sets, sorted sets and what modules wrote
 * are here.
 */
import { intsetCount, intsetGet, intsetSlot, intsetValid } from '../../core/struct/intset.ts';
import { lpCount, lpFirst, lpNext } from '../../core/struct/listpack.ts';
import { lpValid } from '../../core/struct/listpack-valid.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { parseScore } from '../../core/text/score.ts';
import type { ElementView } from '../../core/types/element-view.ts';
import type { ByteView } from '../../core/value.ts';
import * as rdb from './rdb-format.ts';
import { HeldString } from './rdb-held.ts';
import type { RdbReader } from './rdb-reader.ts';
import { skipModuleParts } from './rdb-skip.ts';
import type { RdbVisitor, WalkDoubt } from './rdb-walk.ts';
import { HashWalker } from './rdb-walk-hash.ts';
import { PackedWalker } from './rdb-walk-packed.ts';
import { StreamWalker } from './rdb-walk-stream.ts';

/** Scores of type 3 that are no text. */
const SCORE_NAN = 253;
const SCORE_MAX = 254;
const SCORE_MIN = 255;

export class ValueWalker {
  readonly #reader: RdbReader;
  readonly #visitor: RdbVisitor;
  readonly #doubt: WalkDoubt;
  readonly #packed: PackedWalker;
  readonly #hashes: HashWalker;
  readonly #streams: StreamWalker;
  /** Those of `#packed`. */
  readonly #view: ByteView;
  readonly #first: ElementView;
  readonly #member = new HeldString();
  #type = 0;
  #elements = 0;
  #isStream = false;
  /** Pieces still to come. */
  #left = 0;

  constructor(reader: RdbReader, visitor: RdbVisitor, doubt: WalkDoubt) {
    this.#reader = reader;
    this.#visitor = visitor;
    this.#doubt = doubt;
    this.#packed = new PackedWalker(reader, doubt);
    this.#hashes = new HashWalker(reader, visitor, this.#packed);
    this.#streams = new StreamWalker(reader, visitor, doubt);
    this.#view = this.#packed.view;
    this.#first = this.#packed.first;
  }

  /** Begins a value of this type, and shows it if it comes in one piece. */
  begin(type: number, version: number): void {
    const reader = this.#reader;
    this.#type = type;
    this.#elements = 0;
    this.#left = 0;
    this.#isStream = false;
    this.#packed.begin();
    switch (type) {
      case rdb.RDB_LIST:
      case rdb.RDB_LIST_QUICKLIST:
      case rdb.RDB_LIST_QUICKLIST_2:
      case rdb.RDB_SET:
      case rdb.RDB_ZSET:
      case rdb.RDB_ZSET_2:
        this.#left = reader.length();
        return;
      case rdb.RDB_HASH:
      case rdb.RDB_HASH_METADATA_PRE_GA:
      case rdb.RDB_HASH_METADATA:
        this.#left = this.#hashes.begin(type, version);
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
      case rdb.RDB_HASH_ZIPLIST:
      case rdb.RDB_HASH_LISTPACK:
      case rdb.RDB_HASH_LISTPACK_EX_PRE_GA:
      case rdb.RDB_HASH_LISTPACK_EX:
        return this.#hashes.whole(type);
      case rdb.RDB_ZSET_ZIPLIST:
        return this.#packed.ziplistPairs('sorted set', (value) => this.#packedScore(value));
      case rdb.RDB_ZSET_LISTPACK:
        return this.#packed.listpackPairs('sorted set', (value) => this.#packedScore(value));
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
        return this.#setMember();
      case rdb.RDB_HASH:
      case rdb.RDB_HASH_METADATA_PRE_GA:
      case rdb.RDB_HASH_METADATA:
        this.#hashes.next();
        return 1;
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
    if (type !== rdb.RDB_LIST && this.#view.length === 0) {
      throw this.#packed.damaged('node', 'list');
    }
    this.#visitor.element?.(this.#view);
    return 1;
  }

  #listpackElements(): number {
    const { bytes, length, offset } = this.#view;
    if (this.#doubt !== 'none' && !lpValid(bytes, offset, length, true)) {
      throw this.#packed.damaged('listpack', 'list');
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
    const { ziplist } = this.#packed;
    if (!ziplist.open(bytes, offset, length)) throw this.#packed.damaged('ziplist', 'list');
    while (ziplist.next(this.#first)) this.#visitor.element?.(this.#first);
    return ziplist.count;
  }

  // ---------------------------------------------------------------- sets

  #setMember(): number {
    this.#reader.string(this.#view);
    this.#packed.once(this.#view, 'a member twice in a set');
    this.#visitor.member?.(this.#view);
    return 1;
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
    const { bytes, offset } = this.#packed.listpack('set', 1);
    for (let at = lpFirst(bytes, offset); at !== 0; at = lpNext(bytes, offset, at)) {
      this.#first.showListpack(bytes, offset, at);
      this.#visitor.member?.(this.#first);
    }
    return lpCount(bytes, offset);
  }

  // ---------------------------------------------------------------- sorted sets

  #memberAndScore(type: number): number {
    const member = this.#member;
    member.read(this.#reader);
    const score = type === rdb.RDB_ZSET_2 ? this.#reader.double() : this.#textScore();
    this.#first.show(member.bytes, 0, member.length);
    this.#packed.once(this.#first, 'a member twice in a sorted set');
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
}
