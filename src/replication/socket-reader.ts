/**
 * Reads a socket on demand: a line, or whatever has come. For the conversation with a primary up to
 * the moment when its stream of commands begins.
 *
 *     socket 'data' -> chunks (unread) -> line() | chunk()
 *
 * While more than UNREAD_MAX bytes stand unread the socket is paused, so a primary never sends more
 * than its replica can write to disk. A read that waits longer than its limit, or whose peer goes
 * away, rejects with `LinkError`.
 *
 * One read at a time. `release` gives the socket back, with what was not read.
 */
import type { Socket } from 'node:net';

/** Bytes that may stand unread before the socket is paused. */
const UNREAD_MAX = 1 << 20;
/** A line may be this long, its end included. */
const LINE_MAX = 8192;
/** While it loads, a replica says that it is alive this often. */
const KEEP_ALIVE_MS = 1000;

/** The connection to a primary failed; the text says how, the conversation is over. */
export class LinkError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LinkError';
  }
}

export class SocketReader {
  readonly socket: Socket;
  /** When bytes last came, in milliseconds since 1970. */
  lastReadMs: number;
  /** Whether a wait that took too long has ended the conversation. */
  timedOut = false;
  private chunks: Buffer[] = [];
  private unreadBytes = 0;
  private failure: LinkError | null = null;
  private wake: (() => void) | null = null;
  private readonly onData = (chunk: Buffer): void => this.received(chunk);
  private readonly onError = (error: Error): void => void this.fail(error.message);
  private readonly onClose = (): void => void this.fail('the connection was closed');

  constructor(socket: Socket) {
    this.socket = socket;
    this.lastReadMs = Date.now();
    socket.on('data', this.onData);
    socket.on('error', this.onError);
    socket.on('end', this.onClose);
    socket.on('close', this.onClose);
  }

  /** Whether the conversation is over. */
  get hasFailed(): boolean {
    return this.failure !== null;
  }

  /** The next line, without its end. */
  async line(timeoutMs: number): Promise<string> {
    for (;;) {
      const line = this.takeLine();
      if (line !== null) return line;
      if (this.unreadBytes > LINE_MAX) throw new LinkError('a reply line is too long');
      await this.more(timeoutMs);
    }
  }

  /** The bytes that have come, at least one. */
  async chunk(timeoutMs: number): Promise<Buffer> {
    while (this.unreadBytes === 0) await this.more(timeoutMs);
    const chunk = this.chunks.shift() ?? Buffer.alloc(0);
    this.took(chunk.length);
    return chunk;
  }

  /** Puts bytes back in front: the next read begins with them. */
  unread(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.chunks.unshift(bytes);
    this.unreadBytes += bytes.length;
  }

  /** Sends text, which the kernel takes when it can. */
  send(text: string | Uint8Array): void {
    if (this.failure === null) this.socket.write(text);
  }

  /** Sends bytes and waits until the kernel has them. */
  async sent(bytes: Uint8Array, timeoutMs: number): Promise<void> {
    if (this.failure !== null) throw this.failure;
    let timer: NodeJS.Timeout | undefined;
    const ended = await new Promise<Error | null | undefined>((resolve) => {
      timer = setTimeout(() => resolve(this.late(timeoutMs)), timeoutMs);
      this.socket.write(bytes, resolve);
    });
    clearTimeout(timer);
    if (ended) throw this.fail(ended.message);
  }

  /** Ends the conversation: whoever waits gets an error with this text. */
  close(reason: string): void {
    this.fail(reason);
    this.socket.destroy();
  }

  /**
   * Takes the listeners off and returns what was not read. Throws when the link has failed by now.
   */
  release(): Buffer {
    if (this.failure !== null) throw this.failure;
    this.socket.off('data', this.onData);
    this.socket.off('error', this.onError);
    this.socket.off('end', this.onClose);
    this.socket.off('close', this.onClose);
    const rest = Buffer.concat(this.chunks);
    this.chunks = [];
    this.unreadBytes = 0;
    return rest;
  }

  /** Resolves when something has happened: bytes, or the end. */
  private async more(timeoutMs: number): Promise<void> {
    if (this.failure !== null) throw this.failure;
    if (this.wake !== null) throw new Error('a socket reader serves one read at a time');
    const before = this.unreadBytes;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(() => this.late(timeoutMs), timeoutMs);
    });
    clearTimeout(timer);
    this.wake = null;
    if (this.failure !== null && this.unreadBytes === before) throw this.failure;
  }

  private takeLine(): string | null {
    const first = this.chunks[0];
    if (first === undefined) return null;
    let at = first.indexOf(10);
    let from = first;
    if (at < 0 && this.chunks.length > 1 && this.unreadBytes <= LINE_MAX * 2) {
      from = Buffer.concat(this.chunks);
      this.chunks = [from];
      at = from.indexOf(10);
    }
    if (at < 0) return null;
    const end = at > 0 && from[at - 1] === 13 ? at - 1 : at;
    const text = from.toString('latin1', 0, end);
    if (at + 1 === from.length) this.chunks.shift();
    else this.chunks[0] = from.subarray(at + 1);
    this.took(at + 1);
    return text;
  }

  private took(bytes: number): void {
    this.unreadBytes -= bytes;
    if (this.socket.isPaused() && this.unreadBytes < UNREAD_MAX) this.socket.resume();
  }

  private received(chunk: Buffer): void {
    this.lastReadMs = Date.now();
    this.chunks.push(chunk);
    this.unreadBytes += chunk.length;
    if (this.unreadBytes > UNREAD_MAX) this.socket.pause();
    this.wake?.();
  }

  /** Ends the conversation, since the peer was silent for so long. */
  late(timeoutMs: number): LinkError {
    this.timedOut = true;
    return this.fail(`no answer for ${timeoutMs / 1000} seconds`);
  }

  private fail(reason: string): LinkError {
    this.failure ??= new LinkError(reason);
    this.wake?.();
    return this.failure;
  }
}

/** Resolves when a connection that was begun stands; rejects with `LinkError`, or why it cannot. */
export function whenConnected(reader: SocketReader, timeoutMs: number): Promise<void> {
  const { socket } = reader;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(new LinkError('Timeout connecting')), timeoutMs);
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      socket.off('connect', onConnect);
      socket.off('error', settle);
      socket.off('close', onClose);
      if (error === null) resolve();
      else reject(error);
    };
    const onConnect = (): void => settle(null);
    const onClose = (): void => settle(new LinkError('the connection was closed'));
    socket.once('connect', onConnect);
    socket.once('error', settle);
    socket.once('close', onClose);
  });
}

/** Tells the peer once in a while that we are there, while something takes long. */
export async function withSignsOfLife(
  reader: SocketReader,
  work: () => Promise<void>,
): Promise<void> {
  const alive = setInterval(() => reader.send('\n'), KEEP_ALIVE_MS);
  try {
    await work();
  } finally {
    clearInterval(alive);
  }
}
