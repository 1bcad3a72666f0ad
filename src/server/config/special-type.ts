/**
 * The parameters that are more than one value: `save`, `bind`, `client-output-buffer-limit`,
 * `oom-score-adj-values`, `latency-tracking-info-percentiles`, `shutdown-on-sig...`, `replicaof`,
 * and those with a rule of their own: `dir`, `notify-keyspace-events`.
 *
 * Each reads the words behind its name and, in a rewritten file, writes one or several lines. A
 * whole value in one pair of quotes (`save "900 1"`) reaches these types split at its spaces.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fromByteString, quoteArgument, toByteString } from './byte-string.ts';
import { formatKeyspaceEvents, parseKeyspaceEvents } from './keyspace-events.ts';
import type { ShutdownFlag } from './settings.ts';
import { errorReason } from './system-error.ts';
import {
  formatBytes,
  notAmong,
  parseBytes,
  type RewriteLine,
  type ValueType,
  WRONG_WORD_COUNT,
} from './value-type.ts';
import { isNotUtf8, NOT_UTF8 } from './working-folder.ts';

/** A whole number as C's `strtoll` takes it: an empty text is 0, a sign may come first. */
function parseLoosely(text: string | undefined): number | undefined {
  if (text === '') return 0;
  return text !== undefined && /^\s*[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

/** A save point: save after this many seconds, if at least this many changes were made. */
export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

type SavePoints = readonly SavePoint[];

/**
 * `save 900 1 300 10`, or a line for each pair; `save ""` for none. The first line of a reading
 * replaces the defaults, the next ones add to it.
 */
export const saveType: ValueType<SavePoints, SavePoints> = {
  multi: true,
  accepts: '[seconds changes]...',
  parse(words, before, context) {
    if (words.length === 1 && words[0] === '') return { value: [] };
    const points: SavePoint[] = [];
    for (let i = 0; i < words.length; i += 2) {
      const seconds = parseLoosely(words[i]);
      const changes = parseLoosely(words[i + 1]);
      if (seconds === undefined || changes === undefined || seconds < 1 || changes < 0) {
        return { error: 'Invalid save parameters' };
      }
      points.push({ seconds, changes });
    }
    return { value: context.reading && context.repeated ? [...before, ...points] : points };
  },
  expose: (stored) => stored,
  format: (stored) => stored.map((point) => `${point.seconds} ${point.changes}`).join(' '),
  lines(name, stored) {
    if (stored.length === 0) return [{ text: `${name} ""`, force: true }];
    return stored.map((point) => ({
      text: `${name} ${point.seconds} ${point.changes}`,
      force: true,
    }));
  },
};

/** The most addresses that `bind` takes. */
const BIND_MAX = 16;

/** Addresses to listen on; one that starts with `-` may be missing on this machine. */
export const bindType: ValueType<readonly string[], readonly string[]> = {
  multi: true,
  accepts: '[address]... (at most 16)',
  parse(words) {
    if (words.length > BIND_MAX) return { error: 'Too many bind addresses specified.' };
    return { value: words.length === 1 && words[0] === '' ? [] : [...words] };
  },
  expose: (stored) => stored,
  format: (stored) => stored.join(' '),
  lines(name, stored, initial) {
    if (stored.join(' ') === initial.join(' ')) return [];
    return [{ text: `${name} ${stored.length === 0 ? '""' : stored.join(' ')}`, force: true }];
  },
};

/** A client over the hard limit, or over the soft one for so long, is disconnected; 0 is none. */
export interface OutputBufferLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

export type ClientClass = 'normal' | 'replica' | 'pubsub';
export type OutputBufferLimits = Readonly<Record<ClientClass, OutputBufferLimit>>;

const CLIENT_CLASSES: readonly ClientClass[] = ['normal', 'replica', 'pubsub'];

export const outputBufferLimitsType: ValueType<OutputBufferLimits, OutputBufferLimits> = {
  multi: true,
  accepts: '[normal|replica|pubsub hard-bytes soft-bytes soft-seconds]...',
  parse(words, before) {
    if (words.length % 4 !== 0) {
      return { error: 'Wrong number of arguments in buffer limit configuration.' };
    }
    const limits: Record<ClientClass, OutputBufferLimit> = { ...before };
    for (let i = 0; i < words.length; i += 4) {
      const given = words[i]?.toLowerCase();
      const name = CLIENT_CLASSES.find((one) => one === (given === 'slave' ? 'replica' : given));
      if (name === undefined) {
        return { error: 'Invalid client class specified in buffer limit configuration.' };
      }
      const hard = parseBytes(words[i + 1] ?? '');
      const soft = parseBytes(words[i + 2] ?? '');
      const softSeconds = parseLoosely(words[i + 3]);
      if (
        hard === undefined ||
        soft === undefined ||
        !(softSeconds !== undefined && softSeconds >= 0)
      ) {
        return {
          error: 'Error in hard, soft or soft_seconds setting in buffer limit configuration.',
        };
      }
      limits[name] = { hardBytes: Number(hard), softBytes: Number(soft), softSeconds };
    }
    return { value: limits };
  },
  expose: (stored) => stored,
  format: (stored) =>
    CLIENT_CLASSES.map((name) => {
      const { hardBytes, softBytes, softSeconds } = stored[name];
      return `${name === 'replica' ? 'slave' : name} ${hardBytes} ${softBytes} ${softSeconds}`;
    }).join(' '),
  lines: (option, stored, initial) =>
    CLIENT_CLASSES.map((name): RewriteLine => {
      const { hardBytes, softBytes, softSeconds } = stored[name];
      const sizes = `${formatBytes(BigInt(hardBytes))} ${formatBytes(BigInt(softBytes))}`;
      const old = initial[name];
      const same =
        hardBytes === old.hardBytes &&
        softBytes === old.softBytes &&
        softSeconds === old.softSeconds;
      return { text: `${option} ${name} ${sizes} ${softSeconds}`, force: !same };
    }),
};

/** The kernel's readiness to kill a primary, a replica and a background child, in this order. */
export const oomValuesType: ValueType<readonly number[], readonly number[]> = {
  multi: true,
  accepts: 'primary replica child (each -2000..2000)',
  parse(words) {
    if (words.length !== 3) return { error: WRONG_WORD_COUNT };
    const values: number[] = [];
    for (const word of words) {
      const value = parseLoosely(word);
      if (value === undefined || value < -2000 || value > 2000) {
        return {
          error: 'Invalid oom-score-adj-values, elements must be between -2000 and 2000.',
        };
      }
      values.push(value);
    }
    return { value: values };
  },
  expose: (stored) => stored,
  format: (stored) => stored.join(' '),
  lines: (name, stored, initial) => [
    { text: `${name} ${stored.join(' ')}`, force: stored.join(' ') !== initial.join(' ') },
  ],
};

export const percentilesType: ValueType<readonly number[], readonly number[]> = {
  multi: true,
  accepts: '[percentile 0..100]...',
  parse(words) {
    if (words.length === 1 && words[0] === '') return { value: [] };
    const values: number[] = [];
    for (const word of words) {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : Number.NaN;
      if (Number.isNaN(value)) {
        return { error: 'Invalid latency-tracking-info-percentiles parameters' };
      }
      if (value < 0 || value > 100) {
        const rule = 'parameters should sit between [0.0,100.0]';
        return { error: `latency-tracking-info-percentiles ${rule}` };
      }
      values.push(value);
    }
    return { value: values };
  },
  expose: (stored) => stored,
  format: (stored) => stored.map(formatPercentile).join(' '),
  lines(name, stored) {
    const values = stored.length === 0 ? '""' : stored.map(formatPercentile).join(' ');
    return [{ text: `${name} ${values}`, force: true }];
  },
};

/** At most six decimals, none that is zero at the end. */
function formatPercentile(value: number): string {
  return value.toFixed(6).replace(/\.?0+$/, '');
}

export const SHUTDOWN_FLAGS: readonly ShutdownFlag[] = ['save', 'nosave', 'now', 'force'];

/** What SHUTDOWN's words would be when a signal asks for it; `default` is none of them. */
export const shutdownFlagsType: ValueType<readonly ShutdownFlag[], readonly ShutdownFlag[]> = {
  multi: true,
  accepts: 'default | [save|nosave] [now] [force]',
  parse(words) {
    const given = words.map((word) => word.toLowerCase());
    const known = given.every((word) => word === 'default' || isShutdownFlag(word));
    if (given.length === 0 || !known) return { error: notAmong(['default', ...SHUTDOWN_FLAGS]) };
    if (given.includes('save') && given.includes('nosave')) {
      return { error: "shutdown options SAVE and NOSAVE can't be used simultaneously" };
    }
    return { value: SHUTDOWN_FLAGS.filter((flag) => given.includes(flag)) };
  },
  expose: (stored) => stored,
  format: formatShutdownFlags,
  lines: (name, stored, initial) => {
    const text = formatShutdownFlags(stored);
    return [{ text: `${name} ${text}`, force: text !== formatShutdownFlags(initial) }];
  },
};

function isShutdownFlag(word: string): boolean {
  return SHUTDOWN_FLAGS.some((flag) => flag === word);
}

function formatShutdownFlags(flags: readonly ShutdownFlag[]): string {
  return flags.length === 0 ? 'default' : flags.join(' ');
}

/** The primary that this server follows. */
export interface PrimaryAddress {
  readonly host: string;
  readonly port: number;
}

export const replicaOfType: ValueType<PrimaryAddress | undefined, PrimaryAddress | undefined> = {
  multi: true,
  accepts: 'host port | no one',
  parse(words) {
    const [host, portText] = words;
    if (words.length !== 2 || host === undefined) return { error: WRONG_WORD_COUNT };
    if (host.toLowerCase() === 'no' && portText?.toLowerCase() === 'one') {
      return { value: undefined };
    }
    const port = parseLoosely(portText);
    if (port === undefined || port < 0 || port > 65535) return { error: 'Invalid master port' };
    return { value: { host, port } };
  },
  expose: (stored) => stored,
  format: (stored) => (stored === undefined ? '' : `${stored.host} ${stored.port}`),
  lines: (name, stored) =>
    stored === undefined ? [] : [{ text: `${name} ${stored.host} ${stored.port}`, force: true }],
};

export const keyspaceEventsType: ValueType<number, number> = {
  multi: false,
  accepts: 'letters of KEg$lshzxetdmnA',
  parse(words) {
    const mask = parseKeyspaceEvents(words[0] ?? '');
    if (mask !== undefined) return { value: mask };
    return { error: "Invalid event class character. Use 'Ag$lshzxeKEtmdn'." };
  },
  expose: (stored) => stored,
  format: formatKeyspaceEvents,
  lines: (name, stored, initial) => [
    { text: `${name} ${quoteArgument(formatKeyspaceEvents(stored))}`, force: stored !== initial },
  ],
};

/** A folder that exists and may be entered, kept as its absolute path. */
export const directoryType: ValueType<string, string> = {
  multi: false,
  accepts: 'path of a folder',
  parse(words, _before, context) {
    const given = words[0] ?? '';
    try {
      if (given === '') return { error: 'No such file or directory' };
      const named = resolve(context.directory, fromByteString(given));
      if (isNotUtf8(named)) return { error: NOT_UTF8 };
      const path = realpathSync(named);
      if (!statSync(path).isDirectory()) return { error: 'Not a directory' };
      accessSync(path, constants.X_OK);
      return { value: toByteString(path) };
    } catch (error) {
      return { error: errorReason(error) };
    }
  },
  expose: fromByteString,
  format: (stored) => stored,
  lines: (name, stored) => [{ text: `${name} ${quoteArgument(stored)}`, force: true }],
};
