/**
 * The walker of RDB files: goes through one from front to back and shows a visitor what is in it,
 * key by key and element by element, without a keyspace. The tools for files are built on it.
 *
 *     header -> { AUX | FUNCTION2 | MODULE_AUX | SELECTDB | RESIZEDB | entry } ... -> EOF -> sum
 *
 *     entry     visitor.entry -> [ text | element ... | member ... | field ... | scored ... |
 *               stream parts ] -> visitor.entryEnd
 *
 * What a value is kept as does not show: the fields of a zipmap, of a ziplist and of a table all
 * come as `field`. At most one string, or one packed node, is in memory at a time, so a file of any
 * size takes the same memory. Everything shown is borrowed until the visitor returns.
 *
 * The reader may be fed. Then a step that lacks bytes is taken again when more came, so each reads
 * all of its piece before it shows any. (A module's value has parts of which that is not true.)
 *
 * Bytes are not believed: packed forms are walked whole before the first of their elements is
 * shown, and the checksum is compared. How far that goes is `WalkDoubt`.
 */
import type { StreamId } from '../../core/struct/stream-id.ts';
import { ByteView } from '../../core/value.ts';
import {
  type ChecksumVerdict,
  checkNothingFollows,
  readRdbHeader,
  verifyChecksum,
} from './rdb-ends.ts';
import * as rdb from './rdb-format.ts';
import { HeldString } from './rdb-held.ts';
import { HUNGRY, type RdbReader } from './rdb-reader.ts';
import { skipModuleParts, skipValue } from './rdb-skip.ts';
import { ValueWalker } from './rdb-walk-value.ts';

/**
 * What is looked through before it is shown: 'forms', what comes packed; 'all' refuses as well a
 * member that comes twice in an unpacked collection, for which eight bytes a member are remembered
 * while it is read; 'none' is for what this server has just written itself.
 */
export type WalkDoubt = 'none' | 'forms' | 'all';

/** Lets others have their turn, or throws to end what it is asked within. */
export type Rest = () => Promise<void>;

/** Steps between two rests, and the most pieces of a value in one of them. */
const STEPS_A_REST = 64;
const PIECES_A_STEP = 64;

/** A key and what stands before it. */
export class RdbEntry {
  db = 0;
  /** The type byte; `rdbKind` says what kind of value it stands for. */
  type = 0;
  key: Uint8Array = new Uint8Array(0);
  keyLength = 0;
  hasExpiry = false;
  expiryMs = 0;
  /** The use noted with the key; -1 for none. */
  idleSeconds = -1;
  frequency = -1;
  /** Bytes of the file before this entry. */
  offset = 0;

  /** The key's bytes, which the next entry overwrites. */
  keyBytes(): Uint8Array {
    return this.key.subarray(0, this.keyLength);
  }
}

/** The facts of a stream, which come behind its entries. */
export interface StreamFacts {
  readonly length: number;
  readonly lastId: StreamId;
  /** 0-0 where the file is too old to know. */
  readonly maxDeletedId: StreamId;
  readonly entriesAdded: bigint;
}

/** Takes what a walk meets; only what is there is called. */
export interface RdbVisitor {
  version?(version: number): void;
  aux?(name: string, value: string): void;
  functionLibrary?(source: ByteView): void;
  moduleAux?(name: string): void;
  database?(db: number): void;
  /** How many keys the database has, and how many of them expire, as the file says. */
  sizes?(keys: number, expires: number): void;
  /**
   * A key begins; true shows its value. False passes over it, 'taken' says that the visitor has
   * read it itself; then there is no `entryEnd`.
   */
  entry?(entry: RdbEntry): boolean | 'taken';
  /** The value of a string. */
  text?(value: ByteView): void;
  /** The next element of a list. */
  element?(element: ByteView): void;
  member?(member: ByteView): void;
  /** `expiryMs` is 0 for a field that stays. */
  field?(field: ByteView, value: ByteView, expiryMs: number): void;
  scored?(member: ByteView, score: number): void;
  streamEntry?(id: StreamId, fields: number): void;
  streamField?(field: ByteView, value: ByteView): void;
  streamFacts?(facts: StreamFacts): void;
  /** `entriesRead` is -1 when nobody knows. Names have a character for each byte. */
  group?(name: string, lastId: StreamId, entriesRead: bigint): void;
  /**
   * A consumer of the group shown last; `pending` entries follow, which it has not acknowledged.
   */
  consumer?(name: string, seenMs: number, activeMs: number, pending: number): void;
  /** The consumer shown last has this entry and has not acknowledged it. */
  pending?(id: StreamId, deliveredMs: number, deliveries: bigint): void;
  /** A part of a module's value, as the text of a number or as bytes. */
  modulePart?(part: ByteView): void;
  /** The value was shown whole, all `elements` of its elements, fields or entries. */
  entryEnd?(entry: RdbEntry, elements: number): void;
  /** The file was shown whole, and its checksum is not wrong. */
  end?(): void;
}

/** What a walk was doing, as `redis-check-rdb` names it. */
export type WalkStep =
  | 'start'
  | 'read-type'
  | 'read-expire'
  | 'read-key'
  | 'read-object-value'
  | 'check-sum'
  | 'read-len'
  | 'read-aux'
  | 'read-module-aux'
  | 'read-functions';

export class RdbWalk {
  version = 0;
  /** What is being done, and with which type byte (-1: none): for the report of an error. */
  step: WalkStep = 'start';
  type = -1;
  readonly entry = new RdbEntry();
  readonly #reader: RdbReader;
  readonly #visitor: RdbVisitor;
  readonly #values: ValueWalker;
  readonly #view = new ByteView();
  readonly #key = new HeldString();
  #next: 'header' | 'item' | 'value' | 'pieces' | 'unwanted' | 'trailer' = 'header';
  #verdict: ChecksumVerdict | null = null;

  constructor(reader: RdbReader, visitor: RdbVisitor, doubt: WalkDoubt = 'forms') {
    this.#reader = reader;
    this.#visitor = visitor;
    this.#values = new ValueWalker(reader, visitor, doubt);
  }

  /**
   * Walks from the header to the checksum. Throws an `RdbError`, or `HUNGRY` where a fed reader has
   * no more; called again, it goes on from there.
   */
  run(): ChecksumVerdict {
    while (this.#verdict === null) {
      this.#advance();
      this.#reader.commit();
    }
    return this.#verdict;
  }

  /** Like `run`, with a `rest` every few steps: what it throws ends the walk. */
  async runResting(rest: Rest): Promise<ChecksumVerdict> {
    for (let step = 1; this.#verdict === null; step++) {
      this.#advance();
      this.#reader.commit();
      if (step % STEPS_A_REST === 0) await rest();
    }
    return this.#verdict;
  }

  /** Goes as far as a fed reader has bytes; true when all was walked. Throws an `RdbError`. */
  resume(): boolean {
    if (!this.#reader.isSated) return false;
    try {
      this.run();
      return true;
    } catch (error) {
      if (error !== HUNGRY) throw error;
      return false;
    }
  }

  /** One step: it reads all that it needs before it shows anything. */
  #advance(): void {
    const values = this.#values;
    switch (this.#next) {
      case 'header':
        this.version = readRdbHeader(this.#reader);
        this.#visitor.version?.(this.version);
        this.#next = 'item';
        return;
      case 'item':
        this.#item();
        return;
      case 'value':
        values.begin(this.type, this.version);
        this.#next = 'pieces';
        return;
      case 'pieces':
        for (let piece = 0; values.next(); piece++) {
          if (piece === PIECES_A_STEP) return;
          this.#reader.commit();
        }
        this.#next = 'item';
        this.#visitor.entryEnd?.(this.entry, values.elements);
        return;
      case 'unwanted':
        skipValue(this.#reader, this.type, this.version);
        this.#next = 'item';
        return;
      default:
        this.#trailer();
    }
  }

  #trailer(): void {
    this.step = 'check-sum';
    if (this.version >= rdb.RDB_VERSION_CHECKSUM) this.#verdict = verifyChecksum(this.#reader);
    else {
      checkNothingFollows(this.#reader);
      this.#verdict = 'not looked at';
    }
    this.#visitor.end?.();
  }

  /** Reads an opcode, or a key with what stands before it. */
  #item(): void {
    const reader = this.#reader;
    const { entry } = this;
    entry.hasExpiry = false;
    entry.idleSeconds = -1;
    entry.frequency = -1;
    entry.offset = reader.offset;
    this.type = -1;
    for (;;) {
      this.step = 'read-type';
      const type = reader.byte();
      if (type === rdb.OP_EXPIRETIME || type === rdb.OP_EXPIRETIME_MS) {
        this.step = 'read-expire';
        entry.hasExpiry = true;
        entry.expiryMs = type === rdb.OP_EXPIRETIME ? (reader.uint32() | 0) * 1000 : reader.int64();
      } else if (type === rdb.OP_IDLE) {
        entry.idleSeconds = reader.length();
      } else if (type === rdb.OP_FREQ) {
        entry.frequency = reader.byte();
      } else if (type === rdb.OP_EOF) {
        this.#next = 'trailer';
        return;
      } else if (rdb.isObjectType(type)) {
        this.#entry(type);
        return;
      } else {
        this.#opcode(type);
        return;
      }
    }
  }

  #entry(type: number): void {
    const reader = this.#reader;
    const { entry } = this;
    this.type = type;
    this.step = 'read-key';
    this.#key.read(reader);
    entry.type = type;
    entry.key = this.#key.bytes;
    entry.keyLength = this.#key.length;
    this.step = 'read-object-value';
    const wanted = this.#visitor.entry?.(entry) ?? true;
    if (wanted !== 'taken') this.#next = wanted ? 'value' : 'unwanted';
  }

  #opcode(opcode: number): void {
    const reader = this.#reader;
    const visitor = this.#visitor;
    switch (opcode) {
      case rdb.OP_SELECTDB:
        this.step = 'read-len';
        this.entry.db = reader.length();
        visitor.database?.(this.entry.db);
        return;
      case rdb.OP_RESIZEDB: {
        this.step = 'read-len';
        const keys = reader.length();
        const expires = reader.length();
        visitor.sizes?.(keys, expires);
        return;
      }
      case rdb.OP_SLOT_INFO:
        this.step = 'read-len';
        for (let i = 0; i < 3; i++) reader.length();
        return;
      case rdb.OP_AUX: {
        this.step = 'read-aux';
        const name = this.#text();
        const value = this.#text();
        visitor.aux?.(name, value);
        return;
      }
      case rdb.OP_MODULE_AUX: {
        this.step = 'read-module-aux';
        const name = rdb.moduleName(reader.wideLength());
        visitor.moduleAux?.(name);
        skipModuleParts(reader);
        return;
      }
      case rdb.OP_FUNCTION2:
        this.step = 'read-functions';
        reader.string(this.#view);
        visitor.functionLibrary?.(this.#view);
        return;
      default:
        throw reader.fail(`Invalid object type: ${opcode}`);
    }
  }

  #text(): string {
    this.#reader.string(this.#view);
    return this.#view.latin1();
  }
}

export type RdbKind = 'string' | 'list' | 'set' | 'zset' | 'hash' | 'stream' | 'module';

/** What kind of value a type byte stands for. */
export function rdbKind(type: number): RdbKind {
  switch (type) {
    case rdb.RDB_STRING:
      return 'string';
    case rdb.RDB_LIST:
    case rdb.RDB_LIST_ZIPLIST:
    case rdb.RDB_LIST_QUICKLIST:
    case rdb.RDB_LIST_QUICKLIST_2:
      return 'list';
    case rdb.RDB_SET:
    case rdb.RDB_SET_INTSET:
    case rdb.RDB_SET_LISTPACK:
      return 'set';
    case rdb.RDB_ZSET:
    case rdb.RDB_ZSET_2:
    case rdb.RDB_ZSET_ZIPLIST:
    case rdb.RDB_ZSET_LISTPACK:
      return 'zset';
    case rdb.RDB_STREAM_LISTPACKS:
    case rdb.RDB_STREAM_LISTPACKS_2:
    case rdb.RDB_STREAM_LISTPACKS_3:
      return 'stream';
    case rdb.RDB_MODULE_2:
    case rdb.RDB_MODULE_PRE_GA:
      return 'module';
    default:
      return 'hash';
  }
}
