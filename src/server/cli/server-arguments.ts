/**
 * The command line of `cairn-server`, which is redis-server's.
 *
 *     cairn-server [FILE] [--option value...]... [-]
 *
 *     cairn-server /etc/cairn.conf --port 7777 --save 60 1000 -
 *                  |                |           |             read more from standard input
 *                  |                |           one option, two words
 *                  |                becomes the line `port 7777`
 *                  the configuration file, only as the first argument
 *
 * Options become lines of the configuration behind those of the file and of standard input, so they
 * win. The corners are Redis 7.0's:
 *
 * - What follows `--option` is its value even if it begins with `--`, once: `--requirepass --x`.
 * - `--save` alone, last or before another `--option`, means `--save ""`.
 * - `"--port 7777"` as one argument is an option with its value.
 * - `-` is standard input only as the first or the last argument.
 */
import { quoteArgument, toByteString } from '../config/byte-string.ts';
import { splitWords } from '../config/conf-file.ts';

export type ServerArguments =
  | { readonly kind: 'help' | 'version' | 'check-system' }
  | { readonly kind: 'refused'; readonly message: string }
  | {
      readonly kind: 'run';
      readonly file: string | undefined;
      readonly stdin: boolean;
      /** Lines of configuration, as a byte string; undefined when there was no argument at all. */
      readonly options: string | undefined;
    };

const NO_MEMORY_TEST =
  'There is no memory test here: use a tool that tests memory outside the operating system,\n' +
  'such as memtest86+.\n';

const NO_SENTINEL =
  'There is no Sentinel here: run redis-sentinel; it watches this server as it watches others.\n';

/** Takes the arguments behind the program's name apart. */
export function parseServerArguments(args: readonly string[]): ServerArguments {
  const first = args[0];
  if (args.includes('--sentinel')) return { kind: 'refused', message: NO_SENTINEL };
  if (first === undefined) {
    return { kind: 'run', file: undefined, stdin: false, options: undefined };
  }
  if (first === '-v' || first === '--version') return { kind: 'version' };
  if (first === '-h' || first === '--help') return { kind: 'help' };
  if (first === '--test-memory') return { kind: 'refused', message: NO_MEMORY_TEST };
  if (first === '--check-system') return { kind: 'check-system' };
  const file = first.startsWith('-') ? undefined : first;
  const rest = file === undefined ? args : args.slice(1);
  const fromStdin = (index: number): boolean =>
    rest[index] === '-' && (index === rest.length - 1 || (index === 0 && file === undefined));
  return {
    kind: 'run',
    file,
    stdin: rest.some((_, index) => fromStdin(index)),
    options: optionLines(rest.filter((_, index) => !fromStdin(index))),
  };
}

/** A line for each option, its words quoted. */
function optionLines(args: readonly string[]): string {
  let lines = '';
  /** The option before has its value, so that `--` begins the next one. */
  let complete = true;
  for (const [index, arg] of args.entries()) {
    const bytes = toByteString(arg);
    if (complete && arg.startsWith('--')) {
      lines += `${lines === '' ? '' : '\n'}${bytes.slice(2)} `;
      complete = splitWords(bytes)?.length !== 1;
      const next = args[index + 1];
      if (!complete && arg.toLowerCase() === '--save' && (next?.startsWith('--') ?? true)) {
        lines += '""';
        complete = true;
      }
    } else {
      lines += `${quoteArgument(bytes)} `;
      complete = true;
    }
  }
  return lines;
}

/** The names of the options in lines of configuration, in lower case. */
export function optionNames(lines: string): Set<string> {
  const names = new Set<string>();
  for (const line of lines.split('\n')) {
    const name = splitWords(line)?.[0];
    if (name !== undefined) names.add(name.toLowerCase());
  }
  return names;
}

/** What `--help` prints. */
export const SERVER_USAGE = `Usage: cairn-server [/path/to/redis.conf] [options] [-]
       cairn-server - (read config from stdin)
       cairn-server -v or --version
       cairn-server -h or --help
       cairn-server --check-system

Examples:
       cairn-server (run the server with default conf)
       echo 'maxmemory 128mb' | cairn-server -
       cairn-server /etc/redis/6379.conf
       cairn-server --port 7777
       cairn-server --port 7777 --replicaof 127.0.0.1 8888
       cairn-server /etc/myredis.conf --loglevel verbose -
       cairn-server /etc/myredis.conf --loglevel verbose
`;
