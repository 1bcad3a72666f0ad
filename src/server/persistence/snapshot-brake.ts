/**
 * The brake: what bounds the memory of a snapshot while clients write.
 *
 * A key that changes before the walker has met it is emitted as it was (core/keyspace.ts, the
 * door). Clients that overwrite everything do so faster than the child compresses and the disk
 * takes it, and what is emitted waits in memory, up to the size of the dataset. So, while more
 * than an eighth of the dataset waits, a client that has written is not read from until less does,
 * and for HOLD_MS_MAX at most: a disk that stands still slows writers down but stops nobody.
 *
 * Full syncs are left out: there the child waits for replicas, and no client is to wait for those.
 */
import { type Client, RUNNING, WAIT_SNAPSHOT } from '../clients/client.ts';

/** Up to this many queued bytes nobody is slowed down. */
const QUEUED_BYTES_MIN = 32 * 1024 * 1024;
/** Part of the dataset that may be queued. */
const QUEUED_PART = 1 / 8;
const LOOK_MS = 5;
const HOLD_MS_MAX = 100;

export class SnapshotBrake {
  private readonly queuedBytes: () => number;
  private readonly usedBytes: () => number;
  private readonly resume: (client: Client) => void;
  private held: Client[] = [];
  private sinceMs = 0;

  /**
   * `queuedBytes`: what waits to be written to a file; `usedBytes`: the size of the dataset;
   * `resume` lets a client go on.
   */
  constructor(
    queuedBytes: () => number,
    usedBytes: () => number,
    resume: (client: Client) => void,
  ) {
    this.queuedBytes = queuedBytes;
    this.usedBytes = usedBytes;
    this.resume = resume;
  }

  /** A client has written: it may have to wait. */
  wrote(client: Client): void {
    client.wrote = false;
    if (!this.isOn || client.waiting !== RUNNING || client.link === null || client.isReplica)
      return;
    client.waiting = WAIT_SNAPSHOT;
    client.link.pause();
    this.held.push(client);
    if (this.held.length > 1) return;
    this.sinceMs = performance.now();
    this.lookLater();
  }

  private get isOn(): boolean {
    const queued = this.queuedBytes();
    return queued > QUEUED_BYTES_MIN && queued > this.usedBytes() * QUEUED_PART;
  }

  private lookLater(): void {
    setTimeout(() => {
      if (this.isOn && performance.now() - this.sinceMs < HOLD_MS_MAX) this.lookLater();
      else this.release();
    }, LOOK_MS);
  }

  private release(): void {
    const clients = this.held;
    this.held = [];
    for (const client of clients) if (client.waiting === WAIT_SNAPSHOT) this.resume(client);
  }
}
