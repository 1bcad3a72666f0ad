/**
 * An RDB as the commands that make its dataset again: for `redis-cli --pipe`, or any server.
 *
 *     FUNCTION LOAD source
 *     SELECT db                                          before the first key of each database
 *     SET key value | RPUSH key e ... | SADD key m ... | HSET key f v ... | ZADD key s m ...
 *     XADD key id f v ...                                each entry; XADD key MAXLEN 0 0-1 x y for
 *                                                        a stream without any
 *     XSETID key last ENTRIESADDED n MAXDELETEDID id
 *     XGROUP CREATE key group last ENTRIESREAD n
 *     XGROUP CREATECONSUMER key group consumer
 *     XCLAIM key group consumer 0 id TIME ms RETRYCOUNT n JUSTID FORCE
 *     HPEXPIREAT key ms FIELDS 1 f                       fields that expire; Redis 7.4 and later
 *     PEXPIREAT key ms
 *
 * These are the commands of Redis 7's own AOF rewrite. Elements go in commands of up to 64, or of
 * about a megabyte, so that neither side holds a large collection twice.
 */
import type { StreamId } from '../core/struct/stream-id.ts';
import { SCORE_TEXT_MAX, writeScore } from '../core/text/score.ts';
import type { ByteView } from '../core/value.ts';
import type { ByteOutput } from './byte-output.ts';
import type { RdbEntry, RdbVisitor, StreamFacts } from './rdb-walk.ts';

const ITEMS_A_COMMAND = 64;
const BYTES_A_COMMAND = 1 << 20;
const FIRST_ROOM = 1 << 12;

export interface RespExportOptions {
  /** Which keys are written. */
  readonly wants: (entry: RdbEntry) => boolean;
  /** Deletes each key first, so that what a server has under its name is replaced. */
  readonly replace: boolean;
}

/** Writes what a walk shows. */
export class RespExport implements RdbVisitor {
  /** Commands written. */
  commands = 0;
  readonly #out: ByteOutput;
  readonly #options: RespExportOptions;
  readonly #batch = new CommandBatch();
  readonly #score = new Uint8Array(SCORE_TEXT_MAX);
  #db = -1;
  #key: Uint8Array = new Uint8Array(0);
  #group = '';
  #consumer = '';
  /** Fields of the batch that expire. */
  readonly #expiring: { readonly field: Uint8Array; readonly expiryMs: number }[] = [];

  constructor(out: ByteOutput, options: RespExportOptions) {
    this.#out = out;
    this.#options = options;
  }

  functionLibrary(source: ByteView): void {
    const words = this.#options.replace ? ['FUNCTION', 'LOAD', 'REPLACE'] : ['FUNCTION', 'LOAD'];
    this.#begin(words.length + 1, words);
    this.#view(source);
  }

  entry(entry: RdbEntry): boolean {
    if (!this.#options.wants(entry)) return false;
    this.#key = entry.keyBytes();
    if (entry.db !== this.#db) this.#begin(2, ['SELECT', String(entry.db)]);
    this.#db = entry.db;
    if (this.#options.replace) {
      this.#begin(2, ['DEL']);
      this.#keyWord();
    }
    return true;
  }

  entryEnd(entry: RdbEntry): void {
    this.#flushBatch();
    if (!entry.hasExpiry) return;
    this.#begin(3, ['PEXPIREAT']);
    this.#keyWord();
    this.#words([String(entry.expiryMs)]);
  }

  text(value: ByteView): void {
    this.#begin(3, ['SET']);
    this.#keyWord();
    this.#view(value);
  }

  element(element: ByteView): void {
    this.#batch.name = 'RPUSH';
    this.#item(element);
  }

  member(member: ByteView): void {
    this.#batch.name = 'SADD';
    this.#item(member);
  }

  field(field: ByteView, value: ByteView, expiryMs: number): void {
    this.#batch.name = 'HSET';
    const { bytes, length, offset } = field;
    if (expiryMs > 0) {
      this.#expiring.push({ field: bytes.slice(offset, offset + length), expiryMs });
    }
    this.#batch.add(bytes, offset, length);
    this.#item(value);
  }

  scored(member: ByteView, score: number): void {
    this.#batch.name = 'ZADD';
    this.#batch.add(this.#score, 0, writeScore(this.#score, 0, score));
    this.#item(member);
  }

  // ---------------------------------------------------------------- streams

  streamEntry(id: StreamId, fields: number): void {
    this.#begin(3 + fields * 2, ['XADD']);
    this.#keyWord();
    this.#words([id.toString()]);
  }

  streamField(field: ByteView, value: ByteView): void {
    this.#view(field);
    this.#view(value);
  }

  streamFacts(facts: StreamFacts): void {
    if (facts.length === 0) {
      this.#begin(7, ['XADD']);
      this.#keyWord();
      this.#words(['MAXLEN', '0', '0-1', 'x', 'y']);
    }
    this.#begin(7, ['XSETID']);
    this.#keyWord();
    const { entriesAdded, lastId, maxDeletedId } = facts;
    this.#words([lastId.toString(), 'ENTRIESADDED', String(entriesAdded)]);
    this.#words(['MAXDELETEDID', maxDeletedId.toString()]);
  }

  group(name: string, lastId: StreamId, entriesRead: bigint): void {
    this.#group = name;
    this.#begin(7, ['XGROUP', 'CREATE']);
    this.#keyWord();
    this.#words([name, lastId.toString(), 'ENTRIESREAD', String(entriesRead)]);
  }

  consumer(name: string): void {
    this.#consumer = name;
    this.#begin(5, ['XGROUP', 'CREATECONSUMER']);
    this.#keyWord();
    this.#words([this.#group, name]);
  }

  pending(id: StreamId, deliveredMs: number, deliveries: bigint): void {
    this.#begin(12, ['XCLAIM']);
    this.#keyWord();
    this.#words([this.#group, this.#consumer, '0', id.toString(), 'TIME', String(deliveredMs)]);
    this.#words(['RETRYCOUNT', String(deliveries), 'JUSTID', 'FORCE']);
  }

  // ---------------------------------------------------------------- commands

  /** The last word of an item. */
  #item(view: ByteView): void {
    this.#batch.add(view.bytes, view.offset, view.length);
    if (++this.#batch.items < ITEMS_A_COMMAND && this.#batch.length < BYTES_A_COMMAND) return;
    this.#flushBatch();
  }

  #flushBatch(): void {
    const batch = this.#batch;
    if (batch.words === 0) return;
    this.#begin(2 + batch.words, [batch.name]);
    this.#keyWord();
    this.#out.write(batch.bytes, 0, batch.length);
    batch.clear();
    for (const { field, expiryMs } of this.#expiring) {
      this.#begin(6, ['HPEXPIREAT']);
      this.#keyWord();
      this.#words([String(expiryMs), 'FIELDS', '1']);
      this.#bytes(field, 0, field.length);
    }
    this.#expiring.length = 0;
  }

  #begin(words: number, first: readonly string[]): void {
    this.commands++;
    this.#out.text(`*${words}\r\n`, 'latin1');
    this.#words(first);
  }

  #keyWord(): void {
    this.#bytes(this.#key, 0, this.#key.length);
  }

  /** Words with a character for each byte. */
  #words(words: readonly string[]): void {
    for (const word of words) this.#out.text(`$${word.length}\r\n${word}\r\n`, 'latin1');
  }

  #view(view: ByteView): void {
    this.#bytes(view.bytes, view.offset, view.length);
  }

  #bytes(bytes: Uint8Array, offset: number, length: number): void {
    this.#out.text(`$${length}\r\n`, 'latin1');
    this.#out.write(bytes, offset, length);
    this.#out.text('\r\n', 'latin1');
  }
}

/** Words that wait for their command, as bulk strings. */
class CommandBatch {
  name = '';
  items = 0;
  words = 0;
  bytes: Uint8Array = new Uint8Array(FIRST_ROOM);
  length = 0;

  add(bytes: Uint8Array, offset: number, length: number): void {
    const head = `$${length}\r\n`;
    const end = this.length + head.length + length + 2;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(end * 2);
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    for (let i = 0; i < head.length; i++) this.bytes[this.length + i] = head.charCodeAt(i);
    this.bytes.set(bytes.subarray(offset, offset + length), this.length + head.length);
    this.bytes[end - 2] = 13;
    this.bytes[end - 1] = 10;
    this.length = end;
    this.words++;
  }

  clear(): void {
    this.items = 0;
    this.words = 0;
    this.length = 0;
    if (this.bytes.length > BYTES_A_COMMAND * 4) this.bytes = new Uint8Array(FIRST_ROOM);
  }
}
