/**
 * What the server and the snapshot's child process say to each other.
 *
 * Server to child, on its standard input: packets.
 *
 *     packet   kind     1 byte        then 3 bytes of zero
 *              length   4 bytes, little-endian
 *              body     so many bytes
 *
 *     JOB      JSON of a `SnapshotJob`: a snapshot begins
 *     DATA     the next bytes of its frames (rdb-frame-writer.ts)
 *     END      all frames were sent
 *     ABORT    forget this snapshot; remove what was written
 *     PRACTISE between two jobs: get ready for the next (snapshot-practice.ts)
 *
 * Child to server, on descriptor 3: a line of JSON each, a `ChildReport`. `failed` comes as soon as
 * something goes wrong; `ended` answers the END or ABORT of each job, and then the child is idle
 * again. The bytes of a streamed RDB come on its standard output. The end of its input ends the
 * child, whatever it was doing: a server that dies leaves neither a process nor a temporary file
 * behind.
 */
import type { CommandBase } from '../command-writer.ts';

export const PACKET_JOB = 1;
export const PACKET_DATA = 2;
export const PACKET_END = 3;
export const PACKET_ABORT = 4;
export const PACKET_PRACTISE = 5;
export const PACKET_HEAD_BYTES = 8;

/** Descriptor on which the child reports. */
export const REPORT_FD = 3;

/** One snapshot, as the child is told of it. */
export interface SnapshotJob {
  /** The file to be written, or null to stream. */
  readonly path: string | null;
  readonly checksum: boolean;
  /** Null for an RDB; else the file is an AOF base of commands. */
  readonly commands: CommandBase | null;
  readonly incrementalFsync: boolean;
  /** The room that the file will want: where less is free it is not begun. */
  readonly expectedBytes: number;
}

export type ChildReport =
  | { readonly event: 'ready' }
  | { readonly event: 'progress'; readonly bytes: number }
  /** `code` is an errno name. */
  | { readonly event: 'failed'; readonly code: string; readonly reason: string }
  /** `bytes` of the RDB were written; it is complete when `ok`. */
  | { readonly event: 'ended'; readonly ok: boolean; readonly bytes: number };

/** The head of a packet. */
export function packetHead(kind: number, length: number): Uint8Array {
  const head = new Uint8Array(PACKET_HEAD_BYTES);
  head[0] = kind;
  new DataView(head.buffer).setUint32(4, length, true);
  return head;
}
