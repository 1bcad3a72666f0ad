/**
 * Error replies that many commands share, with Redis's texts. A reply is "-" and one of these.
 */
import { entriesLimit } from '../../core/entries-limit.ts';
import type { Args } from '../../core/resp/args.ts';

export const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
export const SYNTAX_ERROR = 'ERR syntax error';
export const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
export const NOT_A_FLOAT = 'ERR value is not a valid float';
export const OUT_OF_RANGE = 'ERR index out of range';
export const NOT_POSITIVE = 'ERR value is out of range, must be positive';
export const NO_SUCH_KEY = 'ERR no such key';
export const SAME_OBJECT = 'ERR source and destination objects are the same';
export const AUTH_REQUIRED = 'NOAUTH Authentication required.';
export const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
export const READONLY_REPLICA = "READONLY You can't write against a read only replica.";
export const LOADING_DATASET = 'LOADING Redis is loading the dataset in memory';
export const PRIMARY_DOWN =
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
export const NOT_ENOUGH_REPLICAS = 'NOREPLICAS Not enough good replicas to write.';
export const EXEC_ABORTED = 'EXECABORT Transaction discarded because of previous errors.';
export const SNAPSHOT_FAILED =
  'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to ' +
  'disk. Commands that may modify the data set are disabled, because this instance is configured ' +
  'to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error ' +
  'option). Please check the Redis logs for details about the RDB error.';

/** "wrong number of arguments" for a command's full name, "config|get". */
export function wrongArity(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}

/** What tables that know no way past the limit of a Map say to one who would fill them. */
export function tooMany(what: string): string {
  return `ERR there may be no more than ${entriesLimit.max} ${what}`;
}

const SCRIPTING = /^(?:eval(?:sha)?(?:_ro)?|fcall(?:_ro)?|function|script)$/i;

/**
 * "unknown command", with as much of the arguments as Redis shows. What wants Lua, often a library
 * that its user does not know to bring scripts along, is told that there is none.
 */
export function unknownCommand(args: Args): string {
  const name = args.shown(0).slice(0, 128);
  if (SCRIPTING.test(name)) {
    return `ERR unknown command '${name}': this server runs no Lua scripts and functions`;
  }
  let shown = '';
  for (let i = 1; i < args.count && shown.length < 128; i++) {
    shown += `'${args.shown(i).slice(0, 128 - shown.length)}' `;
  }
  return `ERR unknown command '${name}', with args beginning with: ${shown}`;
}

/** "unknown subcommand or wrong number of arguments", for arguments that fit no form of `word`. */
export function wrongSubcommand(parent: string, word: string): string {
  const text = `unknown subcommand or wrong number of arguments for '${word.slice(0, 128)}'`;
  return `ERR ${text}. Try ${parent} HELP.`;
}

export const PROTECTED_MODE =
  'DENIED Redis is running in protected mode because protected mode is enabled and no password ' +
  'is set for the default user. In this mode connections are only accepted from the loopback ' +
  'interface. If you want to connect from external computers to Redis you may adopt one of the ' +
  "following solutions: 1) Just disable protected mode sending the command 'CONFIG SET " +
  "protected-mode no' from the loopback interface by connecting to Redis from the same host the " +
  'server is running, however MAKE SURE Redis is not publicly accessible from internet if you do ' +
  'so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable ' +
  'the protected mode by editing the Redis configuration file, and setting the protected mode ' +
  "option to 'no', and then restarting the server. 3) If you started the server manually just " +
  "for testing, restart it with the '--protected-mode no' option. 4) Set up an authentication " +
  'password for the default user. NOTE: You only need to do one of the above things in order for ' +
  'the server to start accepting connections from the outside.';
export const NO_DEBUG =
  'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can ' +
  'run it from a local connection, otherwise you need to set this option in the configuration ' +
  'file, and then restart the server.';
