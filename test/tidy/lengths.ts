/**
 * Lengths of files and functions against limits, with exceptions that can only shrink: one that is
 * larger than what it excuses must be lowered, one that excuses nothing must go.
 *
 * Functions are found by their formatting: whatever opens a body at some indentation ends at the
 * next line that has the same indentation and begins with a closing brace. The formatter
 * guarantees that, so no parser is needed.
 */
import type { SourceFile } from './source.ts';

export type Exceptions = Readonly<Record<string, number>>;
type Lengths = ReadonlyMap<string, number>;

/** An exception may be this much larger than what it excuses before it must be lowered. */
const slackLines = 15;

export function fileLengths(files: readonly SourceFile[]): Map<string, number> {
  return new Map(files.map((file) => [file.path, file.text.trimEnd().split('\n').length]));
}

const namedFunction = /^\s*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b\*?\s*([\w$]+)/;
const method =
  /^\s+(?:(?:private|protected|public|static|override|async|get|set)\s+)*\*?(#?[\w$]+)(?:<.*>)?\(/;
const arrow = /^\s*(?:(?:export\s+)?(?:const|let)\s+([\w$]+)|([\w$.]+).*)?.*=>\s*\{$/;
const notMethods = /^(?:if|for|while|switch|catch|return|throw|super|await|new|function)$/;

/** The name of the function that a line begins, or null. Suites of tests are no functions. */
function startedFunction(line: string, next: string): string | null {
  const named = namedFunction.exec(line);
  if (named !== null) return named[1] ?? null;
  const asMethod = method.exec(line)?.[1];
  const opens = /[{(]$/.test(line) && !/=>\s*\{$/.test(line) && !line.includes(' = ');
  if (asMethod !== undefined && opens && !notMethods.test(asMethod)) {
    const body = /\{$/.test(line) || /^\s+[\w$]+\??:|^\s+readonly /.test(next);
    return body ? asMethod : null;
  }
  const found = arrow.exec(line);
  if (found === null || /^\s*describe\b/.test(line)) return null;
  return found[1] ?? found[2] ?? 'arrow';
}

/** Lines of every function, by `path#name`; of equal names in a file the longest counts. */
export function functionLengths(files: readonly SourceFile[]): Map<string, number> {
  const lengths = new Map<string, number>();
  for (const file of files) {
    const lines = file.bare.split('\n').map((line) => line.trimEnd());
    for (const [start, line] of lines.entries()) {
      const name = startedFunction(line, lines[start + 1] ?? '');
      if (name === null || line.endsWith('}') || line.endsWith('};')) continue;
      const indent = /^\s*/.exec(line)?.[0] ?? '';
      const length =
        lines.slice(start + 1).findIndex((other) => other.startsWith(`${indent}}`)) + 2;
      const key = `${file.path}#${name}`;
      if (length > 1) lengths.set(key, Math.max(length, lengths.get(key) ?? 0));
    }
  }
  return lengths;
}

/** What is too long without an exception, and which exceptions are wrong. */
export function ratchet(lengths: Lengths, linesMax: number, exceptions: Exceptions): string[] {
  const tooLong = [...lengths]
    .filter(([key, lines]) => lines > (exceptions[key] ?? linesMax))
    .map(([key, lines]) => `${key} has ${lines} lines (at most ${exceptions[key] ?? linesMax})`);
  const stale = Object.entries(exceptions).flatMap(([key, allowed]) => {
    const lines = lengths.get(key);
    if (lines === undefined) return [`the exception for ${key} excuses nothing: remove it`];
    if (lines <= linesMax) return [`${key} needs no exception any more: remove it`];
    return allowed > lines + slackLines ? [`lower the exception of ${key} to ${lines}`] : [];
  });
  return [...tooLong, ...stale];
}
