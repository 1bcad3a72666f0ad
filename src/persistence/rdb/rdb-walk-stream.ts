/**
 * The streams of a walk (rdb-walk.ts), shown in the order of the file (rdb-stream.ts draws it):
 *
 *     streamEntry, streamField ...   of each live entry, node by node
 *     streamFacts                    what is known of the stream as a whole
 *     group                          each group, then of each of its consumers
 *       consumer                       the consumer
 *         pending                        each of its entries that wait for an acknowledgement
 *
 * The file lists what is pending in a group before it says for whom, so a group's list is held,
 * 32 bytes an entry, until its consumers were read.
 */
import { lpNext } from '../../core/struct/listpack.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import {
  ENTRY_DELETED,
  ENTRY_SAME_FIELDS,
  entryId,
  firstEntryAt,
  masterFieldsAt,
  nextEntryAt,
  numberAt,
} from '../../core/struct/stream-node.ts';
import { nodeValid } from '../../core/struct/stream-valid.ts';
import { UINT64_MAX } from '../../core/text/integer.ts';
import { ElementView } from '../../core/types/element-view.ts';
import { ByteView } from '../../core/value.ts';
import { RDB_STREAM_LISTPACKS, RDB_STREAM_LISTPACKS_3 } from './rdb-format.ts';
import type { RdbReader } from './rdb-reader.ts';
import { showId } from './rdb-stream.ts';
import { ID_BYTES } from './rdb-stream-write.ts';
import type { RdbVisitor, WalkDoubt } from './rdb-walk.ts';

const ID_WORDS = 4;
const FIRST_PENDING = 64;

/** What comes next. */
type State = 'nodes' | 'groups' | 'pending' | 'consumers' | 'owned';

export class StreamWalker {
  readonly #reader: RdbReader;
  readonly #visitor: RdbVisitor;
  readonly #doubt: WalkDoubt;
  readonly #view = new ByteView();
  readonly #field = new ElementView();
  readonly #value = new ElementView();
  readonly #id = new StreamId();
  readonly #master = new StreamId();
  readonly #before = new StreamId();
  readonly #pending = new PendingTable();
  readonly #groupNames = new Set<string>();
  readonly #consumerNames = new Set<string>();
  /** Entries shown so far. */
  entries = 0;
  #type = 0;
  #state: State = 'nodes';
  /** Whether a node was before this one. */
  #isBehind = false;
  #groups = 0;
  #consumers = 0;
  /** What of `#state` is still to come: nodes, pending entries, entries of a consumer. */
  #left = 0;

  constructor(reader: RdbReader, visitor: RdbVisitor, doubt: WalkDoubt) {
    this.#doubt = doubt;
    this.#reader = reader;
    this.#visitor = visitor;
  }

  /** Begins a stream of this type. */
  begin(type: number): void {
    this.#type = type;
    this.#left = this.#reader.length();
    this.#state = 'nodes';
    this.entries = 0;
    this.#isBehind = false;
    this.#groupNames.clear();
  }

  /** Reads the next piece, then shows it; false when there is none. */
  next(): boolean {
    switch (this.#state) {
      case 'nodes':
        if (this.#left === 0) this.#facts();
        else this.#node();
        return true;
      case 'groups':
        if (this.#groups === 0) return false;
        this.#group();
        return true;
      case 'pending':
        if (this.#left === 0) this.#consumersBegin();
        else this.#waiting();
        return true;
      case 'consumers':
        if (this.#consumers === 0) this.#groupEnd();
        else this.#consumer();
        return true;
      default:
        this.#owned();
        return true;
    }
  }

  #node(): void {
    const reader = this.#reader;
    const view = this.#view;
    const master = this.#master;
    reader.string(view);
    if (view.length !== ID_BYTES) throw reader.fail('a node of a stream whose id is not 16 bytes');
    showId(view.bytes, view.offset, master);
    reader.string(view);
    const { bytes, length, offset } = view;
    if (this.#isBehind && master.compare(this.#before) <= 0) {
      throw reader.fail('nodes of a stream out of order');
    }
    this.#before.copy(master);
    this.#isBehind = true;
    const isTrusted = this.#doubt === 'none';
    if (!isTrusted && !nodeValid(bytes, offset, length))
      throw reader.fail('a damaged node of a stream');
    const masterFields = numberAt(bytes, offset, masterFieldsAt(bytes, offset));
    for (let at = firstEntryAt(bytes, offset); at !== 0; ) {
      if ((numberAt(bytes, offset, at) & ENTRY_DELETED) === 0) {
        this.#entry(bytes, offset, at, masterFields);
        this.entries++;
      }
      at = nextEntryAt(bytes, offset, at, masterFields);
    }
    this.#left--;
  }

  #entry(bytes: Uint8Array, base: number, at: number, masterFields: number): void {
    const visitor = this.#visitor;
    const isSame = (numberAt(bytes, base, at) & ENTRY_SAME_FIELDS) !== 0;
    let next = entryId(bytes, base, at, this.#master, this.#id);
    let fields = masterFields;
    if (!isSame) {
      fields = numberAt(bytes, base, next);
      next = lpNext(bytes, base, next);
    }
    visitor.streamEntry?.(this.#id, fields);
    let masterAt = lpNext(bytes, base, masterFieldsAt(bytes, base));
    for (let i = 0; i < fields; i++) {
      this.#field.showListpack(bytes, base, isSame ? masterAt : next);
      if (isSame) masterAt = lpNext(bytes, base, masterAt);
      else next = lpNext(bytes, base, next);
      this.#value.showListpack(bytes, base, next);
      next = lpNext(bytes, base, next);
      visitor.streamField?.(this.#field, this.#value);
    }
  }

  #facts(): void {
    const reader = this.#reader;
    const isFirstVersion = this.#type === RDB_STREAM_LISTPACKS;
    const length = reader.length();
    if (length !== this.entries) {
      throw reader.fail(`a stream of ${length} entries whose nodes hold ${this.entries}`);
    }
    const lastId = this.#readId(new StreamId());
    const maxDeletedId = new StreamId();
    let entriesAdded = BigInt(length);
    if (!isFirstVersion) {
      this.#readId(this.#id);
      this.#readId(maxDeletedId);
      entriesAdded = reader.wideLength();
    }
    this.#groups = reader.length();
    this.#state = 'groups';
    this.#visitor.streamFacts?.({ length, lastId, maxDeletedId, entriesAdded });
  }

  #group(): void {
    const reader = this.#reader;
    const name = this.#name();
    if (this.#groupNames.has(name)) throw reader.fail('a group twice in a stream');
    const lastId = this.#readId(this.#id);
    const read = this.#type === RDB_STREAM_LISTPACKS ? UINT64_MAX : reader.wideLength();
    this.#left = reader.length();
    this.#groups--;
    this.#state = 'pending';
    this.#groupNames.add(name);
    this.#pending.clear();
    this.#visitor.group?.(name, lastId, read === UINT64_MAX ? -1n : read);
  }

  /** The next entry that is pending in the group. */
  #waiting(): void {
    const reader = this.#reader;
    this.#readRawId();
    const deliveredMs = reader.int64();
    if (!this.#pending.add(this.#id, deliveredMs, reader.wideLength())) {
      throw reader.fail('entries pending in a group out of order');
    }
    this.#left--;
  }

  #consumersBegin(): void {
    this.#consumers = this.#reader.length();
    this.#state = 'consumers';
    this.#consumerNames.clear();
  }

  #groupEnd(): void {
    if (!this.#pending.isOwned) {
      throw this.#reader.fail('an entry of a stream that is pending for nobody');
    }
    this.#state = 'groups';
  }

  #consumer(): void {
    const reader = this.#reader;
    const name = this.#name();
    if (this.#consumerNames.has(name)) throw reader.fail('a consumer twice in a group');
    const seenMs = reader.int64();
    const activeMs = this.#type === RDB_STREAM_LISTPACKS_3 ? reader.int64() : seenMs;
    this.#left = reader.length();
    this.#consumers--;
    this.#consumerNames.add(name);
    this.#visitor.consumer?.(name, seenMs, activeMs, this.#left);
    if (this.#left > 0) this.#state = 'owned';
  }

  /** The next entry that is pending for the consumer. */
  #owned(): void {
    const reader = this.#reader;
    const table = this.#pending;
    this.#readRawId();
    const at = table.find(this.#id);
    if (at < 0) throw reader.fail('an entry pending for a consumer and not for its group');
    if (!table.own(at)) throw reader.fail('an entry pending for two consumers');
    this.#visitor.pending?.(this.#id, table.deliveredMs(at), table.deliveries(at));
    if (--this.#left === 0) this.#state = 'consumers';
  }

  #name(): string {
    this.#reader.string(this.#view);
    return this.#view.latin1();
  }

  #readId(to: StreamId): StreamId {
    const ms = this.#reader.wideLength();
    return to.setBig(ms, this.#reader.wideLength());
  }

  #readRawId(): void {
    const reader = this.#reader;
    reader.need(ID_BYTES);
    showId(reader.buf, reader.at, this.#id);
    reader.at += ID_BYTES;
  }
}

/** What is pending in a group, by id, in order. */
class PendingTable {
  #ownedCount = 0;
  #count = 0;
  #ids = new Uint32Array(FIRST_PENDING * ID_WORDS);
  #times = new Float64Array(FIRST_PENDING);
  #deliveries = new BigUint64Array(FIRST_PENDING);
  #owned = new Uint8Array(FIRST_PENDING);
  readonly #shown = new StreamId();

  clear(): void {
    this.#count = 0;
    this.#ownedCount = 0;
  }

  /** Adds an entry; false when its id is not greater than the last one's. */
  add(id: StreamId, deliveredMs: number, deliveries: bigint): boolean {
    const at = this.#count;
    if (at > 0 && this.#show(at - 1).compare(id) >= 0) return false;
    if (at === this.#times.length) this.#grow();
    this.#ids.set([id.msHigh, id.msLow, id.seqHigh, id.seqLow], at * ID_WORDS);
    this.#times[at] = deliveredMs;
    this.#deliveries[at] = deliveries;
    this.#owned[at] = 0;
    this.#count++;
    return true;
  }

  /** The place of an id, or -1. */
  find(id: StreamId): number {
    let low = 0;
    let high = this.#count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = this.#show(middle).compare(id);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** A consumer has the entry; false when another has it. */
  own(at: number): boolean {
    if (this.#owned[at] !== 0) return false;
    this.#owned[at] = 1;
    this.#ownedCount++;
    return true;
  }

  /** Whether every entry is some consumer's. */
  get isOwned(): boolean {
    return this.#ownedCount === this.#count;
  }

  deliveredMs(at: number): number {
    return this.#times[at]!;
  }

  deliveries(at: number): bigint {
    return this.#deliveries[at]!;
  }

  #show(at: number): StreamId {
    const ids = this.#ids;
    const from = at * ID_WORDS;
    return this.#shown.set(ids[from]!, ids[from + 1]!, ids[from + 2]!, ids[from + 3]!);
  }

  #grow(): void {
    const room = this.#times.length * 2;
    const ids = new Uint32Array(room * ID_WORDS);
    const times = new Float64Array(room);
    const deliveries = new BigUint64Array(room);
    const owned = new Uint8Array(room);
    ids.set(this.#ids);
    times.set(this.#times);
    deliveries.set(this.#deliveries);
    owned.set(this.#owned);
    this.#ids = ids;
    this.#times = times;
    this.#deliveries = deliveries;
    this.#owned = owned;
  }
}
