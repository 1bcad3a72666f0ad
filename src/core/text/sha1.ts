/**
 * SHA-1 of byte ranges, without allocating: FIPS 180-4, section 6.1.
 *
 * For digests of data, where millions of short ranges are summed; not for secrets.
 *
 * Limits: ranges below 2^32 bytes; the longest value, 512 MB, has 2^32 bits.
 */
const BLOCK = 64;
const LENGTH_AT = 56;

const schedule = new Int32Array(80);
const state = new Int32Array(5);
const tail = new Uint8Array(2 * BLOCK);

/** Writes the 20 bytes of the SHA-1 of `bytes[offset, length]` to `out[outOffset]`. */
export function sha1(
  bytes: Uint8Array,
  offset: number,
  length: number,
  out: Uint8Array,
  outOffset: number,
): void {
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
  const whole = length - (length % BLOCK);
  for (let at = 0; at < whole; at += BLOCK) compress(bytes, offset + at);
  const rest = length - whole;
  for (let i = 0; i < rest; i++) tail[i] = bytes[offset + whole + i]!;
  const padded = rest < LENGTH_AT ? BLOCK : 2 * BLOCK;
  tail[rest] = 0x80;
  tail.fill(0, rest + 1, padded);
  const low = (length << 3) >>> 0;
  const high = length >>> 29;
  for (let i = 0; i < 4; i++) {
    tail[padded - 1 - i] = (low >>> (8 * i)) & 0xff;
    tail[padded - 5 - i] = (high >>> (8 * i)) & 0xff;
  }
  for (let at = 0; at < padded; at += BLOCK) compress(tail, at);
  for (let i = 0; i < 20; i++) out[outOffset + i] = (state[i >>> 2]! >>> (24 - 8 * (i & 3))) & 0xff;
}

/** Takes one block of 64 bytes into the state. */
function compress(bytes: Uint8Array, offset: number): void {
  const w = schedule;
  for (let t = 0; t < 16; t++) {
    const at = offset + 4 * t;
    w[t] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
  for (let t = 16; t < 80; t++) {
    const x = w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!;
    w[t] = (x << 1) | (x >>> 31);
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  for (let t = 0; t < 80; t++) {
    let f: number;
    if (t < 20) f = ((b & c) | (~b & d)) + 0x5a827999;
    else if (t < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
    else if (t < 60) f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else f = (b ^ c ^ d) + 0xca62c1d6;
    const next = (((a << 5) | (a >>> 27)) + f + e + w[t]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
  state[4] = state[4]! + e;
}
