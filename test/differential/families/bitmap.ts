/** The bitmap commands: single bits, counts and positions over ranges, BITOP, BITFIELD. */
import type { Random } from '../../support/random.ts';
import { command } from '../command.ts';
import type { Family } from '../step.ts';
import { indexOrNot, integerOf, integerOrNot, keyOf, keysOf, word } from '../values.ts';

/** Bit offsets stay small, since every byte is compared; the others are refused or odd. */
function bitOffset(random: Random): string {
  const wrong = ['-1', '4294967296', '34359738368', '9223372036854775807', 'x', '', '1.5', '01'];
  if (random.chance(0.07)) return random.pick(wrong);
  return String(random.chance(0.9) ? random.between(0, 300) : random.between(0, 9000));
}

function bit(random: Random): string {
  return random.chance(0.94) ? random.pick(['0', '1']) : random.pick(['2', '-1', 'x', '', '01']);
}

/** `start end [BYTE | BIT]`, any part of it missing. */
function range(random: Random): string[] {
  const dice = random.next();
  if (dice < 0.25) return [];
  if (dice < 0.35) return [indexOrNot(random)];
  const ends = [indexOrNot(random), indexOrNot(random)];
  if (dice < 0.6) return ends;
  return [...ends, random.chance(0.95) ? word(random, random.pick(['BYTE', 'BIT'])) : 'FOO'];
}

function fieldType(random: Random): string {
  const wrong = ['u64', 'i65', 'u0', 'i0', 'x8', '8', 'u', '', 'u-1', 'I8', 'u08'];
  if (random.chance(0.06)) return random.pick(wrong);
  const sign = random.pick(['u', 'i']);
  const usual = random.pick([1, 2, 4, 5, 7, 8, 9, 16, 31, 32, 33, 48, 62, 63]);
  return `${sign}${random.chance(0.1) && sign === 'i' ? 64 : usual}`;
}

function fieldOffset(random: Random): string {
  const dice = random.next();
  if (dice < 0.06) return random.pick(['-1', '#-1', '#', '4294967296', '#4294967296', 'x', '']);
  return dice < 0.4 ? `#${random.between(0, 20)}` : String(random.between(0, 200));
}

function fieldOperation(random: Random): string[] {
  const place = [fieldType(random), fieldOffset(random)];
  const dice = random.next();
  if (dice < 0.3) return [word(random, 'GET'), ...place];
  if (dice < 0.55) return [word(random, 'SET'), ...place, integerOrNot(random)];
  if (dice < 0.8) return [word(random, 'INCRBY'), ...place, integerOrNot(random)];
  if (dice < 0.98) {
    const mode = random.chance(0.95) ? random.pick(['WRAP', 'SAT', 'FAIL']) : 'FOO';
    return [word(random, 'OVERFLOW'), word(random, mode)];
  }
  return [random.pick(['FOO', 'OVERFLOW', 'GET', integerOf(random)])];
}

const readOnlyOperation = (random: Random): string[] =>
  random.chance(0.9)
    ? [word(random, 'GET'), fieldType(random), fieldOffset(random)]
    : fieldOperation(random);

function bitop(random: Random): string[] {
  const operation = random.pick(['AND', 'OR', 'XOR', 'NOT']);
  if (random.chance(0.04)) return ['FOO', keyOf(random), keyOf(random)];
  const sources = keysOf(random, 1, operation === 'NOT' && random.chance(0.8) ? 1 : 4);
  return [word(random, operation), keyOf(random), ...sources];
}

const bitposTail = (random: Random): string[] => {
  const ends = range(random);
  return random.chance(0.5) ? ends.slice(0, 2) : ends;
};

export const bitmapFamily: Family = {
  name: 'bitmap',
  generators: [
    command('SETBIT', 5, (r) => [keyOf(r), bitOffset(r), bit(r)]),
    command('GETBIT', 3, (r) => [keyOf(r), bitOffset(r)]),
    command('BITCOUNT', 4, (r) => [keyOf(r), range(r)]),
    command('BITPOS', 4, (r) => [keyOf(r), bit(r), bitposTail(r)]),
    command('BITOP', 4, (r) => [bitop(r)]),
    command('BITFIELD', 6, (r) => [keyOf(r), ...r.list(0, 4, () => fieldOperation(r))]),
    command('BITFIELD_RO', 2, (r) => [keyOf(r), ...r.list(0, 3, () => readOnlyOperation(r))]),
  ],
};
