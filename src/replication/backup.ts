/**
 * A backup of a running server over the wire: the full sync that a replica gets, kept as a file.
 *
 *     connect -> handshake (AUTH, REPLCONF capa eof, rdb-only) -> PSYNC ? -1 -> the dataset
 *
 *     temp-<pid>.rdb     written as it comes, checksum compared; no other backup writes there
 *     fsync, rename, fsync of the folder
 *     <name>             only ever a whole backup
 */
import type { DurableFile } from '../persistence/durable-file.ts';
import { renameDurably } from '../persistence/durable-file.ts';
import type { FileSystem } from '../persistence/file-system.ts';
import { temporaryRdbName } from '../persistence/rdb/rdb-file.ts';
import { shakeHands } from './handshake.ts';
import { type PayloadFile, payloadFile, receivePayload } from './payload.ts';
import { LinkError, SocketReader, whenConnected } from './socket-reader.ts';

export interface BackupOptions {
  readonly fs: FileSystem;
  /** The file that is written or replaced. */
  readonly path: string;
  /** The id of this process, for the name of the temporary file. */
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** Empty for the default user, and for none. */
  readonly user: string;
  readonly password: string;
  /** How long the server may be silent. */
  readonly timeoutMs: number;
  /** Bytes received, and how many there will be, 0 while that is unknown. */
  readonly onProgress: (receivedBytes: number, totalBytes: number) => void;
  /** Takes the messages of the conversation. */
  readonly log: (level: 'notice' | 'warning', text: string) => void;
  /** Puts something in front of the file, such as a compressor. */
  readonly wrap?: (file: DurableFile) => PayloadFile;
  /** Ends the backup, with no file. */
  readonly signal?: AbortSignal;
}

export interface BackupResult {
  /** Bytes of the RDB, and of the file. */
  readonly rdbBytes: number;
  readonly fileBytes: number;
  /** Whether the RDB has a checksum. It was right. */
  readonly isChecked: boolean;
  readonly isEmpty: boolean;
  /** Whether the server sent it as it made it, without a file of its own. */
  readonly wasStreamed: boolean;
  /** The server's stream and how much of it is in the backup; null when the server is too old. */
  readonly position: { readonly id: string; readonly offset: number } | null;
}

const GIVEN_UP = 'the backup was given up';

/** Takes a backup. Rejects with `LinkError` or the disk's error; an old file stands then. */
export async function takeBackup(options: BackupOptions): Promise<BackupResult> {
  const { fs, host, path, port, signal, timeoutMs } = options;
  const temp = temporaryRdbName(path, options.pid);
  const reader = new SocketReader({ host, port, noDelay: true });
  const stop = (): void => reader.close(GIVEN_UP);
  signal?.addEventListener('abort', stop);
  try {
    await whenConnected(reader, timeoutMs);
    const outcome = await shakeHands(reader, {
      user: options.user,
      password: options.password,
      listeningPort: 0,
      announceIp: '',
      from: null,
      failover: false,
      rdbOnly: true,
      timeoutMs,
      log: options.log,
    });
    const payload = await receivePayload(reader, {
      timeoutMs,
      onProgress: options.onProgress,
      open: async () => {
        const file = await payloadFile(fs, temp);
        return options.wrap?.(file) ?? file;
      },
    });
    const fileBytes = (await fs.stat(temp))?.size ?? 0;
    await renameDurably(fs, temp, path);
    const { bytes: rdbBytes, isChecked, isEmpty, wasStreamed } = payload;
    const position = outcome.kind === 'full' ? { id: outcome.id, offset: outcome.offset } : null;
    return { rdbBytes, fileBytes, isChecked, isEmpty, wasStreamed, position };
  } catch (error) {
    await fs.unlink(temp).catch(() => undefined);
    // A connection that does not stand yet does not say why it was closed.
    const isGivenUp = signal?.aborted === true && error instanceof LinkError;
    throw isGivenUp ? new LinkError(GIVEN_UP) : error;
  } finally {
    signal?.removeEventListener('abort', stop);
    reader.close('the backup is done');
  }
}
