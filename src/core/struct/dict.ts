/**
 * The dict: a hash table of arena entries, grown and shrunk one bucket at a time (linear hashing).
 *
 *     directory  segment addresses; a segment is one arena block of up to 1,024 buckets
 *     bucket     64 bytes, 12 slots, the size of a cache line:
 *
 *         word 0        bits 0-11 which slots hold an entry; bit 12: slot 11 holds a further bucket
 *         words 1-3     12 tags, one byte each: the top byte of the entry's hash
 *         words 4-15    12 entry addresses
 *
 * With L = level and S = split, there are 2^L + S buckets. A hash belongs to bucket h mod 2^L, or
 * to h mod 2^(L+1) where the first is below S, because those have been split already:
 *
 *     0 ........ S ................ 2^L ........ 2^L + S
 *     [ split    | not yet split    | the new halves ]
 *
 * An insert that finds more than LOAD_MAX entries a bucket splits bucket S; a delete that finds
 * fewer than LOAD_MIN merges the last bucket into its sibling. So growth costs the same at every
 * size, no second table is ever held, and memory follows the number of entries smoothly.
 *
 * SCAN: a cursor counts through bucket numbers with its bits reversed, over the smaller of the two
 * address spaces, and visits a bucket together with its new half. An entry only ever moves between
 * a bucket and that half, so whoever stays from the first call to the last is seen at least once,
 * whatever the table does in between (the guarantee of Redis's SCAN, and its cursor).
 *
 * A look-up compares tags four at a time and touches an entry only where the tag agrees: a miss
 * reads one or two cache lines, and a wrong tag agrees once in 256.
 *
 * Limits: 2^32 - 1 entries. `find*` and `collect` leave their results in fields, so that they
 * allocate nothing.
 */
import type { Arena } from '../memory/arena.ts';
import { halfSipHash } from '../memory/halfsiphash.ts';
import { touchEntries } from './dict-ahead.ts';
import { firstPicked, PICKS_AHEAD, pickedBuckets, SlotReach } from './dict-pick.ts';
import { entryKeyEquals, entryKeyHash } from './entry.ts';
import { type HashSeed, type KnownHash, NOTHING_KNOWN } from './key-hash.ts';
import { reverseBits } from './reverse-bits.ts';

const SEGMENT_SHIFT = 10;
const SEGMENT_BUCKETS = 1 << SEGMENT_SHIFT;
const BUCKET_BYTES = 64;
const SLOTS = 12;
const ALL_SLOTS = 0xfff;
const CHAINED = 1 << 12;
const LAST_SLOT = 1 << 11;
const LOAD_MAX = 6.5;
const LOAD_MIN = 2;
const PICK_ROUNDS_MAX = 200;
const TWO_32 = 0x1_0000_0000;

/** Entries of a bucket that is split, merged or counted; a caller may be reading `collected`. */
const moving: number[] = [];

export class Dict {
  /** Entries held. */
  count = 0;
  /** What the last `collect` found: addresses in `collected[0 .. collectedCount)`. */
  collected: number[] = [];
  collectedCount = 0;

  /** The key whose hash is known. */
  private readonly known: KnownHash;
  private readonly arena: Arena;
  private readonly seed0: number;
  private readonly seed1: number;
  private readonly reach = new SlotReach();
  private directory: number[] = [];
  private buckets = 1;
  private level = 0;
  private split = 0;
  /** 2^level - 1 and 2^(level+1) - 1, kept because every look-up wants them. */
  private smallMask = 0;
  private bigMask = 1;
  /** Bytes of overflow buckets and segments, so that memory questions need no walk. */
  private tableBytes = 0;
  /** Where the last `find` found its entry. */
  private foundBucket = 0;
  private foundSlot = 0;

  constructor(arena: Arena, seed: HashSeed, known: KnownHash = NOTHING_KNOWN) {
    this.known = known;
    this.arena = arena;
    this.seed0 = seed.seed0;
    this.seed1 = seed.seed1;
    this.directory = [this.newSegment(1)];
  }

  /** Hash of a key as this dict sees it. */
  hash(key: Uint8Array, offset: number, length: number): number {
    const { known } = this;
    if (known.is(key, offset, length)) return known.hash;
    return halfSipHash(key, offset, length, this.seed0, this.seed1);
  }

  /** Address of the entry with this key, or 0. */
  find(key: Uint8Array, offset: number, length: number): number {
    return this.findHashed(key, offset, length, this.hash(key, offset, length));
  }

  /** Like `find`, for a caller that has the hash already. */
  findHashed(key: Uint8Array, offset: number, length: number, hash: number): number {
    const arena = this.arena;
    const pattern = (hash >>> 24) * 0x01010101;
    let bucket = this.bucketAt(this.bucketOf(hash));
    for (;;) {
      const words = arena.u32[bucket >>> 19]!;
      const at = (bucket & 0x7ffff) << 1;
      const meta = words[at]!;
      for (let group = 0; group < 3; group++) {
        const x = words[at + 1 + group]! ^ pattern;
        let match = (x - 0x01010101) & ~x & 0x80808080;
        while (match !== 0) {
          const slot = (group << 2) + ((31 - Math.clz32(match & -match)) >>> 3);
          match &= match - 1;
          if (((meta >>> slot) & 1) === 0) continue;
          const address = words[at + 4 + slot]!;
          if (entryKeyEquals(arena, address, key, offset, length)) {
            this.foundBucket = bucket;
            this.foundSlot = slot;
            return address;
          }
        }
      }
      if ((meta & CHAINED) === 0) return 0;
      bucket = words[at + 15]!;
    }
  }

  /** Adds an entry whose key is known to be absent. `hash` is that of its key. */
  insert(address: number, hash: number): void {
    this.put(this.bucketAt(this.bucketOf(hash)), address, hash >>> 24);
    this.count++;
    if (this.count > this.buckets * LOAD_MAX) this.splitOne();
  }

  /**
   * Makes the table as large as `entries` will want it, so that inserting them splits nothing
   * (measured: 0.5 us an entry instead of 1.1). A large table is best reserved in steps, but one
   * without entries gets its buckets at once: there is nothing to move.
   */
  reserve(entries: number): void {
    const wanted = Math.ceil(entries / LOAD_MAX);
    if (this.count === 0) {
      for (; this.buckets < wanted; this.buckets++) this.addBucket(this.buckets);
      const level = 31 - Math.clz32(this.buckets);
      this.setLevel(level, this.buckets - (1 << level));
    }
    while (this.buckets < wanted) this.splitOne();
  }

  /** Takes out the entry that the last `find` found. Its block is the caller's to free. */
  removeFound(): void {
    const bucket = this.foundBucket;
    const words = this.arena.u32[bucket >>> 19]!;
    const at = (bucket & 0x7ffff) << 1;
    words[at] = words[at]! & ~(1 << this.foundSlot);
    this.known.left(words[at + 4 + this.foundSlot]!);
    this.count--;
    for (let i = 0; i < 2 && this.buckets > 1 && this.count < this.buckets * LOAD_MIN; i++) {
      this.mergeOne();
    }
  }

  /** The entry that the last `find` found now lives at `address`. */
  replaceFound(address: number): void {
    const words = this.arena.u32[this.foundBucket >>> 19]!;
    const at = ((this.foundBucket & 0x7ffff) << 1) + 4 + this.foundSlot;
    this.known.left(words[at]!);
    words[at] = address;
  }

  /** The entry at `from`, whose key has this hash, now lives at `to`. */
  relocate(from: number, to: number, hash: number): void {
    this.locate(from, hash);
    this.replaceFound(to);
  }

  /** Takes out the entry at `address`, found by its own key. */
  removeAddress(address: number): void {
    this.locate(address, this.hashOf(address));
    this.removeFound();
  }

  /** Hash of the key of the entry at `address`. */
  hashOf(address: number): number {
    return entryKeyHash(this.arena, address, this.seed0, this.seed1);
  }

  /**
   * One step of a scan: puts the entries of one bucket and of its new half into `collected` and
   * returns the next cursor, 0 at the end.
   */
  collect(cursor: number): number {
    this.collectedCount = 0;
    return this.collectMore(cursor);
  }

  /** Like `collect`, but keeps what is collected already and adds behind it. */
  collectMore(cursor: number): number {
    const mask = this.smallMask;
    const small = (cursor & mask) >>> 0;
    this.collectBucket(this.bucketAt(small));
    if (small < this.split) this.collectBucket(this.bucketAt(small + this.smallMask + 1));
    return reverseBits((reverseBits((cursor | ~mask) >>> 0) + 1) >>> 0);
  }

  /** Bits of a hash that tell apart as many groups of entries as there are buckets, about. */
  get groupBits(): number {
    return this.level;
  }

  /**
   * Puts the entries whose hashes end in `group`, a number of `bits` bits, into `out` and returns
   * how many they are. Unlike buckets, groups stay what they are while the table grows and shrinks.
   */
  groupInto(group: number, bits: number, out: number[]): number {
    if (bits > this.level) return this.ownGroupInto(group, bits, out);
    let found = 0;
    for (let index = group; index < this.buckets; index += 1 << bits) {
      found = this.chainInto(this.bucketAt(index), out, found);
    }
    return found;
  }

  /** Like `groupInto`, for a bucket that holds entries of several groups. */
  private ownGroupInto(group: number, bits: number, out: number[]): number {
    const all = this.chainInto(this.bucketAt(this.bucketOf(group)), out, 0);
    const mask = (2 ** bits - 1) | 0;
    let found = 0;
    for (let i = 0; i < all; i++) {
      if ((this.hashOf(out[i]!) & mask) === (group | 0)) out[found++] = out[i]!;
    }
    return found;
  }

  /** A fair random entry, 0 when there is none. `random` gives 32 random bits. */
  randomEntry(random: () => number): number {
    if (this.count === 0) return 0;
    for (let round = 0; round < PICK_ROUNDS_MAX; round++) {
      for (let i = 0; i < PICKS_AHEAD; i++) {
        pickedBuckets[i] = this.bucketAt(Math.floor((random() * this.buckets) / TWO_32));
      }
      const address = firstPicked(this.arena, random, this.reach.slots);
      if (address !== 0) return address;
      const looked = Math.min(this.reach.at, this.buckets - 1);
      this.reach.look(this.arena, this.bucketAt(looked), this.buckets);
    }
    let left = Math.floor((random() * this.count) / TWO_32);
    for (let index = 0; ; index++) {
      const size = this.bucketSize(index);
      if (left < size) return moving[left]!;
      left -= size;
    }
  }

  /** Bytes of the table itself. */
  get overheadBytes(): number {
    return this.tableBytes;
  }

  /** Entries of one bucket and of those that hang from it, for introspection. */
  bucketSize(index: number): number {
    return this.chainInto(this.bucketAt(index), moving, 0);
  }

  /** Number of buckets, for introspection. */
  get bucketCount(): number {
    return this.buckets;
  }

  /**
   * Empties the table in steps, to free it in slices: takes out up to `limit` or a few more entries
   * into `collected`, says whether any are left. No other call may stand between first and last.
   */
  drain(limit: number): boolean {
    this.collectedCount = 0;
    while (this.buckets > 0 && this.collectedCount < limit) {
      this.buckets--;
      const bucket = this.bucketAt(this.buckets);
      this.collectBucket(bucket);
      this.freeChain(bucket);
      if (this.buckets % SEGMENT_BUCKETS === 0) this.freeSegment();
    }
    this.count -= this.collectedCount;
    return this.buckets > 0;
  }

  /** Address of the bucket where a key with this hash is, or would be. */
  bucketFor(hash: number): number {
    return this.bucketAt(this.bucketOf(hash));
  }

  private bucketOf(hash: number): number {
    const small = (hash & this.smallMask) >>> 0;
    return small < this.split ? (hash & this.bigMask) >>> 0 : small;
  }

  private bucketAt(index: number): number {
    return this.directory[index >>> SEGMENT_SHIFT]! + ((index & (SEGMENT_BUCKETS - 1)) << 3);
  }

  /** Sets the found position to the slot that holds `address`. */
  private locate(address: number, hash: number): void {
    let bucket = this.bucketAt(this.bucketOf(hash));
    for (;;) {
      const words = this.arena.u32[bucket >>> 19]!;
      const at = (bucket & 0x7ffff) << 1;
      const meta = words[at]!;
      for (let slot = 0; slot < SLOTS; slot++) {
        if (((meta >>> slot) & 1) !== 0 && words[at + 4 + slot] === address) {
          this.foundBucket = bucket;
          this.foundSlot = slot;
          return;
        }
      }
      if ((meta & CHAINED) === 0) throw new Error('dict: an entry is not where its key says');
      bucket = words[at + 15]!;
    }
  }

  private put(first: number, address: number, tag: number): void {
    let bucket = first;
    let before = 0;
    for (;;) {
      const words = this.arena.u32[bucket >>> 19]!;
      const at = (bucket & 0x7ffff) << 1;
      const meta = words[at]!;
      const chained = (meta & CHAINED) !== 0;
      const free = ~meta & (chained ? ALL_SLOTS & ~LAST_SLOT : ALL_SLOTS);
      if (free !== 0) {
        const slot = 31 - Math.clz32(free & -free);
        words[at] = meta | (1 << slot);
        this.arena.u8[bucket >>> 19]![(at << 2) + 4 + slot] = tag;
        words[at + 4 + slot] = address;
        if (before > SLOTS) this.reach.note(before + slot);
        return;
      }
      before += SLOTS;
      if (chained) {
        bucket = words[at + 15]!;
        continue;
      }
      const child = this.arena.alloc(BUCKET_BYTES);
      this.tableBytes += BUCKET_BYTES;
      this.clearBucket(child);
      this.put(child, words[at + 15]!, this.arena.u8[bucket >>> 19]![(at << 2) + 15]!);
      words[at] = (meta & ~LAST_SLOT) | CHAINED;
      words[at + 15] = child;
      bucket = child;
    }
  }

  private clearBucket(bucket: number): void {
    this.arena.u32[bucket >>> 19]![(bucket & 0x7ffff) << 1] = 0;
  }

  private collectBucket(first: number): void {
    this.collectedCount = this.chainInto(first, this.collected, this.collectedCount);
  }

  /** Appends the entries of a bucket and those that hang from it to `out`; its new length. */
  private chainInto(first: number, out: number[], from: number): number {
    let found = from;
    let bucket = first;
    for (;;) {
      const words = this.arena.u32[bucket >>> 19]!;
      const at = (bucket & 0x7ffff) << 1;
      const meta = words[at]!;
      for (let slot = 0; slot < SLOTS; slot++) {
        if (((meta >>> slot) & 1) !== 0) out[found++] = words[at + 4 + slot]!;
      }
      if ((meta & CHAINED) === 0) break;
      bucket = words[at + 15]!;
    }
    return found;
  }

  /** Frees the buckets that hang from `first` and clears it. */
  private freeChain(first: number): void {
    let words = this.arena.u32[first >>> 19]!;
    let at = (first & 0x7ffff) << 1;
    let chained = (words[at]! & CHAINED) !== 0;
    let next = words[at + 15]!;
    words[at] = 0;
    while (chained) {
      const bucket = next;
      words = this.arena.u32[bucket >>> 19]!;
      at = (bucket & 0x7ffff) << 1;
      chained = (words[at]! & CHAINED) !== 0;
      next = words[at + 15]!;
      this.arena.free(bucket);
      this.tableBytes -= BUCKET_BYTES;
    }
  }

  private splitOne(): void {
    const old = this.split;
    const fresh = this.buckets;
    this.addBucket(fresh);
    this.buckets++;
    this.split++;
    if (this.split > this.smallMask) this.setLevel(this.level + 1, 0);
    this.rehashBucket(this.bucketAt(old));
  }

  /** Puts every entry of a bucket where the present level and split say. */
  private rehashBucket(bucket: number): void {
    const count = this.chainInto(bucket, moving, 0);
    this.freeChain(bucket);
    touchEntries(this.arena, moving, count);
    for (let i = 0; i < count; i++) {
      const address = moving[i]!;
      const hash = this.hashOf(address);
      this.put(this.bucketAt(this.bucketOf(hash)), address, hash >>> 24);
    }
  }

  private setLevel(level: number, split: number): void {
    this.level = level;
    this.split = split; // powers are doubles, and a field that held one holds them for ever
    this.smallMask = (1 << level) - 1;
    this.bigMask = (2 << level) - 1;
  }

  private mergeOne(): void {
    if (this.split === 0) this.setLevel(this.level - 1, 1 << (this.level - 1));
    this.split--;
    this.buckets--;
    const last = this.bucketAt(this.buckets);
    this.rehashBucket(last);
    this.dropBucket();
  }

  /** Makes room for bucket number `index`, which is the next one. */
  private addBucket(index: number): void {
    if (index >= SEGMENT_BUCKETS) {
      if ((index & (SEGMENT_BUCKETS - 1)) === 0) {
        this.directory.push(this.newSegment(SEGMENT_BUCKETS));
      }
      this.clearBucket(this.bucketAt(index));
      return;
    }
    const have = this.arena.sizeOf(this.directory[0]!) / BUCKET_BYTES;
    if (index >= have) this.resizeFirst(Math.min(SEGMENT_BUCKETS, have * 2));
    this.clearBucket(this.bucketAt(index));
  }

  /** Bucket number `buckets` has just been emptied: gives back what no bucket uses any more. */
  private dropBucket(): void {
    if (this.buckets >= SEGMENT_BUCKETS) {
      if ((this.buckets & (SEGMENT_BUCKETS - 1)) === 0) this.freeSegment();
      return;
    }
    const have = this.arena.sizeOf(this.directory[0]!) / BUCKET_BYTES;
    if (this.buckets * 4 <= have) this.resizeFirst(have / 2);
  }

  private resizeFirst(buckets: number): void {
    const old = this.directory[0]!;
    const fresh = this.newSegment(buckets);
    const kept = Math.min(this.buckets, buckets) * (BUCKET_BYTES >>> 2);
    const from = (old & 0x7ffff) << 1;
    const words = this.arena.u32[old >>> 19]!;
    this.arena.u32[fresh >>> 19]!.set(words.subarray(from, from + kept), (fresh & 0x7ffff) << 1);
    this.directory[0] = fresh;
    this.tableBytes -= this.arena.sizeOf(old);
    this.arena.free(old);
  }

  private newSegment(buckets: number): number {
    const address = this.arena.alloc(buckets * BUCKET_BYTES);
    this.tableBytes += this.arena.sizeOf(address);
    if (buckets === 1) this.clearBucket(address);
    return address;
  }

  private freeSegment(): void {
    const address = this.directory.pop();
    if (address === undefined) return;
    this.tableBytes -= this.arena.sizeOf(address);
    this.arena.free(address);
  }
}
