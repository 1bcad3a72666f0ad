/**
 * The replication history: which stream of changes a dataset has seen, and how much of it.
 *
 *     id          40 hexadecimal digits that name the stream this server writes or follows
 *     offset      bytes of that stream that are in the dataset
 *     secondId    the stream that this one continues, up to
 *     secondOffset   the first byte, counted from 1, that differs in the two; -1 without secondId
 *
 *     primary A, id a     0 ------------------- 700 ------->
 *     replica B of A      0 ------------------- 700
 *     B is promoted       id b, secondId a, secondOffset 701:
 *                         whoever has at most 700 bytes of a goes on with b
 *
 * Two servers with the same id and offset hold the same data; that is all that a partial sync
 * relies on. So an id is given up whenever a stream is about to differ from what others know under
 * that id: at promotion, when there was no backlog to remember changes in, and after loading a
 * dataset that does not say which stream it comes from.
 */
import { randomBytes } from 'node:crypto';

/** The second id of a server that has none. */
export const NO_ID = '0'.repeat(40);

/**
 * What a saved dataset says about its history: the fields repl-id, repl-offset and repl-stream-db
 * of an RDB.
 */
export interface ReplicationAux {
  readonly id: string;
  readonly offset: number;
  /** The database that the stream has selected at that point. */
  readonly streamDb: number;
}

export class ReplicationHistory {
  id: string;
  offset: number;
  secondId: string;
  secondOffset: number;

  constructor() {
    this.id = newReplicationId();
    this.offset = 0;
    this.secondId = NO_ID;
    this.secondOffset = -1;
  }

  /** A history of its own begins: no past stream can be continued. The offset goes on counting. */
  renew(): void {
    this.id = newReplicationId();
    this.secondId = NO_ID;
    this.secondOffset = -1;
  }

  /**
   * This server now writes the stream that it followed: whoever followed the same one may go on
   * here.
   */
  promote(): void {
    this.secondId = this.id;
    this.secondOffset = this.offset + 1;
    this.id = newReplicationId();
  }

  /** The dataset is now that of a primary, with `offset` bytes of its stream. */
  adopt(id: string, offset: number): void {
    this.id = id;
    this.offset = offset;
    this.secondId = NO_ID;
    this.secondOffset = -1;
  }

  /**
   * The primary goes on with the same stream under another id: it was promoted, or started again.
   */
  continueAs(id: string): void {
    if (id === this.id) return;
    this.secondId = this.id;
    this.secondOffset = this.offset + 1;
    this.id = id;
  }

  /** A dataset was loaded by a server that is a primary: its replicas may go on under a new id. */
  resumeAsPrimary(aux: ReplicationAux): void {
    this.secondId = aux.id;
    this.secondOffset = aux.offset + 1;
    this.offset = aux.offset;
  }

  /**
   * Whether the stream `id` up to the byte before `nextByte` (counted from 1) is part of this
   * history.
   */
  includes(id: string, nextByte: number): boolean {
    const name = id.toLowerCase();
    if (name === this.id) return true;
    return name === this.secondId && nextByte <= this.secondOffset;
  }

  /** Whether the stream `id` is this history's own or the one it continues. */
  isKin(id: string): boolean {
    return id === this.id || (id === this.secondId && id !== NO_ID);
  }
}

/** 40 random hexadecimal digits. */
export function newReplicationId(): string {
  return randomBytes(20).toString('hex');
}

/** Whether a text has the form of an id. */
export function isReplicationId(text: string): boolean {
  return /^[0-9a-f]{40}$/i.test(text);
}
