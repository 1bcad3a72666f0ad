/** The commands `cairn rdb ...`: their options and what they call. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ConvertRequest, DiffRequest, ExportRequest, StatsRequest } from './rdb-tools.ts';
import type { Tool, ToolIo } from './tool-io.ts';
import {
  type FilterOptions,
  filterOf,
  type RunTool,
  troubleOnMisuse,
  wholeNumber,
  withFilter,
} from './tool-options.ts';

export interface RdbTools {
  readonly stats: Tool<StatsRequest>;
  readonly exportRdb: Tool<ExportRequest>;
  readonly diff: Tool<DiffRequest>;
  readonly convert: Tool<ConvertRequest>;
}

export function addRdbCommands(program: Command, tools: RdbTools, io: ToolIo, run: RunTool): void {
  const group = troubleOnMisuse(program.command('rdb'))
    .description('look into snapshots, compare them, and make others of them')
    .addHelpText('after', RDB_HELP);
  addStats(group, tools, io, run);
  addExport(group, tools, io, run);
  addDiff(group, tools, io, run);
  addConvert(group, tools, io, run);
}

const RDB_HELP = `
The files are read from front to back, once (diff reads A twice at most), whatever
their size. All versions from 1 to 12, and Valkey's 80, are read.

Examples:
  cairn rdb stats dump.rdb
  cairn rdb export dump.rdb > dump.jsonl
  cairn rdb export --format resp dump.rdb | redis-cli --pipe
  cairn rdb diff before.rdb after.rdb
  cairn rdb convert dump.rdb old.rdb --rdb-save-version 9
`;

type StatsOptions = FilterOptions & Omit<StatsRequest, 'file' | 'db' | 'match'>;

function addStats(group: Command, tools: RdbTools, io: ToolIo, run: RunTool): void {
  const count = wholeNumber(0, 'a whole number up to 100000', 100_000);
  withFilter(group.command('stats'))
    .description('count keys, bytes and times to live, and find the biggest keys')
    .argument('<file>', 'an RDB file')
    .option('--top <number>', 'how many keys and prefixes to list', count, 10)
    .option('--separator <text>', 'what ends a prefix of a key', separatorOf, ':')
    .option(
      '--depth <number>',
      'so many separators make a prefix',
      wholeNumber(1, 'a whole number from 1'),
      1,
    )
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', STATS_HELP)
    .action((file: string, given: StatsOptions) => {
      const { depth, json, separator, top } = given;
      return run(tools.stats({ file, depth, json, separator, top, ...filterOf(given) }, io));
    });
}

function separatorOf(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return Buffer.from(text).toString('latin1');
}

const STATS_HELP = `
"in file" is what keys take in the file, packed and compressed; "logical" is their
names and all their strings unpacked.

Exit code: 0, or 2 when the file is damaged or cannot be read.

Examples:
  cairn rdb stats dump.rdb
  cairn rdb stats --match 'session:*' --top 50 dump.rdb
  cairn rdb stats --depth 2 --json dump.rdb | jq '.prefixes[].prefix'
`;

type ExportOptions = FilterOptions & Omit<ExportRequest, 'file' | 'db' | 'match'>;

function addExport(group: Command, tools: RdbTools, io: ToolIo, run: RunTool): void {
  withFilter(group.command('export'))
    .description('write all keys as JSON Lines, or as commands for redis-cli --pipe')
    .argument('<file>', 'an RDB file')
    .addOption(
      new Option('--format <format>', 'what to write').choices(['json', 'resp']).default('json'),
    )
    .option('--output <file>', 'the file to write, instead of standard output')
    .option('--replace', 'resp: delete each key first, so that older values go', false)
    .option('--skip-modules', 'leave out keys of modules, which have no form here', false)
    .option('--json', 'tell counts as a JSON object, on standard error without --output', false)
    .addHelpText('after', EXPORT_HELP)
    .action((file: string, given: ExportOptions) => {
      const { format, json, output, replace, skipModules } = given;
      const request = { file, format, json, output, replace, skipModules, ...filterOf(given) };
      return run(tools.exportRdb(request, io));
    });
}

const EXPORT_HELP = `
JSON Lines: one key a line,
  {"db":0,"key":"k","type":"hash","encoding":"hash-listpack","expireAtMs":...,
   "value":[["field","value"],...]}
with lists and sets as arrays of strings, sorted sets as [member, score] pairs (an
infinite score is "inf" or "-inf"), streams as an object with entries, lastId,
maxDeletedId, entriesAdded and groups. Bytes that are not UTF-8 are written as
{"base64":"..."} wherever a string can stand. Libraries of functions come first, as
{"function":"..."}.

RESP: the commands that make the dataset again, for a server of Redis 7.0 or later:
FUNCTION LOAD, SELECT, SET, RPUSH, SADD, HSET, ZADD, XADD, XSETID, XGROUP, XCLAIM,
PEXPIREAT, and DEL with --replace. Fields that expire need Redis 7.4 (HPEXPIREAT). Two
things no command can say: that an entry is pending which the stream has no more, and
a score of -0, which becomes 0.

Exit code: 0, or 2 when the file is damaged, cannot be read, or holds keys of modules.

Examples:
  cairn rdb export dump.rdb | jq -r 'select(.type=="hash").key'
  cairn rdb export --format resp dump.rdb | redis-cli -p 6380 --pipe
  cairn rdb export --format resp --replace --match 'user:*' dump.rdb | redis-cli --pipe
`;

type DiffOptions = FilterOptions & Omit<DiffRequest, 'a' | 'b' | 'db' | 'match'>;

function addDiff(group: Command, tools: RdbTools, io: ToolIo, run: RunTool): void {
  withFilter(group.command('diff'))
    .description('tell which keys two snapshots do not share, or hold differently')
    .argument('<a>', 'an RDB file')
    .argument('<b>', 'another')
    .option('--ignore-ttl', 'expiries of keys do not count', false)
    .option('--json', 'print one JSON object a difference, then one with the counts', false)
    .addHelpText('after', DIFF_HELP)
    .action((a: string, b: string, given: DiffOptions) => {
      const { ignoreTtl, json } = given;
      return run(tools.diff({ a, b, ignoreTtl, json, ...filterOf(given) }, io));
    });
}

const DIFF_HELP = `
Values are compared, not bytes: neither the order of keys, of a set's members and of
a hash's fields makes a difference, nor how a value is packed or which version the
file has. Memory holds digests of the keys of A, about 100 bytes each, no values.

Exit code: 0 the same, 1 different, 2 a file is damaged or cannot be read.

Examples:
  cairn rdb diff monday.rdb tuesday.rdb
  cairn rdb diff --ignore-ttl --match 'user:*' --json a.rdb b.rdb
`;

function addConvert(group: Command, tools: RdbTools, io: ToolIo, run: RunTool): void {
  group
    .command('convert')
    .description('write a snapshot anew in another version of the format')
    .argument('<from>', 'an RDB file')
    .argument('<to>', 'the file to write or replace')
    .requiredOption('--rdb-save-version <version>', 'the version to write: 9, 10 or 11', versionOf)
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', CONVERT_HELP)
    .action(
      (
        from: string,
        to: string,
        given: { rdbSaveVersion: ConvertRequest['version']; json: boolean },
      ) => {
        const { json, rdbSaveVersion: version } = given;
        return run(tools.convert({ from, to, version, json }, io));
      },
    );
}

function versionOf(text: string): ConvertRequest['version'] {
  const version = Number(text);
  if (version === 9 || version === 10 || version === 11) return version;
  throw new InvalidArgumentError('It must be 9, 10 or 11.');
}

const CONVERT_HELP = `
  9    loads in everything since Redis 5: plain encodings only, no functions
  10   loads in everything since Redis 7.0
  11   loads in everything since Redis 7.2, and keeps when consumers were active

The file appears under its name when all of it is on the disk. Data of modules, and
hash fields with an expiry, are refused.

Exit code: 0, or 2 when it could not be done; a file that was there stands then.

Examples:
  cairn rdb convert dump.rdb for-redis-6.rdb --rdb-save-version 9
`;
