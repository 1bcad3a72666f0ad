/**
 * redis.conf: lines of words.
 *
 *     # a comment, only at the start of a line
 *     maxmemory 100mb
 *     requirepass "quoted: \n \t \x41 are escapes"
 *     proc-title-template 'single quotes: only \' is an escape'
 *     include conf.d/*.conf
 *
 * The text of the file, what came from standard input, and the options of the command line (a line
 * for each) are one text, read from top to bottom: later lines win. Included files are read in the
 * place of their `include` line. Limits: includes nest at most 16 deep.
 *
 * Texts are byte strings. This file knows no parameter; `Config` gives the words their meaning.
 */
import { readFileSync } from 'node:fs';
import { splitArgs } from '../../core/text/args-split.ts';
import { fromByteString } from './byte-string.ts';
import { errorReason } from './system-error.ts';
import { CAIRN_VERSION } from './version.ts';

/** One line that is neither blank nor a comment. */
export interface Directive {
  /** Never empty; quotes and escapes are resolved. */
  readonly words: readonly string[];
  /** The number of the line in its file or text, from 1. */
  readonly lineNumber: number;
  /** The line as it stands, without blanks around it. */
  readonly text: string;
  /** The path of the file, when it was included. */
  readonly includedFrom: string | undefined;
}

/** A configuration that cannot be used; `report` is what redis-server would print. */
export class ConfigFileError extends Error {
  readonly directive: Pick<Directive, 'lineNumber' | 'text' | 'includedFrom'> | undefined;

  constructor(reason: string, directive?: Pick<Directive, 'lineNumber' | 'text' | 'includedFrom'>) {
    super(reason);
    this.name = 'ConfigFileError';
    this.directive = directive;
  }

  /** Several lines, with one at either end. */
  report(): string {
    const lines = ['', `*** FATAL CONFIG FILE ERROR (Cairn ${CAIRN_VERSION}) ***`];
    if (this.directive !== undefined) {
      lines.push(`Reading the configuration file, at line ${this.directive.lineNumber}`);
      lines.push(`>>> '${fromByteString(this.directive.text)}'`);
    }
    lines.push(this.message);
    const file = this.directive?.includedFrom;
    if (file !== undefined) lines.push(`(in the included file ${file})`);
    return `${lines.join('\n')}\n`;
  }
}

/** A configuration file that cannot be opened: one line for the log. */
export class ConfigOpenError extends Error {
  constructor(path: string, cause: unknown) {
    super(`Fatal error, can't open config file '${path}': ${errorReason(cause)}`);
    this.name = 'ConfigOpenError';
  }
}

/** The text of a configuration file as a byte string; throws `ConfigOpenError`. */
export function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    throw new ConfigOpenError(path, error);
  }
}

/** The lines of a text; throws `ConfigFileError` at one with an open quote. */
export function* readDirectives(text: string, includedFrom?: string): Generator<Directive> {
  let lineNumber = 0;
  for (const line of text.split('\n')) {
    lineNumber++;
    const trimmed = trimLine(line);
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const place = { lineNumber, text: trimmed, includedFrom };
    const words = splitWords(trimmed);
    if (words === undefined) {
      throw new ConfigFileError('Unbalanced quotes in configuration line', place);
    }
    if (words.length > 0) yield { words, ...place };
  }
}

/** A line without the blanks around it. */
export function trimLine(line: string): string {
  return line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
}

/** The words of a line, or undefined when a quote is open. */
export function splitWords(line: string): string[] | undefined {
  return splitArgs(Buffer.from(line, 'latin1'))?.map((word) =>
    Buffer.from(word.buffer, word.byteOffset, word.byteLength).toString('latin1'),
  );
}
