/**
 * The end of an AOF that is the replication stream's own bytes. A primary that starts again has it
 * for replicas which had not got all of it when it ended, so that they need no full sync.
 *
 *     file      #RP:p:..:900 #CK.. SET a.. SET b.. #CK.. SET c..
 *     stream               900     SET a.. SET b..       SET c..      the lines left out
 *
 * While the AOF is loaded, places are noted from which on it can be read once more, one whenever as
 * much as is wanted has gone by: the one before the last reaches far enough back.
 */
import type { FileSystem, OpenFile } from '../file-system.ts';
import { AofReader } from './aof-reader.ts';

/** What wants the tail: a backlog, which keeps its end. */
export interface AofTailSink {
  /** How much of the stream is wanted, in bytes. */
  readonly wanted: number;
  /** What is taken from now on begins behind the first `streamOffset` bytes of the stream. */
  begin(streamOffset: number): void;
  /** The next bytes, borrowed. */
  take(bytes: Uint8Array, from: number, length: number): void;
}

/** A byte of the file, and how much of the stream stands before it. */
interface Place {
  readonly offset: number;
  readonly streamOffset: number;
}

/** A part of a file that goes on with the stream from `start`. */
export interface AofTail {
  readonly path: string;
  readonly start: Place;
  readonly end: Place;
}

/** Notes where a tail can begin while an AOF is read. Stream offsets are -1 where there is none. */
export class AofTailTracker {
  readonly #wanted: number;
  #path = '';
  #older: Place | null = null;
  #newer: Place | null = null;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** A file begins, or a line tells a position: what was before is no part of the tail. */
  begin(path: string, offset: number, streamOffset: number): void {
    this.#path = path;
    this.#older = null;
    this.#newer = streamOffset < 0 ? null : { offset, streamOffset };
  }

  /** Commands were read up to here. */
  passed(offset: number, streamOffset: number): void {
    const newer = this.#newer;
    if (newer === null || streamOffset - newer.streamOffset < this.#wanted) return;
    this.#older = newer;
    this.#newer = { offset, streamOffset };
  }

  /** The tail of a file that is read up to `offset`; null when nothing is known of the stream. */
  tail(offset: number, streamOffset: number): AofTail | null {
    const start = this.#older ?? this.#newer;
    if (start === null || streamOffset <= start.streamOffset) return null;
    return { path: this.#path, start, end: { offset, streamOffset } };
  }
}

/** Bytes of the file that are read at once, and that parts are gathered from. */
const WINDOW_BYTES = 1 << 18;

/**
 * Gives a tail to the sink, which has all of it when what it took ends where the stream does.
 * `pause` is called often, and waited for.
 */
export async function readAofTail(
  fs: FileSystem,
  { path, start, end }: AofTail,
  sink: AofTailSink,
  pause: () => Promise<void> | undefined,
): Promise<void> {
  const file = await fs.open(path, 'read');
  try {
    const reader = new AofReader(file, start.offset, end.offset);
    const parts = new Parts(file, sink);
    sink.begin(start.streamOffset);
    for (;;) {
      const item = reader.next();
      if (item === 'more') await reader.fill();
      else if (item === 'command') {
        if (parts.add(reader.itemOffset, reader.offset)) await parts.flush();
        const rest = pause();
        if (rest !== undefined) await rest;
      } else if (item !== 'time') break;
    }
    await parts.flush();
  } finally {
    await file.close();
  }
}

/** Parts of the file that follow each other in the stream, on their way to the sink. */
class Parts {
  readonly #file: OpenFile;
  readonly #sink: AofTailSink;
  readonly #window = new Uint8Array(WINDOW_BYTES);
  /** Begin and end of each part. */
  #bounds: number[] = [];

  constructor(file: OpenFile, sink: AofTailSink) {
    this.#file = file;
    this.#sink = sink;
  }

  /** Adds a part. Whether there is enough to be given on. */
  add(from: number, to: number): boolean {
    const bounds = this.#bounds;
    if (bounds.at(-1) === from) bounds[bounds.length - 1] = to;
    else bounds.push(from, to);
    return to - bounds[0]! >= WINDOW_BYTES;
  }

  async flush(): Promise<void> {
    const bounds = this.#bounds;
    this.#bounds = [];
    let at = 0;
    let read = 0;
    for (let i = 0; i < bounds.length; i += 2) {
      for (let from = bounds[i]!; from < bounds[i + 1]!; ) {
        if (from >= at + read) {
          at = from;
          read = await this.#file.read(this.#window, 0, WINDOW_BYTES, at);
          if (read === 0) throw new Error('it has become shorter');
        }
        const length = Math.min(bounds[i + 1]!, at + read) - from;
        this.#sink.take(this.#window, from - at, length);
        from += length;
      }
    }
  }
}
