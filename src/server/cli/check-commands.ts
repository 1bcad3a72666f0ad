/** The commands `cairn check-rdb` and `cairn check-aof`: their options and what they call. */
import { type Command, Option } from 'commander';
import type { Tool, ToolIo } from './tool-io.ts';
import { type RunTool, unixSeconds } from './tool-options.ts';

export interface CheckRdbRequest {
  readonly file: string;
  readonly json: boolean;
}

export interface CheckAofRequest extends CheckRdbRequest {
  /** Cut the file behind its last whole command. */
  readonly fix: boolean;
  /** Cut it behind the last command at or before this second since 1970. */
  readonly truncateToTimestamp: number | undefined;
  /** Do not ask before damage is cut off. */
  readonly yes: boolean;
}

export interface CheckTools {
  readonly checkRdb: Tool<CheckRdbRequest>;
  readonly checkAof: Tool<CheckAofRequest>;
}

export function addCheckCommands(
  program: Command,
  tools: CheckTools,
  io: ToolIo,
  run: RunTool,
): void {
  program
    .command('check-rdb')
    .description('look through a snapshot, and tell what is wrong with it')
    .argument('<file>', 'an RDB file')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', CHECK_RDB_HELP)
    .action((file: string, given: { json: boolean }) =>
      run(tools.checkRdb({ file, ...given }, io)),
    );
  program
    .command('check-aof')
    .description('look through an append-only file, and cut off what is damaged if asked to')
    .argument('<file>', 'a manifest, or a single file')
    .option('--fix', 'cut the file behind its last whole command', false)
    .addOption(
      new Option(
        '--truncate-to-timestamp <seconds>',
        'cut it behind the last command at or before this second since 1970',
      )
        .argParser(unixSeconds)
        .conflicts('fix'),
    )
    .option('--yes', 'do not ask before damage is cut off', false)
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', CHECK_AOF_HELP)
    .action((file: string, given: Omit<CheckAofRequest, 'file'>) =>
      run(tools.checkAof({ ...given, file, truncateToTimestamp: given.truncateToTimestamp }, io)),
    );
}

const CHECK_RDB_HELP = `
Reads all of the file: its structure, every packed node and compressed string, and
the checksum. The report is that of redis-check-rdb.

Exit code: 0 the file is sound, 1 it is not, or cannot be read.

Examples:
  cairn check-rdb dump.rdb
  cairn check-rdb --json dump.rdb | jq .error
`;

const CHECK_AOF_HELP = `
Of a manifest, the base and the increments are checked in order, as a start would
load them. Where turns carry a checksum, a torn tail (the last bytes of a write that
a crash cut off) is told from damage in the middle.

--fix gives up everything from the trouble on. --truncate-to-timestamp needs a file
written with aof-timestamp-enabled yes. Both change the last file only: make a copy
of the folder before. --fix asks first, unless --yes is given. Neither changes the
AOF of a Cairn that runs (where that can be seen: on Linux).

Exit code: 0 all files are sound, or were cut; 1 they are not, or cannot be read.

Examples:
  cairn check-aof data/appendonlydir/appendonly.aof.manifest
  cairn check-aof --fix appendonly.aof.manifest
  cairn check-aof --truncate-to-timestamp $(date -d '10:30' +%s) appendonly.aof.manifest
`;
