/**
 * The pools that random arguments come from. Small pools of keys make commands meet: a key is a
 * string now, a list later, gone next. Values sit on the edges that encodings and parsers care
 * about: int64 and its neighbours, the 44-byte embedded string, numbers that only look like ones.
 */
import type { Random } from '../support/random.ts';

/** The databases that sequences use. */
export const databases = ['0', '1', '2'] as const;

const commonKeys = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8'];
const oddKeys = ['', 'key with space', 'k\r\n\x00\xff', 'K1', '{k}a', '1', 'k'.repeat(70)];

const edgeIntegers = [
  ...['0', '1', '-1', '2', '7', '9', '10', '12', '99', '127', '128', '255', '256', '1000'],
  ...['9999', '10000', '-10000', '32767', '-32768', '65536', '2147483647', '2147483648'],
  ...['-2147483648', '4294967295', '4294967296', '9007199254740991', '9007199254740993'],
  ...['9223372036854775806', '9223372036854775807', '-9223372036854775808'],
];

const notIntegers = [
  ...['', ' 1', '1 ', '+1', '-0', '01', '00', '1.0', '1e3', '0x10', 'abc', '--1', '-', '1\x00'],
  ...['9223372036854775808', '-9223372036854775809', '99999999999999999999', '1_000', '\xb2'],
];

const floats = [
  ...['0', '1', '-1', '0.1', '3.14', '-2.5', '1e3', '1E-3', '5.0e3', '1e17', '1e-10', '123456789'],
  ...['0.30000000000000004', '1e100', '-1e100', '1.7e308', '4.9e-324', '10.50', '.5', '5.', '+3'],
];

const notFloats = [
  ...['', ' 1', '1 ', 'abc', 'nan', 'inf', '-inf', '+inf', 'infinity', '1e', '1e400', '1..2'],
  ...['0x1p3', '1,5', '1\x00'],
];

const plainValues = [
  ...['a', 'b', 'hello', 'Hello World', 'x'.repeat(20), 'y'.repeat(39), 'z'.repeat(44)],
  ...['z'.repeat(45), 'w'.repeat(64), 'ab'.repeat(600), '\x00', '\xff\xfe', 'line\r\nbreak'],
  ...['ohmytext', 'mynewtext', '\x80\x00\x01', 'caf\xc3\xa9', ''],
];

/** A key: mostly of the eight common ones. */
export function keyOf(random: Random): string {
  return random.pick(random.chance(0.93) ? commonKeys : oddKeys);
}

/** From `low` to `high` keys, repeats allowed. */
export function keysOf(random: Random, low: number, high: number): string[] {
  return random.list(low, high, () => keyOf(random));
}

/** A valid int64 in decimal; small ones are likelier. */
export function integerOf(random: Random): string {
  if (random.chance(0.5)) return String(random.between(-20, 120));
  return random.chance(0.5) ? random.pick(edgeIntegers) : String(random.between(-1e9, 1e9));
}

/** Mostly an integer, sometimes something that only looks like one. */
export function integerOrNot(random: Random): string {
  return random.chance(0.9) ? integerOf(random) : random.pick(notIntegers);
}

/** Mostly a number, sometimes none. */
export function floatOrNot(random: Random): string {
  if (random.chance(0.12)) return random.pick(notFloats);
  return random.chance(0.5) ? random.pick(floats) : integerOf(random);
}

/** An index from a little before the start to a little past the end of a small value. */
export function indexOrNot(random: Random): string {
  if (random.chance(0.06)) return random.pick(notIntegers);
  if (random.chance(0.06)) return random.pick(edgeIntegers);
  return String(random.between(-12, 30));
}

/** A string value: an integer, a number, text, or bytes. */
export function stringValue(random: Random): string {
  const dice = random.next();
  if (dice < 0.35) return integerOf(random);
  if (dice < 0.45) return random.pick(floats);
  if (dice < 0.5) return random.pick(notIntegers);
  if (dice < 0.9) return random.pick(plainValues);
  return random.bytes(random.between(0, 60));
}

/**
 * A count of seconds (or, times 1000, milliseconds) so far away that no key expires during a run,
 * and so spread that two of them practically never fall within the same minute.
 */
export function farSeconds(random: Random): string {
  return String(random.between(100_000, 900_000_000));
}

export function farMilliseconds(random: Random): string {
  return `${farSeconds(random)}${random.between(100, 999)}`;
}

/** A moment in seconds since 1970: after 2070, or long past. */
export function momentSeconds(random: Random): string {
  if (random.chance(0.1)) return random.pick(['1', '1000000000', '0', '-1']);
  return String(random.between(3_200_000_000, 4_900_000_000));
}

/** A moment in milliseconds since 1970: after 2070, or long past. */
export function momentMilliseconds(random: Random): string {
  if (random.chance(0.1)) return random.pick(['1', '1000000000000', '0', '-1']);
  return `${random.between(3_200_000_000, 4_900_000_000)}${random.between(100, 999)}`;
}

/** A wrong time: no number, zero, negative, or an overflow once in milliseconds. */
export function badTime(random: Random): string {
  const overflowing = ['9223372036854775807', '9223372036854775', '-9223372036854775808'];
  return random.pick([...notIntegers, ...overflowing, '0', '-1', '-100']);
}

/** A word of a command, in the case a hurried person might type. */
export function word(random: Random, text: string): string {
  const dice = random.next();
  if (dice < 0.6) return text;
  return dice < 0.85 ? text.toLowerCase() : text[0] + text.slice(1).toLowerCase();
}

/** What damage may put in the place of an argument: never a small positive number (see mangle). */
export const nonsense = [
  ...['', 'abc', '-1', '0', '1.5', '9223372036854775807', '9223372036854775808', 'nan', '\x00'],
  ...['-9223372036854775809', 'k1', '*', 'xx', 'NX', 'WITHSCORES', 'EX', 'KEEPTTL', 'GET'],
] as const;
