/**
 * The server behind a link to its primary (primary-link.ts), as the link sees it: what it asks
 * before each attempt, whom it gives the dataset and the stream, and what it tells.
 */
import type { FileSystem } from '../persistence/file-system.ts';
import type { DatasetPosition, DatasetTaker, ReceivedDataset } from './payload.ts';
import type { StreamExecutor } from './stream-applier.ts';

/** What an attempt needs to know; asked for anew each time, since configurations change. */
export interface LinkSettings {
  readonly user: string;
  readonly password: string;
  readonly listeningPort: number;
  readonly announceIp: string;
  /** `repl-timeout`. */
  readonly timeoutMs: number;
  /** The local address to connect from; empty for any. */
  readonly sourceAddress: string;
  /** Where a received dataset is put until it is loaded. */
  readonly temporaryPath: string;
  /** The peer is a replica of ours that is to become the primary. */
  readonly failover: boolean;
  /** What can be gone on from; null for nothing. `nextByte` counts from 1. */
  readonly from: { readonly id: string; readonly nextByte: number } | null;
}

/** The server behind the link. */
export interface PrimaryLinkHost extends StreamExecutor {
  readonly fs: FileSystem;
  /** Whether the stream is to wait, as clients do: it is read, and applied after `goOn`. */
  readonly isPaused: boolean;
  /** The settings of the next attempt. Throws when it must not be made now, but later. */
  settings(): LinkSettings;
  log(level: 'notice' | 'warning', text: string): void;
  /** The primary has accepted `from`; the stream is called `id` from now on. */
  continued(id: string): void;
  /**
   * Replaces the dataset. Rejects when that is refused or fails: then the link is closed and tried
   * again.
   */
  load(dataset: ReceivedDataset): Promise<void>;
  /** A full sync is granted. Who loads the dataset to come; null to have it put into a file. */
  takerOf(position: DatasetPosition): DatasetTaker | null;
  /** The stream begins, or was none any more, so that a full sync is due, or has ended. */
  connected(): void;
  corrupted(): void;
  disconnected(): void;
  /** The peer refused to take over; the link does not try again by itself. */
  failoverRejected(reason: string): void;
}
