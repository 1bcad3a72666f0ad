/**
 * Lists in an RDB, and reading them; rdb-list-write.ts writes them.
 *
 *     type 18   n, n (container, string)    a quicklist: 1 PLAIN, the string is an element;
 *                                           2 PACKED, it is a listpack; a compact list is one such
 *     type 1    n, n elements               in version 9, and what servers before 3.2 wrote
 *     type 10   one string: a ziplist       a compact list of servers before 3.2
 *     type 14   n, n strings: ziplists      a quicklist of servers from 3.2 to 6.2
 *
 * Nodes are kept as they come, whatever the limits of this server; a list of one small node becomes
 * a listpack. Elements and the entries of a type-10 ziplist are pushed one by one. Nodes without
 * elements are passed over, and a list without any is none, like in Redis.
 *
 * Bytes from outside are never believed: a node is walked whole before it is taken.
 *
 * A list that is long or has a large node is loaded from a file or socket in pieces, so that a
 * server can answer in between: what is there of it is stored, and the reader commits each node
 * that was added, and each piece of a large one. A payload in memory is not for this: it must leave
 * nothing behind when it is damaged.
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import { copyBytes } from '../../core/memory/copy.ts';
import { DirectoryPath } from '../../core/struct/directory-path.ts';
import { lpBytes, lpCount } from '../../core/struct/listpack.ts';
import { lpValid } from '../../core/struct/listpack-valid.ts';
import { Quicklist } from '../../core/struct/quicklist.ts';
import { NODE_LISTPACK, NODE_PLAIN } from '../../core/struct/quicklist-node.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { listConvert, listStore } from '../../core/types/list.ts';
import { ByteView, ENC_QUICKLIST, TYPE_LIST } from '../../core/value.ts';
import { BlockReader } from './rdb-block.ts';
import type { PackedKind } from './rdb-compact.ts';
import { RdbError } from './rdb-error.ts';
import {
  LIST_NODE_PACKED,
  LIST_NODE_PLAIN,
  RDB_LIST,
  RDB_LIST_QUICKLIST_2,
  RDB_LIST_ZIPLIST,
} from './rdb-format.ts';
import { LARGE_BYTES_MIN, LargeString } from './rdb-large.ts';
import type { PackedLoad } from './rdb-packed.ts';
import type { RdbReader } from './rdb-reader.ts';
import { LargeTaker } from './rdb-taker.ts';
import { ZiplistReader } from './ziplist.ts';
import { becomeListpack, ziplistAsListpack, ziplistSlack } from './ziplist-listpack.ts';

/** Lists of more elements or nodes than this are loaded in pieces, of so many at most. */
const PIECE_ITEMS = 128;

const path = new DirectoryPath();
const ziplist = new ZiplistReader();
const view = new ByteView();
const element = new ElementView();

/**
 * Reads a list of one of the types above and stores it under a key that does not exist. Returns the
 * entry's address, 0 for a list without elements, of which nothing is stored.
 */
export function decodeList(
  keyspace: Keyspace,
  reader: RdbReader,
  load: ListLoad,
  packed: PackedLoad,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
  type: number,
): number {
  if (type !== RDB_LIST_ZIPLIST) {
    return load.start(db, key, offset, length, type, reader.length());
  }
  if (packed.begins(view)) return packed.start(db, key, offset, length, ZIPLIST, null);
  return storeZiplist(keyspace, reader, db, key, offset, length);
}

/** Stores the elements of the ziplist in `view`. */
function storeZiplist(
  keyspace: Keyspace,
  reader: RdbReader,
  db: Database,
  key: Uint8Array,
  offset: number,
  length: number,
): number {
  openZiplist(reader, view.bytes, view.offset, view.length);
  if (ziplist.count === 0) return 0;
  const list = new Quicklist(keyspace.arena, keyspace.limits);
  while (ziplist.next(element)) list.push(element.bytes, element.offset, element.length, false);
  return listStore(keyspace, db, key, offset, length, list);
}

/** Pushes the elements of a ziplist that is a list. */
class ListTaker extends LargeTaker {
  readonly value: Quicklist;
  /** Length and kind of the large element that is open. */
  #length = 0;
  #kind = NODE_LISTPACK;

  constructor({ arena, limits }: Keyspace) {
    super();
    this.value = new Quicklist(arena, limits);
  }

  take({ bytes, length, offset }: ElementView): string {
    this.value.push(bytes, offset, length, false);
    return '';
  }

  open({ length }: ElementView): string {
    const { nodes } = this.value;
    this.#length = length;
    this.#kind = this.value.kindOf(length);
    this.at = nodes.openElement(length, this.#kind);
    this.block = nodes.opened;
    return '';
  }

  place(): string {
    const { nodes } = this.value;
    this.value.appendOpened(nodes.madeBytes(this.block, this.#length, this.#kind), 1, this.#kind);
    return '';
  }

  override end(keyspace: Keyspace, db: Database, address: number): void {
    listConvert(keyspace, db, address, false);
  }
}

const ZIPLIST: PackedKind = {
  form: () => new ZiplistReader(),
  isPair: false,
  type: TYPE_LIST,
  largeEncoding: ENC_QUICKLIST,
  damage: 'a damaged ziplist of a list',
  grow: (keyspace) => new ListTaker(keyspace),
};

/** What the next node is: one element, or a listpack. */
function containerOf(reader: RdbReader): number {
  const container = reader.length();
  if (container === LIST_NODE_PLAIN || container === LIST_NODE_PACKED) return container;
  throw reader.fail(`a quicklist node of the unknown kind ${container}`);
}

/** Adds the element that `node` is; an empty one would stand in a listpack. */
function addPlain(reader: RdbReader, list: Quicklist, node: BlockReader): void {
  const { length } = node;
  if (length === 0) throw reader.fail('a node of a list that is one element, and empty');
  node.place(list.nodes);
  list.appendOpened(length, 1, NODE_PLAIN);
}

/** Adds the listpack in `node`. */
function addListpack(reader: RdbReader, list: Quicklist, node: BlockReader): void {
  const { bytes, length, offset } = node;
  if (!lpValid(bytes, offset, length, true)) throw reader.fail('a damaged listpack of a list');
  const count = lpCount(bytes, offset);
  if (count === 0) {
    list.nodes.dropOpened();
    return;
  }
  node.place(list.nodes);
  list.appendOpened(length, count, NODE_LISTPACK);
}

function openZiplist(reader: RdbReader, bytes: Uint8Array, offset: number, length: number): void {
  if (!ziplist.open(bytes, offset, length)) throw reader.fail(ZIPLIST.damage);
}

/** Adds what the ziplist that was opened holds, as a node of its own. */
function appendZiplist(list: Quicklist): void {
  if (ziplist.count === 0) return;
  ziplistAsListpack(ziplist, view);
  list.appendListpack(view.bytes, view.offset, view.length, ziplist.count);
}

/** Loads lists, in pieces those that are long or have a large node. */
export class ListLoad {
  readonly #keyspace: Keyspace;
  readonly #reader: RdbReader;
  /** The node that is being read, and what it is. */
  readonly #node = new BlockReader();
  #container = LIST_NODE_PACKED;
  /** The large element or ziplist that is being read: where it stands, its length, its kind. */
  readonly #large = new LargeString();
  #length = 0;
  #at = 0;
  #kind = NODE_LISTPACK;
  #list: Quicklist | null = null;
  #type = 0;
  #left = 0;
  #db: Database | null = null;
  /** The key, which the caller keeps as it is while this `isOpen`. */
  #key: Uint8Array = new Uint8Array(0);
  #keyOffset = 0;
  #keyLength = 0;

  constructor(keyspace: Keyspace, reader: RdbReader) {
    this.#keyspace = keyspace;
    this.#reader = reader;
  }

  /** Whether elements are still to come. */
  get isOpen(): boolean {
    return this.#list !== null;
  }

  /**
   * Reads a list of `count` elements or nodes and stores it behind a key that does not exist. While
   * this `isOpen`, only what is there of it: then `resume` brings the rest. Returns the entry's
   * address, 0 for a list without elements.
   */
  start(
    db: Database,
    key: Uint8Array,
    offset: number,
    length: number,
    type: number,
    count: number,
  ): number {
    const keyspace = this.#keyspace;
    const list = new Quicklist(keyspace.arena, keyspace.limits);
    this.#type = type;
    this.#left = count;
    if (count <= PIECE_ITEMS || this.#reader.isWhole) {
      try {
        while (this.#left > 0 && this.#item(list)) this.#left--;
      } catch (error) {
        while (list.release(Number.MAX_SAFE_INTEGER));
        throw error;
      }
      if (this.#left === 0) {
        return list.count === 0 ? 0 : listStore(keyspace, db, key, offset, length, list);
      }
    }
    this.#list = list;
    this.#db = db;
    this.#key = key;
    this.#keyOffset = offset;
    this.#keyLength = length;
    return keyspace.putLarge(db, key, offset, length, 0, TYPE_LIST, ENC_QUICKLIST, list, false);
  }

  /** Reads some more. True when all is there. */
  resume(): boolean {
    const list = this.#list;
    if (list === null) return true;
    try {
      for (let i = 0; i < PIECE_ITEMS && this.#left > 0; i++) {
        const isWhole = this.#item(list);
        this.#reader.commit();
        if (!isWhole) return false;
        this.#left--;
      }
    } catch (error) {
      if (error instanceof RdbError) this.#list = null;
      throw error;
    }
    if (this.#left > 0) return false;
    this.#finish(list);
    return true;
  }

  /** Adds the next element or node; false when it is large, and only a piece of it was read. */
  #item(list: Quicklist): boolean {
    const reader = this.#reader;
    const type = this.#type;
    if (type === RDB_LIST_QUICKLIST_2) {
      const node = this.#node;
      if (list.nodes.opened === 0) this.#container = containerOf(reader);
      if (!node.read(reader, list.nodes)) return false;
      if (this.#container === LIST_NODE_PACKED) addListpack(reader, list, node);
      else addPlain(reader, list, node);
      return true;
    }
    if (list.nodes.opened === 0 && !this.#begins(list)) return true;
    if (!this.#fill(list)) return false;
    if (type === RDB_LIST) this.#addElement(list);
    else this.#addZiplist(list);
    return true;
  }

  /** Adds the next element or ziplist; or opens a block for it, which is to be filled: true. */
  #begins(list: Quicklist): boolean {
    const reader = this.#reader;
    const large = this.#large;
    const isElement = this.#type === RDB_LIST;
    if (large.begins(reader, view)) {
      if (isElement) this.#openElement(list, large.length);
      else this.#openZiplist(list, large.length);
      return true;
    }
    const { bytes, length, offset } = view;
    if (isElement) list.push(bytes, offset, length, false);
    else if (length < LARGE_BYTES_MIN) {
      openZiplist(reader, bytes, offset, length);
      appendZiplist(list);
    } else {
      this.#openZiplist(list, length);
      copyBytes(bytes, offset, list.arena.bytes(list.nodes.opened), this.#at, length);
      this.#addZiplist(list);
    }
    return false;
  }

  #openElement(list: Quicklist, length: number): void {
    this.#kind = list.kindOf(length);
    this.#at = list.nodes.openElement(length, this.#kind);
    this.#length = length;
  }

  #openZiplist({ arena, nodes }: Quicklist, length: number): void {
    const slack = ziplistSlack(length);
    nodes.opened = arena.alloc(slack + length);
    this.#at = arena.byteOffset(nodes.opened) + slack;
    this.#length = length;
  }

  /** Reads to the block that is open: a piece, or all that a payload in memory has. */
  #fill({ arena, nodes }: Quicklist): boolean {
    const bytes = arena.bytes(nodes.opened);
    do if (this.#large.fill(this.#reader, bytes, this.#at)) return true;
    while (this.#reader.isWhole);
    return false;
  }

  /** Adds the element that is in the block now. */
  #addElement(list: Quicklist): void {
    const { nodes } = list;
    const kind = this.#kind;
    list.appendOpened(nodes.madeBytes(nodes.opened, this.#length, kind), 1, kind);
  }

  /** Adds what the ziplist in the block holds: as a node, in the same block. */
  #addZiplist(list: Quicklist): void {
    const { arena, nodes } = list;
    const bytes = arena.bytes(nodes.opened);
    const base = arena.byteOffset(nodes.opened);
    openZiplist(this.#reader, bytes, this.#at, this.#length);
    becomeListpack(ziplist, bytes, base);
    list.appendOpened(lpBytes(bytes, base), ziplist.count, NODE_LISTPACK);
    if (nodes.directory.last(path)) nodes.tighten(path);
  }

  /** The last came: a list that stayed small becomes a listpack, one that stayed empty goes. */
  #finish(list: Quicklist): void {
    const keyspace = this.#keyspace;
    this.#list = null;
    if (this.#db === null) return;
    const address = this.#db.dict.find(this.#key, this.#keyOffset, this.#keyLength);
    if (address === 0) return;
    if (list.count === 0) keyspace.remove(this.#db, address);
    else listConvert(keyspace, this.#db, address, false);
  }
}
