/**
 * The `cairn` program.
 *
 *     cairn server [FILE] [--option value...]     run a server, as `cairn-server` does
 *     cairn check-rdb FILE                        look through a snapshot
 *     cairn check-aof [--fix] FILE                look through an append-only file or its manifest
 *     cairn rdb stats | export | diff | convert   look into snapshots, and make others of them
 *     cairn backup FILE                           take a snapshot of a running server
 *     cairn restore BACKUP FOLDER                 make a data folder of a backup, or of an AOF
 *
 * Without a configuration file, `cairn server` keeps its data in the folder `data` where it is
 * started, and logs every write, so that nothing is lost by default.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { quoteArgument, toByteString } from '../config/byte-string.ts';
import { CAIRN_VERSION } from '../config/version.ts';
import { addBackupCommands, type BackupTools } from './backup-commands.ts';
import { addCheckCommands, type CheckTools } from './check-commands.ts';
import { addRdbCommands, type RdbTools } from './rdb-commands.ts';
import { optionNames } from './server-arguments.ts';
import type { ToolIo } from './tool-io.ts';

export interface CairnProgram extends CheckTools, RdbTools, BackupTools {
  /** Runs a server; resolves with an exit code, or undefined when it runs. */
  readonly server: (
    args: readonly string[],
    defaults: (optionLines: string) => string,
  ) => Promise<number | undefined>;
}

/** Runs the program; resolves with an exit code, or undefined when a server runs. */
export async function runCairn(
  args: readonly string[],
  parts: CairnProgram,
  io: ToolIo,
): Promise<number | undefined> {
  if (args[0] === 'server') return parts.server(args.slice(1), dataFolderDefaults);
  let code = 0;
  const run = async (result: Promise<number>): Promise<void> => {
    code = await result;
  };
  const program = new Command('cairn')
    .description('A durable, Redis-compatible server, and tools for its files.')
    .version(CAIRN_VERSION)
    .addHelpText('after', EXAMPLES);
  program
    .command('server')
    .description('run a server; takes the arguments of cairn-server, see cairn server --help')
    .argument('[arguments...]', 'configuration file and --option value...')
    .helpOption(false);
  addCheckCommands(program, parts, io, run);
  addRdbCommands(program, parts, io, run);
  addBackupCommands(program, parts, io, run);
  await program.parseAsync(args, { from: 'user' });
  return code;
}

const EXAMPLES = `
Each command says more with --help: cairn rdb stats --help.
A bar shows progress where standard error is a terminal; --json prints for machines.

Examples:
  cairn server                                 a server with its data in ./data
  cairn check-rdb dump.rdb                     is this snapshot sound?
  cairn rdb stats dump.rdb                     what takes the room?
  cairn backup --port 6379 monday.rdb          copy a running server
  cairn restore monday.rdb data                and make a data folder of the copy
`;

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
