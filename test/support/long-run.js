/** The command line of a proof at length, and vitest with what it says in the environment. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MISUSE = 2;

/** @type {(reason: string) => never} */
export function refuse(reason) {
  process.stderr.write(`${reason}; --help says more\n`);
  process.exit(MISUSE);
}

/**
 * What the command line gives for the options in `defaults`. Ends the process at `--help`, and at
 * an option that there is not.
 * @param {string} usage
 * @param {Readonly<Record<string, string>>} defaults
 * @returns {Record<string, string>}
 */
export function readOptions(usage, defaults) {
  /** @type {Record<string, { type: 'string' | 'boolean' }>} */
  const options = { help: { type: 'boolean' } };
  for (const name of Object.keys(defaults)) options[name] = { type: 'string' };
  const values = { ...defaults };
  try {
    for (const [name, value] of Object.entries(parseArgs({ options }).values)) {
      if (typeof value === 'string') values[name] = value;
      else askedForHelp(usage);
    }
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
  return values;
}

/** @type {(usage: string) => never} */
function askedForHelp(usage) {
  process.stdout.write(usage);
  process.exit(0);
}

/**
 * Option `name` of `values` as a whole number from 1 on.
 * @type {(values: Record<string, string>, name: string) => number}
 */
export function readCount(values, name) {
  const count = Number(values[name]);
  if (!Number.isInteger(count) || count < 1) refuse(`--${name} takes a whole number from 1 on`);
  return count;
}

/**
 * Runs test files one after the other, and ends the process as they end.
 * @type {(files: string[], env: Record<string, string>) => never}
 */
export function runTests(files, env) {
  const result = spawnSync('npx', ['vitest', 'run', '--no-file-parallelism', ...files], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  process.exit(result.status ?? 1);
}
