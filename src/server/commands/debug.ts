/**
 * DEBUG: for tests, and for looking inside. It is refused unless enable-debug-command lets it
 * (dispatch.ts).
 *
 * Subcommands are found by name and number of arguments together, as Redis does: a wrong number is
 * an unknown subcommand. Those that look at data are in debug-data.ts, those about the process in
 * debug-process.ts.
 *
 * Some of Redis's subcommands have no counterpart here and say so: MALLCTL (there is no jemalloc),
 * RESTART and CRASH-AND-RECOVER (a process of Node.js cannot replace itself), and those of cluster
 * buses.
 */
import { PACKED_THRESHOLD } from '../../core/struct/quicklist-limits.ts';
import { parseMemory } from '../../core/text/memory-units.ts';
import { ADMIN, command, LOADING, NOSCRIPT, PROTECTED, STALE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { clientBytes } from '../memory/memory-account.ts';
import {
  debugDigest,
  debugDigestValue,
  debugJmap,
  debugListpack,
  debugObject,
  debugPopulate,
  debugQuicklist,
  debugSdslen,
  debugStringmatch,
} from './debug-data.ts';
import {
  debugAbort,
  debugConfigRewrite,
  debugLeak,
  debugLoadaof,
  debugLog,
  debugReload,
  debugRestart,
  debugSegfault,
  debugSleep,
} from './debug-process.ts';
import { debugProtocol } from './debug-protocol.ts';
import { debugHtstats, debugHtstatsKey } from './debug-tables.ts';
import { type HelpEntry, replyHelp } from './help.ts';

interface Subcommand {
  /** Arguments, "DEBUG" and the name included. */
  readonly min: number;
  readonly max: number;
  readonly run: (c: Context) => void;
  readonly help?: HelpEntry;
}

const ANY = Number.POSITIVE_INFINITY;
const PACKED_MAX = 2 ** 32;
const NO_JEMALLOC = 'ERR memory does not come from jemalloc here: there is nothing to tune';
const NO_CLUSTER = 'ERR Debug option only available for cluster mode enabled setup!';

/** The integer that an argument begins with, 0 when it begins with none: C's atoi. */
function leadingInteger(c: Context, i: number): number {
  return Math.trunc(Number(/^\s*[+-]?\d+/.exec(c.args.text(i))?.[0] ?? 0));
}

function refuse(error: string): (c: Context) => void {
  return (c) => c.reply.error(error);
}

function aofFlushSleep(c: Context): void {
  c.services.debug.aofFlushSleepUs = Math.max(0, leadingInteger(c, 2));
  c.ok();
}

function setActiveExpire(c: Context): void {
  c.services.activeExpiry.enabled = leadingInteger(c, 2) !== 0;
  c.ok();
}

function setSkipChecksums(c: Context): void {
  c.services.debug.skipChecksums = leadingInteger(c, 2) !== 0;
  c.ok();
}

function packedThreshold(c: Context): void {
  const bytes = parseMemory(c.args.text(2));
  if (bytes === undefined || bytes >= PACKED_MAX) {
    c.reply.error('ERR argument must be a memory value bigger than 1 and smaller than 4gb');
    return;
  }
  c.keyspace.limits.listPackedThreshold = bytes === 0 ? PACKED_THRESHOLD : bytes;
  c.ok();
}

function pauseCron(c: Context): void {
  c.services.debug.pauseCron(leadingInteger(c, 2) !== 0);
  c.ok();
}

/**
 * Replies are written into chunks of a pool, so there is no buffer whose size and peak could be
 * kept.
 */
function replyBuffer(c: Context): void {
  if (c.is(2, 'resizing') || c.is(3, 'never') || c.is(3, 'reset')) c.ok();
  else if (!c.is(2, 'peak-reset-time')) unknown(c);
  else if (!Number.isNaN(c.integer(3))) c.ok();
}

function changeReplicationId(c: Context): void {
  const { log, replication } = c.services;
  log.notice('Changing replication IDs after receiving DEBUG change-repl-id');
  replication.history.renew();
  replication.journal.notePosition();
  c.ok();
}

function replicate(c: Context): void {
  const words: Uint8Array[] = [];
  for (let i = 2; i < c.argc; i++) words.push(c.args.copy(i));
  // Between two units, since the stream takes what was executed so far first.
  const { dispatcher, replication } = c.services;
  dispatcher.afterThis(() => replication.journal.diverge(words));
  c.ok();
}

function error(c: Context): void {
  c.reply.error(c.args.text(2));
}

function structsize(c: Context): void {
  c.reply.bulkText('bits:64 granule:8 entry:12 dictslot:5 expiry:16 ');
}

function clientEviction(c: Context): void {
  const { clients, config } = c.services;
  if (config.values.maxmemoryClients === 0) {
    c.reply.error('ERR maxmemory-clients is disabled.');
    return;
  }
  const lines = [...clients.values()]
    .map((client) => ({ id: client.id, bytes: clientBytes(client) }))
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ id, bytes }) => `id=${id} bytes=${bytes}\n`);
  c.reply.verbatim('txt', lines.join(''));
}

function unknown(c: Context): void {
  const name = c.args.text(1).slice(0, 128);
  c.reply.error(
    `ERR unknown subcommand or wrong number of arguments for '${name}'. Try DEBUG HELP.`,
  );
}

function exactly(count: number, run: (c: Context) => void, ...help: string[]): Subcommand {
  return between(count, count, run, ...help);
}

function between(
  min: number,
  max: number,
  run: (c: Context) => void,
  ...help: string[]
): Subcommand {
  const [usage, ...lines] = help;
  return usage === undefined ? { min, max, run } : { min, max, run, help: [usage, ...lines] };
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  'aof-flush-sleep': exactly(3, aofFlushSleep, 'AOF-FLUSH-SLEEP <us>', 'Sleep before AOF writes.'),
  assert: between(2, ANY, debugAbort, 'ASSERT', 'End the process as a failed assertion does.'),
  'change-repl-id': exactly(2, changeReplicationId, 'CHANGE-REPL-ID', 'Take a new replication id.'),
  'client-eviction': exactly(2, clientEviction, 'CLIENT-EVICTION', 'What clients take.'),
  clusterlink: between(2, ANY, refuse(NO_CLUSTER)),
  'config-rewrite-force-all': exactly(
    2,
    debugConfigRewrite,
    'CONFIG-REWRITE-FORCE-ALL',
    'CONFIG REWRITE with all parameters, changed or not.',
  ),
  'crash-and-recover': between(2, ANY, debugRestart),
  digest: exactly(2, debugDigest, 'DIGEST', 'A digest of all data, equal to that of Redis.'),
  'digest-value': between(2, ANY, debugDigestValue, 'DIGEST-VALUE <key>...', 'Digests of values.'),
  'drop-cluster-packet-filter': exactly(3, refuse(NO_CLUSTER)),
  error: exactly(3, error, 'ERROR <text>', 'Answer this error.'),
  htstats: exactly(3, debugHtstats, 'HTSTATS <db>', 'The table of a database.'),
  'htstats-key': exactly(3, debugHtstatsKey, 'HTSTATS-KEY <key>', 'The table of a value.'),
  jmap: exactly(2, debugJmap, 'JMAP', 'How the memory of the data is used.'),
  leak: exactly(3, debugLeak, 'LEAK <text>', 'Allocate as much and forget it.'),
  listpack: exactly(3, debugListpack, 'LISTPACK <key>', 'Log the bytes of a listpack.'),
  loadaof: between(2, ANY, debugLoadaof, 'LOADAOF', 'Flush the AOF and load it again.'),
  log: exactly(3, debugLog, 'LOG <text>', 'Write a line to the log.'),
  mallctl: between(3, ANY, refuse(NO_JEMALLOC)),
  'mallctl-str': between(3, ANY, refuse(NO_JEMALLOC)),
  object: exactly(3, debugObject, 'OBJECT <key>', 'How a value is kept.'),
  oom: between(2, ANY, debugAbort, 'OOM', 'End the process as the lack of memory does.'),
  panic: between(2, ANY, debugAbort, 'PANIC', 'End the process as a panic does.'),
  'pause-cron': exactly(3, pauseCron, 'PAUSE-CRON <0|1>', 'Stop what is done periodically.'),
  populate: between(
    3,
    5,
    debugPopulate,
    'POPULATE <count> [<prefix>] [<size>]',
    'Create string keys <prefix>:0, <prefix>:1, ... without propagating them.',
  ),
  protocol: exactly(3, debugProtocol, 'PROTOCOL <type>', 'A sample reply of a type.'),
  quicklist: between(3, 4, debugQuicklist, 'QUICKLIST <key>', 'Log the size of a quicklist.'),
  'quicklist-packed-threshold': exactly(
    3,
    packedThreshold,
    'QUICKLIST-PACKED-THRESHOLD <size>',
    'From which size on elements of lists have nodes of their own.',
  ),
  reload: between(
    2,
    ANY,
    debugReload,
    'RELOAD [MERGE] [NOFLUSH] [NOSAVE]',
    'Save, flush and load; NOSAVE loads what was saved before, NOFLUSH keeps what is there,',
    'MERGE replaces keys that are there already instead of failing.',
  ),
  replicate: between(3, ANY, replicate, 'REPLICATE <word>...', 'Send a command to replicas only.'),
  replybuffer: exactly(4, replyBuffer, 'REPLYBUFFER <option> <value>', 'Taken without effect.'),
  restart: between(2, ANY, debugRestart),
  sdslen: exactly(3, debugSdslen, 'SDSLEN <key>', 'Lengths and room of a key and its string.'),
  segfault: between(2, ANY, debugSegfault, 'SEGFAULT', 'End the process by a SIGSEGV.'),
  'set-active-expire': exactly(
    3,
    setActiveExpire,
    'SET-ACTIVE-EXPIRE <0|1>',
    'Whether keys are removed when they are due, or only when they are met.',
  ),
  'set-disable-deny-scripts': exactly(
    3,
    (c) => c.ok(),
    'SET-DISABLE-DENY-SCRIPTS <0|1>',
    'Let scripts call what is denied to them; none run here.',
  ),
  'set-skip-checksum-validation': exactly(
    3,
    setSkipChecksums,
    'SET-SKIP-CHECKSUM-VALIDATION <0|1>',
    'Take RDB files and payloads whatever their checksum.',
  ),
  sleep: exactly(3, debugSleep, 'SLEEP <seconds>', 'Stop the server for a while.'),
  'stringmatch-len': exactly(
    4,
    debugStringmatch,
    'STRINGMATCH-LEN <pattern> <text>',
    'Whether the pattern matches: 1 or 0.',
  ),
  structsize: exactly(2, structsize, 'STRUCTSIZE', 'Sizes of structures.'),
};

function debugCommand(c: Context): void {
  const found = SUBCOMMANDS[c.args.text(1).toLowerCase()];
  if (found !== undefined && c.argc >= found.min && c.argc <= found.max) found.run(c);
  else if (c.argc === 2 && c.is(1, 'help')) {
    replyHelp(
      c,
      'DEBUG',
      Object.values(SUBCOMMANDS).flatMap(({ help }) => (help ? [help] : [])),
    );
  } else unknown(c);
}

export const debugCommands = [
  command(
    'debug',
    'server',
    {
      arity: -2,
      flags: ADMIN | NOSCRIPT | LOADING | STALE | PROTECTED,
      since: '1.0.0',
      complexity: 'Depends on the subcommand',
      summary: 'Looks inside the server, for tests.',
      internal: true,
    },
    debugCommand,
  ),
];
