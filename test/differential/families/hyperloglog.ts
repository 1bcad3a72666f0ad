/**
 * The HyperLogLog commands, with strings that only look like HyperLogLogs: damaged opcodes, heads
 * and lengths. The values' own bytes are compared too.
 */
import type { Random } from '../../support/random.ts';
import { command } from '../command.ts';
import type { Draft, Family } from '../step.ts';
import { keyOf, keysOf, stringValue, word } from '../values.ts';

const head = (encoding: number, cardinality: string): string =>
  `HYLL${String.fromCharCode(encoding)}\0\0\0${cardinality}`;
const stale = '\0\0\0\0\0\0\0\x80';
const fresh = '\x05\0\0\0\0\0\0\0';

/** Elements that were met before, new ones, and now and then many at once. */
function elements(random: Random): string[] {
  const dice = random.next();
  if (dice < 0.1) return [];
  if (dice < 0.7) return random.list(1, 5, () => stringValue(random));
  const from = random.between(0, 4000);
  const count = random.between(5, dice < 0.95 ? 60 : 900);
  return Array.from({ length: count }, (_, i) => `e${from + i}`);
}

/** Opcodes: a whole HyperLogLog, or one that ends too early, too late, or with half an opcode. */
function opcodes(random: Random): string {
  const whole = ['\x7f\xff', '\x40\x00\x84\x7f\xfd', '\x6f\xff\x83\x87\x6f\xf7', '\x3f\x7f\xbf'];
  const broken = ['', '\x7f\xfe', '\x7f\xff\x00', '\x7f\xff\x80', '\xff\xff', '\x00'];
  return random.pick(random.chance(0.6) ? whole : broken);
}

/** A string stored as if it were a HyperLogLog. */
function stored(random: Random): string {
  const cardinality = random.pick([stale, fresh, '\xff\xff\xff\xff\xff\xff\xff\x7f']);
  const dice = random.next();
  if (dice < 0.65) return head(1, cardinality) + opcodes(random);
  if (dice < 0.85) {
    const fill = random.pick(['\0', '\xff', '\x01', '\xf3', 'a']);
    return head(0, cardinality) + fill.repeat(random.chance(0.85) ? 12288 : 12287);
  }
  return random.pick([head(2, stale), 'HYLL', 'HYLL\x01\0\0\0', `hyll${'\0'.repeat(14)}`, '12']);
}

/** Overwrites a byte of the head, all but the one that tells the form. */
function damagedHead(random: Random): string[] {
  return [keyOf(random), String(random.pick([0, 3, 5, 8, 9, 14, 15])), random.bytes(1)];
}

/**
 * Overwrites or adds an opcode of a value whose bytes are known. Half an XZERO at the very end, in
 * which a real server writes past the value when elements are added, does not come about.
 */
function damagedOpcodes({ random }: { random: Random }): Draft[] {
  const key = keyOf(random);
  const opcode = random.pick(['\0', '\x01', '\x3f', '\x80', '\x83', '\xfc', '\xff']);
  return [
    { args: ['SET', key, stored(random)] },
    { args: ['SETRANGE', key, String(random.between(16, 24)), opcode] },
    { args: ['PFADD', key, ...elements(random)] },
  ];
}

/** A key of another type must not stay in the way for long. */
function rebuild({ random }: { random: Random }): Draft[] {
  const key = keyOf(random);
  return [{ args: ['DEL', key] }, { args: ['PFADD', key, ...elements(random)] }];
}

const asks = ['GETREG', 'DECODE', 'DECODE', 'ENCODING', 'TODENSE', 'FOO'];

export const hyperloglogFamily: Family = {
  name: 'hyperloglog',
  generators: [
    command('PFADD', 12, (r) => [keyOf(r), elements(r)]),
    command('PFCOUNT', 6, (r) => [keyOf(r)]),
    command('PFCOUNT', 3, (r) => keysOf(r, 2, 4)),
    command('PFMERGE', 4, (r) => keysOf(r, 1, 4)),
    command('PFDEBUG', 4, (r) => [word(r, r.pick(asks)), keyOf(r)]),
    command('GET', 4, (r) => [keyOf(r)]),
    command('SET', 3, (r) => [keyOf(r), stored(r)]),
    command('SETRANGE', 2, damagedHead),
    command('OBJECT', 2, (r) => ['ENCODING', keyOf(r)]),
    command('SADD', 1, (r) => [keyOf(r), 'x']),
    command('DEL', 1, (r) => [keyOf(r)]),
    { name: 'damaged opcodes', weight: 1, mangle: false, make: damagedOpcodes },
    { name: 'rebuild', weight: 3, make: rebuild },
  ],
};
