/**
 * The values of all parameters of one server, in the two forms that they have:
 *
 *     stored    what the parameter's type made of the words, and formats again
 *     values    what the server reads: one plain object, with text decoded
 *
 * `store` sets both, and asks nobody.
 */
import { resolve } from 'node:path';
import { toByteString } from './byte-string.ts';
import type { AnyParameter } from './parameter.ts';
import { type ConfigValues, findParameter, PARAMETERS, propertyName } from './parameters.ts';
import type { Parsed } from './value-type.ts';

export class ConfigStore {
  /** Every parameter as the server reads it. */
  readonly values: Readonly<ConfigValues>;
  readonly #stored: Map<AnyParameter, unknown>;
  /** Those that a line of a file has set. */
  readonly #seen: Set<AnyParameter>;

  /** `directory`, absolute, is what `dir` starts as. */
  constructor(directory: string) {
    this.#stored = new Map(PARAMETERS.map((parameter) => [parameter, parameter.initial]));
    this.#seen = new Set();
    this.values = exposeAll(this.#stored);
    const dir = findParameter('dir');
    if (dir !== undefined) this.store(dir, toByteString(resolve(directory)));
  }

  stored(parameter: AnyParameter): unknown {
    return this.#stored.get(parameter);
  }

  store(parameter: AnyParameter, value: unknown): void {
    this.#stored.set(parameter, value);
    Reflect.set(this.values, propertyName(parameter.name), parameter.type.expose(value));
  }

  /** The value as CONFIG GET answers it. */
  format(parameter: AnyParameter): string {
    return parameter.type.format(this.#stored.get(parameter));
  }

  /**
   * What CONFIG SET's one text for a value means; types of several words take it apart at each
   * space.
   */
  parseText(parameter: AnyParameter, text: string): Parsed<unknown> {
    if (!parameter.type.multi) return this.#parse(parameter, [text], false);
    return this.#parse(parameter, text === '' ? [] : text.split(' '), false);
  }

  /**
   * Stores what a line of a file says; gives the reason of a refusal. `afresh` does not add to the
   * lines before it.
   */
  storeLine(
    parameter: AnyParameter,
    words: readonly string[],
    afresh: boolean,
  ): string | undefined {
    if (afresh) this.#seen.delete(parameter);
    const parsed = this.#parse(parameter, words, true);
    if ('error' in parsed) return parsed.error;
    this.#seen.add(parameter);
    this.store(parameter, parsed.value);
    return undefined;
  }

  #parse(parameter: AnyParameter, words: readonly string[], reading: boolean): Parsed<unknown> {
    const { type, traits } = parameter;
    const parsed = type.parse(words, this.#stored.get(parameter), {
      reading,
      repeated: this.#seen.has(parameter),
      directory: this.values.dir,
    });
    if ('error' in parsed) return parsed;
    const error = traits.check?.(parsed.value);
    if (error !== undefined) return { error };
    return { value: traits.clamp === undefined ? parsed.value : traits.clamp(parsed.value) };
  }
}

/**
 * All values in one object. The copy at the end matters: V8 lays a copy out as a struct, while the
 * object that grew to so many properties is a hash table (measured: a read costs 1 ns, not 6).
 */
function exposeAll(stored: ReadonlyMap<AnyParameter, unknown>): ConfigValues {
  const values: Record<string, unknown> = {};
  for (const [parameter, value] of stored) {
    values[propertyName(parameter.name)] = parameter.type.expose(value);
  }
  return { ...values } as ConfigValues;
}
