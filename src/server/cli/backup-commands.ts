/** The commands `cairn backup` and `cairn restore`: their options and what they call. */
import { type Command, Option } from 'commander';
import type { BackupRequest, RestoreRequest } from './backup-tools.ts';
import type { Tool, ToolIo } from './tool-io.ts';
import {
  fileName,
  type RunTool,
  troubleOnMisuse,
  unixSeconds,
  wholeNumber,
} from './tool-options.ts';

export interface BackupTools {
  readonly backup: Tool<BackupRequest>;
  readonly restore: Tool<RestoreRequest>;
}

export function addBackupCommands(
  program: Command,
  tools: BackupTools,
  io: ToolIo,
  run: RunTool,
): void {
  addBackup(program, tools, io, run);
  addRestore(program, tools, io, run);
}

interface BackupGiven extends Omit<BackupRequest, 'file' | 'timeoutSeconds'> {
  readonly timeout: number;
}

function addBackup(program: Command, tools: BackupTools, io: ToolIo, run: RunTool): void {
  const port = wholeNumber(1, 'a port from 1 to 65535', 65_535);
  troubleOnMisuse(program.command('backup'))
    .description('copy the dataset of a running server, Cairn or Redis, to an RDB file')
    .argument('<file>', 'the file to write or replace')
    .option('--host <host>', 'the server', '127.0.0.1')
    .option('--port <port>', 'its port', port, 6379)
    .option('--user <name>', 'the user to log in as', '')
    .addOption(
      new Option('--password <password>', 'the password; better given in REDISCLI_AUTH')
        .env('REDISCLI_AUTH')
        .default('', 'none'),
    )
    .option(
      '--timeout <seconds>',
      'how long the server may be silent',
      wholeNumber(1, 'a whole number of seconds from 1'),
      60,
    )
    .option('--lz4', 'write an LZ4 frame; needs the optional package lz4', false)
    .option('--verbose', 'tell the conversation with the server', false)
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', BACKUP_HELP)
    .action((file: string, given: BackupGiven) => {
      const { timeout: timeoutSeconds, ...rest } = given;
      return run(tools.backup({ file, timeoutSeconds, ...rest }, io));
    });
}

const BACKUP_HELP = `
The server sends what it would send to a new replica: a snapshot of one moment. Its
user needs the rights of one: +psync +replconf +ping. The checksum is compared while
the bytes come, and the file appears under its name when all of it is on the disk.

Exit code: 0, or 2 when it could not be done; a file that was there stands then.

Examples:
  cairn backup monday.rdb
  REDISCLI_AUTH=secret cairn backup --host db1 --user backup --lz4 monday.rdb.lz4
  cairn check-rdb monday.rdb && cairn restore monday.rdb data
`;

interface RestoreGiven {
  readonly as: RestoreRequest['as'];
  readonly dbfilename: string;
  readonly appenddirname: string;
  readonly appendfilename: string;
  readonly toTimestamp?: number;
  readonly toOffset?: number;
  readonly force: boolean;
  readonly json: boolean;
}

function addRestore(program: Command, tools: BackupTools, io: ToolIo, run: RunTool): void {
  const offset = wholeNumber(0, 'a whole number of bytes');
  troubleOnMisuse(program.command('restore'))
    .description('make a data folder of a backup, or of an AOF as of a moment')
    .argument('<from>', 'a backup, plain or LZ4; with --to-...: an AOF folder or manifest')
    .argument('<folder>', 'the data folder to make')
    .addOption(
      new Option('--as <form>', 'what to make of a backup: an RDB file, an AOF, or both')
        .choices(['both', 'rdb', 'aof'])
        .default('both'),
    )
    .addOption(
      new Option('--to-timestamp <seconds>', 'as of the end of this second since 1970')
        .argParser(unixSeconds)
        .conflicts('toOffset'),
    )
    .option('--to-offset <bytes>', 'as of this offset of the replication stream', offset)
    .option('--dbfilename <name>', 'as the server is configured', fileName, 'dump.rdb')
    .option('--appenddirname <name>', 'as the server is configured', fileName, 'appendonlydir')
    .option('--appendfilename <name>', 'as the server is configured', fileName, 'appendonly.aof')
    .option('--force', 'replace what the folder holds', false)
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', RESTORE_HELP)
    .action((from: string, to: string, given: RestoreGiven) => {
      const { as, force, json, toOffset, toTimestamp } = given;
      const request = {
        from,
        to,
        as,
        force,
        json,
        moment: momentOf(toTimestamp, toOffset),
        dbFilename: given.dbfilename,
        appendDirName: given.appenddirname,
        appendFilename: given.appendfilename,
      };
      return run(tools.restore(request, io));
    });
}

function momentOf(
  timestamp: number | undefined,
  offset: number | undefined,
): RestoreRequest['moment'] {
  if (timestamp !== undefined) return { timestamp };
  return offset === undefined ? undefined : { offset };
}

const RESTORE_HELP = `
A backup is unpacked, looked through as check-rdb does, and put into the folder both
as a server loads it that keeps an AOF (as cairn server does) and as one that does
not. A folder that holds anything is refused without --force. No server may run on it:
one with an AOF there is noticed, on Linux, and nothing is changed then.

With --to-timestamp or --to-offset, <from> is an AOF (its folder, its manifest, or the
data folder around it), which stays as it is, and <folder> gets what of it was executed
up to that moment: base and increments, the last one cut. A timestamp needs an AOF
written with aof-timestamp-enabled yes; offsets are those of INFO replication, and what
cairn backup tells. What is left out is told: commands, bytes, from when on. Nothing
before the last rewrite of the AOF can be had.

Exit code: 0, or 2 when it could not be done.

Examples:
  cairn restore monday.rdb.lz4 data
  cairn restore --as rdb monday.rdb /var/lib/redis
  cairn restore --to-timestamp $(date -d '10:30' +%s) data rescued
  cairn restore --to-offset 18839 data/appendonlydir rescued
`;
