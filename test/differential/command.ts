/** The shortest way to describe a generator: a command's name and how its arguments are made. */
import type { Random } from '../support/random.ts';
import type { Comparator, Draft, Generator } from './step.ts';
import { word } from './values.ts';

/** Makes the arguments after the command's name; nested arrays are flattened. */
export type ArgumentMaker = (random: Random) => (string | readonly string[])[];

/** A generator of one command; `name` may have two words (`OBJECT ENCODING`). */
export function command(
  name: string,
  weight: number,
  args: ArgumentMaker,
  compare?: Comparator,
): Generator {
  const words = name.split(' ');
  return {
    name,
    weight,
    make: ({ random }): Draft => {
      const typed = words.map((text) => word(random, text));
      const draft = { args: [...typed, ...args(random).flat()] };
      return compare === undefined ? draft : { ...draft, compare };
    },
  };
}

/** The same generator with marks that a family wants on it. */
export function marked(
  generator: Generator,
  marks: { readonly mangle?: false; readonly alone?: true },
): Generator {
  return { ...generator, ...marks };
}
