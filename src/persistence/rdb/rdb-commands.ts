/**
 * An RDB as the commands that make its dataset again: a base of an AOF, and what an export gives to
 * `redis-cli --pipe`, or to any server.
 *
 *     FUNCTION LOAD source
 *     SELECT db                                          before the first key of each database
 *     DEL key                                            before each value, if asked for
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
 * These are the commands of Redis 7's own AOF rewrite, or nearly (`asRewrite`). As there, they
 * cannot carry everything: use (IDLE, FREQ) is not kept, a pending entry whose stream entry was
 * deleted is dropped by XCLAIM, and when a consumer was last seen becomes the moment of the load.
 */
import { STREAM_ID_TEXT_MAX, type StreamId } from '../../core/struct/stream-id.ts';
import { SCORE_TEXT_MAX, writeScore } from '../../core/text/score.ts';
import type { ByteView } from '../../core/value.ts';
import type { CommandWriter } from '../command-writer.ts';
import { RdbEntry, type RdbVisitor, rdbKind, type StreamFacts } from './rdb-walk.ts';

export interface RdbCommandsOptions {
  /** Which keys are written; all, when it is left out. */
  readonly wants?: (entry: RdbEntry) => boolean;
  /** Deletes each key first, so that what a server has under its name is replaced. */
  readonly replace?: boolean;
  /**
   * Has the very words of a real server's rewrite: HMSET for HSET, and CREATECONSUMER only for who
   * has nothing pending, since XCLAIM makes the others (if one of their entries is still there).
   */
  readonly asRewrite?: boolean;
}

/** Collections, and the commands that add elements to them. */
const ADDING = {
  list: 'RPUSH',
  set: 'SADD',
  zset: 'ZADD',
  string: '',
  stream: '',
  module: '',
};

/** Writes what a walk shows. */
export class RdbCommands implements RdbVisitor {
  readonly #writer: CommandWriter;
  readonly #options: RdbCommandsOptions;
  readonly #adding: Readonly<Record<ReturnType<typeof rdbKind>, string>>;
  readonly #number = new Uint8Array(Math.max(SCORE_TEXT_MAX, STREAM_ID_TEXT_MAX));
  #db = -1;
  #entry = new RdbEntry();
  #group = '';
  #consumer = '';
  /** Fields of the stream's entry that are still to come. */
  #fieldsLeft = 0;
  /** Fields of the batch that expire. */
  readonly #expiring: { readonly field: Uint8Array; readonly expiryMs: number }[] = [];

  constructor(writer: CommandWriter, options: RdbCommandsOptions) {
    this.#writer = writer;
    this.#options = options;
    this.#adding = { ...ADDING, hash: options.asRewrite ? 'HMSET' : 'HSET' };
  }

  functionLibrary(source: ByteView): void {
    const words = this.#options.replace ? ['FUNCTION', 'LOAD', 'REPLACE'] : ['FUNCTION', 'LOAD'];
    this.#writer.begin(words.length + 1);
    this.#words(...words);
    this.#writer.lastWord(source.bytes, source.offset, source.length);
  }

  entry(entry: RdbEntry): boolean {
    const { replace, wants } = this.#options;
    if (wants !== undefined && !wants(entry)) return false;
    this.#entry = entry;
    if (entry.db !== this.#db) {
      this.#writer.begin(2);
      this.#words('SELECT', String(entry.db));
      this.#db = entry.db;
    }
    if (replace) this.#begin(2, 'DEL');
    this.#writer.openBatch(this.#adding[rdbKind(entry.type)], entry.key, entry.keyLength);
    return true;
  }

  entryEnd(entry: RdbEntry): void {
    this.#writer.closeBatch();
    this.#expireFields();
    if (!entry.hasExpiry) return;
    this.#begin(3, 'PEXPIREAT');
    this.#words(String(entry.expiryMs));
  }

  end(): void {
    this.#writer.flush();
  }

  // ---------------------------------------------------------------- values

  text(value: ByteView): void {
    this.#begin(3, 'SET');
    this.#writer.lastWord(value.bytes, value.offset, value.length);
  }

  element(element: ByteView): void {
    this.#add(element);
  }

  member(member: ByteView): void {
    this.#add(member);
  }

  field(field: ByteView, value: ByteView, expiryMs: number): void {
    const { bytes, length, offset } = field;
    if (expiryMs > 0) {
      this.#expiring.push({ field: bytes.slice(offset, offset + length), expiryMs });
    }
    this.#writer.elementWord(bytes, offset, length);
    this.#add(value);
  }

  scored(member: ByteView, score: number): void {
    this.#writer.elementWord(this.#number, 0, writeScore(this.#number, 0, score));
    this.#add(member);
  }

  /** The last word of an element. */
  #add({ bytes, offset, length }: ByteView): void {
    if (this.#writer.lastElementWord(bytes, offset, length)) this.#expireFields();
  }

  #expireFields(): void {
    if (this.#expiring.length === 0) return;
    for (const { field, expiryMs } of this.#expiring) {
      this.#begin(6, 'HPEXPIREAT');
      this.#words(String(expiryMs), 'FIELDS', '1');
      this.#writer.word(field, 0, field.length);
    }
    this.#expiring.length = 0;
  }

  // ---------------------------------------------------------------- streams

  streamEntry(id: StreamId, fields: number): void {
    this.#fieldsLeft = fields;
    this.#begin(3 + fields * 2, 'XADD');
    this.#writer.word(this.#number, 0, id.write(this.#number, 0));
  }

  streamField(field: ByteView, value: ByteView): void {
    this.#writer.word(field.bytes, field.offset, field.length);
    if (--this.#fieldsLeft > 0) this.#writer.word(value.bytes, value.offset, value.length);
    else this.#writer.lastWord(value.bytes, value.offset, value.length);
  }

  streamFacts({ entriesAdded, lastId, length, maxDeletedId }: StreamFacts): void {
    if (length === 0) {
      this.#begin(7, 'XADD');
      this.#words('MAXLEN', '0', '0-1', 'x', 'y');
    }
    this.#begin(7, 'XSETID');
    this.#words(`${lastId}`, 'ENTRIESADDED', `${entriesAdded}`, 'MAXDELETEDID', `${maxDeletedId}`);
  }

  group(name: string, lastId: StreamId, entriesRead: bigint): void {
    this.#group = name;
    this.#begin(7, 'XGROUP', 'CREATE');
    this.#words(name, `${lastId}`, 'ENTRIESREAD', `${entriesRead}`);
  }

  consumer(name: string, _seenMs: number, _activeMs: number, pending: number): void {
    this.#consumer = name;
    if (this.#options.asRewrite && pending > 0) return;
    this.#begin(5, 'XGROUP', 'CREATECONSUMER');
    this.#words(this.#group, name);
  }

  pending(id: StreamId, deliveredMs: number, deliveries: bigint): void {
    this.#begin(12, 'XCLAIM');
    this.#words(this.#group, this.#consumer, '0', `${id}`, 'TIME', `${deliveredMs}`);
    this.#words('RETRYCOUNT', `${deliveries}`, 'JUSTID', 'FORCE');
  }

  // ---------------------------------------------------------------- words

  /** Begins a command of so many words: its name, and the key. */
  #begin(words: number, ...name: string[]): void {
    this.#writer.begin(words);
    this.#words(...name);
    this.#writer.word(this.#entry.key, 0, this.#entry.keyLength);
  }

  /** Words with a character for each byte. */
  #words(...words: string[]): void {
    for (const word of words) this.#writer.text(word);
  }
}
