/**
 * Digests of the values of an RDB: the order of a set's members, of a hash's fields and of a sorted
 * set's members makes no difference, nor how any of them is packed.
 *
 *     string   mix(bytes)                     list   mix each element, head to tail
 *     set      xor each member                hash   xor of (mix field, value, expiry) of each
 *     zset     xor of (mix member, score)     stream mix ids, fields, facts, groups, in their order
 *
 * The expiry of the key itself is not part of it, nor when a consumer was seen last.
 */
import type { StreamId } from '../../core/struct/stream-id.ts';
import { SCORE_TEXT_MAX, writeScore } from '../../core/text/score.ts';
import { type ByteView, TYPE_NAMES } from '../../core/value.ts';
import { type RdbEntry, type RdbVisitor, rdbKind, type StreamFacts } from '../rdb/rdb-walk.ts';
import { QuickDigest } from './quick-digest.ts';

/** Digests each value that a walk shows and hands it to `take`, which must copy it. */
export class ValueDigests implements RdbVisitor {
  readonly #take: (entry: RdbEntry, digest: QuickDigest) => void;
  readonly #wants: (entry: RdbEntry) => boolean;
  readonly #digest: QuickDigest;
  readonly #pair: QuickDigest;
  readonly #functions: QuickDigest;
  readonly #score = new Uint8Array(SCORE_TEXT_MAX);

  /** `functions` is made the digest of the libraries of functions. */
  constructor(
    seed: Int32Array,
    functions: QuickDigest,
    wants: (entry: RdbEntry) => boolean,
    take: (entry: RdbEntry, digest: QuickDigest) => void,
  ) {
    this.#digest = new QuickDigest(seed);
    this.#pair = new QuickDigest(seed);
    this.#functions = functions;
    this.#wants = wants;
    this.#take = take;
  }

  functionLibrary({ bytes, length, offset }: ByteView): void {
    this.#functions.xor(bytes, offset, length);
  }

  entry(entry: RdbEntry): boolean {
    if (!this.#wants(entry)) return false;
    this.#digest.clear();
    this.#digest.mixWord(TYPE_NAMES.indexOf(rdbKind(entry.type)));
    return true;
  }

  text(value: ByteView): void {
    this.#digest.mix(value.bytes, value.offset, value.length);
  }

  element(element: ByteView): void {
    this.#digest.mix(element.bytes, element.offset, element.length);
  }

  modulePart(part: ByteView): void {
    this.#digest.mix(part.bytes, part.offset, part.length);
  }

  member(member: ByteView): void {
    this.#digest.xor(member.bytes, member.offset, member.length);
  }

  field(field: ByteView, value: ByteView, expiryMs: number): void {
    const pair = this.#pair;
    pair.clear();
    pair.mix(field.bytes, field.offset, field.length);
    pair.mix(value.bytes, value.offset, value.length);
    if (expiryMs > 0) pair.mixText(String(expiryMs));
    this.#digest.xorDigest(pair);
  }

  scored(member: ByteView, score: number): void {
    const pair = this.#pair;
    pair.clear();
    pair.mix(member.bytes, member.offset, member.length);
    pair.mix(this.#score, 0, writeScore(this.#score, 0, score));
    this.#digest.xorDigest(pair);
  }

  streamEntry(id: StreamId): void {
    this.#id(id);
  }

  streamField(field: ByteView, value: ByteView): void {
    this.#digest.mix(field.bytes, field.offset, field.length);
    this.#digest.mix(value.bytes, value.offset, value.length);
  }

  streamFacts(facts: StreamFacts): void {
    const { entriesAdded, lastId, maxDeletedId } = facts;
    this.#digest.mixText(`added ${entriesAdded}`);
    this.#id(lastId);
    this.#id(maxDeletedId);
  }

  group(name: string, lastId: StreamId, entriesRead: bigint): void {
    this.#digest.mixText(`group ${name}`);
    this.#digest.mixText(`read ${entriesRead}`);
    this.#id(lastId);
  }

  consumer(name: string): void {
    this.#digest.mixText(`consumer ${name}`);
  }

  pending(id: StreamId, deliveredMs: number, deliveries: bigint): void {
    this.#digest.mixText(`${deliveredMs} ${deliveries}`);
    this.#id(id);
  }

  entryEnd(entry: RdbEntry): void {
    this.#take(entry, this.#digest);
  }

  #id(id: StreamId): void {
    this.#digest.mixWord(id.msHigh);
    this.#digest.mixWord(id.msLow);
    this.#digest.mixWord(id.seqHigh);
    this.#digest.mixWord(id.seqLow);
  }
}
