/**
 * Makes a connection and reads it on demand: a line, or whatever has come. For the conversation
 * with a primary up to the moment when its stream of commands begins.
 *
 * What comes is read into one ring. A buffer for each read, as Node makes them, is off-heap memory
 * that makes V8 run the collector (measured, for 390 MB: 42 times, 33 ms each, in a backup, 27 in a
 * replica that loads what comes; now once, and 10 times for the dataset itself).
 *
 *     ring   [ unread ..)  next read | free | lent | unread .. ]
 *                      ^ end % size         ^ start % size
 *
 * Invariants: start + lent <= end, and end - start < size. The next read gets a quarter of the ring
 * at most; while more than half is taken the socket is paused, so a primary never sends more than
 * its replica can write to disk. What `chunk` shows is lent until the next call.
 *
 * A read that waits longer than its limit, or whose peer goes away, rejects with `LinkError`. One
 * read at a time. After `release` the bytes go to somebody else as they come.
 */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';

/** Bytes of the ring. */
const ROOM_BYTES = 1 << 21;
/** Bytes of a read after `release`. */
const RELEASED_BYTES = 1 << 16;
/** A line may be this long, its end included. */
const LINE_MAX = 8192;
/** How often a replica that is loading says that it is alive. */
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
  private ring: Uint8Array;
  /** Positions count all bytes that ever came. */
  private start = 0;
  private lent = 0;
  private end = 0;
  /** Where the next read goes: Node has been told. */
  private next: Uint8Array;
  private paused = false;
  private failure: LinkError | null = null;
  private wake: (() => void) | null = null;
  private taker: ((bytes: Uint8Array) => void) | null = null;
  private readonly onError = (error: Error): void => void this.fail(error.message);
  private readonly onClose = (): void => void this.fail('the connection was closed');

  /** Begins to connect. */
  constructor(options: TcpNetConnectOpts) {
    this.ring = new Uint8Array(ROOM_BYTES);
    this.next = this.room();
    this.lastReadMs = Date.now();
    const buffer = (): Uint8Array => this.next;
    const callback = (count: number): boolean => this.received(count);
    this.socket = connect({ ...options, onread: { buffer, callback } });
    this.socket.on('error', this.onError);
    this.socket.on('end', this.onClose);
    this.socket.on('close', this.onClose);
  }

  /** Whether the conversation is over. */
  get hasFailed(): boolean {
    return this.failure !== null;
  }

  /** The next line, without its end. */
  async line(timeoutMs: number): Promise<string> {
    this.giveBack();
    for (;;) {
      const line = this.takeLine();
      if (line !== null) return line;
      if (this.end - this.start > LINE_MAX) throw new LinkError('a reply line is too long');
      await this.more(timeoutMs);
    }
  }

  /**
   * Bytes that have come, at least one and at most `max`, but never the last `keep`. They are lent
   * until the next read.
   */
  async chunk(timeoutMs: number, keep: number, max: number): Promise<Uint8Array> {
    this.giveBack();
    while (this.end - this.start <= keep) await this.more(timeoutMs);
    const at = this.start % this.ring.length;
    this.lent = Math.min(max, this.end - this.start - keep, this.ring.length - at);
    return this.ring.subarray(at, at + this.lent);
  }

  /** Whether exactly these bytes have come behind those that were lent; then they are taken. */
  takeRest(bytes: Uint8Array): boolean {
    this.giveBack();
    const { start, end } = this;
    if (end - start !== bytes.length || !this.copy(start, end).equals(bytes)) return false;
    this.lent = bytes.length;
    this.giveBack();
    return true;
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
   * Takes the listeners off and returns what was not read. What comes from now on goes to `taker`,
   * and is borrowed. Throws when the link has failed by now.
   */
  release(taker: (bytes: Uint8Array) => void): Uint8Array {
    if (this.failure !== null) throw this.failure;
    this.socket.off('error', this.onError);
    this.socket.off('end', this.onClose);
    this.socket.off('close', this.onClose);
    this.giveBack();
    const rest = this.copy(this.start, this.end);
    this.taker = taker;
    this.ring = new Uint8Array(RELEASED_BYTES);
    return rest;
  }

  /** Resolves when something has happened: bytes, or the end. */
  private async more(timeoutMs: number): Promise<void> {
    if (this.failure !== null) throw this.failure;
    if (this.wake !== null) throw new Error('a socket reader serves one read at a time');
    const before = this.end;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(() => this.late(timeoutMs), timeoutMs);
    });
    clearTimeout(timer);
    this.wake = null;
    if (this.failure !== null && this.end === before) throw this.failure;
  }

  private takeLine(): string | null {
    const { ring, start } = this;
    const until = Math.min(this.end, start + LINE_MAX);
    let at = start;
    while (at < until && ring[at % ring.length] !== 10) at++;
    if (at === until) return null;
    const text = this.copy(start, at).toString('latin1');
    this.lent = at + 1 - start;
    this.giveBack();
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  }

  private copy(from: number, to: number): Buffer {
    const { ring } = this;
    const at = from % ring.length;
    const first = ring.subarray(at, Math.min(ring.length, at + to - from));
    return Buffer.concat([first, ring.subarray(0, to - from - first.length)]);
  }

  /** What was lent is free again. */
  private giveBack(): void {
    this.start += this.lent;
    this.lent = 0;
    if (!this.paused || this.end - this.start > this.ring.length / 2) return;
    this.paused = false;
    this.socket.resume();
  }

  /** Where the bytes behind `end` go. */
  private room(): Uint8Array {
    const { ring, end, start } = this;
    const at = end % ring.length;
    const most = Math.min(ring.length / 4, ring.length - (end - start));
    return ring.subarray(at, Math.min(ring.length, at + most));
  }

  /** False has Node read no more until the socket is resumed. */
  private received(count: number): boolean {
    this.lastReadMs = Date.now();
    if (this.taker !== null) {
      const bytes = this.next.subarray(0, count);
      this.next = this.ring;
      this.taker(bytes);
      return true;
    }
    this.end += count;
    this.next = this.room();
    this.paused = this.end - this.start > this.ring.length / 2;
    this.wake?.();
    return !this.paused;
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
