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
  /** Queued and taken by the kernel, and what it is still to read from where it lies. */
  #taken: Buffer[] = [];
  #waiting: Uint8Array[] = [];
  #unsent = 0;

  send(text: string): void {
    this.share(Buffer.from(text, 'latin1'));
  }

  share(bytes: Uint8Array): void {
    if (this.isClosed) throw new Error('the connection was closed');
    if (this.takes && this.#unsent === 0) {
      this.#taken.push(Buffer.from(bytes));
      this.sentBytes += bytes.length;
    } else {
      this.#waiting.push(bytes);
      this.#unsent += bytes.length;
    }
  }

  get unsentBytes(): number {
    return this.#unsent;
  }

  /** The kernel takes up to `bytes` of what stands unsent. */
  drain(bytes = Number.POSITIVE_INFINITY): void {
    const taken = Math.min(bytes, this.#unsent);
    this.#unsent -= taken;
    this.sentBytes += taken;
    for (let left = taken; left > 0 && this.#waiting.length > 0; ) {
      const first = this.#waiting.shift()!;
      const part = Math.min(left, first.length);
      this.#taken.push(Buffer.from(first.subarray(0, part)));
      if (part < first.length) this.#waiting.unshift(first.subarray(part));
      left -= part;
    }
    this.onDrained?.();
  }

  /** What it has not sent it never will. */
  close(): void {
    this.isClosed = true;
    this.sentBytes += this.#unsent;
    this.#unsent = 0;
    this.#waiting = [];
    this.onClose();
  }

  closeAfterSending(): void {
    this.endsAfterSending = true;
  }

  /** Everything queued so far. */
  get text(): string {
    return Buffer.concat([...this.#taken, ...this.#waiting]).toString('latin1');
  }

  /** Everything queued since the last call. */
  take(): string {
    const { text } = this;
    this.#taken = [];
    this.#waiting = [];
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
