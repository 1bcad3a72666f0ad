/**
 * The files that an `include` line names. A path without wildcards is itself, present or not. One
 * with `*`, `?` or `[...]` is every path that exists and matches, in the order of their bytes; none
 * is fine, since a folder of configuration parts may be empty.
 *
 * As in a shell, a wildcard does not match a leading dot, and never a slash.
 */
import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { globMatch } from '../../core/text/glob.ts';

/** The paths for a pattern; relative ones start at `directory`. */
export function includedPaths(pattern: string, directory: string): string[] {
  if (!/[*?[]/.test(pattern)) return [pattern === '' ? '' : resolve(directory, pattern)];
  const segments = pattern.split('/').filter((segment) => segment !== '');
  let paths = [isAbsolute(pattern) ? '/' : directory];
  for (const segment of segments) {
    paths = paths.flatMap((path) => matchesIn(path, segment));
  }
  return paths.sort(compareBytes);
}

function matchesIn(folder: string, segment: string): string[] {
  if (!/[*?[]/.test(segment)) {
    const path = join(folder, segment);
    return existsSync(path) ? [path] : [];
  }
  const pattern = segmentPattern(segment);
  return namesIn(folder)
    .filter((name) => segment.startsWith('.') || !name.startsWith('.'))
    .filter((name) => {
      const bytes = Buffer.from(name);
      return globMatch(pattern, 0, pattern.length, bytes, 0, bytes.length, false);
    })
    .map((name) => join(folder, name));
}

/** The names in a folder; none when it cannot be read, as a shell has it. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Bytes of a pattern as `globMatch` has them: a class is negated by ^ there, by ! in a shell. */
function segmentPattern(segment: string): Buffer {
  return Buffer.from(segment.replaceAll('[!', '[^'));
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
