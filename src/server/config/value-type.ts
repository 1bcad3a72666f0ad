/**
 * The kinds of value that a parameter can have: yes or no, a number, one of several words, text.
 *
 *     words of a line or of CONFIG SET  --parse-->  stored  --expose-->  what the server reads
 *                                                   stored  --format-->  what CONFIG GET answers
 *                                                   stored  --lines--->  what CONFIG REWRITE writes
 *
 * The stored form is exact and immutable: numbers are bigints, since limits such as
 * `maxmemory 18446744073709551615` are legal and must be given back as they are, while the server
 * reads them as plain numbers (rounded above 2^53, where no machine can tell the difference).
 * Types that need more than one word or a rule of their own are in `special-type.ts`.
 */
import { UINT64_MAX } from '../../core/text/integer.ts';
import { quoteArgument } from './byte-string.ts';

export interface ParseContext {
  /** True while a configuration file is read, false for CONFIG SET. */
  readonly reading: boolean;
  /** Whether the parameter was met before in the same reading; `save` adds up over its lines. */
  readonly repeated: boolean;
  /** The folder that relative paths start from: the present `dir`. */
  readonly directory: string;
}

export type Parsed<Stored> = { readonly value: Stored } | { readonly error: string };

/** A line for the rewritten file; one that is not forced only replaces a line that is there. */
export interface RewriteLine {
  readonly text: string;
  readonly force: boolean;
}

export interface ValueType<Stored, Exposed> {
  /** Takes any number of words; other types take exactly one. */
  readonly multi: boolean;
  /** What a person may write, for the documentation. */
  readonly accepts: string;
  parse(words: readonly string[], before: Stored, context: ParseContext): Parsed<Stored>;
  expose(stored: Stored): Exposed;
  format(stored: Stored): string;
  /** The lines of a rewritten file, in order; none means that every old line goes. */
  lines(name: string, stored: Stored, initial: Stored): readonly RewriteLine[];
}

export const WRONG_WORD_COUNT = 'wrong number of arguments';

/** `yes` or `no`, in any case. */
export const yesNoType: ValueType<boolean, boolean> = {
  multi: false,
  accepts: 'yes | no',
  parse(words) {
    const word = words[0]?.toLowerCase();
    if (word === 'yes') return { value: true };
    if (word === 'no') return { value: false };
    return { error: "argument must be 'yes' or 'no'" };
  },
  expose: (stored) => stored,
  format: (stored) => (stored ? 'yes' : 'no'),
  lines: (name, stored, initial) => [
    { text: `${name} ${stored ? 'yes' : 'no'}`, force: stored !== initial },
  ],
};

export type NumberUnit = 'integer' | 'bytes' | 'bytes-or-percent' | 'octal';

/** A whole number in a range; a percentage is stored and exposed as a negative number. */
export function numberType(unit: NumberUnit, min: bigint, max: bigint): ValueType<bigint, number> {
  const base = unit === 'octal' ? 8 : 10;
  return {
    multi: false,
    accepts: `${unit} ${min.toString(base)}..${max.toString(base)}`,
    parse(words) {
      const value = parseNumber(words[0] ?? '', unit);
      if (value === undefined) return { error: NOT_A_NUMBER[unit] };
      if (unit === 'bytes-or-percent' && value < 0n) {
        if (value >= min) return { value };
        return { error: `percentage argument must be less or equal to ${-min}` };
      }
      if (value >= min && value <= max) return { value };
      const range = `${min.toString(base)} and ${max.toString(base)}`;
      return { error: `argument must be between ${range} inclusive` };
    },
    expose: Number,
    format: (stored) => formatNumber(stored, unit),
    lines: (name, stored, initial) => {
      const inFile =
        stored >= 0n && unit.startsWith('bytes') ? formatBytes(stored) : formatNumber(stored, unit);
      return [{ text: `${name} ${inFile}`, force: stored !== initial }];
    },
  };
}

const NOT_A_NUMBER: Readonly<Record<NumberUnit, string>> = {
  integer: "argument couldn't be parsed into an integer",
  bytes: 'argument must be a memory value',
  'bytes-or-percent': 'argument must be a memory or percent value',
  octal: "argument couldn't be parsed as an octal number",
};

function parseNumber(text: string, unit: NumberUnit): bigint | undefined {
  switch (unit) {
    case 'integer':
      return parseInteger(text);
    case 'octal':
      return parseOctal(text);
    case 'bytes':
      return parseBytes(text);
    case 'bytes-or-percent':
      return parseBytes(text) ?? parsePercent(text);
  }
}

/** A decimal number as clients write it: no sign but minus, no leading zeros, 64 bits. */
function parseInteger(text: string): bigint | undefined {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** Octal digits as C's `strtoll` takes them: nothing at all is 0, a sign may come first. */
function parseOctal(text: string): bigint | undefined {
  const match = /^\s*([+-]?)([0-7]{0,20})$/.exec(text);
  if (match === null || (match[2] === '' && text !== '')) return undefined;
  const value = BigInt(`0o${match[2] || '0'}`);
  return match[1] === '-' ? -value : value;
}

function parsePercent(text: string): bigint | undefined {
  if (!text.endsWith('%')) return undefined;
  const value = parseInteger(text.slice(0, -1));
  return value === undefined || value < 0n ? undefined : -value;
}

const BYTE_UNITS: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n ** 2n,
  mb: 1024n ** 2n,
  g: 1000n ** 3n,
  gb: 1024n ** 3n,
};

/** A size such as `100`, `1k` (1000) or `1kb` (1024): exact in 64 bits, clipped above them. */
export function parseBytes(text: string): bigint | undefined {
  const match = /^(\d{0,127})([a-z]{0,2})$/i.exec(text);
  const multiplier = BYTE_UNITS[match?.[2]?.toLowerCase() ?? 'none'];
  if (multiplier === undefined) return undefined;
  const value = BigInt(match?.[1] ?? 0) * multiplier;
  return value > UINT64_MAX ? UINT64_MAX : value;
}

/** A size with the largest unit that divides it: `1gb`, `3mb`, `1000`. */
export function formatBytes(bytes: bigint): string {
  for (const unit of ['gb', 'mb', 'kb']) {
    const size = BYTE_UNITS[unit] ?? 1n;
    if (bytes !== 0n && bytes % size === 0n) return `${bytes / size}${unit}`;
  }
  return bytes.toString();
}

function formatNumber(value: bigint, unit: NumberUnit): string {
  if (unit === 'bytes-or-percent' && value < 0n) return `${-value}%`;
  return value.toString(unit === 'octal' ? 8 : 10);
}

/** One word of a list, in any case; `synonyms` are further words that mean one of the list. */
export function choiceType<Choice extends string>(
  choices: readonly Choice[],
  synonyms: Readonly<Record<string, Choice>> = {},
): ValueType<Choice, Choice> {
  const words = listWithSynonyms(choices, synonyms);
  return {
    multi: false,
    accepts: words.join(' | '),
    parse(given) {
      const word = (given[0] ?? '').toLowerCase();
      const value = choices.find((choice) => choice === word) ?? synonyms[word];
      return value === undefined ? { error: notAmong(words) } : { value };
    },
    expose: (stored) => stored,
    format: (stored) => stored,
    lines: (name, stored, initial) => [{ text: `${name} ${stored}`, force: stored !== initial }],
  };
}

/** The words in the order in which an error lists them: each synonym behind what it means. */
function listWithSynonyms(
  choices: readonly string[],
  synonyms: Readonly<Record<string, string>>,
): string[] {
  const words: string[] = [];
  for (const choice of choices) {
    words.push(choice);
    for (const [synonym, meaning] of Object.entries(synonyms)) {
      if (meaning === choice) words.push(synonym);
    }
  }
  return words;
}

/** The refusal that lists what is allowed. */
export function notAmong(words: readonly string[]): string {
  return `argument(s) must be one of the following: ${words.join(', ')}`;
}

export interface TextRules {
  /** An empty value means that nothing is set: a rewritten file then has no such line. */
  readonly emptyIsUnset?: boolean;
  /** A message refuses the value. */
  readonly check?: ((value: string) => string | undefined) | undefined;
}

/** Any bytes, as a byte string. */
export function textType(
  expose: (stored: string) => string,
  rules: TextRules,
): ValueType<string, string> {
  return {
    multi: false,
    accepts: 'text',
    parse(words) {
      const value = words[0] ?? '';
      const error = rules.check?.(value);
      return error === undefined ? { value } : { error };
    },
    expose,
    format: (stored) => stored,
    lines(name, stored, initial) {
      if (rules.emptyIsUnset === true && stored === '') return [];
      return [{ text: `${name} ${quoteArgument(stored)}`, force: stored !== initial }];
    },
  };
}
