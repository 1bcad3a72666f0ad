/**
 * What the hashing of keys needs beside the key: the seed, and a hash that is known already.
 */
const NO_BYTES = new Uint8Array(0);

/** The seed of a server's dicts: two random 32-bit words. */
export interface HashSeed {
  readonly seed0: number;
  readonly seed1: number;
}

/**
 * The hash of one key that was computed ahead: whoever asks for the hash of these very bytes, in
 * this very place, need not compute it again. The bytes are borrowed: `forget` before they change.
 */
export class KnownHash {
  bytes: Uint8Array = NO_BYTES;
  offset = -1;
  length = 0;
  hash = 0;
  /** A bit for each address, shared by many, from which an entry of the dicts here has gone. */
  private gone = 0;

  set(bytes: Uint8Array, offset: number, length: number, hash: number): void {
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
    this.hash = hash;
  }

  /** Whether these are the bytes whose hash is known. */
  is(bytes: Uint8Array, offset: number, length: number): boolean {
    return this.offset === offset && this.bytes === bytes && this.length === length;
  }

  /** Notes that the entry at `address` has gone. */
  left(address: number): void {
    this.gone |= 1 << bitOf(address);
  }

  /** Whether the entry at `address` may have gone since `startOver`. */
  mayHaveLeft(address: number): boolean {
    return ((this.gone >>> bitOf(address)) & 1) !== 0;
  }

  startOver(): void {
    this.gone = 0;
  }

  forget(): void {
    this.set(NO_BYTES, -1, 0, 0);
  }
}

function bitOf(address: number): number {
  return Math.imul(address, 0x9e3779b1) >>> 27;
}

/** A shared instance that never knows a hash, for dicts whose keys nobody looks at ahead. */
export const NOTHING_KNOWN: KnownHash = new KnownHash();
