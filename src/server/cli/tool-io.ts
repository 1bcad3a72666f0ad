/**
 * What the tools are given to talk to who called them: standard output and error, a bar that shows
 * progress, a question; and the exit codes that they end with.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { errorCode } from '../../persistence/file-system.ts';
import type { ReadProgress } from '../../persistence/rdb/rdb-source.ts';
import { errorReason, troubleText } from '../config/system-error.ts';
import { sleepSync } from '../time/sleep.ts';
import { ProgressBar } from './progress.ts';

/** Exit code: all is as it should be, or was done. */
export const EXIT_OK = 0;
/** Exit code: the answer is no (damaged, different). */
export const EXIT_NO = 1;
/** Exit code: it could not be done or told (wrong arguments, unreadable files). */
export const EXIT_TROUBLE = 2;
/** Exit code: the reader of standard output has gone; a shell shows this for SIGPIPE. */
const EXIT_NO_READER = 141;

export interface ToolIo {
  /** Prints text on standard output. */
  print(text: string): void;
  /** Writes bytes to standard output, all of them before it returns. */
  write(bytes: Uint8Array, length: number): void;
  /** Prints text on standard error. */
  warn(text: string): void;
  /** Begins a bar; the result is to be told how far the work is. */
  progress(label: string): ReadProgress;
  /** Asks a question that is answered with yes or no. */
  confirm(question: string): Promise<boolean>;
}

/** A tool: does what is asked and gives an exit code. */
export type Tool<Request> = (request: Request, io: ToolIo) => Promise<number>;

const STDOUT = 1;
const STDERR = 2;
const BUSY_WAIT_MS = 2;

/** The terminal, or whatever standard output and error lead to. */
export function terminalIo(): ToolIo {
  const { stderr } = process;
  const bar = new ProgressBar(
    {
      get isTTY() {
        return stderr.isTTY === true;
      },
      get columns() {
        return stderr.columns || 80;
      },
      write: writeStandardError,
    },
    () => performance.now(),
  );
  return {
    print: (text) => {
      bar.wipe();
      const bytes = Buffer.from(text);
      writeStandardOutput(bytes, bytes.length);
    },
    write: (bytes, length) => {
      // A bar would stand between the lines of a terminal; into a file or pipe they do not meet.
      if (process.stdout.isTTY === true) bar.wipe();
      writeStandardOutput(bytes, length);
    },
    warn: (text) => {
      bar.wipe();
      writeStandardError(text);
    },
    progress: (label) => bar.start(label),
    confirm: async (question) => {
      bar.wipe();
      const terminal = createInterface({ input: process.stdin, output: stderr });
      // Where standard input ends there is no answer, which is no yes.
      const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
      try {
        return /^y/i.test(await Promise.race([terminal.question(question), ended]));
      } finally {
        terminal.close();
      }
    },
  };
}

/**
 * Writes to standard output. Where that cannot be there is nobody to work for, and the program
 * ends: as a pipe without a reader ends any program, or with what the disk says. No tool prints
 * while it has a file in the making.
 */
function writeStandardOutput(bytes: Uint8Array, length: number): void {
  try {
    writeAll(STDOUT, bytes, length);
  } catch (error) {
    if (errorCode(error) === 'EPIPE') process.exit(EXIT_NO_READER);
    writeStandardError(`cairn: standard output: ${errorReason(error)}\n`);
    process.exit(EXIT_TROUBLE);
  }
}

/** Writes to standard error, if that can be. */
function writeStandardError(text: string): void {
  const bytes = Buffer.from(text);
  try {
    writeAll(STDERR, bytes, bytes.length);
  } catch {
    // There is nowhere left to tell it.
  }
}

/** Writes all bytes, waiting where a pipe is full. */
function writeAll(fd: number, bytes: Uint8Array, length: number): void {
  for (let done = 0; done < length; ) {
    try {
      done += writeSync(fd, bytes, done, length - done);
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error;
      sleepSync(BUSY_WAIT_MS);
    }
  }
}

/** One line of JSON on standard output. */
export function printJson(io: ToolIo, value: unknown): void {
  io.print(`${JSON.stringify(value)}\n`);
}

/** Tells what went wrong, for machines as well if wanted. Returns the exit code. */
export function tellTrouble(
  io: ToolIo,
  error: unknown,
  json: boolean,
  code = EXIT_TROUBLE,
): number {
  const text = troubleText(error);
  io.warn(`cairn: ${text}\n`);
  if (json) printJson(io, { ok: false, error: text });
  return code;
}
