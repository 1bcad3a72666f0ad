/**
 * The replica's end of a replication link: connects to the primary, gets in step with it, and
 * follows its stream.
 *
 *     connect -> connecting -> handshake -> connected                  +CONTINUE
 *        ^                         |------> sync -> (load) -> connected     +FULLRESYNC
 *        |-------------------------|----------|---------|           whatever fails: again, later
 *
 * What is received in `sync`, and when it takes the place of the old dataset, is told in
 * `sync-receiver.ts`.
 *
 * Attempts are spread: after a stream that broke the first one comes at once (the backlog that is
 * needed may soon be gone), further ones after about a second, and those after failed full syncs
 * after twice as long each time. All are jittered, so that the replicas of a primary that comes
 * back do not all come in the same moment.
 */
import type { Socket } from 'node:net';
import { errorText } from '../persistence/file-system.ts';
import {
  encodeCommand,
  FailoverRejectedError,
  FailoverUndecidedError,
  shakeHands,
} from './handshake.ts';
import type { LinkSettings, PrimaryLinkHost } from './primary-link-host.ts';
import { LinkError, SocketReader, whenConnected } from './socket-reader.ts';
import { StreamApplier } from './stream-applier.ts';
import { SyncReceiver } from './sync-receiver.ts';

/** The state of the link, as ROLE names it. */
export type LinkState = 'connect' | 'connecting' | 'handshake' | 'sync' | 'connected';

const RETRY_MS = 1000;
const RETRY_AT_ONCE_MS = 50;
const RETRY_MS_MAX = 30_000;

/** The log texts for a primary that is silent for too long. */
const SILENT_IN_HANDSHAKE = 'Timeout connecting to the MASTER...';
const SILENT_IN_SYNC =
  'Timeout receiving bulk data from MASTER... If the problem persists try to set the ' +
  "'repl-timeout' parameter to a larger value.";

/** Bytes of the stream that may wait until no more is read. */
const HELD_MAX = 16 * 1024 * 1024;

export class PrimaryLink {
  readonly host: string;
  readonly port: number;
  state: LinkState = 'connect';
  /** When bytes last came from the primary, in milliseconds since 1970. */
  lastIoMs = 0;
  /** When the stream was lost, 0 while it flows or never did. */
  downSinceMs = 0;
  /** Set by `stop`: the link has ended for good. */
  isStopped = false;
  /** Takes the datasets of full syncs. */
  readonly receiver: SyncReceiver;

  private readonly server: PrimaryLinkHost;
  private reader: SocketReader | null = null;
  private socket: Socket | null = null;
  private applier: StreamApplier | null = null;
  /** What came while the stream was to wait. */
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  private retryTimer: NodeJS.Timeout | null = null;
  private failedSyncs = 0;
  /** The peer was asked to take over, and the answer was lost. */
  private isUndecided = false;
  /** The primary counts its stream, so it is told how far we are. */
  private acknowledges = true;

  constructor(server: PrimaryLinkHost, host: string, port: number) {
    this.server = server;
    this.host = host;
    this.port = port;
    this.receiver = new SyncReceiver(server, this);
  }

  /** Begins to connect, and goes on trying until `stop`. */
  start(): void {
    this.retryIn(0);
  }

  /** Ends for good. */
  stop(): void {
    this.isStopped = true;
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.reader?.close('the link was given up');
    this.dropStream();
  }

  /** Breaks the connection that stands now; the link connects again. */
  interrupt(reason: string): void {
    if (this.socket !== null) this.lost(new LinkError(reason));
    else this.reader?.close(reason);
  }

  /** Bytes received that are not part of the dataset yet. */
  get unappliedBytes(): number {
    return (this.applier?.pendingBytes ?? 0) + this.heldBytes;
  }

  /** Tells everything received so far to `applied`, up to the last complete command. */
  settle(): void {
    this.applier?.settle();
  }

  /**
   * Tells the primary how far this replica is; `fsynced` is how far its log on disk is, -1 without
   * one.
   */
  acknowledge(offset: number, fsynced: number): void {
    if (this.socket === null || !this.acknowledges) return;
    const words = ['REPLCONF', 'ACK', String(offset)];
    if (fsynced >= 0) words.push('FACK', String(fsynced));
    this.socket.write(encodeCommand(words));
  }

  /**
   * Called about once a second: gives up a primary that has been silent for too long, by what the
   * limit is now, which may have been changed since we connected. While we do not read, the silence
   * is ours.
   */
  tick(nowMs: number, timeoutMs: number): void {
    const { reader, state } = this;
    const isReading = this.socket?.isPaused() === false;
    if (state === 'connected' && isReading && nowMs - this.lastIoMs > timeoutMs) {
      this.interrupt('MASTER timeout: no data nor PING received...');
    }
    const isTalking = state === 'connecting' || state === 'handshake';
    if (isTalking && reader !== null && nowMs - reader.lastReadMs > timeoutMs) {
      reader.late(timeoutMs);
      reader.socket.destroy();
    }
  }

  private retryIn(delayMs: number): void {
    if (this.isStopped) return;
    this.state = 'connect';
    this.retryTimer = setTimeout(() => void this.attempt(), delayMs);
  }

  private async attempt(): Promise<void> {
    const { server } = this;
    let rest: Uint8Array;
    try {
      const settings = server.settings();
      this.state = 'connecting';
      server.log('notice', `Connecting to MASTER ${this.host}:${this.port}`);
      const reader = this.open(settings);
      this.reader = reader;
      await whenConnected(reader, settings.timeoutMs);
      this.state = 'handshake';
      const { isUndecided } = this;
      const options = { ...settings, isUndecided, log: server.log.bind(server) };
      const outcome = await shakeHands(reader, options);
      if (this.isStopped) throw new LinkError('the link was given up');
      this.isUndecided = false;
      this.acknowledges = outcome.kind !== 'sync';
      if (outcome.kind === 'continue') server.continued(outcome.id);
      else {
        this.state = 'sync';
        this.failedSyncs++;
        await this.receiver.run(reader, settings, outcome);
      }
      rest = this.follow(reader);
      this.failedSyncs = 0;
    } catch (error) {
      this.failed(error);
      return;
    }
    // What a command throws, be it the first one, is no failure of the attempt: it ends the server.
    if (rest.length > 0) this.received(rest);
  }

  private open({ sourceAddress }: LinkSettings): SocketReader {
    const from = sourceAddress === '' ? {} : { localAddress: sourceAddress };
    return new SocketReader({ host: this.host, port: this.port, noDelay: true, ...from });
  }

  /** The stream begins: from here on commands run as they come. Returns what came already. */
  private follow(reader: SocketReader): Uint8Array {
    const { socket } = reader;
    const rest = reader.release((bytes) => this.received(bytes));
    this.reader = null;
    this.socket = socket;
    this.applier = new StreamApplier(this.server);
    this.state = 'connected';
    this.lastIoMs = Date.now();
    this.downSinceMs = 0;
    // The last words of a connection must not end the next one.
    const over = (error: Error): void => {
      if (this.socket === socket) this.lost(error);
    };
    socket.on('error', over);
    socket.on('close', () => over(new LinkError('the connection was closed')));
    this.server.connected();
    socket.resume();
    return rest;
  }

  /** What came; it is borrowed. */
  private received(chunk: Uint8Array): void {
    this.lastIoMs = Date.now();
    if (this.applier === null) return;
    if (this.server.isPaused || this.held.length > 0) this.hold(chunk);
    else this.apply(this.applier, chunk);
  }

  private hold(chunk: Uint8Array): void {
    this.held.push(chunk.slice());
    this.heldBytes += chunk.length;
    if (this.heldBytes > HELD_MAX) this.socket?.pause();
  }

  /** The stream need not wait any more. */
  goOn(): void {
    while (!this.server.isPaused && this.applier !== null) {
      const chunk = this.held.shift();
      if (chunk === undefined) break;
      this.heldBytes -= chunk.length;
      this.apply(this.applier, chunk);
    }
    if (this.heldBytes > HELD_MAX || !this.socket?.isPaused()) return;
    this.lastIoMs = Date.now();
    this.socket.resume();
  }

  private apply(applier: StreamApplier, chunk: Uint8Array): void {
    try {
      applier.feed(chunk);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.server.corrupted();
      this.lost(error);
    }
  }

  /** The stream broke. */
  private lost(error: Error): void {
    if (this.socket === null) return;
    this.server.log('warning', `Connection with master lost: ${error.message}`);
    this.dropStream();
    this.retryIn(Math.random() * RETRY_AT_ONCE_MS);
  }

  private dropStream(): void {
    const { socket } = this;
    this.applier?.stop();
    this.applier = null;
    this.held = [];
    this.heldBytes = 0;
    if (socket === null) return;
    this.socket = null;
    socket.destroy();
    this.state = 'connect';
    this.downSinceMs = Date.now();
    this.server.disconnected();
  }

  /** An attempt failed. */
  private failed(error: unknown): void {
    const { reader } = this;
    const wasSync = this.state === 'sync';
    this.reader = null;
    reader?.close(errorText(error));
    if (this.isStopped) return;
    if (error instanceof FailoverRejectedError) {
      this.state = 'connect';
      this.server.failoverRejected(error.message);
      return;
    }
    if (error instanceof FailoverUndecidedError) this.isUndecided = true;
    if (reader?.timedOut === true) {
      this.server.log('warning', wasSync ? SILENT_IN_SYNC : SILENT_IN_HANDSHAKE);
    }
    this.server.log('warning', `Replication with MASTER failed: ${errorText(error)}`);
    const longer = RETRY_MS * 2 ** Math.min(Math.max(0, this.failedSyncs - 1), 8);
    this.retryIn(Math.min(longer, RETRY_MS_MAX) * (0.5 + Math.random()));
  }
}
