/**
 * How a parameter is declared: one entry of the tables in `parameters-<family>.ts`.
 *
 *     flag('replica-read-only', true, 'Refuse writes of clients on a replica.')
 *     |    |                    |     what it is for, in one sentence
 *     |    |                    what holds when nothing is said
 *     |    its name in redis.conf; `config.values.replicaReadOnly` has its value
 *     its kind
 *
 * and behind the sentence, where they apply, its traits: another name, who may change it when, and
 * its standing. `inert` is a parameter that has no meaning in this server; it is accepted, kept and
 * written back, so that files made for Redis load, and the server says so at its start. What would
 * be a lie to accept is refused by `check` instead, with a text that says what to do.
 */
import { fromByteString } from './byte-string.ts';
import {
  choiceType,
  type NumberUnit,
  numberType,
  type TextRules,
  textType,
  type ValueType,
  yesNoType,
} from './value-type.ts';

export interface Traits<Stored> {
  /** A second name, equal in every way. */
  readonly alias?: string;
  /** What Valkey calls it: understood as well, but CONFIG GET shows it by this exact name only. */
  readonly valkeyName?: string;
  /** Set where only a configuration file or the command line gives the value. */
  readonly immutable?: true;
  /** CONFIG GET shows it by its exact name only. */
  readonly hidden?: true;
  /** CONFIG SET changes it only where `enable-protected-configs` allows. */
  readonly protected?: true;
  /** Never shown in logs, MONITOR or SLOWLOG. */
  readonly sensitive?: true;
  /** CONFIG SET refuses it while a dataset is being loaded. */
  readonly denyLoading?: true;
  /** Why the parameter has no effect in this server. */
  readonly inert?: string;
  /** A further rule: a returned message refuses the value. */
  readonly check?: (value: Stored) => string | undefined;
  /** What is stored in place of a value that is accepted but out of reach. */
  readonly clamp?: (value: Stored) => Stored;
}

export interface Parameter<Name extends string, Exposed> {
  readonly name: Name;
  readonly about: string;
  readonly type: ValueType<unknown, Exposed>;
  readonly initial: unknown;
  readonly traits: Traits<unknown>;
}

/** A parameter of any kind. */
export type AnyParameter = Parameter<string, unknown>;

export const INT_MIN = -(2n ** 31n);
export const INT_MAX = 2n ** 31n - 1n;
export const UINT_MAX = 2n ** 32n - 1n;
export const INT64_MAX = 2n ** 63n - 1n;
export const UINT64_MAX = 2n ** 64n - 1n;

/** The lowest and the highest value allowed. */
export type Range = readonly [min: number | bigint, max: number | bigint];

const PORTS: Range = [0, 65535];

/** Yes or no. */
export function flag<Name extends string>(
  name: Name,
  initial: boolean,
  about: string,
  traits: Traits<boolean> = {},
): Parameter<Name, boolean> {
  return special(name, yesNoType, initial, about, traits);
}

/** A whole number. */
export function integer<Name extends string>(
  name: Name,
  range: Range,
  initial: number,
  about: string,
  traits: Traits<bigint> = {},
): Parameter<Name, number> {
  return numeric('integer', name, range, initial, about, traits);
}

/** A TCP port, 0 for none. */
export function port<Name extends string>(
  name: Name,
  initial: number,
  about: string,
  traits: Traits<bigint> = {},
): Parameter<Name, number> {
  return numeric('integer', name, PORTS, initial, about, traits);
}

/** A size in bytes, with units. */
export function size<Name extends string>(
  name: Name,
  range: Range,
  initial: number,
  about: string,
  traits: Traits<bigint> = {},
): Parameter<Name, number> {
  return numeric('bytes', name, range, initial, about, traits);
}

/** A number of any unit. */
export function numeric<Name extends string>(
  unit: NumberUnit,
  name: Name,
  [min, max]: Range,
  initial: number,
  about: string,
  traits: Traits<bigint> = {},
): Parameter<Name, number> {
  const type = numberType(unit, BigInt(min), BigInt(max));
  return special(name, type, BigInt(initial), about, traits);
}

/** One word of several; `synonyms` are other spellings of them. */
export function choice<Name extends string, const Choice extends string>(
  name: Name,
  choices: readonly Choice[],
  initial: NoInfer<Choice>,
  about: string,
  traits: Traits<Choice> & { readonly synonyms?: Readonly<Record<string, Choice>> } = {},
): Parameter<Name, Choice> {
  return special(name, choiceType(choices, traits.synonyms), initial, about, traits);
}

/** Text, read as UTF-8. */
export function text<Name extends string>(
  name: Name,
  initial: string,
  about: string,
  traits: Traits<string> = {},
  rules: TextRules = {},
): Parameter<Name, string> {
  return special(name, textType(fromByteString, rules), initial, about, traits);
}

/** Text where empty means that nothing is set. */
export function optionalText<Name extends string>(
  name: Name,
  about: string,
  traits: Traits<string> = {},
): Parameter<Name, string> {
  return text(name, '', about, traits, { emptyIsUnset: true });
}

/** A parameter with a type of its own. */
export function special<Name extends string, Stored, Exposed>(
  name: Name,
  type: ValueType<Stored, Exposed>,
  initial: Stored,
  about: string,
  traits: Traits<Stored> = {},
): Parameter<Name, Exposed> {
  return { name, about, type, initial, traits: widen(traits) };
}

/**
 * Forgets what a parameter stores. Its type, rules and values stay together in one entry, so a rule
 * only ever sees what its own type has parsed.
 */
function widen<Stored>(traits: Traits<Stored>): Traits<unknown> {
  const { check, clamp, ...plain } = traits;
  const wide: { -readonly [Key in keyof Traits<unknown>]: Traits<unknown>[Key] } = { ...plain };
  if (check !== undefined) wide.check = (value) => check(value as Stored);
  if (clamp !== undefined) wide.clamp = (value) => clamp(value as Stored);
  return wide;
}
