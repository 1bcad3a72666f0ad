/**
 * Finding a moment in the files of an AOF: how much of them was executed at or before it.
 *
 *     a timestamp   ends before the first `#TS` line of a later second
 *     an offset     ends behind the last command that is known to lie at or before it in the
 *                   replication stream, as the `#RP` lines tell (aof-position.ts). In a primary's
 *                   file that is any command, in a replica's the end of a turn
 *
 * A transaction is taken whole or not at all. A cut within a checked turn leaves its head promising
 * bytes that are gone, so the place of that head is told: it is to be voided (aof-frame.ts).
 *
 *     mark     the last place up to which all is known to be at or before the moment
 *
 * What lies behind the moment is still counted, up to damage if there is some.
 */
import type { FileSystem, OpenFile } from '../file-system.ts';
import type { ReadProgress } from '../rdb/rdb-source.ts';
import { FRAME_HEAD_BYTES } from './aof-frame.ts';
import { type AofPosition, AofPositionTracker } from './aof-position.ts';
import { AofReader, contentSize } from './aof-reader.ts';

/** Where the history that is kept ends: at exactly one of the two. */
export type Moment = { readonly timestamp: number } | { readonly offset: number };

/** A place to cut a file at, and the head of the turn that is cut through, or -1. */
export interface CutPlace {
  readonly bytes: number;
  readonly headOffset: number;
}

export interface MomentFile {
  /** Where the moment lies in the file; null when all of it is at or before. */
  readonly cut: CutPlace | null;
  /** Commands at or before, and behind; MULTI and EXEC do not count. */
  readonly keptCommands: number;
  readonly laterCommands: number;
  /** What is wrong with the file after the part that is kept; empty when nothing is. */
  readonly trouble: string;
  /** Whether `trouble` is only a torn end. */
  readonly isTorn: boolean;
}

/** Follows the history through the files of an AOF, one after the other. */
export class MomentSearch {
  /** Whether the moment lies behind: what comes is only counted. */
  isPast = false;
  /** The last second and the last position told at or before the moment. */
  lastSecond = -1;
  /** The first second told behind it. */
  nextSecond = -1;
  /** Whether any line told a position, or the time. */
  hasPositions = false;
  hasTimes = false;
  readonly #moment: Moment;
  readonly #tracker = new AofPositionTracker();
  #lastPosition: AofPosition | null = null;

  constructor(moment: Moment) {
    this.#moment = moment;
  }

  /** The position at the end of what is kept, null when it is not known. */
  get lastPosition(): AofPosition | null {
    return this.#lastPosition;
  }

  /** The history begins at this position, which the RDB in front of it tells. */
  startAt(position: AofPosition): void {
    this.hasPositions = true;
    this.#tracker.at(position);
    this.#lastPosition = position;
  }

  /** Goes through a file whose first `rdbBytes` are an RDB. Rejects when the disk fails. */
  async look(
    fs: FileSystem,
    path: string,
    rdbBytes: number,
    progress: ReadProgress,
  ): Promise<MomentFile> {
    const file = await fs.open(path, 'read');
    try {
      const scan = new FileScan(this, file, this.#moment, this.#tracker);
      return await scan.run(rdbBytes, progress);
    } finally {
      await file.close();
    }
  }

  /** Notes the position where the mark stands. */
  notePosition(): void {
    this.#lastPosition = this.#tracker.position;
  }
}

class FileScan {
  readonly #search: MomentSearch;
  readonly #file: OpenFile;
  readonly #moment: Moment;
  readonly #tracker: AofPositionTracker;
  #mark: CutPlace;
  #cut: CutPlace | null = null;
  /** Whether all so far is known to lie at or before the moment. */
  #isKnown: boolean;
  #isAfterTime: boolean;
  #transaction: { readonly place: CutPlace; bytes: number; commands: number } | null = null;
  #kept = 0;
  /** Commands behind the mark that may still turn out to lie before the moment. */
  #unsure = 0;
  #later = 0;

  constructor(search: MomentSearch, file: OpenFile, moment: Moment, tracker: AofPositionTracker) {
    this.#search = search;
    this.#file = file;
    this.#moment = moment;
    this.#tracker = tracker;
    this.#mark = { bytes: 0, headOffset: -1 };
    this.#isKnown = true;
    this.#isAfterTime = false;
  }

  async run(rdbBytes: number, progress: ReadProgress): Promise<MomentFile> {
    const size = this.#file.sizeSync();
    const content = Math.max(await contentSize(this.#file, size), rdbBytes);
    const reader = new AofReader(this.#file, rdbBytes, content);
    this.#mark = { bytes: rdbBytes, headOffset: -1 };
    if (this.#search.isPast) this.#cut = { bytes: 0, headOffset: -1 };
    for (;;) {
      const item = reader.next();
      if (item === 'more') {
        await reader.fill();
        progress(reader.offset, size);
        continue;
      }
      if (item === 'end' && this.#transaction === null && content === size) {
        if (this.#cut === null && this.#isKnown) this.#search.notePosition();
        return this.#result(this.#cut, '', false);
      }
      if (item === 'end' || item === 'torn') {
        const end = this.#cut ?? this.#transaction?.place ?? placeBefore(reader);
        return this.#result(end, 'it ends within a command, a turn or a transaction', true);
      }
      if (item === 'damaged') {
        return this.#result(this.#cut, `${reader.reason}, at offset ${reader.itemOffset}`, false);
      }
      if (item === 'time' && Number.isNaN(reader.timeSeconds)) {
        if (this.#cut !== null || 'offset' in this.#moment) continue;
        // What follows may be from before the moment or from behind it.
        return this.#result(
          null,
          `Invalid timestamp annotation at offset ${reader.itemOffset}`,
          false,
        );
      }
      this.#item(item, reader);
    }
  }

  #result(cut: CutPlace | null, trouble: string, isTorn: boolean): MomentFile {
    return {
      cut,
      keptCommands: this.#kept + this.#unsure,
      laterCommands: this.#later,
      trouble,
      isTorn,
    };
  }

  #item(item: 'command' | 'time' | 'position', reader: AofReader): void {
    if (this.#cut !== null) {
      if (item === 'time' && this.#search.nextSecond < 0) {
        this.#search.nextSecond = reader.timeSeconds;
      }
      if (item === 'command' && !isBracket(reader)) this.#later++;
      return;
    }
    // A time line goes with the command behind it.
    const isSafe = this.#isKnown && this.#transaction === null && !this.#isAfterTime;
    if (isSafe) this.#moveMark(reader);
    this.#isAfterTime = item === 'time';
    if (item === 'time') this.#time(reader);
    else if (item === 'position') this.#position(reader);
    else this.#command(reader);
  }

  #moveMark(reader: AofReader): void {
    this.#mark = placeBefore(reader);
    this.#kept += this.#unsure;
    this.#unsure = 0;
    this.#search.notePosition();
  }

  #time(reader: AofReader): void {
    const search = this.#search;
    search.hasTimes = true;
    if ('timestamp' in this.#moment && reader.timeSeconds > this.#moment.timestamp) {
      search.nextSecond = reader.timeSeconds;
      this.#end();
    } else {
      search.lastSecond = reader.timeSeconds;
    }
  }

  #position(reader: AofReader): void {
    const { position } = reader;
    if (position !== null) this.#search.hasPositions = true;
    if ('offset' in this.#moment && position !== null && position.offset > this.#moment.offset) {
      this.#end();
      return;
    }
    this.#tracker.at(position);
    this.#isKnown = !('offset' in this.#moment) || position !== null;
  }

  #command(reader: AofReader): void {
    const { args } = reader;
    const bytes = reader.offset - reader.itemOffset;
    if (args.is(0, 'multi')) {
      this.#transaction ??= { place: placeBefore(reader), bytes: 0, commands: 0 };
    }
    const transaction = this.#transaction;
    if (transaction === null) {
      this.#whole(bytes, isBracket(reader) ? 0 : 1);
      return;
    }
    transaction.bytes += bytes;
    if (!isBracket(reader)) transaction.commands++;
    if (!args.is(0, 'exec')) return;
    this.#transaction = null;
    this.#whole(transaction.bytes, transaction.commands);
  }

  /** A command, or a transaction, was read. */
  #whole(bytes: number, commands: number): void {
    const tracker = this.#tracker;
    tracker.passed(bytes);
    this.#unsure += commands;
    if (!('offset' in this.#moment)) return;
    const { position } = tracker;
    this.#isKnown = position !== null;
    if (position !== null && position.offset > this.#moment.offset) this.#end();
  }

  /** What follows the mark lies behind the moment. */
  #end(): void {
    this.#search.isPast = true;
    this.#cut = this.#mark;
    this.#later += this.#unsure + (this.#transaction?.commands ?? 0);
    this.#unsure = 0;
    this.#transaction = null;
  }
}

/** Whether the command is MULTI or EXEC, which only enclose what is counted. */
function isBracket({ args }: AofReader): boolean {
  return args.is(0, 'multi') || args.is(0, 'exec');
}

/** The place before the item that was read last. */
function placeBefore(reader: AofReader): CutPlace {
  const { itemCutOffset, itemOffset, tornHeadOffset } = reader;
  const isTurn = itemCutOffset !== itemOffset;
  const head = isTurn ? itemCutOffset : itemOffset > tornHeadOffset ? tornHeadOffset : -1;
  if (head < 0) return { bytes: itemOffset, headOffset: -1 };
  if (itemOffset === head + FRAME_HEAD_BYTES) return { bytes: head, headOffset: -1 };
  return { bytes: itemOffset, headOffset: head };
}
