/**
 * The log of a server.
 *
 * As text, a line that looks like one of redis-server, for whatever reads such logs:
 *
 *     7391:M 23 Nov 2026 02:43:17.856 * Ready to accept connections tcp
 *     |    | |                        | message
 *     |    | local time               . debug   - verbose   * notice   # warning
 *     |    M primary, S replica, C child process or not yet started
 *     process number
 *
 * As JSON (`log-format json`), one object on a line, with the fields that a message brings:
 *
 *     {"level":"notice","time":"2026-11-23T01:43:17.856Z","pid":7391,"role":"M","msg":"Ready ..."}
 *
 * Every line is with the operating system when the call returns, so none is lost at a crash. A log
 * file is opened for each line: it may be moved or deleted at any time, and a new one appears.
 * A line that cannot be written (the disk is full, the folder is gone) is dropped: a server does
 * not stop for its log. Levels, formats and times are pino's.
 */
import { appendFileSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import pino from 'pino';
import { isError } from '../persistence/file-system.ts';
import { sleepSync } from './time/sleep.ts';

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';
export type LogFormat = 'text' | 'json';

/** M a primary, S a replica, C a child or a process that has not started yet. */
export type LogRole = 'M' | 'S' | 'C';

/** Further facts of a message; they are shown in JSON only, so the message must stand alone. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the rest of the server logs with. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  verbose(message: string, fields?: LogFields): void;
  notice(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
}

/** Takes finished lines, each with its newline. */
export type LogSink = (line: string) => void;

export interface LogOptions {
  /** Default `notice`; `nothing` logs nothing. */
  readonly level?: LogLevel | 'nothing';
  readonly format?: LogFormat;
  /** Default: standard output. */
  readonly sink?: LogSink;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly pid?: number;
  /** Default `M`. */
  readonly role?: LogRole;
}

const LEVELS: Readonly<Record<LogLevel, number>> = {
  debug: 20,
  verbose: 25,
  notice: 30,
  warning: 40,
};

const LEVEL_MARKS = new Map([
  [LEVELS.debug, '.'],
  [LEVELS.verbose, '-'],
  [LEVELS.notice, '*'],
  [LEVELS.warning, '#'],
]);

/** What pino leaves on a destination with the metadata mark before each line. */
interface PinoMetadata {
  lastLevel: number;
  lastMsg: string | undefined;
}

/** A log whose level, format, role and sink can change while it runs. */
export class ServerLog implements Logger {
  role: LogRole;
  readonly #pino: pino.Logger<LogLevel>;
  #format: LogFormat;
  readonly #sink: LogSink;

  constructor(options: LogOptions = {}) {
    const pid = options.pid ?? process.pid;
    const now = options.now ?? Date.now;
    const toSink = (line: string): void => this.#sink(line);
    this.role = options.role ?? 'M';
    this.#sink = options.sink ?? standardOutputSink;
    this.#format = options.format ?? 'text';
    const head = (): string => `${pid}:${this.role} ${formatLogTime(now())}`;
    const destination = destinationFor(toSink, () => (this.#format === 'text' ? head() : null));
    this.#pino = pino(
      {
        customLevels: LEVELS,
        useOnlyCustomLevels: true,
        level: 'notice',
        base: { pid },
        mixin: () => ({ role: this.role }),
        formatters: { level: (label) => ({ level: label }) },
        timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      },
      destination,
    );
    this.setLevel(options.level ?? 'notice');
  }

  setLevel(level: LogLevel | 'nothing'): void {
    this.#pino.level = level === 'nothing' ? 'silent' : level;
  }

  setFormat(format: LogFormat): void {
    this.#format = format;
  }

  debug(message: string, fields?: LogFields): void {
    this.#pino.debug(fields ?? {}, message);
  }

  verbose(message: string, fields?: LogFields): void {
    this.#pino.verbose(fields ?? {}, message);
  }

  notice(message: string, fields?: LogFields): void {
    this.#pino.notice(fields ?? {}, message);
  }

  warning(message: string, fields?: LogFields): void {
    this.#pino.warning(fields ?? {}, message);
  }
}

/**
 * A destination that puts the message behind a text head, or passes pino's JSON on while there is
 * none. pino hands over the level and message of the line through the destination's properties, so
 * its JSON need not be parsed again.
 */
function destinationFor(sink: LogSink, textHead: () => string | null): pino.DestinationStream {
  const destination: pino.DestinationStream & PinoMetadata = {
    lastLevel: 0,
    lastMsg: '',
    write(json) {
      const head = textHead();
      const mark = LEVEL_MARKS.get(destination.lastLevel) ?? '*';
      sink(head === null ? json : `${head} ${mark} ${destination.lastMsg ?? ''}\n`);
    },
  };
  return Object.assign(destination, { [Symbol.for('pino.metadata')]: true });
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** Local time as `23 Nov 2026 02:43:17.856`. */
export function formatLogTime(unixMs: number): string {
  const time = new Date(unixMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  const ms = String(time.getMilliseconds()).padStart(3, '0');
  const month = MONTHS[time.getMonth()];
  return `${two(time.getDate())} ${month} ${time.getFullYear()} ${clock}.${ms}`;
}

/** Appends to a file that is opened for each line; missing files appear, failures are dropped. */
export function fileSink(path: string): LogSink {
  return (line) => {
    try {
      appendFileSync(path, line, { mode: 0o644 });
    } catch {
      // There is nowhere left to tell it.
    }
  };
}

/** How often a full pipe is tried again before the rest of a line is dropped, 10 ms apart. */
const PIPE_TRIES_MAX = 100;
const PIPE_WAIT_MS = 10;

/** Where standard output is written to; -1 before the first line. */
let outputFd = -1;
/** Whether the last line was dropped: while nobody reads, no other waits for it. */
let isStuck = false;

/**
 * Writes to standard output, and waits a moment for a reader that is slow. The lines that one who
 * has stopped does not take are dropped.
 */
export function standardOutputSink(line: string): void {
  if (outputFd < 0) outputFd = openOutput();
  const bytes = Buffer.from(line);
  let written = 0;
  for (let tries = 0; written < bytes.length; ) {
    try {
      written += writeSync(outputFd, bytes, written);
      isStuck = false;
    } catch (error) {
      const full = isError(error) && 'code' in error && error.code === 'EAGAIN';
      if (!full) return;
      isStuck ||= ++tries > PIPE_TRIES_MAX;
      if (isStuck) return;
      sleepSync(PIPE_WAIT_MS);
    }
  }
}

/**
 * Standard output, a pipe so that it never blocks: whoever stopped to read would stop the server.
 * The pipe is opened once more for that, since others that write to it share its mode.
 */
function openOutput(): number {
  try {
    const mode = constants.O_WRONLY | constants.O_NONBLOCK;
    if (fstatSync(1).isFIFO()) return openSync('/proc/self/fd/1', mode);
  } catch {
    // It is closed, or a pipe of another user: it is taken as it is.
  }
  return 1;
}

/** Logs nothing. */
export const silentLog: Logger = {
  debug() {},
  verbose() {},
  notice() {},
  warning() {},
};
