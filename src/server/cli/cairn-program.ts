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
import { resolve } from 'node:path';
import { Command } from 'commander';
import { makeFolderDurably } from '../../persistence/durable-file.ts';
import { realFileSystem } from '../../persistence/file-system.ts';
import { quoteArgument, toByteString } from '../config/byte-string.ts';
import { ConfigFileError } from '../config/conf-file.ts';
import { errorReason } from '../config/system-error.ts';
import { CAIRN_VERSION } from '../config/version.ts';
import { workingFolder } from '../config/working-folder.ts';
import { addBackupCommands, type BackupTools } from './backup-commands.ts';
import { addCheckCommands, type CheckTools } from './check-commands.ts';
import { addRdbCommands, type RdbTools } from './rdb-commands.ts';
import { optionNames } from './server-arguments.ts';
import { printJson, type ToolIo } from './tool-io.ts';

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
  const asksForHelp = args[1] === '--help' || args[1] === '-h';
  if (args[0] === 'server' && !asksForHelp) {
    return parts.server(args.slice(1), dataFolderDefaults);
  }
  let code = 0;
  const run = async (result: Promise<number>): Promise<void> => {
    code = await result;
  };
  const program = new Command('cairn')
    .description('A durable, Redis-compatible server, and tools for its files.')
    .version(CAIRN_VERSION)
    .configureOutput({
      outputError: (text, write) => {
        write(text);
        if (asksForJson(args)) printJson(io, { ok: false, error: misuseOf(text) });
      },
    })
    .showHelpAfterError('(--help tells what can be given)')
    .addHelpText('after', EXAMPLES);
  program
    .command('server')
    .description('run a server')
    .argument('[arguments...]', 'those of cairn-server and redis-server')
    .addHelpText('after', SERVER_HELP);
  addCheckCommands(program, parts, io, run);
  addRdbCommands(program, parts, io, run);
  addBackupCommands(program, parts, io, run);
  await program.parseAsync(args, { from: 'user' });
  return code;
}

/** Whether wrong arguments are told as JSON, too. An export's standard output is for its keys. */
function asksForJson(args: readonly string[]): boolean {
  const isForKeys = args[1] === 'export' && !args.some((arg) => arg.startsWith('--output'));
  return args.includes('--json') && !isForKeys;
}

/** What commander has to say, without its `error:` and in one line. */
function misuseOf(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ');
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

const SERVER_HELP = `
The arguments are a configuration file, options of a configuration file with -- in
front, and - for a configuration on standard input.

Without a file, the data are kept in ./data, which is made where it is missing, and
every write is logged (appendonly yes). --dir and --appendonly say otherwise.
cairn-server has Redis's defaults instead: the current folder, and no log of writes.

Exit code: 0 after an orderly end, 1 when the server could not start.

Examples:
  cairn server
  cairn server --port 7000 --dir /var/lib/cairn
  cairn server --port 7001 --replicaof 127.0.0.1 7000
  cairn server /etc/redis/redis.conf --loglevel verbose
  echo 'maxmemory 128mb' | cairn server -
`;

/**
 * The lines that come before the options: a folder for the data, and the log of writes. Throws
 * `ConfigFileError` when the folder cannot be made.
 */
export function dataFolderDefaults(optionLines: string): string {
  const names = optionNames(optionLines);
  let lines = '';
  if (!names.has('dir')) {
    const folder = resolve(workingFolder(), 'data');
    makeFolder(folder);
    lines += `dir ${quoteArgument(toByteString(folder))}\n`;
  }
  if (!names.has('appendonly')) lines += 'appendonly yes\n';
  return lines;
}

function makeFolder(path: string): void {
  try {
    makeFolderDurably(realFileSystem, path);
  } catch (error) {
    const reason = `Can't make the folder ${path}: ${errorReason(error)}`;
    throw new ConfigFileError(`${reason}. Start elsewhere, or name a folder with --dir`);
  }
}
