/**
 * The checker of AOF files, as a library: it says what a start would find, and can cut a file where
 * that helps. The command-line tool asks and prints.
 *
 *   given                            checked
 *   a manifest                       its base and its increments, in order, to the first trouble
 *   any other file                   that file alone, with an RDB preamble if it has one
 *
 *   plan        when                                                    `repairAof` cuts
 *   none        all is sound, or nothing lies after the timestamp       nothing
 *   cut         the trouble is in the last file with content            at `keptBytes`
 *   impossible  in an earlier file, in an RDB preamble, or nothing is   nothing: `reason` says why
 *               from before the timestamp
 *
 * Cutting at damage gives up everything behind it, sound or not: that is what the plan's numbers
 * are for. With a timestamp, the file is cut before the first turn of a later second, which needs
 * `aof-timestamp-enabled`; nothing is cut when there is any trouble before.
 */
import { dirname, join } from 'node:path';
import {
  cutScannedFile,
  type PreambleReader,
  type ScanReport,
  scanAofFile,
} from '../aof/aof-scan.ts';
import { type AofFileType, appendFilenameOf, loadedFiles, parseManifest } from '../aof/manifest.ts';
import { readFileWholeSync } from '../durable-file.ts';
import type { FileSystem } from '../file-system.ts';
import { beginsWithRdb } from '../rdb/rdb-ends.ts';

export type CheckOptions = {
  /** Checks an RDB preamble, see `PreambleReader`. */
  readonly readRdb: PreambleReader;
  /** Cut before the first turn after this second, instead of at trouble. */
  readonly truncateToTimestamp?: number;
  /** Called with how far the file at `path` is checked. */
  readonly onProgress?: (path: string, doneBytes: number, totalBytes: number) => void;
};

export type CheckedFile = {
  /** `single`: not part of a manifest. */
  readonly role: Exclude<AofFileType, 'history'> | 'single';
  readonly report: ScanReport;
};

type CheckPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'cut'; readonly path: string; readonly keptBytes: number }
  | { readonly kind: 'impossible'; readonly reason: string };

export type CheckVerdict = {
  readonly files: readonly CheckedFile[];
  /** Whether every file is whole. */
  readonly isValid: boolean;
  /** Time lines that were met. */
  readonly timeCount: number;
  readonly plan: CheckPlan;
};

/**
 * Checks the manifest or the file at `path`. Rejects with `ManifestError`, or with the disk's
 * error, which includes a file of the manifest that is not there.
 */
export async function checkAof(
  fs: FileSystem,
  path: string,
  options: CheckOptions,
): Promise<CheckVerdict> {
  const targets = await targetsOf(fs, path);
  const files: CheckedFile[] = [];
  let timeCount = 0;
  let timeCut: { readonly index: number; readonly cutBytes: number } | undefined;
  for (const [index, target] of targets.entries()) {
    const report = await scanAofFile(fs, target.path, {
      readRdb: options.readRdb,
      strict: true,
      command: () => undefined,
      pause: (offset) => {
        options.onProgress?.(target.path, offset, target.size);
        return undefined;
      },
      time: (seconds, cutBytes) => {
        timeCount++;
        if (options.truncateToTimestamp !== undefined && Number.isNaN(seconds)) {
          throw new Error(`${target.path}: Invalid timestamp annotation behind byte ${cutBytes}`);
        }
        if (!(seconds > (options.truncateToTimestamp ?? Number.POSITIVE_INFINITY))) return true;
        timeCut = { index, cutBytes };
        return false;
      },
    });
    files.push({ role: target.role, report });
    if (report.outcome !== 'whole' || timeCut !== undefined) break;
  }
  const isValid = files.every((file) => file.report.outcome === 'whole');
  const isLast = await isLastWithContent(fs, targets, files.length - 1);
  return {
    files,
    isValid,
    timeCount,
    plan: planFor(files, isValid, isLast, timeCut?.cutBytes, options),
  };
}

type Target = { readonly role: CheckedFile['role']; readonly path: string; readonly size: number };

async function targetsOf(fs: FileSystem, path: string): Promise<Target[]> {
  const sizeOf = async (name: string) => (await fs.stat(name))?.size ?? 0;
  if (!(await isManifest(fs, path))) return [{ role: 'single', path, size: await sizeOf(path) }];
  const bytes = readFileWholeSync(fs, path) ?? new Uint8Array(0);
  const manifest = parseManifest(bytes, appendFilenameOf(path));
  const targets: Target[] = [];
  for (const info of loadedFiles(manifest)) {
    const file = join(dirname(path), info.name);
    const role = info.type === 'base' ? 'base' : 'incr';
    targets.push({ role, path: file, size: await sizeOf(file) });
  }
  return targets;
}

const MANIFEST_LOOK_BYTES = 4096;

/**
 * Whether a file is a manifest, by its name or its lines. A damaged one counts too: taken for
 * commands it would be cut to nothing. What begins as an AOF or RDB does is none, whatever it says
 * further on; nor is an empty file, of which nothing can be cut.
 */
export async function isManifest(fs: FileSystem, path: string): Promise<boolean> {
  const file = await fs.open(path, 'read');
  try {
    const start = Buffer.alloc(MANIFEST_LOOK_BYTES);
    const count = await file.read(start, 0, start.length, 0);
    const lines = start.subarray(0, count).toString('latin1').split('\n');
    const first = lines.find((line) => !line.startsWith('#')) ?? '';
    if (count === 0 || first.startsWith('*')) return false;
    if (beginsWithRdb(Buffer.from(first, 'latin1'))) return false;
    return path.endsWith('.manifest') || lines.some((line) => /^\s*file/i.test(line));
  } finally {
    await file.close();
  }
}

async function isLastWithContent(
  fs: FileSystem,
  targets: readonly Target[],
  index: number,
): Promise<boolean> {
  for (const { path } of targets.slice(index + 1)) {
    if (((await fs.stat(path))?.size ?? 0) > 0) return false;
  }
  return true;
}

function planFor(
  files: readonly CheckedFile[],
  isValid: boolean,
  isLast: boolean,
  timeCutBytes: number | undefined,
  options: CheckOptions,
): CheckPlan {
  const report = files.at(-1)?.report;
  if (report === undefined) return { kind: 'none' };
  const isTimed = options.truncateToTimestamp !== undefined;
  if (isValid && timeCutBytes === undefined) return { kind: 'none' };
  const impossible = (reason: string): CheckPlan => ({ kind: 'impossible', reason });
  if (isTimed && !isValid) {
    return impossible(`${report.path} is not valid: repair it before cutting it at a time`);
  }
  if (!isLast) {
    return impossible(
      `${report.path} is not the last file: cutting it would leave a hole before the next one`,
    );
  }
  const keptBytes = timeCutBytes ?? report.validBytes;
  if (!isValid && report.rdbBytes === 0 && report.reason.startsWith('the RDB preamble')) {
    return impossible(`the RDB preamble of ${report.path} is damaged: check it as an RDB file`);
  }
  if (isTimed && keptBytes === 0) {
    return impossible(`${report.path} has nothing before that time: nothing would be left of it`);
  }
  return { kind: 'cut', path: report.path, keptBytes };
}

/** Does what the plan says, durably. Returns the bytes cut off, 0 when the plan is not to cut. */
export async function repairAof(fs: FileSystem, verdict: CheckVerdict): Promise<number> {
  const { plan } = verdict;
  const report = verdict.files.at(-1)?.report;
  if (plan.kind !== 'cut' || report === undefined) return 0;
  const before = (await fs.stat(plan.path))?.size ?? 0;
  await cutScannedFile(fs, report, plan.keptBytes);
  return before - plan.keptBytes;
}

/** One line of text for a checked file. */
export function describeCheck(file: CheckedFile): string {
  const { report } = file;
  const turns = report.frameCount > 0 ? `, checked turns: ${report.frameCount}` : '';
  const found = `${report.commandCount} commands${turns}`;
  if (report.outcome === 'whole')
    return `${report.path} is valid: ${report.sizeBytes} bytes, ${found}`;
  return (
    `${report.path} is not valid: size ${report.sizeBytes}, ok up to ${report.validBytes}, ` +
    `diff ${report.sizeBytes - report.validBytes}; at offset ${report.offset}: ${report.reason} ` +
    `(${found} before)`
  );
}
