/**
 * The `cairn` program.
 *
 *     cairn server [FILE] [--option value...]     run a server, as `cairn-server` does
 *     cairn check-rdb FILE                        look through a snapshot
 *     cairn check-aof [--fix] FILE                look through an append-only file or its manifest
 *
 * Without a configuration file, `cairn server` keeps its data in the folder `data` where it is
 * started, and logs every write, so that nothing is lost by default.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError } from 'commander';
import { quoteArgument, toByteString } from '../config/byte-string.ts';
import { CAIRN_VERSION } from '../config/version.ts';
import { optionNames } from './server-arguments.ts';

export interface RdbCheckRequest {
  readonly file: string;
  /** Takes whole lines, each with its newline. */
  readonly print: (text: string) => void;
}

export interface AofCheckRequest extends RdbCheckRequest {
  /** Cut the file behind its last whole command. */
  readonly fix: boolean;
  /** Cut it behind the last command at or before this second since 1970. */
  readonly truncateToTimestamp: number | undefined;
  /** Asks before anything is changed. */
  readonly confirm: (question: string) => Promise<boolean>;
}

/** True when the file is whole, or was made so. */
export type RdbCheck = (request: RdbCheckRequest) => Promise<boolean>;
export type AofCheck = (request: AofCheckRequest) => Promise<boolean>;

export interface CairnProgram {
  /** Runs a server; resolves with an exit code, or undefined when it runs. */
  readonly server: (
    args: readonly string[],
    defaults: (optionLines: string) => string,
  ) => Promise<number | undefined>;
  readonly checkRdb: RdbCheck;
  readonly checkAof: AofCheck;
}

/** Runs the program; resolves with an exit code, or undefined when a server runs. */
export async function runCairn(
  args: readonly string[],
  parts: CairnProgram,
): Promise<number | undefined> {
  if (args[0] === 'server') return parts.server(args.slice(1), dataFolderDefaults);
  let code = 0;
  const program = new Command('cairn')
    .description('A durable, Redis-compatible server, and tools for its files.')
    .version(CAIRN_VERSION);
  program
    .command('server')
    .description('run a server; takes the arguments of cairn-server, see cairn server --help')
    .argument('[arguments...]', 'configuration file and --option value...')
    .helpOption(false);
  program
    .command('check-rdb')
    .description('look through a snapshot, and tell what is wrong with it')
    .argument('<file>', 'an RDB file')
    .action(async (file: string) => {
      code = (await parts.checkRdb({ file, print })) ? 0 : 1;
    });
  program
    .command('check-aof')
    .description('look through an append-only file, and cut off what is damaged if asked to')
    .argument('<file>', 'a manifest, or a single file')
    .option('--fix', 'cut the file behind its last whole command', false)
    .option('--truncate-to-timestamp <seconds>', 'cut it behind this second since 1970', parseTime)
    .action(async (file: string, given: { fix: boolean; truncateToTimestamp?: number }) => {
      const { fix, truncateToTimestamp } = given;
      const request = { file, fix, truncateToTimestamp, print, confirm };
      code = (await parts.checkAof(request)) ? 0 : 1;
    });
  await program.parseAsync(args, { from: 'user' });
  return code;
}

function print(text: string): void {
  process.stdout.write(text);
}

function parseTime(text: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new InvalidArgumentError('It must be a whole number of seconds since 1970.');
  }
  return Number(text);
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y/i.test(await terminal.question(`${question} [y/N]: `));
  } finally {
    terminal.close();
  }
}

/** The lines that come before the options: a folder for the data, and the log of writes. */
export function dataFolderDefaults(optionLines: string): string {
  const names = optionNames(optionLines);
  let lines = '';
  if (!names.has('dir')) {
    const folder = resolve('data');
    mkdirSync(folder, { recursive: true });
    lines += `dir ${quoteArgument(toByteString(folder))}\n`;
  }
  if (!names.has('appendonly')) lines += 'appendonly yes\n';
  return lines;
}
