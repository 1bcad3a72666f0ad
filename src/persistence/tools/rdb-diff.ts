/**
 * Comparing two RDB files, whatever the order of their keys.
 *
 *     1 A    each key's digest, its value's and its expiry go into a table, of 55 to 110 bytes a
 *            key
 *     2 B    each key is looked up: not there -> only in B; there -> marked, and compared
 *     3 A    again, values passed over: keys without a mark -> only in A
 *
 * So memory is bounded by the number of keys of A, whatever the size of their values, and no key
 * is held. Keys are told apart by 128 bits of keyed hashes, values by another 128.
 */
import { randomBytes } from 'node:crypto';
import type { RdbReader } from '../rdb/rdb-reader.ts';
import { type RdbEntry, RdbWalk, rdbKind } from '../rdb/rdb-walk.ts';
import { DIGEST_WORDS, QuickDigest, SEED_WORDS } from './quick-digest.ts';
import { ValueDigests } from './rdb-digests.ts';

export interface RdbDifference {
  readonly kind: 'only-in-a' | 'only-in-b' | 'value' | 'ttl' | 'value-and-ttl';
  readonly db: number;
  /** The key's bytes, borrowed during the call of `found`. */
  readonly key: Uint8Array;
  /** The type of the key in the file where it was met. */
  readonly type: string;
  /** Expiries in A and in B, null for none; only where both have the key. */
  readonly expireAtMs?: readonly [a: number | null, b: number | null];
}

export interface RdbDiffOptions {
  readonly wants: (entry: RdbEntry) => boolean;
  /** Whether expiries do not count as a difference. */
  readonly ignoreTtl: boolean;
  readonly found: (difference: RdbDifference) => void;
}

export interface RdbDiffResult {
  readonly isSame: boolean;
  readonly keysA: number;
  readonly keysB: number;
  readonly onlyInA: number;
  readonly onlyInB: number;
  readonly values: number;
  readonly ttls: number;
  /** Whether the libraries of functions are not the same. */
  readonly functionsDiffer: boolean;
}

/**
 * Compares; `openA` gives a fresh reader each time, for the two ways through A. Throws an
 * `RdbError`.
 */
export function diffRdb(
  openA: () => RdbReader,
  openB: () => RdbReader,
  options: RdbDiffOptions,
): RdbDiffResult {
  return new Comparison(options).run(openA, openB);
}

class Comparison {
  readonly #options: RdbDiffOptions;
  readonly #table = new DigestTable();
  readonly #seed: Int32Array;
  readonly #keyDigest: QuickDigest;
  readonly #functionsA: QuickDigest;
  readonly #functionsB: QuickDigest;
  #keysB = 0;
  #onlyInA = 0;
  #onlyInB = 0;
  #values = 0;
  #ttls = 0;

  constructor(options: RdbDiffOptions) {
    this.#options = options;
    this.#seed = Int32Array.from({ length: SEED_WORDS }, () => randomBytes(4).readInt32LE());
    this.#keyDigest = new QuickDigest(this.#seed);
    this.#functionsA = new QuickDigest(this.#seed);
    this.#functionsB = new QuickDigest(this.#seed);
  }

  run(openA: () => RdbReader, openB: () => RdbReader): RdbDiffResult {
    this.#walk(openA(), this.#functionsA, (entry, value) => {
      this.#table.put(this.#digestOf(entry), value, expiryOf(entry));
    });
    this.#walk(openB(), this.#functionsB, (entry, value) => this.#compare(entry, value));
    if (this.#table.unmarked > 0) this.#findLeftOver(openA());
    const functionsDiffer = !this.#functionsA.equals(this.#functionsB);
    const found = this.#onlyInA + this.#onlyInB + this.#values + this.#ttls;
    return {
      isSame: found === 0 && !functionsDiffer,
      keysA: this.#table.count,
      keysB: this.#keysB,
      onlyInA: this.#onlyInA,
      onlyInB: this.#onlyInB,
      values: this.#values,
      ttls: this.#ttls,
      functionsDiffer,
    };
  }

  #walk(
    reader: RdbReader,
    functions: QuickDigest,
    take: (entry: RdbEntry, value: QuickDigest) => void,
  ): void {
    new RdbWalk(reader, new ValueDigests(this.#seed, functions, this.#options.wants, take)).run();
  }

  #digestOf(entry: RdbEntry): QuickDigest {
    const digest = this.#keyDigest;
    digest.clear();
    digest.mixWord(entry.db);
    digest.mix(entry.key, 0, entry.keyLength);
    return digest;
  }

  #compare(entry: RdbEntry, value: QuickDigest): void {
    this.#keysB++;
    const table = this.#table;
    const at = table.find(this.#digestOf(entry));
    if (at < 0) {
      this.#onlyInB++;
      this.#tell('only-in-b', entry);
      return;
    }
    table.mark(at);
    const isOtherValue = !table.hasValue(at, value);
    const expiryA = table.expiry(at);
    const expiryB = expiryOf(entry);
    const isOtherTtl = !this.#options.ignoreTtl && !Object.is(expiryA, expiryB);
    if (isOtherValue) this.#values++;
    if (isOtherTtl) this.#ttls++;
    if (!isOtherValue && !isOtherTtl) return;
    const kind = isOtherValue && isOtherTtl ? 'value-and-ttl' : isOtherValue ? 'value' : 'ttl';
    this.#tell(kind, entry, [expiryA, expiryB]);
  }

  #findLeftOver(reader: RdbReader): void {
    const { wants } = this.#options;
    const walk = new RdbWalk(reader, {
      entry: (entry) => {
        if (!wants(entry)) return false;
        if (this.#table.isMarked(this.#table.find(this.#digestOf(entry)))) return false;
        this.#onlyInA++;
        this.#tell('only-in-a', entry);
        return false;
      },
    });
    walk.run();
  }

  #tell(
    kind: RdbDifference['kind'],
    entry: RdbEntry,
    expiries?: readonly [a: number, b: number],
  ): void {
    const type = rdbKind(entry.type);
    const { db } = entry;
    const key = entry.keyBytes();
    if (expiries === undefined) this.#options.found({ kind, db, key, type });
    else {
      const [a, b] = expiries;
      const expireAtMs = [orNull(a), orNull(b)] as const;
      this.#options.found({ kind, db, key, type, expireAtMs });
    }
  }
}

/** The expiry of a key, NaN for none. */
function expiryOf(entry: RdbEntry): number {
  return entry.hasExpiry ? entry.expiryMs : Number.NaN;
}

function orNull(expiryMs: number): number | null {
  return Number.isNaN(expiryMs) ? null : expiryMs;
}

const FIRST_SLOTS = 1024;
const WORDS = 8;
const TAKEN = 1;
const MARKED = 2;

/**
 * Keys and values by their digests.
 *
 *     words      [ 4 words of the key's digest, 4 of the value's ] a slot
 *     expiries   ms since 1970, NaN for none
 *     states     0 free, TAKEN, TAKEN | MARKED
 */
class DigestTable {
  count = 0;
  unmarked = 0;
  #slots = FIRST_SLOTS;
  #words = new Int32Array(FIRST_SLOTS * WORDS);
  #expiries = new Float64Array(FIRST_SLOTS);
  #states = new Uint8Array(FIRST_SLOTS);

  /** Notes a key. One that comes twice keeps what came last, as where it is loaded. */
  put(key: QuickDigest, value: QuickDigest, expiryMs: number): void {
    if (this.count * 4 >= this.#slots * 3) this.#grow();
    const at = this.#seek(key.words, 0);
    if (this.#states[at] === 0) {
      this.count++;
      this.unmarked++;
    }
    this.#states[at] = TAKEN;
    this.#words.set(key.words, at * WORDS);
    this.#words.set(value.words, at * WORDS + DIGEST_WORDS);
    this.#expiries[at] = expiryMs;
  }

  /** The place of a key, -1 when it is not there. */
  find(key: QuickDigest): number {
    const at = this.#seek(key.words, 0);
    return this.#states[at] === 0 ? -1 : at;
  }

  hasValue(at: number, value: QuickDigest): boolean {
    return this.#sameWords(at * WORDS + DIGEST_WORDS, value.words, 0);
  }

  expiry(at: number): number {
    return this.#expiries[at]!;
  }

  mark(at: number): void {
    if (this.#states[at] === TAKEN) this.unmarked--;
    this.#states[at] = TAKEN | MARKED;
  }

  isMarked(at: number): boolean {
    return at >= 0 && this.#states[at] === (TAKEN | MARKED);
  }

  /** The slot of the key at `from[off]`, or the free one where it would go. */
  #seek(from: Int32Array, off: number): number {
    const mask = this.#slots - 1;
    let at = from[off]! & mask;
    while (this.#states[at] !== 0 && !this.#sameWords(at * WORDS, from, off)) at = (at + 1) & mask;
    return at;
  }

  #sameWords(at: number, from: Int32Array, off: number): boolean {
    for (let i = 0; i < DIGEST_WORDS; i++) if (this.#words[at + i] !== from[off + i]) return false;
    return true;
  }

  #grow(): void {
    const words = this.#words;
    const expiries = this.#expiries;
    const states = this.#states;
    const before = this.#slots;
    this.#slots *= 2;
    this.#words = new Int32Array(this.#slots * WORDS);
    this.#expiries = new Float64Array(this.#slots);
    this.#states = new Uint8Array(this.#slots);
    for (let i = 0; i < before; i++) {
      if (states[i] === 0) continue;
      const at = this.#seek(words, i * WORDS);
      this.#words.set(words.subarray(i * WORDS, (i + 1) * WORDS), at * WORDS);
      this.#expiries[at] = expiries[i]!;
      this.#states[at] = states[i]!;
    }
  }
}
