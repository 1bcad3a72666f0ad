/**
 * An RDB as JSON Lines: one line a key, written while it is read, whatever the size of its value.
 *
 *     {"db":0,"key":"k","type":"string","encoding":"string","expireAtMs":1700000000000,
 *      "idleSeconds":5,"frequency":3,"value":...}       what is not noted with the key is left out
 *
 *     string   "text"
 *     list     ["a","b"]                      in their order
 *     set      ["a","b"]
 *     hash     [["field","value"],["field","value",<its expiry in ms>]]
 *     zset     [["member",1.5],["member","inf"]]
 *     stream   {"entries":[["1-1",["field","value",...]],...],"lastId":"1-1",
 *               "maxDeletedId":"0-0","entriesAdded":1,
 *               "groups":[{"name":"g","lastId":"1-1","entriesRead":1 or null,
 *                 "consumers":[{"name":"c","seenMs":1,"activeMs":1,
 *                   "pending":[["1-1",<delivered ms>,<deliveries>]]}]}]}
 *
 *     {"function":"#!lua name=..."}           a library of functions, before the keys
 *
 * Bytes that are UTF-8 are JSON strings. All others stand as {"base64":"..."}, wherever a string
 * can stand, so every dump can be told back exactly.
 */
import { isUtf8 } from 'node:buffer';
import type { StreamId } from '../../core/struct/stream-id.ts';
import { ByteView } from '../../core/value.ts';
import type { ByteOutput } from '../byte-output.ts';
import { rdbTypeName } from '../rdb/rdb-format.ts';
import { type RdbEntry, type RdbVisitor, rdbKind, type StreamFacts } from '../rdb/rdb-walk.ts';

/** Longer strings are written in pieces of so many bytes, which base64 takes three at a time. */
const PIECE_BYTES = 3 << 18;

/** Writes what a walk shows. */
export class JsonExport implements RdbVisitor {
  readonly #out: ByteOutput;
  readonly #wants: (entry: RdbEntry) => boolean;
  readonly #keyView = new ByteView();
  #kind = '';
  /** What comes before the next element, and closes the value. */
  #comma = '';
  #end = '';
  /** Lists of a stream that are open. */
  #isEntryOpen = false;
  #fieldComma = '';
  #groupComma = '';
  #consumerComma = '';
  #pendingComma = '';

  /** `wants` says which keys are written. */
  constructor(out: ByteOutput, wants: (entry: RdbEntry) => boolean) {
    this.#out = out;
    this.#wants = wants;
  }

  functionLibrary(source: ByteView): void {
    this.#out.text('{"function":');
    this.#string(source);
    this.#out.text('}\n');
  }

  entry(entry: RdbEntry): boolean {
    if (!this.#wants(entry)) return false;
    const out = this.#out;
    const kind = rdbKind(entry.type);
    this.#kind = kind;
    this.#keyView.bytes = entry.key;
    this.#keyView.length = entry.keyLength;
    out.text(`{"db":${entry.db},"key":`);
    this.#string(this.#keyView);
    out.text(`,"type":"${kind}","encoding":"${rdbTypeName(entry.type)}"`);
    if (entry.hasExpiry) out.text(`,"expireAtMs":${entry.expiryMs}`);
    if (entry.idleSeconds >= 0) out.text(`,"idleSeconds":${entry.idleSeconds}`);
    if (entry.frequency >= 0) out.text(`,"frequency":${entry.frequency}`);
    out.text(kind === 'stream' ? ',"value":{"entries":[' : ',"value":');
    if (kind !== 'stream' && kind !== 'string') out.text('[');
    this.#end = kind === 'stream' ? '}' : kind === 'string' ? '' : ']';
    this.#comma = '';
    this.#isEntryOpen = false;
    return true;
  }

  entryEnd(): void {
    if (this.#kind === 'stream') this.#endGroups();
    this.#out.text(`${this.#end}}\n`);
  }

  text(value: ByteView): void {
    this.#string(value);
  }

  element(element: ByteView): void {
    this.#next();
    this.#string(element);
  }

  member(member: ByteView): void {
    this.element(member);
  }

  field(field: ByteView, value: ByteView, expiryMs: number): void {
    this.#next();
    this.#pair(field, value);
    this.#out.text(expiryMs > 0 ? `,${expiryMs}]` : ']');
  }

  scored(member: ByteView, score: number): void {
    this.#next();
    this.#out.text('[');
    this.#string(member);
    const isNumber = Number.isFinite(score);
    this.#out.text(isNumber ? `,${jsonNumber(score)}]` : `,"${score > 0 ? 'inf' : '-inf'}"]`);
  }

  // ---------------------------------------------------------------- streams

  streamEntry(id: StreamId): void {
    this.#endEntry();
    this.#next();
    this.#out.text(`["${id.toString()}",[`);
    this.#isEntryOpen = true;
    this.#fieldComma = '';
  }

  streamField(field: ByteView, value: ByteView): void {
    this.#out.text(this.#fieldComma);
    this.#fieldComma = ',';
    this.#string(field);
    this.#out.text(',');
    this.#string(value);
  }

  streamFacts(facts: StreamFacts): void {
    this.#endEntry();
    const { entriesAdded, lastId, maxDeletedId } = facts;
    this.#out.text(`],"lastId":"${lastId.toString()}","maxDeletedId":"${maxDeletedId.toString()}"`);
    this.#out.text(`,"entriesAdded":${entriesAdded},"groups":[`);
    this.#groupComma = '';
  }

  group(name: string, lastId: StreamId, entriesRead: bigint): void {
    if (this.#groupComma !== '') this.#endConsumers();
    this.#out.text(`${this.#groupComma}{"name":`);
    this.#bytes(name);
    const read = entriesRead < 0n ? 'null' : String(entriesRead);
    this.#out.text(`,"lastId":"${lastId.toString()}","entriesRead":${read},"consumers":[`);
    this.#groupComma = ',';
    this.#consumerComma = '';
  }

  consumer(name: string, seenMs: number, activeMs: number): void {
    if (this.#consumerComma !== '') this.#out.text(']}');
    this.#out.text(`${this.#consumerComma}{"name":`);
    this.#bytes(name);
    this.#out.text(`,"seenMs":${seenMs},"activeMs":${activeMs},"pending":[`);
    this.#consumerComma = ',';
    this.#pendingComma = '';
  }

  pending(id: StreamId, deliveredMs: number, deliveries: bigint): void {
    this.#out.text(`${this.#pendingComma}["${id.toString()}",${deliveredMs},${deliveries}]`);
    this.#pendingComma = ',';
  }

  #endEntry(): void {
    if (this.#isEntryOpen) this.#out.text(']]');
    this.#isEntryOpen = false;
  }

  #endConsumers(): void {
    this.#out.text(this.#consumerComma === '' ? ']}' : ']}]}');
  }

  #endGroups(): void {
    if (this.#groupComma !== '') this.#endConsumers();
    this.#out.text(']');
  }

  // ---------------------------------------------------------------- parts

  #next(): void {
    this.#out.text(this.#comma);
    this.#comma = ',';
  }

  #pair(first: ByteView, second: ByteView): void {
    this.#out.text('[');
    this.#string(first);
    this.#out.text(',');
    this.#string(second);
  }

  #bytes(latin1: string): void {
    const bytes = Buffer.from(latin1, 'latin1');
    this.#out.text(jsonOfBytes(bytes));
  }

  #string(view: ByteView): void {
    const { buffer, byteOffset } = view.bytes;
    const bytes = Buffer.from(buffer, byteOffset + view.offset, view.length);
    if (bytes.length <= PIECE_BYTES) this.#out.text(jsonOfBytes(bytes));
    else this.#inPieces(bytes);
  }

  /** Writes bytes too long to be one string of JavaScript, or to hold twice. */
  #inPieces(bytes: Buffer): void {
    const isText = isUtf8(bytes);
    this.#out.text(isText ? '"' : '{"base64":"');
    for (let at = 0; at < bytes.length; ) {
      let end = Math.min(at + PIECE_BYTES, bytes.length);
      // A character is not cut: bytes of the form 10...... go on with one.
      while (isText && end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
      const piece = bytes.subarray(at, end);
      if (isText) this.#out.text(JSON.stringify(piece.toString('utf8')).slice(1, -1));
      else this.#out.text(piece.toString('base64'));
      at = end;
    }
    this.#out.text(isText ? '"' : '"}');
  }
}

/** Bytes as JSON: a string where they are UTF-8, else {"base64":"..."}. */
export function jsonOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return JSON.stringify(bytes.toString('utf8'));
  return `{"base64":"${bytes.toString('base64')}"}`;
}

function jsonNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
