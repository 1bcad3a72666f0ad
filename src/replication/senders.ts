/**
 * The connections that send the bytes of a buffer, and how far each must have come before the
 * buffer may be filled again.
 *
 * A connection sends in order, so when the last of what it was given of a buffer is sent, all of it
 * is. A closed connection has sent all that it ever will. One that has left its sync, or is being
 * closed, may still be sending; so the connection is asked, not the replica's state.
 */
import type { ReplicaConnection } from './replica.ts';

/** A connection, as far as bytes queued for it are concerned. */
export type Sender = Pick<ReplicaConnection, 'share' | 'sentBytes' | 'unsentBytes'>;

export class Senders {
  /** How many bytes each will have sent, of all it ever did, when it is done with the buffer. */
  readonly #ends = new Map<Sender, number>();

  /** Queues bytes of the buffer. */
  share(sender: Sender, bytes: Uint8Array): void {
    sender.share(bytes);
    this.#ends.set(sender, sender.sentBytes + sender.unsentBytes);
  }

  /** Whether nobody reads the buffer any more. */
  get areDone(): boolean {
    for (const [sender, end] of this.#ends) if (sender.sentBytes < end) return false;
    return true;
  }

  clear(): void {
    this.#ends.clear();
  }
}
