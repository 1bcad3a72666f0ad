/**
 * A link to a primary that the test plays: the server behind the link notes what it is told, and
 * the primary's half of the conversation has a few words ready.
 */
import { vi } from 'vitest';
import { Arena } from '../../src/core/memory/arena.ts';
import { OfferedBuffers } from '../../src/core/memory/offered-buffers.ts';
import type { Args } from '../../src/core/resp/args.ts';
import {
  type DatasetTaker,
  type PayloadFile,
  payloadFile,
  type ReceivedDataset,
} from '../../src/replication/payload.ts';
import { PrimaryLink } from '../../src/replication/primary-link.ts';
import type { LinkSettings, PrimaryLinkHost } from '../../src/replication/primary-link-host.ts';
import { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { type PeerConnection, ScriptedPeer } from './scripted-peer.ts';

export const ID = 'abcdef0123456789abcdef0123456789abcdef01';
export const RDB = 'REDIS0010\xff\0\0\0\0\0\0\0\0';
export const SET = '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n';
/** A full sync at offset 100, from a file. */
export const FULL = `+FULLRESYNC ${ID} 100\r\n$${RDB.length}\r\n${RDB}`;

class Host implements PrimaryLinkHost {
  readonly fs = new FaultyFileSystem();
  readonly buffers = new OfferedBuffers(new Arena());
  readonly inTransaction = false;
  isPaused = false;
  readonly events: string[] = [];
  readonly logged: string[] = [];
  /** Bytes of the stream that were applied. */
  appliedBytes = 0;
  from: LinkSettings['from'] = null;
  failover = false;
  timeoutMs = 60_000;
  sourceAddress = '';
  /** The dataset is loaded as it comes. */
  aside = false;
  /** Called for each command that is run, for a dataset that is loaded, and at the end. */
  onCommand: () => void = () => undefined;
  onLoad: () => void | Promise<void> = () => undefined;
  onDisconnected: () => void = () => undefined;

  constructor() {
    this.fs.mkdirSync('/data');
  }

  settings(): LinkSettings {
    return {
      user: '',
      password: '',
      listeningPort: 7001,
      announceIp: '',
      timeoutMs: this.timeoutMs,
      sourceAddress: this.sourceAddress,
      temporaryPath: '/data/temp.rdb',
      failover: this.failover,
      from: this.from,
    };
  }

  log(_level: string, text: string): void {
    this.logged.push(text);
  }

  corrupted(): void {
    this.events.push('corrupted');
    this.from = null;
  }

  continued(id: string): void {
    this.events.push(`continued ${id}`);
  }

  async load(dataset: ReceivedDataset): Promise<void> {
    this.events.push(`load ${dataset.bytes} ${dataset.position?.offset}`);
    await this.onLoad();
  }

  takerOf(): DatasetTaker | null {
    if (!this.aside) return null;
    return {
      open: (totalBytes): Promise<PayloadFile> => {
        this.events.push(`open ${totalBytes}`);
        return payloadFile(this.fs, '/data/aside');
      },
      take: async ({ bytes }) => {
        this.events.push(`take ${bytes}`);
        await this.onLoad();
      },
      drop: () => void this.events.push('drop'),
    };
  }

  connected(): void {
    this.events.push('connected');
  }

  disconnected(): void {
    this.events.push('disconnected');
    this.onDisconnected();
  }

  failoverRejected(reason: string): void {
    this.events.push(`rejected ${reason}`);
  }

  execute(args: Args): void {
    this.events.push(args.text(0));
    this.onCommand();
  }

  applied(_bytes: Uint8Array, _from: number, length: number): void {
    this.appliedBytes += length;
  }
}

export class LinkScene {
  readonly peer: ScriptedPeer;
  readonly host = new Host();
  readonly link: PrimaryLink;

  private constructor(peer: ScriptedPeer) {
    this.peer = peer;
    this.link = new PrimaryLink(this.host, '127.0.0.1', peer.port);
  }

  static async begin(): Promise<LinkScene> {
    return new LinkScene(await ScriptedPeer.listen());
  }

  async end(): Promise<void> {
    this.link.stop();
    await this.peer.close();
    vi.restoreAllMocks();
  }

  /** Has the link try again at once. Returns the waits that it asks for, in milliseconds. */
  withoutWaits(): number[] {
    const waits: number[] = [];
    const { setTimeout } = globalThis;
    const later = (run: () => void, ms: number): NodeJS.Timeout => {
      const isRetry = ms > 2 && ms < this.host.timeoutMs;
      if (isRetry) waits.push(ms);
      return setTimeout(run, isRetry ? 0 : ms);
    };
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(later as typeof setTimeout);
    return waits;
  }

  /** Plays a primary up to PSYNC, which is returned unanswered. */
  async greet(): Promise<{ connection: PeerConnection; psync: string | null }> {
    const connection = await this.peer.connection();
    await connection.answer('+PONG\r\n');
    await connection.answer('+OK\r\n');
    await connection.answer('+OK\r\n');
    return { connection, psync: await connection.command() };
  }

  /** Waits until the host has noted something so many times. */
  async noted(event: string, times = 1): Promise<void> {
    const { events } = this.host;
    const deadline = Date.now() + 60_000;
    while (events.filter((one) => one === event).length < times) {
      if (Date.now() > deadline) throw new Error(`${event} never came: ${events.join(', ')}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Plays a primary up to the first command of its stream. */
  async fullSync(): Promise<PeerConnection> {
    const { connection } = await this.greet();
    connection.send(FULL + SET);
    await this.noted('SET');
    return connection;
  }
}
