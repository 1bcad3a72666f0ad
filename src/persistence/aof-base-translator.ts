/**
 * The translator of an AOF base: takes the bytes of an RDB and gives the commands that make the
 * same dataset. It reads version 11 as this server's encoder writes it, uncompressed:
 *
 *     AUX repl-*              kept; at the end they become a position line (aof-position.ts)
 *     FUNCTION2               FUNCTION LOAD source
 *     SELECTDB n              SELECT n
 *     string                  SET key value
 *     list                    RPUSH key, up to 64 elements, as often as needed
 *     set                     SADD key, up to 64 members
 *     hash                    HMSET key, up to 64 pairs
 *     sorted set              ZADD key, up to 64 pairs
 *     stream                  see aof-base-stream.ts
 *     EXPIRETIME_MS           PEXPIREAT key ms, behind the value
 *
 * Values come in pieces. Where bytes are missing, the reader goes back to the last `commit`, which
 * follows each element, and the step is taken again with the next bytes; so a step reads all it
 * needs before it writes anything. Use (IDLE, FREQ) is not kept, as in a real server.
 */
import { copyBytes } from '../core/memory/copy.ts';
import { intsetCount, intsetGet, intsetSlot } from '../core/struct/intset.ts';
import { lpFirst, lpNext } from '../core/struct/listpack.ts';
import { SCORE_TEXT_MAX, writeScore } from '../core/text/score.ts';
import { ElementView } from '../core/types/element-view.ts';
import { ByteView } from '../core/value.ts';
import { StreamCommands } from './aof-base-stream.ts';
import type { CommandWriter } from './aof-command-writer.ts';
import { encodePositionLine } from './aof-position.ts';
import { readRdbHeader } from './rdb-ends.ts';
import * as rdb from './rdb-format.ts';
import { HUNGRY, RdbReader } from './rdb-reader.ts';

const CONTAINER_PLAIN = 1;

/** What a collection's pieces are. */
type Kind = 'nodes' | 'members' | 'pairs' | 'scored' | 'stream';

const NAMES = { nodes: 'RPUSH', members: 'SADD', pairs: 'HMSET', scored: 'ZADD', stream: '' };

export class BaseTranslator {
  readonly writer: CommandWriter;
  readonly #reader = RdbReader.fed();
  readonly #stream: StreamCommands;
  readonly #view = new ByteView();
  readonly #element = new ElementView();
  readonly #score = new Uint8Array(SCORE_TEXT_MAX);
  readonly #aux = new Map<string, string>();
  #hasHeader = false;
  #isDone = false;
  #key = new Uint8Array(256);
  #keyLength = 0;
  /** The collection that is being read, and how many of its pieces are still to come. */
  #kind: Kind | null = null;
  #left = 0;
  #expiry = '';
  #held = new Uint8Array(256);

  constructor(writer: CommandWriter) {
    this.writer = writer;
    this.#stream = new StreamCommands(this.#reader, writer);
    this.#reader.dropChecksum();
  }

  /** Takes the next bytes of the RDB. */
  take(bytes: Uint8Array): void {
    if (this.#isDone) return;
    this.#reader.feed(bytes);
    this.#run();
  }

  /** All bytes were given: writes the position and hands on what is left. */
  finish(): void {
    this.#reader.endOfFeed();
    this.#run();
    if (!this.#isDone) throw new Error('the snapshot ends before its end mark');
    this.#position();
    this.writer.flush();
  }

  #run(): void {
    const reader = this.#reader;
    if (!reader.isSated) return;
    try {
      while (!this.#isDone) {
        if (this.#kind !== null) this.#piece(this.#kind);
        else if (this.#hasHeader) this.#item();
        else {
          readRdbHeader(reader);
          this.#hasHeader = true;
        }
        reader.commit();
      }
    } catch (error) {
      if (error !== HUNGRY) throw error;
    }
  }

  // ---------------------------------------------------------------- items

  #item(): void {
    const reader = this.#reader;
    this.#expiry = '';
    for (;;) {
      const type = reader.byte();
      if (type === rdb.OP_EXPIRETIME_MS) {
        this.#expiry = String(reader.int64());
      } else if (rdb.isObjectType(type)) {
        this.#entry(type);
        return;
      } else {
        this.#opcode(type);
        return;
      }
    }
  }

  #opcode(opcode: number): void {
    const reader = this.#reader;
    const { writer } = this;
    switch (opcode) {
      case rdb.OP_EOF:
        this.#isDone = true;
        return;
      case rdb.OP_SELECTDB: {
        const id = reader.length();
        writer.begin(2);
        writer.text('SELECT');
        writer.text(`${id}`);
        writer.end();
        return;
      }
      case rdb.OP_RESIZEDB:
        reader.length();
        reader.length();
        return;
      case rdb.OP_AUX: {
        const name = this.#text();
        this.#aux.set(name, this.#text());
        return;
      }
      case rdb.OP_FUNCTION2:
        reader.string(this.#view);
        writer.begin(3);
        writer.text('FUNCTION');
        writer.text('LOAD');
        writer.lastWord(this.#view.bytes, this.#view.offset, this.#view.length);
        return;
      default:
        throw reader.fail(`the opcode ${opcode} is not for a base of commands`);
    }
  }

  #text(): string {
    this.#reader.string(this.#view);
    const { bytes, offset, length } = this.#view;
    return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
  }

  #entry(type: number): void {
    const reader = this.#reader;
    this.#readKey();
    switch (type) {
      case rdb.RDB_STRING:
        this.#string();
        return;
      case rdb.RDB_LIST_QUICKLIST_2:
        this.#open('nodes', reader.length());
        return;
      case rdb.RDB_SET:
        this.#open('members', reader.length());
        return;
      case rdb.RDB_HASH:
        this.#open('pairs', reader.length());
        return;
      case rdb.RDB_ZSET_2:
        this.#open('scored', reader.length());
        return;
      case rdb.RDB_STREAM_LISTPACKS_3:
        this.#stream.open(this.#key, this.#keyLength, reader.length());
        this.#kind = 'stream';
        return;
      default:
        this.#compact(type);
    }
  }

  #readKey(): void {
    const view = this.#view;
    this.#reader.string(view);
    const { length } = view;
    if (length > this.#key.length) this.#key = new Uint8Array(length * 2);
    copyBytes(view.bytes, view.offset, this.#key, 0, length);
    this.#keyLength = length;
  }

  #string(): void {
    const { writer } = this;
    this.#reader.string(this.#view);
    writer.begin(3);
    writer.text('SET');
    writer.word(this.#key, 0, this.#keyLength);
    writer.lastWord(this.#view.bytes, this.#view.offset, this.#view.length);
    this.#close();
  }

  /** A collection that comes as one string. */
  #compact(type: number): void {
    const reader = this.#reader;
    const view = this.#view;
    const kind = compactKind(type);
    if (kind === null) throw reader.fail(`a value of type ${type} is not for a base of commands`);
    reader.string(view);
    const { bytes, offset } = view;
    this.#open(kind, 0);
    if (type === rdb.RDB_SET_INTSET) this.#intset(bytes, offset);
    else if (kind === 'members') this.#listpack(bytes, offset, 1);
    else if (kind === 'pairs') this.#listpack(bytes, offset, 2);
    else this.#scoredListpack(bytes, offset);
    this.#close();
  }

  // ---------------------------------------------------------------- pieces

  #open(kind: Kind, pieces: number): void {
    this.#kind = kind;
    this.#left = pieces;
    this.writer.openBatch(NAMES[kind], this.#key, this.#keyLength);
  }

  /** Reads and writes one piece of the collection. */
  #piece(kind: Kind): void {
    if (kind === 'stream') {
      if (this.#stream.step()) this.#close();
      return;
    }
    if (this.#left === 0) {
      this.#close();
      return;
    }
    if (kind === 'nodes') this.#node();
    else if (kind === 'members') this.#member();
    else this.#pair(kind === 'scored');
    this.#left--;
  }

  /** The value is whole: what is gathered of it, and when it expires. */
  #close(): void {
    const { writer } = this;
    writer.closeBatch();
    this.#kind = null;
    if (this.#expiry === '') return;
    writer.begin(3);
    writer.text('PEXPIREAT');
    writer.word(this.#key, 0, this.#keyLength);
    writer.text(this.#expiry);
    writer.end();
  }

  #node(): void {
    const reader = this.#reader;
    const view = this.#view;
    const isPlain = reader.length() === CONTAINER_PLAIN;
    reader.string(view);
    if (isPlain) this.#oneElement(view);
    else this.#listpack(view.bytes, view.offset, 1);
  }

  #member(): void {
    this.#reader.string(this.#view);
    this.#oneElement(this.#view);
  }

  #oneElement({ bytes, offset, length }: ByteView): void {
    this.writer.elementWord(bytes, offset, length);
    this.writer.endElement();
  }

  /** A field and its value, or a member and its score, which comes first in the command. */
  #pair(isScored: boolean): void {
    const reader = this.#reader;
    const view = this.#view;
    const { writer } = this;
    reader.string(view);
    const { length } = view;
    if (length > this.#held.length) this.#held = new Uint8Array(length * 2);
    copyBytes(view.bytes, view.offset, this.#held, 0, length);
    if (isScored) {
      const score = reader.double();
      writer.elementWord(this.#score, 0, writeScore(this.#score, 0, score));
      writer.elementWord(this.#held, 0, length);
    } else {
      reader.string(view);
      writer.elementWord(this.#held, 0, length);
      writer.elementWord(view.bytes, view.offset, view.length);
    }
    writer.endElement();
  }

  /** Every `words` entries of a listpack are an element. */
  #listpack(bytes: Uint8Array, base: number, words: number): void {
    const { writer } = this;
    let i = 0;
    for (let at = lpFirst(bytes, base); at !== 0; at = lpNext(bytes, base, at)) {
      this.#entryWord(bytes, base, at);
      if (++i % words === 0) writer.endElement();
    }
  }

  #scoredListpack(bytes: Uint8Array, base: number): void {
    for (let at = lpFirst(bytes, base); at !== 0; ) {
      const scoreAt = lpNext(bytes, base, at);
      this.#entryWord(bytes, base, scoreAt);
      this.#entryWord(bytes, base, at);
      this.writer.endElement();
      at = lpNext(bytes, base, scoreAt);
    }
  }

  #entryWord(bytes: Uint8Array, base: number, at: number): void {
    const element = this.#element;
    element.showListpack(bytes, base, at);
    this.writer.elementWord(element.bytes, element.offset, element.length);
  }

  #intset(bytes: Uint8Array, base: number): void {
    const count = intsetCount(bytes, base);
    for (let i = 0; i < count; i++) {
      intsetGet(bytes, base, i);
      this.#element.showInteger(intsetSlot.low, intsetSlot.high);
      this.#oneElement(this.#element);
    }
  }

  // ---------------------------------------------------------------- the end

  /** Where in the replication stream the dataset stands, if it is known. */
  #position(): void {
    const id = this.#aux.get('repl-id');
    const offset = Number(this.#aux.get('repl-offset'));
    if (id === undefined || !Number.isSafeInteger(offset)) return;
    const db = Number(this.#aux.get('repl-stream-db') ?? 0);
    this.writer.line(encodePositionLine({ continues: false, id, offset, db }));
  }
}

function compactKind(type: number): Kind | null {
  switch (type) {
    case rdb.RDB_SET_INTSET:
    case rdb.RDB_SET_LISTPACK:
      return 'members';
    case rdb.RDB_HASH_LISTPACK:
      return 'pairs';
    case rdb.RDB_ZSET_LISTPACK:
      return 'scored';
    default:
      return null;
  }
}
