/**
 * Walks one AOF file from its first byte to its last: an RDB preamble, then commands, with
 * transactions whole or not at all. The loader executes what it finds, the checker only counts.
 *
 *   outcome   meaning                                          validBytes
 *   whole     every byte understood                            the file's size
 *   torn      stops within a command, a turn, a transaction    where it can be cut
 *   damaged   bytes in the middle that cannot be believed      up to where all is well
 *
 * Commands between MULTI and EXEC are kept until EXEC comes, since a file may end before it; they
 * are given out without MULTI and EXEC. Nested MULTI and EXEC alone are ignored, as Redis does.
 *
 * The commands of a torn turn are kept as far as they are whole, but not those of a replica, whose
 * place in the stream stands behind them and is missing: its primary sends them again, and the
 * place that is known is worth more than they are.
 *
 *   #CK:.. SET a.. SET b.. #RP:r:..:900 SET c.. SET d.. #RP:r:..:94      torn here
 *                                      ^ cut here
 */
import type { Args } from '../../core/resp/args.ts';
import { DurableFile } from '../durable-file.ts';
import { errorText, type FileSystem, type OpenFile } from '../file-system.ts';
import { beginsWithRdb, RDB_START_BYTES } from '../rdb/rdb-ends.ts';
import { FRAME_HEAD_BYTES, voidFrameHead } from './aof-frame.ts';
import type { AofPosition } from './aof-position.ts';
import { AofReader, contentSize } from './aof-reader.ts';

/**
 * Reads the RDB at the start of the file at `path` and resolves to its length in bytes, trailer
 * included; rejects with what is wrong with it. What follows it in the file is not its business.
 */
export type PreambleReader = (path: string) => Promise<number>;

export type ScanSinks = {
  /** MULTI within MULTI, and EXEC without one, are damage: a loader passes over them. */
  readonly strict?: boolean;
  readonly readRdb: PreambleReader;
  /**
   * A command, and where it stands, or the EXEC that it waited for; a text says why it cannot be
   * executed, and ends the scan.
   */
  readonly command: (args: Args, offset: number) => string | undefined;
  /** A time line, and where to cut the file to end before it. False ends the scan as whole. */
  readonly time?: (unixSeconds: number, cutOffset: number) => boolean;
  /** A line that tells the position in the replication stream, null for none; it ends at `end`. */
  readonly position?: (position: AofPosition | null, end: number) => void;
  /**
   * The position reached by what was given out, null when it is not known. Only who asks for it has
   * torn turns of a replica cut back to one.
   */
  readonly reached?: () => AofPosition | null;
  /** Commands were given out that take `bytes` bytes in the file, and end at `end`. */
  readonly passed?: (bytes: number, end: number) => void;
  /** Called often, with the offset reached. A promise is waited for: this is where a scan rests. */
  readonly pause?: (offset: number) => Promise<void> | undefined;
};

export type ScanReport = {
  readonly outcome: 'whole' | 'torn' | 'damaged' | 'refused';
  readonly path: string;
  readonly sizeBytes: number;
  readonly validBytes: number;
  /** Where the trouble begins, and what it is; empty when whole. */
  readonly offset: number;
  readonly reason: string;
  /** Bytes of the RDB preamble; 0 when there is none. */
  readonly rdbBytes: number;
  readonly commandCount: number;
  /** Turns whose checksum was verified. */
  readonly frameCount: number;
  /** The head of a torn turn of which something is kept: to be voided when cutting; or -1. */
  readonly tornHeadOffset: number;
};

const COMMANDS_A_PAUSE = 32;

/** Scans the file at `path`. Rejects only when the disk fails. */
export async function scanAofFile(
  fs: FileSystem,
  path: string,
  sinks: ScanSinks,
): Promise<ScanReport> {
  const file = await fs.open(path, 'read');
  try {
    return await new AofScan(file, path, sinks).run();
  } finally {
    await file.close();
  }
}

/**
 * Cuts the file of a report to `size` bytes, durably, and voids the head of a torn turn before
 * that, so that what is written behind it is not taken for its missing part.
 */
export async function cutScannedFile(
  fs: FileSystem,
  report: ScanReport,
  size: number,
): Promise<void> {
  const file = new DurableFile(await fs.open(report.path, 'update'));
  try {
    await file.truncate(size);
    const { tornHeadOffset } = report;
    if (tornHeadOffset >= 0 && tornHeadOffset < size) await voidHeadIn(file, tornHeadOffset);
    await file.syncData();
  } finally {
    await file.close();
  }
}

/** Voids the head at `offset` of a file that is cut within its turn (aof-frame.ts). */
export async function voidHeadIn(file: DurableFile, offset: number): Promise<void> {
  const head = new Uint8Array(FRAME_HEAD_BYTES);
  await file.read(head, 0, head.length, offset);
  voidFrameHead(head, 0);
  await file.writeAll(head, 0, head.length, offset);
}

class AofScan {
  readonly #file: OpenFile;
  readonly #path: string;
  readonly #sinks: ScanSinks;
  readonly #size: number;
  #rdbBytes: number;
  #commandCount: number;
  #frameCount: number;
  /** The commands since MULTI, or undefined outside of a transaction. */
  #transaction: Uint8Array[][] | undefined;
  #transactionCut: number;
  #transactionBytes: number;
  #tornHeadOffset: number;
  /** How much of the file is given out, once its last turn is known to be torn. */
  #tornEnd: number | undefined;

  constructor(file: OpenFile, path: string, sinks: ScanSinks) {
    this.#file = file;
    this.#path = path;
    this.#sinks = sinks;
    this.#size = file.sizeSync();
    this.#rdbBytes = 0;
    this.#commandCount = 0;
    this.#frameCount = 0;
    this.#transaction = undefined;
    this.#transactionCut = 0;
    this.#transactionBytes = 0;
    this.#tornHeadOffset = -1;
    this.#tornEnd = undefined;
  }

  async run(): Promise<ScanReport> {
    if (await this.#startsWithRdb()) {
      try {
        this.#rdbBytes = await this.#sinks.readRdb(this.#path);
      } catch (error) {
        return this.#report('damaged', 0, 0, `the RDB preamble: ${errorText(error)}`);
      }
    }
    const content = Math.max(await contentSize(this.#file, this.#size), this.#rdbBytes);
    const reader = new AofReader(this.#file, this.#rdbBytes, content);
    const report = await this.#walk(reader, content);
    if (report.outcome === 'whole' && content < this.#size) {
      return this.#report('torn', content, content, `${this.#size - content} zeros at the end`);
    }
    return report;
  }

  async #startsWithRdb(): Promise<boolean> {
    const start = new Uint8Array(RDB_START_BYTES);
    await this.#file.read(start, 0, start.length, 0);
    return beginsWithRdb(start);
  }

  async #walk(reader: AofReader, content: number): Promise<ScanReport> {
    for (let untilPause = COMMANDS_A_PAUSE; ; untilPause--) {
      if (untilPause === 0) {
        untilPause = COMMANDS_A_PAUSE;
        const rest = this.#sinks.pause?.(reader.offset);
        if (rest !== undefined) await rest;
      }
      const item = reader.next();
      this.#frameCount = reader.frameCount;
      if (reader.tornHeadOffset >= 0 && this.#transaction === undefined) {
        this.#tornEnd ??= await this.#endOfTornTurn(reader.tornHeadOffset, content);
        if (reader.itemOffset >= this.#tornEnd) return this.#torn(reader, this.#tornEnd);
      }
      if (item === 'more') {
        await reader.fill();
      } else if (item === 'command') {
        this.#transactionBytes += reader.offset - reader.itemOffset;
        const stray = this.#strayWord(reader.args);
        if (stray !== undefined) return this.#stray(reader, stray);
        const refusal = this.#command(reader);
        if (refusal !== undefined) {
          return this.#report('refused', reader.itemCutOffset, reader.itemOffset, refusal);
        }
        if (this.#transaction === undefined) {
          this.#sinks.passed?.(this.#transactionBytes, reader.offset);
          this.#transactionBytes = 0;
        }
      } else if (item === 'position') {
        this.#sinks.position?.(reader.position, reader.offset);
      } else if (item === 'time') {
        const cut = this.#cutOffset(reader);
        const goOn = this.#sinks.time?.(reader.timeSeconds, cut) ?? true;
        if (!goOn) return this.#report('whole', cut, reader.itemOffset, '');
      } else {
        return this.#atEnd(item, reader);
      }
    }
  }

  #atEnd(item: 'end' | 'torn' | 'damaged', reader: AofReader): ScanReport {
    if (item === 'damaged') {
      return this.#report('damaged', this.#cutOffset(reader), reader.itemOffset, reader.reason);
    }
    if (item === 'torn' || this.#transaction !== undefined) {
      return this.#torn(reader, this.#cutOffset(reader));
    }
    return this.#report('whole', reader.offset, reader.offset, '');
  }

  /**
   * Up to where the turn is given out whose head is at `headOffset` and whose end is missing: for a
   * replica up to the last position that it tells. Not so where the file ends with a whole command:
   * another server may have cut it there, and gone on.
   */
  async #endOfTornTurn(headOffset: number, content: number): Promise<number> {
    if (this.#sinks.reached === undefined) return Number.POSITIVE_INFINITY;
    let position = this.#sinks.reached();
    let end = headOffset;
    const ahead = new AofReader(this.#file, headOffset, content);
    for (;;) {
      const item = ahead.next();
      if (item === 'more') await ahead.fill();
      else if (item === 'position') {
        position = ahead.position;
        end = ahead.offset;
      } else if (item === 'torn' || item === 'damaged' || item === 'end') {
        const isFollowing = position !== null && !position.continues;
        return isFollowing && ahead.itemOffset < content ? end : Number.POSITIVE_INFINITY;
      }
    }
  }

  #torn(reader: AofReader, cut: number): ScanReport {
    const reason =
      this.#transaction !== undefined
        ? 'the file ends within a transaction, before its EXEC'
        : 'the file ends within a command or a turn';
    const head = reader.tornHeadOffset;
    if (head >= 0 && cut === head + FRAME_HEAD_BYTES)
      return this.#report('torn', head, cut, reason);
    if (cut > head) this.#tornHeadOffset = head;
    return this.#report('torn', cut, reader.itemOffset, reason);
  }

  /** A MULTI or EXEC where none can stand; only a strict scan asks. */
  #strayWord(args: Args): string | undefined {
    if (this.#sinks.strict !== true) return undefined;
    const isInTransaction = this.#transaction !== undefined;
    const word = isInTransaction ? 'multi' : 'exec';
    return args.is(0, word) ? word.toUpperCase() : undefined;
  }

  #stray(reader: AofReader, word: string): ScanReport {
    const cut = this.#cutOffset(reader);
    return this.#report('damaged', cut, reader.itemOffset, `unexpected ${word}`);
  }

  /** Where to cut the file to be rid of the item found and of a transaction that it stands in. */
  #cutOffset(reader: AofReader): number {
    return this.#transaction === undefined ? reader.itemCutOffset : this.#transactionCut;
  }

  #command(reader: AofReader): string | undefined {
    const { args } = reader;
    if (args.is(0, 'multi')) {
      if (this.#transaction === undefined) this.#transactionCut = reader.itemCutOffset;
      this.#transaction ??= [];
      return undefined;
    }
    if (args.is(0, 'exec')) return this.#exec(args, reader.itemOffset);
    if (this.#transaction === undefined) return this.#give(args, reader.itemOffset);
    const words: Uint8Array[] = [];
    for (let i = 0; i < args.count; i++) words.push(args.copy(i));
    this.#transaction.push(words);
    return undefined;
  }

  #exec(args: Args, offset: number): string | undefined {
    const commands = this.#transaction ?? [];
    this.#transaction = undefined;
    for (const words of commands) {
      args.setTo(words);
      const refusal = this.#give(args, offset);
      if (refusal !== undefined) return refusal;
    }
    args.release();
    return undefined;
  }

  #give(args: Args, offset: number): string | undefined {
    this.#commandCount++;
    return this.#sinks.command(args, offset);
  }

  #report(
    outcome: ScanReport['outcome'],
    validBytes: number,
    offset: number,
    reason: string,
  ): ScanReport {
    return {
      outcome,
      path: this.#path,
      sizeBytes: this.#size,
      validBytes,
      offset,
      reason,
      rdbBytes: this.#rdbBytes,
      commandCount: this.#commandCount,
      frameCount: this.#frameCount,
      tornHeadOffset: this.#tornHeadOffset,
    };
  }
}
