/**
 * The manifest of a multi-part AOF: which files hold the data, in which order they are loaded.
 *
 *   appendonlydir/appendonly.aof.manifest
 *     file appendonly.aof.2.base.rdb seq 2 type b
 *     file appendonly.aof.4.incr.aof seq 4 type h
 *     file appendonly.aof.1.base.rdb seq 1 type h
 *     file appendonly.aof.5.incr.aof seq 5 type i
 *     file appendonly.aof.6.incr.aof seq 6 type i
 *
 * Loaded: the base (type b), then the increments (type i) in order. History (type h) is what a
 * rewrite replaced and waits to be deleted. Grammar, as Redis 7 reads it:
 *
 *   - a line that begins with `#` is a comment; lines are at most 1023 characters and end in \n,
 *     except that Redis counts a last line without one as too long
 *   - otherwise: words as in a config file ("..." and '...' quote, \xHH in "..."), an even number
 *     and at least six, as key and value; keys `file`, `seq`, `type` in any case, others skipped
 *   - a file is a name, not a path; a sequence is a positive integer; of a type the first letter
 *     counts; one base at most; the sequence of increments rises strictly
 *   - a file without a single line is an error, not an empty manifest
 *
 * Beyond the grammar, the lines must make sense together (manifest-sense.ts), so that a damaged one
 * is noticed. What is written is, byte for byte, what Redis would write.
 *
 * The folder during a rewrite, and what a start after a crash there loads. The manifest changes in
 * one step each time (`writeFileDurably`), so only whole states exist:
 *
 *   step                               manifest                    a start loads
 *   0 before                           b1 i1                       b1 i1
 *   1 created appendonly.aof.2.incr    b1 i1                       b1 i1   (2.incr: emptied later)
 *   2 manifest                         b1 i1 i2                    b1 i1 i2 (i2 empty)
 *   3 appends go to 2.incr, snapshot   b1 i1 i2                    b1 i1 i2
 *   4 temp base finished and synced    b1 i1 i2                    b1 i1 i2 (temp removed)
 *   5 renamed to appendonly.aof.2.base b1 i1 i2                    b1 i1 i2 (2.base: unused)
 *   6 manifest                         b2 h:i1 h:b1 i2             b2 i2
 *   7 deleted some history             b2 h:i1 h:b1 i2             b2 i2   (and deletes the rest)
 *   8 manifest                         b2 i2                       b2 i2
 *
 * An aborted rewrite stays at step 3: the increments pile up until one succeeds.
 */
import { basename } from 'node:path';
import { splitArgs } from '../../core/text/args-split.ts';
import {
  HISTORY_BEHIND_INCREMENT,
  isIncrName,
  nonsenseAtEndOfHistory,
  nonsenseIn,
} from './manifest-sense.ts';

export type AofFileType = 'base' | 'history' | 'incr';

/** One line of the manifest. */
export type AofFileInfo = {
  readonly name: string;
  readonly seq: number;
  readonly type: AofFileType;
};

/** A manifest is a value: a change makes a new one, which is adopted once it is on disk. */
export type Manifest = {
  readonly base: AofFileInfo | undefined;
  readonly history: readonly AofFileInfo[];
  readonly incrs: readonly AofFileInfo[];
  /** The highest sequence of a base and of an increment so far. */
  readonly baseSeq: number;
  readonly incrSeq: number;
};

/** A manifest that must not be guessed at. */
export class ManifestError extends Error {
  /** `line` counts from 1; 0 is the file as a whole. */
  constructor(reason: string, line: number, text: string) {
    super(line === 0 ? reason : `${reason} (line ${line} of the AOF manifest: '${text}')`);
    this.name = 'ManifestError';
  }
}

export const EMPTY_MANIFEST: Manifest = {
  base: undefined,
  history: [],
  incrs: [],
  baseSeq: 0,
  incrSeq: 0,
};

/** Characters of a line without its newline; one more and the line counts as too long. */
const LINE_LENGTH_MAX = 1023;

const TYPE_LETTERS = { b: 'base', h: 'history', i: 'incr' } as const;

export function manifestName(appendFilename: string): string {
  return `${appendFilename}.manifest`;
}

/** `appendfilename`, as the path of a manifest tells it. */
export function appendFilenameOf(manifestPath: string): string {
  return basename(manifestPath).replace(/\.manifest$/, '');
}

/**
 * Parses the bytes of a manifest, or throws a `ManifestError`. With `appendFilename`, what the
 * grammar allows and no server writes is refused as well.
 */
export function parseManifest(bytes: Uint8Array, appendFilename?: string): Manifest {
  if (bytes.length === 0) throw new ManifestError('Found an empty AOF manifest', 0, '');
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('latin1')
    .split('\n');
  const unfinished = lines.pop() ?? '';
  let manifest = EMPTY_MANIFEST;
  let lastHistory: FailLine | undefined;
  lines.forEach((line, index) => {
    if (line.startsWith('#') && line.length <= LINE_LENGTH_MAX) return;
    const fail: FailLine = (reason) => new ManifestError(reason, index + 1, line.slice(0, 80));
    const before = manifest;
    manifest = withLine(manifest, line, appendFilename, fail);
    if (manifest.history !== before.history) lastHistory = fail;
  });
  if (unfinished !== '' && !(unfinished.startsWith('#') && unfinished.length < LINE_LENGTH_MAX)) {
    throw new ManifestError(
      'The AOF manifest file contains too long line, or a last line without a newline',
      lines.length + 1,
      unfinished.slice(0, 80),
    );
  }
  const last = appendFilename === undefined ? undefined : manifest.history.at(-1);
  const nonsense = last && nonsenseAtEndOfHistory(last.name);
  if (nonsense !== undefined && lastHistory !== undefined) throw lastHistory(nonsense);
  return manifest.history.reduce(withSpentSequence, manifest);
}

/** History has used its names up: a new file that took one would be deleted with it. */
function withSpentSequence(manifest: Manifest, { name, seq }: AofFileInfo): Manifest {
  if (isIncrName(name)) return { ...manifest, incrSeq: Math.max(manifest.incrSeq, seq) };
  return { ...manifest, baseSeq: Math.max(manifest.baseSeq, seq) };
}

/** Makes the error of a line. */
type FailLine = (reason: string) => ManifestError;

function withLine(
  manifest: Manifest,
  line: string,
  appendFilename: string | undefined,
  fail: FailLine,
): Manifest {
  // A C string ends at a zero byte, so a real server finds no newline behind one.
  if (line.length > LINE_LENGTH_MAX || line.includes('\0')) {
    throw fail('The AOF manifest file contains too long line');
  }
  const words = splitArgs(Buffer.from(line, 'latin1'))?.map((word) =>
    Buffer.from(word).toString('latin1'),
  );
  if (words === undefined || words.length < 6 || words.length % 2 === 1) {
    throw fail('Invalid AOF manifest file format');
  }
  const found = new Map<string, string>();
  for (let i = 0; i < words.length; i += 2) {
    const key = words[i]!.toLowerCase();
    const value = words[i + 1]!;
    if (key === 'file' && /[/\\]/.test(value)) {
      throw fail("File can't be a path, just a filename");
    }
    found.set(key, value);
  }
  const bytes = found.get('file') ?? '';
  const name = Buffer.from(bytes, 'latin1').toString('utf8');
  const seq = parseLeadingInteger(found.get('seq') ?? '');
  const letter = (found.get('type') ?? '').slice(0, 1);
  if (name === '' || seq === 0 || letter === '') throw fail('Invalid AOF manifest file format');
  const next = withFile(manifest, name, seq, letter, fail);
  if (appendFilename !== undefined) refuseNonsense(manifest, next, bytes, appendFilename, fail);
  // No server writes a key twice: two lines were joined, and what the first one says would be lost.
  if (appendFilename !== undefined && found.size * 2 < words.length) {
    throw fail(
      'A key comes twice: the manifest is damaged, or was edited. Make a copy of the AOF folder, ' +
        'then give each file a line of its own',
    );
  }
  return next;
}

/** What the line that makes `next` of `before` says must make sense. `name` is latin1. */
function refuseNonsense(
  before: Manifest,
  next: Manifest,
  name: string,
  appendFilename: string,
  fail: FailLine,
): void {
  const list = next.history !== before.history ? next.history : next.incrs;
  const line = next.base !== before.base ? next.base : list.at(-1);
  const own = Buffer.from(appendFilename, 'utf8').toString('latin1');
  const nonsense = line && nonsenseIn({ ...line, name }, own);
  if (nonsense !== undefined) throw fail(nonsense);
  if (line?.type === 'history' && next.incrs.length > 0) throw fail(HISTORY_BEHIND_INCREMENT);
}

function withFile(
  manifest: Manifest,
  name: string,
  seq: number,
  letter: string,
  fail: FailLine,
): Manifest {
  if (letter !== 'b' && letter !== 'h' && letter !== 'i') throw fail('Unknown AOF file type');
  const info: AofFileInfo = { name, seq, type: TYPE_LETTERS[letter] };
  if (info.type === 'base') {
    if (manifest.base !== undefined) throw fail('Found duplicate base file information');
    return { ...manifest, base: info, baseSeq: seq };
  }
  if (info.type === 'history') return { ...manifest, history: [...manifest.history, info] };
  if (seq <= manifest.incrSeq) throw fail('Found a non-monotonic sequence number');
  return { ...manifest, incrs: [...manifest.incrs, info], incrSeq: seq };
}

/** Reads as C's atoll does: leading blanks, a sign, digits; anything else ends it; 0 for none. */
function parseLeadingInteger(text: string): number {
  const match = /^\s*([+-]?\d{1,15})/.exec(text);
  return match === null ? 0 : Number(match[1]);
}

/** The file's text: base, then history, then increments. */
export function formatManifest(manifest: Manifest): string {
  const base = manifest.base === undefined ? [] : [manifest.base];
  return [...base, ...manifest.history, ...manifest.incrs]
    .map((info) => `file ${quoteName(info.name)} seq ${info.seq} type ${info.type[0]}\n`)
    .join('');
}

const LETTERS: Readonly<Record<string, string>> = {
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\b': 'b',
  '\x07': 'a',
};

/**
 * Names with blanks, quotes or bytes that do not print are written as "...". As Redis does, except
 * that it leaves a name with a single quote bare, and then cannot read it.
 */
function quoteName(name: string): string {
  const bytes = Buffer.from(name, 'utf8').toString('latin1');
  if (/^[!#-&(-[\]-~]+$/.test(bytes)) return bytes;
  const quoted = bytes.replace(/[^ !#-[\]-~]/g, (char) => {
    if (char === '"' || char === '\\') return `\\${char}`;
    const letter = LETTERS[char];
    if (letter !== undefined) return `\\${letter}`;
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${quoted}"`;
}

/** Adds the next increment at the end. */
export function withNextIncr(
  manifest: Manifest,
  appendFilename: string,
): { readonly manifest: Manifest; readonly incr: AofFileInfo } {
  const seq = manifest.incrSeq + 1;
  const incr: AofFileInfo = { name: `${appendFilename}.${seq}.incr.aof`, seq, type: 'incr' };
  return { manifest: { ...manifest, incrs: [...manifest.incrs, incr], incrSeq: seq }, incr };
}

/** The next base, not yet part of the manifest. `format` is the file's own: RDB, or commands. */
export function nextBase(
  manifest: Manifest,
  appendFilename: string,
  format: 'rdb' | 'aof',
): AofFileInfo {
  const seq = manifest.baseSeq + 1;
  return { name: `${appendFilename}.${seq}.base.${format}`, seq, type: 'base' };
}

/**
 * Puts `base` in the place of the old base and of all increments but the last `keptIncrs`, which
 * hold what happened after the base was taken. What it replaces becomes history.
 */
export function withBase(manifest: Manifest, base: AofFileInfo, keptIncrs: number): Manifest {
  const replaced = manifest.incrs.length - keptIncrs;
  const old = manifest.base;
  // Increments without a base occur only in a manifest that was put together by hand. They are left
  // in the folder: as history they would look like damage.
  const retired = old === undefined ? [] : [...manifest.incrs.slice(0, replaced), old];
  return {
    ...manifest,
    base,
    history: [...retired.map(asHistory), ...manifest.history],
    incrs: manifest.incrs.slice(replaced),
    baseSeq: base.seq,
  };
}

function asHistory(info: AofFileInfo): AofFileInfo {
  return { ...info, type: 'history' };
}

/** The manifest without its history, once those files are deleted. */
export function withoutHistory(manifest: Manifest): Manifest {
  return { ...manifest, history: [] };
}

/** The files that are loaded, in order. */
export function loadedFiles(manifest: Manifest): readonly AofFileInfo[] {
  return manifest.base === undefined ? manifest.incrs : [manifest.base, ...manifest.incrs];
}
