/**
 * Positions as scores: the geohash of 52 bits under which a zset keeps a point.
 *
 * Longitude and latitude are cut into 2^26 steps each, and the bits of the two numbers alternate,
 * the longitude's first:
 *
 *     bit  51   50   49   48           3    2    1    0
 *        [lon][lat][lon][lat]  ...  [lon][lat][lon][lat]      the score, exact in a double
 *         25   25   24   24           1    1    0    0
 *
 *     high word  lon 26-16 and lat 26-16, interleaved     low word  lon 15-0 and lat 15-0
 *
 * so points that share the first 2n bits lie in one cell of a grid of 2^n by 2^n, and the cell is a
 * range of scores. The longitude spans -180 to 180; the latitude only +-85.05112878, the square of
 * the Mercator projection (EPSG:3857). A position on the upper edge gets the number 2^26 itself:
 * bit 26 then stands in bit 52 or 53 of the score.
 *
 * A score is any double, since ZADD makes zsets too. It is read as C's conversion to a 64-bit
 * integer does on x86: towards zero, negative ones in two's complement, others out of range as 0
 * or 2^63; each half may then have 32 bits.
 *
 * The text of a geohash is another cut, of -90 to 90, in base 32; its eleventh character is 0.
 *
 * Source: G. Niemeyer, geohash.org (2008); G. M. Morton, "A Computer Oriented Geodetic Data Base"
 * (1966), for the order; S. E. Anderson, "Bit Twiddling Hacks", for the interleaving by magic
 * numbers.
 */
export const LONGITUDE_MAX = 180;
export const LATITUDE_MAX = 85.05112878;
/** Steps, bits a coordinate, of a score. */
export const STEPS_MAX = 26;
/** Characters of a geohash. */
export const GEOHASH_LENGTH = 11;

const TWO_32 = 0x1_0000_0000;
const TWO_63 = 2 ** 63;
const LONGITUDE_SPAN = LONGITUDE_MAX * 2;
const LATITUDE_SPAN = LATITUDE_MAX * 2;
const CELLS = 2 ** STEPS_MAX;
/** 2 to the power of each number of bits of a score: `**` calls the C library. */
export const POWERS = Float64Array.from({ length: 2 * STEPS_MAX + 1 }, (_, bits) => 2 ** bits);
const ALPHABET = new TextEncoder().encode('0123456789bcdefghjkmnpqrstuvwxyz');

/** A score in two words, for those who write it as an integer. */
export const geoBits = { low: 0, high: 0 };
/** The last position that was read. */
export const geoPosition = { longitude: 0, latitude: 0 };

/** Whether a position can be kept. */
export function isGeoPosition(longitude: number, latitude: number): boolean {
  return (
    longitude >= -LONGITUDE_MAX &&
    longitude <= LONGITUDE_MAX &&
    latitude >= -LATITUDE_MAX &&
    latitude <= LATITUDE_MAX
  );
}

/** Number of the column of a longitude in a grid of 2^steps; 2^steps at the upper edge. */
export function geoColumn(longitude: number, steps: number): number {
  return Math.floor(((longitude + LONGITUDE_MAX) / LONGITUDE_SPAN) * POWERS[steps]!);
}

/** Number of the row of a latitude in a grid of 2^steps; 2^steps at the upper edge. */
export function geoRow(latitude: number, steps: number): number {
  return Math.floor(((latitude + LATITUDE_MAX) / LATITUDE_SPAN) * POWERS[steps]!);
}

/** Where a column or row begins: the inverse of `geoColumn`. */
export function columnStart(column: number, steps: number): number {
  return -LONGITUDE_MAX + (column / POWERS[steps]!) * LONGITUDE_SPAN;
}

/** Where a row begins: the inverse of `geoRow`. */
export function rowStart(row: number, steps: number): number {
  return -LATITUDE_MAX + (row / POWERS[steps]!) * LATITUDE_SPAN;
}

/** The score of a position; its integer is left in `geoBits`. */
export function geoEncode(longitude: number, latitude: number): number {
  return interleave(geoColumn(longitude, STEPS_MAX), geoRow(latitude, STEPS_MAX));
}

/** The score of the first point of a column and row of the finest grid, also left in `geoBits`. */
export function interleave(column: number, row: number): number {
  geoBits.low = (spread(row & 0xffff) | (spread(column & 0xffff) << 1)) >>> 0;
  geoBits.high = (spread(row >>> 16) | (spread(column >>> 16) << 1)) >>> 0;
  return geoBits.high * TWO_32 + geoBits.low;
}

/** Reads a score into `geoPosition`: the middle of its cell. */
export function geoDecode(score: number): void {
  geoInteger(score);
  const { high, low } = geoBits;
  const row = (gather(low) | (gather(high) << 16)) >>> 0;
  const column = (gather(low >>> 1) | (gather(high >>> 1) << 16)) >>> 0;
  // The number behind the last one of 32 bits is 0.
  const nextRow = (row + 1) >>> 0;
  const nextColumn = (column + 1) >>> 0;
  // As columnStart and rowStart: the roundings of each step show in the last digits.
  const west = -LONGITUDE_MAX + (column / CELLS) * LONGITUDE_SPAN;
  const east = -LONGITUDE_MAX + (nextColumn / CELLS) * LONGITUDE_SPAN;
  const south = -LATITUDE_MAX + (row / CELLS) * LATITUDE_SPAN;
  const north = -LATITUDE_MAX + (nextRow / CELLS) * LATITUDE_SPAN;
  const longitude = (west + east) / 2;
  const latitude = (south + north) / 2;
  geoPosition.longitude = Math.min(longitude, LONGITUDE_MAX);
  geoPosition.latitude = Math.min(latitude, LATITUDE_MAX);
}

/** Writes the geohash of a score at `buf[off]`: GEOHASH_LENGTH characters. */
export function writeGeohash(buf: Uint8Array, off: number, score: number): void {
  geoDecode(score);
  const { latitude, longitude } = geoPosition;
  interleave(geoColumn(longitude, STEPS_MAX), Math.floor(((latitude + 90) / 180) * CELLS));
  const { high, low } = geoBits;
  // Ten groups of five bits from bit 51 down, none of them across the words; two bits remain.
  for (let i = 0, shift = 47; i < GEOHASH_LENGTH - 1; i++, shift -= 5) {
    const group = shift >= 32 ? high >>> (shift - 32) : low >>> shift;
    buf[off + i] = ALPHABET[group & 31]!;
  }
  buf[off + GEOHASH_LENGTH - 1] = ALPHABET[0]!;
}

/** Sets `geoBits` to a score as a 64-bit integer. */
export function geoInteger(score: number): void {
  if (score >= 0 && score < 2 * TWO_63) {
    geoBits.high = Math.floor(score / TWO_32);
    geoBits.low = Math.floor(score - geoBits.high * TWO_32);
    return;
  }
  const whole = Math.trunc(score);
  const high = Math.floor(whole / TWO_32);
  const isInside = score < 0 && score >= -TWO_63;
  geoBits.high = isInside ? high >>> 0 : score < 0 ? 0x8000_0000 : 0;
  geoBits.low = isInside ? whole - high * TWO_32 : 0;
}

/** Puts 16 bits into the even places of 32. */
function spread(bits: number): number {
  let b = bits;
  b = (b | (b << 8)) & 0x00ff00ff;
  b = (b | (b << 4)) & 0x0f0f0f0f;
  b = (b | (b << 2)) & 0x33333333;
  return (b | (b << 1)) & 0x55555555;
}

/** The bits in the even places, together. */
function gather(bits: number): number {
  let b = bits & 0x55555555;
  b = (b | (b >>> 1)) & 0x33333333;
  b = (b | (b >>> 2)) & 0x0f0f0f0f;
  b = (b | (b >>> 4)) & 0x00ff00ff;
  return (b | (b >>> 8)) & 0xffff;
}
