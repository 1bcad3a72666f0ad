/** What the commands of several tools share: how options are read, and where usage errors lead. */
import { type Command, InvalidArgumentError } from 'commander';
import type { RdbFilter } from '../../persistence/tools/rdb-filter.ts';
import { EXIT_OK, EXIT_TROUBLE } from './tool-io.ts';

/** Notes the exit code that a tool's promise brings. */
export type RunTool = (result: Promise<number>) => Promise<void>;

/** Reads a whole number from `least` to `most`. */
export function wholeNumber(
  least: number,
  what: string,
  most = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,16}$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be ${what}.`);
  };
}

/** Reads a name of a file within a folder. */
export function fileName(text: string): string {
  if (text !== '' && text !== '.' && text !== '..' && !text.includes('/')) return text;
  throw new InvalidArgumentError('It must be a name, not a path.');
}

export const unixSeconds = wholeNumber(0, 'a whole number of seconds since 1970', 1e15);

/** Wrong arguments end the program with 2, like all that cannot be done. */
export function troubleOnMisuse(command: Command): Command {
  return command.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? EXIT_OK : EXIT_TROUBLE);
  });
}

/** The options that say which keys count. */
export function withFilter(command: Command): Command {
  return command
    .option('--db <number>', 'only keys of this database', wholeNumber(0, 'a whole number from 0'))
    .option('--match <pattern>', 'only keys that match this pattern, as KEYS takes it');
}

export interface FilterOptions {
  readonly db?: number;
  readonly match?: string;
}

export function filterOf(options: FilterOptions): RdbFilter {
  const match = options.match === undefined ? undefined : Buffer.from(options.match);
  return { db: options.db, match };
}
