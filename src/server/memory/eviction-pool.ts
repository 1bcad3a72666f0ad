/**
 * The eviction pool: the best candidates of the samples taken so far, so that a handful of random
 * keys at a time comes close to the true order.
 *
 *     worst                                            best
 *     [ rank 3 ][ rank 7 ][ rank 7 ][ rank 90 ] [ empty ] ... 16 places
 *
 * Each sample is put in its place by rank, pushing the worst out when the pool is full; the best
 * one is taken first. Candidates are kept by key, not by address: a key may be gone, or used, by
 * the time its turn comes. The algorithm is that of Redis 3.0's LRU.
 *
 * Invariants: ranks rise from place 0 to `count - 1`; keys[i] holds keyLengths[i] bytes.
 */
const PLACES = 16;
/** Keys up to this length share buffers that stay; longer ones are copied anew. */
const KEY_ROOM = 256;

export class EvictionPool {
  count = 0;
  /** The key and database of the candidate that `take` took last. */
  key: Uint8Array = new Uint8Array(KEY_ROOM);
  keyLength = 0;
  db = 0;

  private readonly ranks = new Float64Array(PLACES);
  private readonly dbs = new Int32Array(PLACES);
  private readonly keyLengths = new Int32Array(PLACES);
  private readonly keys: Uint8Array[] = [];

  constructor() {
    for (let i = 0; i < PLACES; i++) this.keys.push(new Uint8Array(KEY_ROOM));
  }

  clear(): void {
    this.count = 0;
  }

  /** Considers a key; `rank` is higher the better it is to evict it. */
  offer(rank: number, db: number, bytes: Uint8Array, offset: number, length: number): void {
    let place = 0;
    while (place < this.count && this.ranks[place]! < rank) place++;
    if (this.count === PLACES) {
      if (place === 0) return;
      place--;
      this.rotate(0, place, 1);
    } else {
      this.rotate(place, this.count, -1);
      this.count++;
    }
    this.ranks[place] = rank;
    this.dbs[place] = db;
    this.keyLengths[place] = length;
    let room = this.keys[place]!;
    if (length > room.length || room.length > KEY_ROOM) {
      room = new Uint8Array(Math.max(length, KEY_ROOM));
      this.keys[place] = room;
    }
    for (let i = 0; i < length; i++) room[i] = bytes[offset + i]!;
  }

  /** Takes the best candidate out, into `key`, `keyLength` and `db`; false when there is none. */
  take(): boolean {
    if (this.count === 0) return false;
    const place = --this.count;
    this.key = this.keys[place]!;
    this.keyLength = this.keyLengths[place]!;
    this.db = this.dbs[place]!;
    return true;
  }

  /**
   * Moves the candidates between `from` and `to` by one: with `step` 1 down, so that `from` is
   * overwritten and place `to` is free; with -1 up, so that `to` is overwritten and place `from` is
   * free. Buffers go round.
   */
  private rotate(from: number, to: number, step: number): void {
    const first = step === 1 ? from : to;
    const last = step === 1 ? to : from;
    const spare = this.keys[first]!;
    for (let i = first; i !== last; i += step) {
      this.ranks[i] = this.ranks[i + step]!;
      this.dbs[i] = this.dbs[i + step]!;
      this.keyLengths[i] = this.keyLengths[i + step]!;
      this.keys[i] = this.keys[i + step]!;
    }
    this.keys[last] = spare;
  }
}
