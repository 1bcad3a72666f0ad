/** A connection to a replica that takes as much as the test says, and remembers all of it. */

import type { ReplicaConnection } from '../../src/replication/replica.ts';
import { Replica as RealReplica, type Replica } from '../../src/replication/replica.ts';

export class FakeConnection implements ReplicaConnection {
  address = '10.0.0.9';
  port = 50_000;
  lastReadMs = 0;
  onDrained: (() => void) | null = null;
  isClosed = false;
  endsAfterSending = false;
  /** Called by `close`, as a hub would tell that the client has gone. */
  onClose: () => void = () => undefined;
  /** False: nothing is taken by the kernel until `drain`. */
  takes = true;
  sentBytes = 0;
  #all: Buffer[] = [];
  #unsent = 0;

  send(text: string): void {
    this.share(Buffer.from(text, 'latin1'));
  }

  share(bytes: Uint8Array): void {
    if (this.isClosed) throw new Error('the connection was closed');
    this.#all.push(Buffer.from(bytes));
    if (this.takes) this.sentBytes += bytes.length;
    else this.#unsent += bytes.length;
  }

  get unsentBytes(): number {
    return this.#unsent;
  }

  /** The kernel takes up to `bytes` of what stands unsent. */
  drain(bytes = Number.POSITIVE_INFINITY): void {
    const taken = Math.min(bytes, this.#unsent);
    this.#unsent -= taken;
    this.sentBytes += taken;
    this.onDrained?.();
  }

  close(): void {
    this.isClosed = true;
    this.onClose();
  }

  closeAfterSending(): void {
    this.endsAfterSending = true;
  }

  /** Everything queued so far. */
  get text(): string {
    return Buffer.concat(this.#all).toString('latin1');
  }

  /** Everything queued since the last call. */
  take(): string {
    const { text } = this;
    this.#all = [];
    return text;
  }
}

/** A replica that understands everything, with its connection. */
export function fakeReplica(): { replica: Replica; connection: FakeConnection } {
  const connection = new FakeConnection();
  const replica = new RealReplica(connection);
  replica.takesStreamed = true;
  replica.takesNewId = true;
  replica.listeningPort = 7000;
  return { replica, connection };
}
