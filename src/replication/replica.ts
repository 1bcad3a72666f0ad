/**
 * A replica that is attached to this server, or a client that may become one: what it has said of
 * itself, and where it stands.
 *
 *     none --PSYNC--> online                                  the stream goes on from the backlog
 *       |---PSYNC--> waiting --snapshot begins--> snapshot    a full sync
 *                                                   |--from a file: sending-file --> online
 *                                                   |--streamed ---(after an ACK)--> online
 */

/** INFO calls the two middle ones wait_bgsave; `sending-file` is send_bulk. */
export type ReplicaState = 'none' | 'waiting' | 'snapshot' | 'sending-file' | 'online';

/** What of the dataset a replica, or a backup tool, asked for. */
export interface SnapshotContent {
  readonly data: boolean;
  readonly functions: boolean;
}

const WHOLE_CONTENT: SnapshotContent = { data: true, functions: true };

/** The connection to a replica. What is queued leaves at the end of the turn, in order. */
export interface ReplicaConnection {
  /** Queues ASCII text. */
  send(text: string): void;
  /** Queues bytes that never change any more. */
  share(bytes: Uint8Array): void;
  /** Bytes queued and not taken by the kernel yet. */
  readonly unsentBytes: number;
  /** Bytes ever taken by the kernel. */
  readonly sentBytes: number;
  /** When the replica last sent anything, in milliseconds since 1970. */
  readonly lastReadMs: number;
  /** Address without port, and port, of its end of the connection. */
  readonly address: string;
  readonly port: number;
  /** Called when the queue has become short. */
  onDrained: (() => void) | null;
  /** Closes at once. */
  close(): void;
  /** Closes when everything queued has been sent. */
  closeAfterSending(): void;
}

export class Replica {
  readonly connection: ReplicaConnection;
  state: ReplicaState = 'none';
  /** The address that REPLCONF listening-port and ip-address told. */
  listeningPort = 0;
  announcedAddress = '';
  /** The capabilities that REPLCONF capa told: eof and psync2. */
  takesStreamed = false;
  takesNewId = false;
  /** What REPLCONF rdb-only and rdb-filter-only asked for. */
  rdbOnly = false;
  content: SnapshotContent = WHOLE_CONTENT;
  /** Whether it came with SYNC: then it sends no ACKs. */
  isOld = false;
  /** How far it is, by its own account; and how far its log on disk is, -1 when it keeps none. */
  ackOffset = 0;
  fsyncedOffset = -1;
  /** The stream begins with its first ACK: until then it is reading the snapshot. */
  awaitsAck = false;
  /** When it asked for a full sync, in milliseconds since 1970. */
  waitingSinceMs = 0;
  /** When it last took bytes, and how many it had taken then: to notice one that is stuck. */
  progressMs = 0;
  progressBytes = 0;

  constructor(connection: ReplicaConnection) {
    this.connection = connection;
  }

  /** Address as INFO and ROLE show it: announced, or that of the connection. */
  get address(): string {
    return this.announcedAddress === '' ? this.connection.address : this.announcedAddress;
  }

  /** Name for messages. */
  get name(): string {
    const port = this.listeningPort;
    return `${this.address}:${port === 0 ? '<unknown-replica-port>' : port}`;
  }

  /** Whether bytes of the stream go to it as they come. */
  get isFed(): boolean {
    return this.state === 'online' && !this.awaitsAck;
  }

  /** Seconds since it was last heard of. */
  lagSeconds(nowMs: number): number {
    return Math.max(0, Math.floor(nowMs / 1000) - Math.floor(this.connection.lastReadMs / 1000));
  }
}

export function sameContent(a: SnapshotContent, b: SnapshotContent): boolean {
  return a.data === b.data && a.functions === b.functions;
}
