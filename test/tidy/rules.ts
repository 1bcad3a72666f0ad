/**
 * The house rules as functions: source files in, violations out, each one line that names the
 * file, the place and what to do.
 */
import { posix } from 'node:path';
import type { SourceFile } from './source.ts';

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

/** A place for every match of a pattern in one of a file's texts. */
function places(file: SourceFile, text: string, pattern: RegExp, what: string): string[] {
  return [...text.matchAll(pattern)].map(
    (match) => `${file.path}:${lineOf(text, match.index)} ${what}: ${match[0].trim()}`,
  );
}

/** The module names that a file imports, exports from, or imports dynamically. */
function importsOf(file: SourceFile): string[] {
  const pattern =
    /\b(?:import|export)\b[^;'"`]*?\bfrom\s*(['"])(.+?)\1|\bimport\s*\(?\s*(['"])(.+?)\3/g;
  const names = [...file.uncommented.matchAll(pattern)].map((match) => match[2] ?? match[4] ?? '');
  return [...new Set(names)];
}

/** The imports that remain at run time: those of types alone are erased. */
function runtimeImportsOf(file: SourceFile): string[] {
  const types = /\b(?:import|export)\s+type\b[^;'"`]*?\bfrom\s*(['"]).+?\1/g;
  return importsOf({ ...file, uncommented: file.uncommented.replace(types, '') });
}

/** A relative import as a path from the root; null for packages and node modules. */
function resolved(file: SourceFile, name: string): string | null {
  if (!name.startsWith('.')) return null;
  return posix.join(posix.dirname(file.path), name);
}

const allowedRooms: Readonly<Record<string, readonly string[]>> = {
  core: ['core'],
  persistence: ['core', 'persistence'],
  replication: ['core', 'persistence', 'replication'],
  server: ['core', 'persistence', 'replication', 'server'],
};

const roomOf = (path: string): string => /^src\/([^/]+)\//.exec(path)?.[1] ?? '';

/** core <- persistence <- replication <- server; core imports no package and no node module. */
export function wallViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const room = roomOf(file.path);
    const allowed = allowedRooms[room];
    if (allowed === undefined) return [`${file.path} lies in no room of src/`];
    return importsOf(file).flatMap((name) => {
      const path = resolved(file, name);
      if (path === null) {
        return room === 'core' ? [`${file.path} imports ${name}: core imports only core`] : [];
      }
      const other = roomOf(path);
      return allowed.includes(other) ? [] : [`${file.path} imports ${path}: not from ${room}`];
    });
  });
}

/**
 * Cycles of run-time imports, each as the path around it. Types may name each other in a circle:
 * nothing of that is left when the program runs.
 */
export function cycles(files: readonly SourceFile[]): string[] {
  const graph = new Map(
    files.map((file) => [file.path, runtimeImportsOf(file).map((name) => resolved(file, name))]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(' -> '));
    if (at >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) {
      if (next !== null && graph.has(next)) visit(next, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

/** Every file opens by saying what it is. */
export function missingHeads(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => !/^(#!.*\n(':' \/\*\n[^*]*\*\/\n)?)?\/\*\*/.test(file.text))
    .map((file) => `${file.path} does not open with a head comment (/** ... */)`);
}

export function longLines(files: readonly SourceFile[], columnsMax: number): string[] {
  return files.flatMap((file) =>
    file.text.split('\n').flatMap((line, i) => {
      const columns = [...line].length;
      return columns > columnsMax ? [`${file.path}:${i + 1} has ${columns} columns`] : [];
    }),
  );
}

/** File names in kebab-case, with `.test.ts` and `.config.ts` as the only double endings. */
export function oddNames(files: readonly SourceFile[]): string[] {
  const usual = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config))?\.(ts|js)$/;
  return files
    .filter((file) => !usual.test(posix.basename(file.path)))
    .map((file) => `${file.path} is not kebab-case`);
}

/** Notes to self belong to no finished file. The words are spelled apart for this very file. */
export function notesToSelf(files: readonly SourceFile[]): string[] {
  const pattern = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`, 'g');
  return files.flatMap((file) => places(file, file.text, pattern, 'a note to self'));
}

/** Escapes from the type system, in code and in the types of JSDoc. */
export function typeEscapes(files: readonly SourceFile[]): string[] {
  const inCode = /(?:[:<,|&(]\s*|\bas\s+|=\s*)any\b(?!\s*[(:.'])|\bas\s+unknown\s+as\b/g;
  const inDocs = /@(?:param|returns?|type|typedef)\s*\{[^}\n]*\bany\b[^}\n]*\}/g;
  const suppressed = /@ts-(?:ignore|nocheck|expect-error)\b/g;
  return files.flatMap((file) => [
    ...places(file, file.bare, inCode, 'escapes the type system'),
    ...places(file, file.text, inDocs, 'escapes the type system'),
    ...places(file, file.text, suppressed, 'silences a check'),
  ]);
}

/** Files that only pass on what others export. */
export function barrels(files: readonly SourceFile[], allowed: readonly string[]): string[] {
  const passing = /export\s+(?:type\s+)?(?:\*|\{[^}]*\})(?:\s+as\s+\w+)?\s+from\s+(['"]).*?\1;?/g;
  return files
    .filter((file) => !allowed.includes(file.path))
    .filter((file) => {
      const left = file.uncommented.replace(passing, '');
      return left.trim() === '' && file.uncommented.trim() !== '';
    })
    .map((file) => `${file.path} only re-exports: import from the files themselves`);
}

/** Promises cost a microtask and an allocation an await: hot rooms do without. */
export function asyncPlaces(files: readonly SourceFile[]): string[] {
  const pattern = /\b(?:async|await)\b(?!\s*[:(,=.])|\basync\s*\(/g;
  return files.flatMap((file) => places(file, file.bare, pattern, 'async in a hot room'));
}

/** core gets clock, randomness and scheduling passed in. */
export function impurities(files: readonly SourceFile[]): string[] {
  const names = [
    ...['Date\\.now', 'new Date\\b', 'Math\\.random', 'performance\\.', '\\bprocess\\.'],
    ...['\\bset(?:Timeout|Interval|Immediate)\\b', '\\bqueueMicrotask\\b', '\\bconsole\\.'],
  ];
  const pattern = new RegExp(names.join('|'), 'g');
  return files.flatMap((file) => places(file, file.bare, pattern, 'core is pure: pass it in'));
}
