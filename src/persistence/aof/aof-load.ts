/**
 * Loads an AOF at start: the files of the manifest in order, each command executed once.
 *
 * Trouble, and what becomes of it:
 *
 *   torn tail, last file        `aof-load-truncated yes`: the file is cut there, durably, and the
 *                               log says where; `no`: refused
 *   torn tail, another file     refused: what follows was executed after what is missing
 *   damage, anywhere            refused, with the offset; nothing after it is believed
 *   a command nobody knows      refused: another server, or a module, wrote it
 *   a command that fails        told, with its place, or refused, as who executes it says
 *   a file that is not there    refused
 *
 * "Last" is the last file with content: increments that a rewrite had only prepared are empty.
 * The loader rests for a turn of the event loop whenever `sliceMs` have passed, so that the server
 * answers -LOADING. It never holds more of a file than a window of 1 MiB, the command being read,
 * and the commands of a transaction.
 */
import type { Args } from '../../core/resp/args.ts';
import { errorText, type FileSystem } from '../file-system.ts';
import type { AofFolder } from './aof-folder.ts';
import type { LogLevel } from './aof-options.ts';
import { type AofPosition, AofPositionTracker } from './aof-position.ts';
import { cutScannedFile, type ScanReport, scanAofFile } from './aof-scan.ts';
import { type AofTail, type AofTailSink, AofTailTracker, readAofTail } from './aof-tail.ts';

export type AofLoadOptions = {
  /** `aof-load-truncated`. */
  readonly cutTornTail: boolean;
  /** How long to work before resting, in milliseconds of `nowMs`. */
  readonly sliceMs: number;
  readonly nowMs: () => number;
  /** Resolves after other work of the event loop had its turn. */
  readonly rest: () => Promise<void>;
  readonly log: (level: LogLevel, text: string) => void;
  /**
   * Loads an RDB into the keyspace, see `RdbReader`; tells what it says of the replication stream.
   */
  readonly readRdb: (
    path: string,
  ) => Promise<{ readonly bytes: number; readonly position: AofPosition | null }>;
  /** Executes one command, borrowed. What it returns ends the load. */
  readonly execute: (args: Args, path: string, offset: number) => AofRefusal | undefined;
  /** Called with the bytes of all files loaded so far. */
  readonly onProgress: (loadedBytes: number) => void;
  /** Who takes the end of the replication stream from the last file; null for nobody. */
  readonly tail: AofTailSink | null;
};

/** Why a command cannot be executed, and what to do. */
export type AofRefusal = { readonly reason: string; readonly advice: string };

export type AofLoadReport = {
  readonly fileCount: number;
  readonly totalBytes: number;
  readonly commandCount: number;
  /** Turns whose checksum was verified. */
  readonly frameCount: number;
  /** Bytes cut off the last file. */
  readonly cutBytes: number;
  /** Where in the replication stream the loaded data stand; null when that is not known. */
  readonly position: AofPosition | null;
};

/** Why the server must not start on this AOF. */
export class AofLoadError extends Error {
  readonly path: string;
  readonly offset: number;
  readonly outcome: ScanReport['outcome'];

  constructor(report: ScanReport, advice: string) {
    const { path, offset, sizeBytes, reason } = report;
    // Redis's words come first, for whoever looks for them in logs.
    const head = report.outcome === 'torn' ? 'Unexpected end of file' : 'Bad file format';
    const place = `reading the append only file ${path}, offset ${offset} of ${sizeBytes}`;
    super(
      report.outcome === 'refused'
        ? `${reason} ${place}. ${advice}`
        : `${head} ${place}: ${reason}. ${advice}`,
    );
    this.name = 'AofLoadError';
    this.path = path;
    this.offset = offset;
    this.outcome = report.outcome;
  }
}

const ADVICE_DAMAGED =
  'Make a copy of the AOF folder, then run the AOF checker with --fix on the manifest: it can ' +
  'cut the file before the damage, giving up what follows. Where another server appended after a ' +
  'crash, or the file was edited, delete the #CK line of that turn instead';
const ADVICE_PREAMBLE =
  'Nothing that could be cut would mend it: start the server that wrote it, where it is newer ' +
  'than this one, or restore the folder from a backup';
const ADVICE_TORN =
  'Make a copy of the AOF folder, then either set aof-load-truncated to yes, or run the AOF ' +
  'checker with --fix on the manifest';
const ADVICE_TORN_BEFORE =
  'It is not the last file, so data in the middle is missing: restore the folder from a backup';

/** Loads everything the manifest names. Rejects with `AofLoadError`, or the disk's error. */
export async function loadAof(folder: AofFolder, options: AofLoadOptions): Promise<AofLoadReport> {
  const files = await folder.filesToLoad();
  const lastWithContent = files.findLastIndex((file) => file.size > 0);
  const totals = { totalBytes: 0, commandCount: 0, frameCount: 0, cutBytes: 0 };
  const pause = pauser(options);
  const tracker = new AofPositionTracker();
  const ends = new AofTailTracker(options.tail?.wanted ?? Number.POSITIVE_INFINITY);
  let end = 0;
  for (const [index, { info, size }] of files.entries()) {
    const loadedBefore = totals.totalBytes;
    const path = folder.pathOf(info.name);
    let advice = '';
    if (size > 0) ends.begin(path, 0, tracker.streamOffset);
    const report = await scanAofFile(folder.fs, path, {
      readRdb: async () => {
        const { bytes, position } = await options.readRdb(path);
        tracker.at(position);
        ends.begin(path, bytes, tracker.streamOffset);
        return bytes;
      },
      command: (args, offset) => {
        tracker.executing(args);
        const refusal = options.execute(args, path, offset);
        advice = refusal?.advice ?? '';
        return refusal?.reason;
      },
      position: (position, offset) => {
        tracker.at(position);
        ends.begin(path, offset, tracker.streamOffset);
      },
      reached: () => tracker.position,
      passed: (bytes, offset) => {
        tracker.passed(bytes);
        ends.passed(offset, tracker.streamOffset);
      },
      pause: (offset) => pause(loadedBefore + offset),
    });
    if (report.outcome === 'torn' && index >= lastWithContent && options.cutTornTail) {
      await cutTail(folder.fs, report, options.log);
      totals.cutBytes = report.sizeBytes - report.validBytes;
    } else if (report.outcome !== 'whole') {
      throw new AofLoadError(report, adviceFor(report, index >= lastWithContent) ?? advice);
    }
    totals.totalBytes += size;
    totals.commandCount += report.commandCount;
    totals.frameCount += report.frameCount;
    options.onProgress(totals.totalBytes);
    if (size > 0) end = report.validBytes;
  }
  await giveTail(folder.fs, ends.tail(end, tracker.streamOffset), options, () =>
    pause(totals.totalBytes),
  );
  return { fileCount: files.length, ...totals, position: tracker.position };
}

/** Gives the end of the stream to who wants it. The load does not depend on it. */
async function giveTail(
  fs: FileSystem,
  tail: AofTail | null,
  options: AofLoadOptions,
  pause: () => Promise<void> | undefined,
): Promise<void> {
  if (tail === null || options.tail === null) return;
  try {
    await readAofTail(fs, tail, options.tail, pause);
  } catch (error) {
    options.log('warning', `${tail.path} could not be read once more: ${errorText(error)}`);
  }
}

/** Says when the slice is over, and rests then. */
function pauser(options: AofLoadOptions): (loadedBytes: number) => Promise<void> | undefined {
  let sliceEndMs = options.nowMs() + options.sliceMs;
  return (loadedBytes) => {
    if (options.nowMs() < sliceEndMs) return undefined;
    options.onProgress(loadedBytes);
    return options.rest().then(() => {
      sliceEndMs = options.nowMs() + options.sliceMs;
    });
  };
}

/** What to do about a file that is not as it should be; undefined where a command is to blame. */
function adviceFor(report: ScanReport, isLast: boolean): string | undefined {
  if (report.outcome === 'damaged') {
    return report.reason.startsWith('the RDB preamble') ? ADVICE_PREAMBLE : ADVICE_DAMAGED;
  }
  if (report.outcome === 'refused') return undefined;
  return isLast ? ADVICE_TORN : ADVICE_TORN_BEFORE;
}

async function cutTail(
  fs: FileSystem,
  report: ScanReport,
  log: AofLoadOptions['log'],
): Promise<void> {
  await cutScannedFile(fs, report, report.validBytes);
  log(
    'warning',
    `${report.path} was cut from ${report.sizeBytes} to ${report.validBytes} bytes: ` +
      `${report.reason} (offset ${report.offset}), as after a crash or a power loss`,
  );
}
