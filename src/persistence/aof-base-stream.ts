/**
 * Streams in a base of commands, read from their RDB form (type 21 of rdb-stream.ts):
 *
 *     XADD key id field value ...                       each entry
 *     XADD key MAXLEN 0 0-1 x y                         instead, when there is none
 *     XSETID key last ENTRIESADDED n MAXDELETEDID id
 *     XGROUP CREATE key group last ENTRIESREAD n        each group
 *     XGROUP CREATECONSUMER key group consumer          each consumer without pending entries
 *     XCLAIM key group consumer 0 id TIME ms RETRYCOUNT n JUSTID FORCE    each pending entry
 *
 * Of a pending entry, the group says when and how often it was delivered and the consumer that it
 * is its own; so the group's are kept, in their order, until the consumers come:
 *
 *     #pending   [ id 16 | ms 8 | deliveries 8 ][ ... ]      32 bytes each, found by halving
 *
 * As with a real server's, commands cannot carry everything: a pending entry whose stream entry was
 * deleted is dropped by XCLAIM, and when a consumer was last seen or active becomes the moment of
 * the load.
 */
import { copyBytes } from '../core/memory/copy.ts';
import { lpNext } from '../core/struct/listpack.ts';
import { STREAM_ID_TEXT_MAX, StreamId } from '../core/struct/stream-id.ts';
import {
  ENTRY_DELETED,
  ENTRY_SAME_FIELDS,
  entryId,
  firstEntryAt,
  masterFieldsAt,
  nextEntryAt,
  numberAt,
} from '../core/struct/stream-node.ts';
import { ElementView } from '../core/types/element-view.ts';
import { ByteView } from '../core/value.ts';
import type { CommandWriter } from './aof-command-writer.ts';
import type { RdbReader } from './rdb-reader.ts';

const ID_BYTES = 16;
const PENDING_BYTES = 32;
const UINT64_MAX = (1n << 64n) - 1n;

/** What is read next. */
type State = 'nodes' | 'facts' | 'group' | 'pending' | 'consumer' | 'own';

export class StreamCommands {
  readonly #reader: RdbReader;
  readonly #writer: CommandWriter;
  readonly #view = new ByteView();
  readonly #element = new ElementView();
  readonly #master = new StreamId();
  readonly #id = new StreamId();
  readonly #idText = new Uint8Array(STREAM_ID_TEXT_MAX);
  #key = new Uint8Array(0);
  #state: State = 'nodes';
  /** What is still to come: nodes, groups, pending entries, consumers, a consumer's own. */
  #nodes = 0;
  #groups = 0;
  #pendingLeft = 0;
  #consumers = 0;
  #own = 0;
  #group = new Uint8Array(0);
  #consumer = new Uint8Array(0);
  #pending = new Uint8Array(PENDING_BYTES * 64);
  #pendingWords = new DataView(this.#pending.buffer);
  #pendingCount = 0;

  constructor(reader: RdbReader, writer: CommandWriter) {
    this.#reader = reader;
    this.#writer = writer;
  }

  /** A stream of so many nodes begins. */
  open(key: Uint8Array, keyLength: number, nodes: number): void {
    this.#key = key.slice(0, keyLength);
    this.#nodes = nodes;
    this.#state = 'nodes';
  }

  /** Reads the next piece and writes its commands. True when the stream is whole. */
  step(): boolean {
    switch (this.#state) {
      case 'nodes':
        if (this.#nodes === 0) this.#state = 'facts';
        else {
          this.#node();
          this.#nodes--;
        }
        return false;
      case 'facts':
        this.#facts();
        this.#state = 'group';
        return false;
      case 'group':
        if (this.#groups === 0) return true;
        this.#readGroup();
        this.#groups--;
        this.#state = 'pending';
        return false;
      case 'pending':
        this.#readPending();
        return false;
      case 'consumer':
        this.#readConsumer();
        return false;
      default:
        this.#readOwn();
        return false;
    }
  }

  // ---------------------------------------------------------------- entries

  #node(): void {
    this.#rawId(this.#master, true);
    this.#reader.string(this.#view);
    const { bytes, offset } = this.#view;
    const fields = numberAt(bytes, offset, masterFieldsAt(bytes, offset));
    for (let at = firstEntryAt(bytes, offset); at !== 0; ) {
      if ((numberAt(bytes, offset, at) & ENTRY_DELETED) === 0) this.#entry(bytes, offset, at);
      at = nextEntryAt(bytes, offset, at, fields);
    }
  }

  #entry(bytes: Uint8Array, base: number, at: number): void {
    const writer = this.#writer;
    const isSame = (numberAt(bytes, base, at) & ENTRY_SAME_FIELDS) !== 0;
    const countAt = masterFieldsAt(bytes, base);
    let value = entryId(bytes, base, at, this.#master, this.#id);
    const pairs = numberAt(bytes, base, isSame ? countAt : value);
    writer.begin(3 + pairs * 2);
    writer.text('XADD');
    this.#word(this.#key);
    this.#writeId(this.#id);
    if (!isSame) value = lpNext(bytes, base, value);
    let field = lpNext(bytes, base, countAt);
    for (let i = 0; i < pairs; i++) {
      if (isSame) {
        this.#listpackWord(bytes, base, field);
        field = lpNext(bytes, base, field);
      } else {
        this.#listpackWord(bytes, base, value);
        value = lpNext(bytes, base, value);
      }
      this.#listpackWord(bytes, base, value);
      value = lpNext(bytes, base, value);
    }
    writer.end();
  }

  #listpackWord(bytes: Uint8Array, base: number, at: number): void {
    const element = this.#element;
    element.showListpack(bytes, base, at);
    this.#writer.word(element.bytes, element.offset, element.length);
  }

  // ---------------------------------------------------------------- the stream itself

  #facts(): void {
    const reader = this.#reader;
    const length = reader.length();
    const last = this.#twoNumbers();
    this.#twoNumbers();
    const deleted = this.#twoNumbers();
    const added = reader.wideLength();
    this.#groups = reader.length();
    if (length === 0) this.#command('XADD', this.#key, 'MAXLEN', '0', '0-1', 'x', 'y');
    const facts = ['ENTRIESADDED', `${added}`, 'MAXDELETEDID', deleted];
    this.#command('XSETID', this.#key, last, ...facts);
  }

  #readGroup(): void {
    const reader = this.#reader;
    this.#group = this.#name();
    const last = this.#twoNumbers();
    const read = reader.wideLength();
    this.#pendingLeft = reader.length();
    this.#pendingCount = 0;
    const entriesRead = read === UINT64_MAX ? '-1' : `${read}`;
    this.#command('XGROUP', 'CREATE', this.#key, this.#group, last, 'ENTRIESREAD', entriesRead);
  }

  /** One more pending entry of the group; behind the last, the number of its consumers. */
  #readPending(): void {
    const reader = this.#reader;
    if (this.#pendingLeft === 0) {
      this.#consumers = reader.length();
      this.#state = 'consumer';
      return;
    }
    const id = this.#id;
    this.#rawId(id, false);
    reader.need(8);
    const timeLow = reader.uint32();
    const timeHigh = reader.uint32();
    const deliveries = reader.wideLength();
    const at = this.#pendingCount * PENDING_BYTES;
    if (at === this.#pending.length) this.#growPending();
    const words = this.#pendingWords;
    words.setUint32(at, id.msHigh);
    words.setUint32(at + 4, id.msLow);
    words.setUint32(at + 8, id.seqHigh);
    words.setUint32(at + 12, id.seqLow);
    words.setUint32(at + 16, timeHigh);
    words.setUint32(at + 20, timeLow);
    words.setBigUint64(at + 24, deliveries);
    this.#pendingCount++;
    this.#pendingLeft--;
  }

  #growPending(): void {
    const grown = new Uint8Array(this.#pending.length * 2);
    grown.set(this.#pending);
    this.#pending = grown;
    this.#pendingWords = new DataView(grown.buffer);
  }

  #readConsumer(): void {
    const reader = this.#reader;
    if (this.#consumers === 0) {
      this.#state = 'group';
      return;
    }
    this.#consumer = this.#name();
    reader.int64();
    reader.int64();
    this.#own = reader.length();
    this.#consumers--;
    this.#state = 'own';
    if (this.#own > 0) return;
    this.#state = 'consumer';
    this.#command('XGROUP', 'CREATECONSUMER', this.#key, this.#group, this.#consumer);
  }

  #readOwn(): void {
    this.#rawId(this.#id, false);
    const at = this.#findPending(this.#id);
    const words = this.#pendingWords;
    this.#command(
      'XCLAIM',
      this.#key,
      this.#group,
      this.#consumer,
      '0',
      this.#id.toString(),
      'TIME',
      `${words.getBigInt64(at + 16)}`,
      'RETRYCOUNT',
      `${words.getBigUint64(at + 24)}`,
      'JUSTID',
      'FORCE',
    );
    this.#own--;
    if (this.#own === 0) this.#state = 'consumer';
  }

  #findPending(id: StreamId): number {
    const words = this.#pendingWords;
    const ms = BigInt(id.msHigh) * 0x1_0000_0000n + BigInt(id.msLow);
    const seq = BigInt(id.seqHigh) * 0x1_0000_0000n + BigInt(id.seqLow);
    let from = 0;
    let to = this.#pendingCount;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const at = middle * PENDING_BYTES;
      const itsMs = words.getBigUint64(at);
      const itsSeq = words.getBigUint64(at + 8);
      if (itsMs === ms && itsSeq === seq) return at;
      if (itsMs < ms || (itsMs === ms && itsSeq < seq)) from = middle + 1;
      else to = middle;
    }
    throw this.#reader.fail('an entry pending for a consumer and not for its group');
  }

  // ---------------------------------------------------------------- words

  #command(...words: (string | Uint8Array)[]): void {
    const writer = this.#writer;
    writer.begin(words.length);
    for (const word of words) {
      if (typeof word === 'string') writer.text(word);
      else this.#word(word);
    }
    writer.end();
  }

  #word(bytes: Uint8Array): void {
    this.#writer.word(bytes, 0, bytes.length);
  }

  #writeId(id: StreamId): void {
    this.#writer.word(this.#idText, 0, id.write(this.#idText, 0));
  }

  /** The next string, copied. */
  #name(): Uint8Array<ArrayBuffer> {
    this.#reader.string(this.#view);
    const { bytes, offset, length } = this.#view;
    const name = new Uint8Array(length);
    copyBytes(bytes, offset, name, 0, length);
    return name;
  }

  /** An id that is written as two lengths. */
  #twoNumbers(): string {
    const ms = this.#reader.wideLength();
    return `${ms}-${this.#reader.wideLength()}`;
  }

  /** An id of 16 bytes, `isString` with its length before it. */
  #rawId(to: StreamId, isString: boolean): void {
    const reader = this.#reader;
    if (isString) reader.length();
    reader.need(ID_BYTES);
    const words = new DataView(reader.buf.buffer, reader.buf.byteOffset + reader.at, ID_BYTES);
    to.set(words.getUint32(0), words.getUint32(4), words.getUint32(8), words.getUint32(12));
    reader.at += ID_BYTES;
  }
}
