/**
 * Looking ahead: the keys of several commands are looked for together before the first one runs.
 *
 * In a table of millions of keys a look-up waits for memory twice: for the bucket, then for the
 * entry. Commands run one after the other, so a pipeline would wait twice for each. Here the same
 * places are read for all of them first, in loops in which no load depends on another, and a core
 * has many such loads under way at once:
 *
 *     hashes     h1 h2 h3 ... h16         computed once; the commands find them in `known`
 *     buckets    b1 b2 b3 ... b16         read one after the other, waited for together
 *     entries    e1 e2 e3 ... e16         the first slot whose tag agrees; both its cache lines
 *     found      e1 0  e3 ... e16         those that have the key
 *
 * Where an entry is a large hash, set or zset, the same is done once more for the element that the
 * command asks for. A command of many keys has them looked for while it runs (`lookKeys`).
 *
 * It changes nothing. What was found is taken by its command only if the entry has surely not been
 * taken out of its dict or replaced there since (`known.left`; one that is added has another key),
 * and if the command looks into the same dict; else it is looked for again.
 *
 * The first argument is taken for a key, the next for an element (the one after it where a score
 * stands between). Where that is wrong, a few reads were wasted; a command without arguments is
 * passed over (its bucket is HUGE_BASE, which is none).
 *
 * Measured (1,000,000 keys, GET, 16 a pipeline): a command takes 0.65 of the time.
 */
import type { EntryStore } from './entry-store.ts';
import { HUGE_BASE } from './memory/arena.ts';
import type { Args } from './resp/args.ts';
import { AHEAD_MAX, type ParsedAhead } from './resp/parsed-ahead.ts';
import type { Dict } from './struct/dict.ts';
import { entryKeyEquals } from './struct/entry.ts';
import { KnownHash } from './struct/key-hash.ts';
import { HEAD_LARGE, headOf, TYPE_ZSET, typeOf } from './value.ts';

/** Words of a chunk, less one. */
const CHUNK_WORD_MASK = (1 << 20) - 1;
/** Words from an entry's beginning to what may be its second cache line. */
const NEXT_LINE = 8;
const NO_DICTS: readonly Dict[] = [];
/** Smaller tables are in the cache anyway. */
const INSIDE_COUNT_MIN = 4096;

export class KeyAhead {
  /** The hash of the key of the command that runs now. */
  readonly known = new KnownHash();
  private readonly store: EntryStore;
  private readonly hashes = new Int32Array(AHEAD_MAX);
  private readonly buckets = new Uint32Array(AHEAD_MAX);
  /** What buckets are thought to hold, 0 for nothing. */
  private readonly entries = new Uint32Array(AHEAD_MAX);
  private readonly insideHashes = new Int32Array(AHEAD_MAX);
  /** Entries that were found, 0 for none: each command's, then each argument's of `lookKeys`. */
  private readonly found = new Uint32Array(AHEAD_MAX * 2);
  /** The dicts of both. */
  private dicts: readonly Dict[] = NO_DICTS;
  private keysDict: Dict | null = null;
  /** Which of `found` the key that is looked for next has, and in which dict. */
  private at = 0;
  private dict: Dict | null = null;
  /** The arguments whose hashes `lookKeys` has put there: from, by steps, to before the end. */
  private keysFrom = 0;
  private keysEnd = 0;
  private keysStep = 1;
  /** What was read, mixed, so that the compiler cannot drop the reads. */
  private sink = 0;

  constructor(store: EntryStore) {
    this.store = store;
  }

  /** Reads what the commands of `batch` will look for, each in its dict. */
  look(dicts: readonly Dict[], batch: ParsedAhead): void {
    const { buckets, entries, hashes } = this;
    const { args, count } = batch;
    let isLarge = false;
    let found = 0;
    for (let i = 0; i < count; i++) {
      const one = args[i]!;
      if (one.count === 1) continue;
      const dict = dicts[i]!;
      const hash = dict.hash(one.bytes[1]!, one.offsets[1]!, one.lengths[1]!);
      hashes[i] = hash;
      buckets[found++] = dict.bucketFor(hash);
      if (dict.count >= INSIDE_COUNT_MIN) isLarge = true;
    }
    if (found === 0) return;
    if (isLarge) this.readWords(buckets, found, 0);
    found = 0;
    for (let i = 0; i < count; i++) {
      entries[i] = args[i]!.count > 1 ? this.candidate(buckets[found++]!, hashes[i]!) : 0;
    }
    if (isLarge) this.readWords(entries, count, NEXT_LINE);
    this.dicts = dicts;
    this.known.startOver();
    let heads = 0;
    for (let i = 0; i < count; i++) {
      heads |= this.confirm(i, entries[i]!, args[i]!, 1);
    }
    if ((heads & HEAD_LARGE) !== 0) this.lookInside(batch);
  }

  /**
   * Reads what a command will look for that has many keys: those in the arguments `first`, `first +
   * step` and so on, as many as go together. Returns the argument from which on the next ones are
   * to be read.
   */
  lookKeys(dict: Dict, args: Args, first: number, step: number): number {
    this.keysFrom = first;
    this.keysEnd = first;
    this.keysStep = step;
    if (dict.count < INSIDE_COUNT_MIN || first + step >= args.count) return args.count;
    const { buckets, entries, insideHashes } = this;
    let count = 0;
    let k = first;
    for (; k < args.count && count < AHEAD_MAX; k += step) {
      const hash = dict.hash(args.bytes[k]!, args.offsets[k]!, args.lengths[k]!);
      insideHashes[count] = hash;
      buckets[count++] = dict.bucketFor(hash);
    }
    this.readWords(buckets, count, 0);
    for (let i = 0; i < count; i++) entries[i] = this.candidate(buckets[i]!, insideHashes[i]!);
    this.readWords(entries, count, NEXT_LINE);
    this.keysDict = dict;
    if (this.dicts === NO_DICTS) this.known.startOver();
    for (let i = 0; i < count; i++) {
      this.confirm(AHEAD_MAX + i, entries[i]!, args, first + i * step);
    }
    this.keysEnd = k;
    return k;
  }

  /**
   * The key in argument `k` is looked for next, by who called `lookKeys` last; `forget` what is
   * known when the last one was.
   */
  expectKey(args: Args, k: number): void {
    if (k >= this.keysEnd) return;
    const i = (k - this.keysFrom) / this.keysStep;
    this.known.set(args.bytes[k]!, args.offsets[k]!, args.lengths[k]!, this.insideHashes[i]!);
    this.at = AHEAD_MAX + i;
    this.dict = this.keysDict;
  }

  /** Command `i` of `batch` runs next; without a key, it looks for nothing. */
  expect(batch: ParsedAhead, i: number): void {
    const one = batch.args[i]!;
    if (one.count < 2) return;
    this.known.set(one.bytes[1]!, one.offsets[1]!, one.lengths[1]!, this.hashes[i]!);
    this.at = i;
    this.dict = this.dicts[i]!;
  }

  /** The last command of the batch has run. */
  done(): void {
    this.dicts = NO_DICTS;
    this.known.forget();
  }

  /** Address of the entry with this key, or 0: the one that was found ahead, if it is there yet. */
  find(dict: Dict, key: Uint8Array, offset: number, length: number): number {
    const { known } = this;
    if (this.dict === dict && known.is(key, offset, length)) {
      const entry = this.found[this.at]!;
      if (entry !== 0 && !known.mayHaveLeft(entry)) return entry;
    }
    return dict.find(key, offset, length);
  }

  /** Notes an entry as found if it has the key in argument `k`. Returns its head, or 0. */
  private confirm(i: number, entry: number, args: Args, k: number): number {
    this.found[i] = 0;
    if (entry === 0) return 0;
    const { arena } = this.store;
    if (entryKeyEquals(arena, entry, args.bytes[k]!, args.offsets[k]!, args.lengths[k]!)) {
      this.found[i] = entry;
    }
    return headOf(arena, entry);
  }

  /** Reads what the commands will look for in large collections. */
  private lookInside(batch: ParsedAhead): void {
    const { buckets, entries, insideHashes } = this;
    let found = 0;
    for (let i = 0; i < batch.count; i++) {
      const args = batch.args[i]!;
      const dict = args.count > 2 ? this.insideOf(entries[i]!) : null;
      if (dict === null) continue;
      const k = this.elementOf(args, entries[i]!);
      const hash = dict.hash(args.bytes[k]!, args.offsets[k]!, args.lengths[k]!);
      insideHashes[found] = hash;
      buckets[found++] = dict.bucketFor(hash);
    }
    if (found === 0) return;
    this.readWords(buckets, found, 0);
    for (let i = 0; i < found; i++) entries[i] = this.candidate(buckets[i]!, insideHashes[i]!);
    this.readWords(entries, found, NEXT_LINE);
  }

  /** The dict of a large collection worth looking into, else null. */
  private insideOf(entry: number): Dict | null {
    const { arena } = this.store;
    if (entry === 0 || (headOf(arena, entry) & HEAD_LARGE) === 0) return null;
    const { dict } = this.store.largeOf(entry);
    return dict !== null && dict.count >= INSIDE_COUNT_MIN ? dict : null;
  }

  /** Which argument names the element: ZADD and ZINCRBY have a number before it. */
  private elementOf(args: Args, entry: number): number {
    return args.count > 3 && typeOf(this.store.arena, entry) === TYPE_ZSET ? 3 : 2;
  }

  /** Reads the word at each address, and the one `more` words behind it. */
  private readWords(addresses: Uint32Array, count: number, more: number): void {
    const { u32 } = this.store.arena;
    let { sink } = this;
    for (let i = 0; i < count; i++) {
      const address = addresses[i]!;
      if (address >= HUGE_BASE) continue;
      const words = u32[address >>> 19]!;
      const at = (address & 0x7ffff) << 1;
      sink ^= words[at]! ^ words[(at + more) & CHUNK_WORD_MASK]!;
    }
    this.sink = sink;
  }

  /** The first entry of a bucket whose tag agrees with the hash, or 0. */
  private candidate(bucket: number, hash: number): number {
    const words = this.store.arena.u32[bucket >>> 19]!;
    const at = (bucket & 0x7ffff) << 1;
    const pattern = (hash >>> 24) * 0x01010101;
    for (let group = 0; group < 3; group++) {
      const x = words[at + 1 + group]! ^ pattern;
      const match = (x - 0x01010101) & ~x & 0x80808080;
      if (match === 0) continue;
      const slot = (group << 2) + ((31 - Math.clz32(match & -match)) >>> 3);
      if (((words[at]! >>> slot) & 1) !== 0) return words[at + 4 + slot]!;
    }
    return 0;
  }
}
