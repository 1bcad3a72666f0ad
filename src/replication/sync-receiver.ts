/**
 * A full sync at the replica's end: takes the dataset that follows PSYNC's answer, and gives it to
 * the server. The primary's end is `full-sync.ts`; the bytes themselves are drawn in `payload.ts`.
 *
 *     by file    socket -> file, whole, summed up and fsynced -> host.load(file)
 *     aside      socket -> taker, which loads it beside the dataset that stands -> taker.take()
 *                                                                  (`repl-diskless-load`)
 *
 * Either way the old dataset and its offset stand until the new one is whole and sums up, and a
 * partial sync with them stays possible. What fails before that leaves nothing behind: the file is
 * removed, the taker drops what it has loaded.
 *
 * While a dataset is loaded the primary hears an empty line once in a while, so that it does not
 * take this replica for dead.
 */
import { errorText } from '../persistence/file-system.ts';
import { ProgressLine } from '../persistence/progress-line.ts';
import type { HandshakeOutcome } from './handshake.ts';
import {
  type DatasetPosition,
  type DatasetTaker,
  type Payload,
  type PayloadFile,
  payloadFile,
  receivePayload,
} from './payload.ts';
import type { LinkSettings, PrimaryLinkHost } from './primary-link-host.ts';
import { LinkError, type SocketReader, withSignsOfLife } from './socket-reader.ts';

/** The link that the dataset comes over. */
interface SyncLink {
  /** Whether it was given up: then nothing is loaded any more. */
  readonly isStopped: boolean;
  /** When bytes last came, in milliseconds since 1970. */
  lastIoMs: number;
}

export class SyncReceiver {
  /** Bytes of the dataset that is being received, so far and in all (0 while unknown). */
  receivedBytes = 0;
  totalBytes = 0;

  private readonly server: PrimaryLinkHost;
  private readonly link: SyncLink;

  constructor(server: PrimaryLinkHost, link: SyncLink) {
    this.server = server;
    this.link = link;
  }

  /**
   * Receives a dataset and has it loaded. Rejects with `LinkError`, or with what the disk or the
   * server has against it.
   */
  async run(
    reader: SocketReader,
    settings: LinkSettings,
    outcome: Exclude<HandshakeOutcome, { kind: 'continue' }>,
  ): Promise<void> {
    const { server } = this;
    this.receivedBytes = 0;
    this.totalBytes = 0;
    const position = outcome.kind === 'full' ? { id: outcome.id, offset: outcome.offset } : null;
    const taker = server.takerOf(position);
    if (taker === null) await this.syncByFile(reader, settings, position);
    else await this.syncAside(reader, settings, taker);
    if (this.link.isStopped) throw new LinkError('the link was given up');
    server.log('notice', 'MASTER <-> REPLICA sync: Finished with success');
  }

  /** The dataset is received into a file, and loaded when it is whole. */
  private async syncByFile(
    reader: SocketReader,
    { temporaryPath: path, timeoutMs }: LinkSettings,
    position: DatasetPosition,
  ): Promise<void> {
    const { server } = this;
    const open = (): Promise<PayloadFile> => payloadFile(server.fs, path);
    const log = (text: string): void => server.log('notice', text);
    const line = new ProgressLine(log, 'MASTER <-> REPLICA sync: received', 'bytes');
    const payload = await this.receive(reader, timeoutMs, open, line).catch(
      async (error: unknown) => {
        await server.fs.unlink(path).catch(() => undefined);
        throw error;
      },
    );
    await withSignsOfLife(reader, () => server.load({ ...payload, path, position }));
  }

  /** The dataset is loaded as it comes. */
  private async syncAside(
    reader: SocketReader,
    { timeoutMs }: LinkSettings,
    taker: DatasetTaker,
  ): Promise<void> {
    await withSignsOfLife(reader, async () => {
      const open = (totalBytes: number): Promise<PayloadFile> => taker.open(totalBytes);
      await taker.take(await this.receive(reader, timeoutMs, open, null));
    })
      .catch((error: unknown) => {
        const what = 'Failed trying to load the MASTER synchronization DB from socket';
        this.server.log('warning', `${what}: ${errorText(error)}`);
        throw error;
      })
      .finally(() => taker.drop());
  }

  private async receive(
    reader: SocketReader,
    timeoutMs: number,
    open: (totalBytes: number) => Promise<PayloadFile>,
    line: ProgressLine | null,
  ): Promise<Payload> {
    const { server, link } = this;
    const payload = await receivePayload(reader, {
      open,
      timeoutMs,
      onProgress: (received, total) => {
        this.receivedBytes = received;
        this.totalBytes = total;
        link.lastIoMs = reader.lastReadMs;
        line?.tell(received, total);
      },
    });
    server.log('notice', `MASTER <-> REPLICA sync: received ${payload.bytes} bytes from master`);
    if (link.isStopped) throw new LinkError('the link was given up');
    return payload;
  }
}
