/**
 * Digests of the values of an RDB, as core/digest.ts makes them: the order of a set's members, of a
 * hash's fields and of a sorted set's members makes no difference, nor how any of them is packed.
 *
 * To what DEBUG DIGEST takes in, this adds what it leaves out: expiries of fields, and of a stream
 * its ids and its groups with what is pending. The expiry of the key itself is not part of it, nor
 * when a consumer was seen last.
 */
import { Digest } from '../core/digest.ts';
import type { StreamId } from '../core/struct/stream-id.ts';
import { SCORE_TEXT_MAX, writeScore } from '../core/text/score.ts';
import type { ByteView } from '../core/value.ts';
import { type RdbEntry, type RdbVisitor, rdbKind, type StreamFacts } from './rdb-walk.ts';

const KINDS = ['string', 'list', 'set', 'zset', 'hash', 'module', 'stream'] as const;

/** Digests each value that a walk shows and hands it to `take`, which must copy it. */
export class ValueDigests implements RdbVisitor {
  readonly #take: (entry: RdbEntry, digest: Digest) => void;
  readonly #wants: (entry: RdbEntry) => boolean;
  readonly #digest = new Digest();
  readonly #pair = new Digest();
  readonly #functions: Digest;
  readonly #score = new Uint8Array(SCORE_TEXT_MAX);

  /** `functions` is made the digest of the libraries of functions. */
  constructor(
    functions: Digest,
    wants: (entry: RdbEntry) => boolean,
    take: (entry: RdbEntry, digest: Digest) => void,
  ) {
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
    this.#digest.mixNumber(KINDS.indexOf(rdbKind(entry.type)));
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
    this.#digest.mixText(id.toString().replace('-', '.'));
  }

  streamField(field: ByteView, value: ByteView): void {
    this.#digest.mix(field.bytes, field.offset, field.length);
    this.#digest.mix(value.bytes, value.offset, value.length);
  }

  streamFacts(facts: StreamFacts): void {
    const { entriesAdded, lastId, maxDeletedId } = facts;
    this.#digest.mixText(`last ${lastId.toString()}`);
    this.#digest.mixText(`deleted ${maxDeletedId.toString()} added ${entriesAdded}`);
  }

  group(name: string, lastId: StreamId, entriesRead: bigint): void {
    this.#digest.mixText(`group ${name}`);
    this.#digest.mixText(`${lastId.toString()} ${entriesRead}`);
  }

  consumer(name: string): void {
    this.#digest.mixText(`consumer ${name}`);
  }

  pending(id: StreamId, deliveredMs: number, deliveries: bigint): void {
    this.#digest.mixText(`${id.toString()} ${deliveredMs} ${deliveries}`);
  }

  entryEnd(entry: RdbEntry): void {
    this.#take(entry, this.#digest);
  }
}
