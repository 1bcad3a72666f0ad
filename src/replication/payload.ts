/**
 * The dataset that a primary sends at a full sync, taken from the socket to a file, or to whoever
 * loads it as it comes.
 *
 *     \n \n \n                                  while the primary is not ready
 *     $<bytes>\r\n <RDB>                        from a file
 *     $EOF:<40 characters>\r\n <RDB> <the same 40 characters>    as it is made, size unknown
 *     -ERR ...                                  the primary gives up
 *
 * What was received is looked at before anything is given up for it: the RDB's own checksum must be
 * right (versions 5 and later have one, zero means unchecked), and whether it holds any key is
 * told, see `isEmptySnapshot`.
 */
import { Crc64 } from '../persistence/crc64.ts';
import { DurableFile } from '../persistence/durable-file.ts';
import type { FileSystem } from '../persistence/file-system.ts';
import { RDB_VERSION_CHECKSUM } from '../persistence/rdb/rdb-format.ts';
import { isEmptySnapshot, snapshotVersion } from './snapshot-head.ts';
import { LinkError, type SocketReader } from './socket-reader.ts';

const MARK_BYTES = 40;
const SUM_BYTES = 8;
/** The beginning of the RDB that is kept to look at: far more than an empty one has. */
const HEAD_BYTES = 4096;
/** Bytes written between two fsyncs, so that the last one has little to do. */
const SYNC_EVERY_BYTES = 32 << 20;
const EMPTY = Buffer.alloc(0);

/** What takes the dataset: a durable file, something in front of one, or a loader. */
export interface PayloadFile {
  /** Takes bytes, which are borrowed until the promise settles. */
  writeAll(bytes: Uint8Array, offset: number, length: number, position: number): Promise<void>;
  /** Ends the data, for what needs to know where they end; a plain file does not. */
  end?(): Promise<void>;
  syncData(): Promise<void>;
  close(): Promise<void>;
}

interface PayloadOptions {
  /** Opens what takes the dataset of `totalBytes` bytes, 0 while that is unknown. */
  readonly open: (totalBytes: number) => Promise<PayloadFile>;
  /** How long the primary may be silent. */
  readonly timeoutMs: number;
  /** Bytes received, and how many there will be, or 0 while that is unknown. */
  readonly onProgress: (receivedBytes: number, totalBytes: number) => void;
}

export interface Payload {
  readonly bytes: number;
  /** The version of the RDB. */
  readonly version: number;
  /** Whether the RDB has a checksum, which was right. */
  readonly isChecked: boolean;
  /** Whether it was streamed: then the primary waits for an ACK before it goes on. */
  readonly wasStreamed: boolean;
  /** Whether it holds no key and no function. */
  readonly isEmpty: boolean;
}

/** The primary's stream and how much of it is in a dataset; null for one that does not say. */
export type DatasetPosition = { readonly id: string; readonly offset: number } | null;

/** A dataset that has been received. */
export interface ReceivedDataset extends Payload {
  readonly path: string;
  readonly position: DatasetPosition;
}

/** Loads a dataset as it comes, beside the one that stands. */
export interface DatasetTaker {
  /** Begins a dataset of `totalBytes`, 0 while that is unknown. */
  open(totalBytes: number): Promise<PayloadFile>;
  /**
   * Puts the dataset, which has come whole, in the place of the one that stands. Rejects when that
   * is refused.
   */
  take(payload: Payload): Promise<void>;
  /** Gives the dataset up, unless it was taken. */
  drop(): void;
}

/** Opens the file at a path, which is replaced. */
export async function payloadFile(fs: FileSystem, path: string): Promise<DurableFile> {
  return new DurableFile(await fs.open(path, 'replace'));
}

/**
 * Receives the dataset into a file that is on disk when this resolves, or has it loaded. Rejects
 * with `LinkError` or the error of what takes it.
 */
export async function receivePayload(
  reader: SocketReader,
  options: PayloadOptions,
): Promise<Payload> {
  const header = await readHeader(reader, options.timeoutMs);
  const sink = new PayloadSink(await options.open(header.bytes));
  try {
    if (header.mark === null) await receiveCounted(reader, sink, header.bytes, options);
    else await receiveMarked(reader, sink, header.mark, options);
    await sink.finish();
  } finally {
    await sink.close();
  }
  const isEmpty = isEmptySnapshot(sink.head);
  const { bytes, version, isChecked } = sink;
  return { bytes, version, isChecked, wasStreamed: header.mark !== null, isEmpty };
}

interface PayloadHeader {
  readonly bytes: number;
  readonly mark: Buffer | null;
}

async function readHeader(reader: SocketReader, timeoutMs: number): Promise<PayloadHeader> {
  let line = '';
  while (line === '') line = await reader.line(timeoutMs);
  if (line.startsWith('$EOF:') && line.length >= 5 + MARK_BYTES) {
    return { bytes: 0, mark: Buffer.from(line.slice(5, 5 + MARK_BYTES), 'latin1') };
  }
  if (/^\$\d+$/.test(line)) return { bytes: Number(line.slice(1)), mark: null };
  if (line.startsWith('-')) {
    throw new LinkError(`MASTER aborted replication with an error: ${line.slice(1)}`);
  }
  throw new LinkError(
    `Bad protocol from MASTER, a line with the size of the dataset was due and '${line}' came: ` +
      'are the host and the port right?',
  );
}

async function receiveCounted(
  reader: SocketReader,
  sink: PayloadSink,
  bytes: number,
  options: PayloadOptions,
): Promise<void> {
  while (sink.bytes < bytes) {
    await sink.write(await reader.chunk(options.timeoutMs, 0, bytes - sink.bytes));
    options.onProgress(sink.bytes, bytes);
  }
}

/**
 * The primary sends nothing after the mark before it hears from us, so the mark can only be the end
 * of a read.
 */
async function receiveMarked(
  reader: SocketReader,
  sink: PayloadSink,
  mark: Buffer,
  options: PayloadOptions,
): Promise<void> {
  do {
    await sink.write(await reader.chunk(options.timeoutMs, MARK_BYTES, Number.MAX_SAFE_INTEGER));
    options.onProgress(sink.bytes, 0);
  } while (!reader.takeRest(mark));
}

/** Passes the dataset on, sums it, and keeps its beginning. */
class PayloadSink {
  bytes = 0;
  version = 0;
  isChecked = false;
  head: Buffer = EMPTY;
  private readonly file: PayloadFile;
  private readonly crc = new Crc64();
  /** The last bytes, which may be the sum: not summed yet. */
  private last: Buffer = EMPTY;
  private unsyncedBytes = 0;

  constructor(file: PayloadFile) {
    this.file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.head.length < HEAD_BYTES) {
      const more = bytes.subarray(0, HEAD_BYTES - this.head.length);
      this.head = Buffer.concat([this.head, more]);
    }
    this.sum(bytes);
    await this.file.writeAll(bytes, 0, bytes.length, this.bytes);
    this.bytes += bytes.length;
    this.unsyncedBytes += bytes.length;
    if (this.unsyncedBytes < SYNC_EVERY_BYTES) return;
    this.unsyncedBytes = 0;
    await this.file.syncData();
  }

  /** The RDB is whole: it must sum up, and is on disk when this resolves. */
  async finish(): Promise<void> {
    const version = snapshotVersion(this.head);
    if (version === null) throw new LinkError('Bad data from MASTER: what it sent is no RDB');
    const low = this.last.length < SUM_BYTES ? 0 : this.last.readInt32LE(0);
    const high = this.last.length < SUM_BYTES ? 0 : this.last.readInt32LE(4);
    this.version = version;
    this.isChecked = version >= RDB_VERSION_CHECKSUM && (low !== 0 || high !== 0);
    if (this.isChecked && (low !== (this.crc.lo | 0) || high !== (this.crc.hi | 0))) {
      throw new LinkError('Bad data from MASTER: the checksum of the RDB is wrong');
    }
    await this.file.end?.();
    await this.file.syncData();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private sum(bytes: Uint8Array): void {
    const { crc, last } = this;
    const known = Math.min(last.length, Math.max(0, last.length + bytes.length - SUM_BYTES));
    const split = Math.max(0, bytes.length - SUM_BYTES);
    crc.update(last, 0, known);
    crc.update(bytes, 0, split);
    this.last = Buffer.concat([last.subarray(known), bytes.subarray(split)]);
  }
}
