/**
 * A small encoder of the forms that values have had in RDB files since version 1: bytes for tests
 * and fixtures. It shares no code with the server but the compression.
 *
 *     form   type byte + segments; a BLOB is written as a string behind its length, RAW as it is
 */
import { lzfCompress } from '../../../src/core/struct/lzf.ts';

export interface Segment {
  readonly bytes: Uint8Array;
  /** A string with structure of its own, whose length stands in front of it. */
  readonly isBlob: boolean;
}

export interface Form {
  readonly name: string;
  readonly type: number;
  readonly segments: readonly Segment[];
}

export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const join = (...parts: readonly (Uint8Array | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));

function littleEndian(value: bigint | number, size: number): number[] {
  const big = BigInt(value);
  return Array.from({ length: size }, (_, i) => Number((big >> BigInt(8 * i)) & 255n));
}

const bigEndian = (value: bigint | number, size: number): number[] =>
  littleEndian(value, size).reverse();

// ---------------------------------------------------------------- lengths and strings

/** A length in its shortest form; `wide` takes the form of 64 bits all the same. */
export function rdbLength(value: bigint | number, wide = false): Buffer {
  const number = Number(value);
  if (wide || number >= 2 ** 32) return join([0x81], bigEndian(value, 8));
  if (number < 64) return join([number]);
  if (number < 16_384) return join([0x40 | (number >> 8), number & 255]);
  return join([0x80], bigEndian(number, 4));
}

export const rdbString = (bytes: Uint8Array): Buffer => join(rdbLength(bytes.length), bytes);

/** A string compressed with LZF. */
export function rdbCompressed(bytes: Uint8Array): Buffer {
  const packed = Buffer.alloc(bytes.length);
  const length = lzfCompress(bytes, 0, bytes.length, packed, 0, bytes.length - 4);
  if (length === 0) throw new Error('this does not compress');
  const head = join([0xc3], rdbLength(length), rdbLength(bytes.length));
  return join(head, packed.subarray(0, length));
}

const text = (value: string): Buffer => rdbString(bytesOf(value));

// ---------------------------------------------------------------- compact values

const isInteger = (entry: string): boolean => /^(0|-?[1-9]\d{0,17})$/.test(entry);

/** The encoding of a ziplist's entry behind its back length, and the data. */
function ziplistBody(entry: string): Buffer {
  if (!isInteger(entry)) {
    const data = bytesOf(entry);
    const { length } = data;
    if (length < 64) return join([length], data);
    if (length < 16_384) return join([0x40 | (length >> 8), length & 255], data);
    return join([0x80], bigEndian(length, 4), data);
  }
  const value = BigInt(entry);
  if (value >= 0n && value <= 12n) return join([0xf1 + Number(value)]);
  const fits = (bits: number): boolean => BigInt.asIntN(bits, value) === value;
  if (fits(8)) return join([0xfe], littleEndian(value, 1));
  if (fits(16)) return join([0xc0], littleEndian(value, 2));
  if (fits(24)) return join([0xf0], littleEndian(value, 3));
  if (fits(32)) return join([0xd0], littleEndian(value, 4));
  return join([0xe0], littleEndian(value, 8));
}

export function ziplistOf(entries: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  let before = 0;
  for (const entry of entries) {
    const back = before < 254 ? [before] : [254, ...littleEndian(before, 4)];
    const whole = join(back, ziplistBody(entry));
    parts.push(whole);
    before = whole.length;
  }
  const body = Buffer.concat(parts);
  const last = parts.length === 0 ? 10 : 10 + body.length - before;
  const head = [...littleEndian(body.length + 11, 4), ...littleEndian(last, 4)];
  return join(head, littleEndian(Math.min(entries.length, 0xffff), 2), body, [0xff]);
}

/** A zipmap; `unused` bytes follow each value. */
export function zipmapOf(pairs: readonly (readonly [string, string])[], unused = 0): Buffer {
  const length = (of: number): number[] => (of < 254 ? [of] : [254, ...littleEndian(of, 4)]);
  const parts = pairs.map(([field, value]) => {
    const head = join(length(field.length), bytesOf(field), length(value.length), [unused]);
    return join(head, bytesOf(value), new Uint8Array(unused));
  });
  return join([Math.min(pairs.length, 254)], Buffer.concat(parts), [0xff]);
}

export function intsetOf(width: 2 | 4 | 8, members: readonly (bigint | number)[]): Buffer {
  const head = [...littleEndian(width, 4), ...littleEndian(members.length, 4)];
  return join(head, Buffer.concat(members.map((one) => Buffer.from(littleEndian(one, width)))));
}

function listpackBody(entry: string): Buffer {
  if (!isInteger(entry)) {
    const data = bytesOf(entry);
    const { length } = data;
    if (length < 64) return join([0x80 | length], data);
    if (length < 4096) return join([0xe0 | (length >> 8), length & 255], data);
    return join([0xf0], littleEndian(length, 4), data);
  }
  const value = BigInt(entry);
  if (value >= 0n && value <= 127n) return join([Number(value)]);
  const fits = (bits: number): boolean => BigInt.asIntN(bits, value) === value;
  if (fits(13)) {
    const bits = Number(BigInt.asUintN(13, value));
    return join([0xc0 | (bits >> 8), bits & 255]);
  }
  if (fits(16)) return join([0xf1], littleEndian(value, 2));
  if (fits(24)) return join([0xf2], littleEndian(value, 3));
  if (fits(32)) return join([0xf3], littleEndian(value, 4));
  return join([0xf4], littleEndian(value, 8));
}

/** The length of an entry, as it stands behind it: 7 bits a byte, the most significant first. */
function backLength(length: number): number[] {
  const groups = [length & 127];
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) groups.unshift(rest & 127);
  return groups.map((bits, i) => (i === 0 ? bits : bits | 128));
}

export function listpackOf(entries: readonly string[]): Buffer {
  const body = Buffer.concat(
    entries.map((entry) => {
      const encoded = listpackBody(entry);
      return join(encoded, backLength(encoded.length));
    }),
  );
  const head = [...littleEndian(body.length + 7, 4), ...littleEndian(entries.length, 2)];
  return join(head, body, [0xff]);
}

// ---------------------------------------------------------------- streams

export interface StreamSample {
  /** Fields of every entry, and their values; entry `i` has the id `1000 + i`-`i`. */
  readonly entries: readonly (readonly string[])[];
  /** A group that has all entries pending, in turn for two consumers. */
  readonly hasGroup: boolean;
}

const rawId = (ms: number, seq: number): number[] => [...bigEndian(ms, 8), ...bigEndian(seq, 8)];

/** One node with all entries, each with the fields of the first or its own. */
function streamNode(entries: readonly (readonly string[])[]): Buffer {
  const fields = entries[0]!.filter((_, i) => i % 2 === 0);
  const all = [String(entries.length), '0', String(fields.length), ...fields, '0'];
  for (const [i, words] of entries.entries()) {
    const own = words.filter((_, at) => at % 2 === 0);
    const same = own.join('\0') === fields.join('\0');
    const data = same ? words.filter((_, at) => at % 2 === 1) : [String(own.length), ...words];
    all.push(same ? '2' : '0', String(i), String(i), ...data, String(data.length + 3));
  }
  return listpackOf(all);
}

export function streamForm(type: 15 | 19 | 21, sample: StreamSample): Form {
  const { entries } = sample;
  const last = entries.length - 1;
  const id = (i: number): Buffer => join(rdbLength(1000 + i), rdbLength(i));
  const facts = [rdbLength(entries.length), id(last)];
  if (type > 15) facts.push(id(0), join(rdbLength(0), rdbLength(0)), rdbLength(entries.length));
  const segments: Segment[] = [
    raw(rdbLength(1), rdbString(Buffer.from(rawId(1000, 0)))),
    blob(streamNode(entries)),
    raw(...facts, rdbLength(sample.hasGroup ? 1 : 0)),
  ];
  if (sample.hasGroup) segments.push(raw(streamGroup(type, entries.length, id(last))));
  return { name: `stream of type ${type}`, type, segments };
}

function streamGroup(type: number, count: number, last: Buffer): Buffer {
  const time = littleEndian(1_700_000_000_000, 8);
  const ids = Array.from({ length: count }, (_, i) => rawId(1000 + i, i));
  const pending = ids.map((one) => join(one, time, rdbLength(1)));
  const read = type > 15 ? rdbLength(count) : Buffer.alloc(0);
  const consumers = ['alice', 'bob'].map((name, who) => {
    const own = ids.filter((_, i) => i % 2 === who);
    const seen = type === 21 ? join(time, time) : join(time);
    return join(text(name), seen, rdbLength(own.length), ...own);
  });
  const head = join(text('group'), last, read, rdbLength(count));
  return join(head, ...pending, rdbLength(2), ...consumers);
}

// ---------------------------------------------------------------- forms

export const raw = (...parts: readonly Uint8Array[]): Segment => ({
  bytes: join(...parts),
  isBlob: false,
});
export const blob = (bytes: Uint8Array): Segment => ({ bytes, isBlob: true });

/** The bytes of a value, behind its type and key. */
export function bodyOf(segments: readonly Segment[]): Buffer {
  return join(...segments.map(({ bytes, isBlob }) => (isBlob ? rdbString(bytes) : bytes)));
}

/** A double, as sorted sets of type 5 have it. */
export function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

const flat = (words: readonly string[]): Segment[] => [raw(...words.map(text))];

/** Words of every kind of length and of integer. */
export const WORDS: readonly string[] = [
  ...['0', '12', '13', '-1', '127', '128', '-128', '4095', '-4096', '32767', '-32768'],
  ...['8388607', '-8388608', '2147483647', '-2147483648', '9007199254740993'],
  ...['', 'a', 'hello', '007', '1.5', 'x'.repeat(63), 'y'.repeat(64), 'z'.repeat(300)],
];

/** Fields with values: each word with the next. */
export const PAIRS: readonly (readonly [string, string])[] = WORDS.map((word, i) => [
  word,
  WORDS[(i + 1) % WORDS.length]!,
]);
const FLAT_PAIRS = PAIRS.flat();

/** Members with their scores as text, in the order of the scores. */
export const SCORED: readonly (readonly [string, string])[] = [
  ['b', '-inf'],
  ['a', '-3.5'],
  ['10', '0'],
  ['c', '1'],
  ['d', '1'],
  ['e', '2.25'],
  ['f', '70000'],
  ['g', 'inf'],
];

const numberOf = (score: string): number => Number(score.replace('inf', 'Infinity'));

/** A score as sorted sets of type 3 have it. */
function oldScore(score: string): Buffer {
  if (score === 'inf') return join([254]);
  if (score === '-inf') return join([255]);
  return join([score.length], bytesOf(score));
}

const none = [0, 0, 0, 0, 0, 0, 0, 0];
const ENTRIES: readonly (readonly string[])[] = [
  ['temperature', '20', 'place', 'here'],
  ['temperature', '-70000', 'place', 'there'],
  ['other', ''],
  ['temperature', '21', 'place', 'z'.repeat(80)],
  ['a', '1', 'b', '2', 'c', '3'],
];
const STREAM: StreamSample = { entries: ENTRIES, hasGroup: true };

const ZSET_PACKED = SCORED.flat();
const counted = (count: number, words: readonly string[]): Segment[] => [
  raw(rdbLength(count)),
  ...flat(words),
];

/** Every form that loads here, of every type. */
export const FORMS: readonly Form[] = [
  { name: 'string', type: 0, segments: [blob(bytesOf('hello'))] },
  { name: 'string of an int8', type: 0, segments: [raw(join([0xc0, 0x80]))] },
  { name: 'string of an int16', type: 0, segments: [raw(join([0xc1, 0xff, 0x7f]))] },
  { name: 'string of an int32', type: 0, segments: [raw(join([0xc2, 0, 0, 0, 0x80]))] },
  { name: 'compressed string', type: 0, segments: [raw(rdbCompressed(bytesOf('ab'.repeat(99))))] },
  { name: 'linked list', type: 1, segments: counted(WORDS.length, WORDS) },
  { name: 'set', type: 2, segments: counted(WORDS.length, WORDS) },
  {
    name: 'zset with text scores',
    type: 3,
    segments: [
      raw(rdbLength(SCORED.length), ...SCORED.map(([m, s]) => join(text(m), oldScore(s)))),
    ],
  },
  { name: 'hash', type: 4, segments: counted(PAIRS.length, FLAT_PAIRS) },
  {
    name: 'zset',
    type: 5,
    segments: [
      raw(rdbLength(SCORED.length), ...SCORED.map(([m, s]) => join(text(m), double(numberOf(s))))),
    ],
  },
  { name: 'zipmap', type: 9, segments: [blob(zipmapOf(PAIRS, 3))] },
  { name: 'ziplist list', type: 10, segments: [blob(ziplistOf(WORDS))] },
  { name: 'intset of 16 bits', type: 11, segments: [blob(intsetOf(2, [-32_768, -1, 0, 7]))] },
  { name: 'intset of 32 bits', type: 11, segments: [blob(intsetOf(4, [-70_000, 5, 70_000]))] },
  { name: 'intset of 64 bits', type: 11, segments: [blob(intsetOf(8, [-(2n ** 63n), 2n ** 62n]))] },
  { name: 'ziplist zset', type: 12, segments: [blob(ziplistOf(ZSET_PACKED))] },
  { name: 'ziplist hash', type: 13, segments: [blob(ziplistOf(FLAT_PAIRS))] },
  {
    name: 'quicklist of ziplists',
    type: 14,
    segments: [raw(rdbLength(2)), blob(ziplistOf(WORDS)), blob(ziplistOf(['tail']))],
  },
  streamForm(15, STREAM),
  { name: 'listpack hash', type: 16, segments: [blob(listpackOf(FLAT_PAIRS))] },
  { name: 'listpack zset', type: 17, segments: [blob(listpackOf(ZSET_PACKED))] },
  {
    name: 'quicklist of listpacks',
    type: 18,
    segments: [
      ...[raw(rdbLength(3), join([2])), blob(listpackOf(WORDS))],
      ...[raw(join([1])), blob(bytesOf('plain')), raw(join([2])), blob(listpackOf(['tail']))],
    ],
  },
  streamForm(19, STREAM),
  { name: 'listpack set', type: 20, segments: [blob(listpackOf(WORDS))] },
  streamForm(21, STREAM),
  {
    name: 'hash of 7.4 without times',
    type: 24,
    segments: [
      raw(join(none), rdbLength(PAIRS.length)),
      raw(...PAIRS.map(([f, v]) => join([0], text(f), text(v)))),
    ],
  },
  {
    name: 'listpack hash of 7.4 without times',
    type: 25,
    segments: [raw(join(none)), blob(listpackOf(PAIRS.flatMap(([f, v]) => [f, v, '0'])))],
  },
];
