/**
 * A TCP client for tests that shows exactly what the server sent: every reply with its raw bytes,
 * RESP3 pushes apart from replies, pipelines in one write, and arbitrary bytes when a test wants
 * to break the protocol.
 *
 * Nothing waits for ever: each read has a time limit, and a closed or broken connection rejects
 * every read that waits and every read that comes later.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { type Reply, ReplyReader, type ReplyValue } from './resp-reader.ts';

/** One argument of a command; numbers are sent in decimal, strings as latin1 bytes. */
export type Argument = string | number | Buffer;

type Waiter = {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
};

/** A stream of replies with readers that wait their turn. */
class ReplyQueue {
  readonly ready: Reply[] = [];
  readonly #what: string;
  #waiters: Waiter[] = [];

  constructor(what: string) {
    this.#what = what;
  }

  offer(reply: Reply): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.ready.push(reply);
      return;
    }
    clearTimeout(waiter.timer);
    waiter.resolve(reply);
  }

  take(timeoutMs: number, broken: Error | null): Promise<Reply> {
    const reply = this.ready.shift();
    if (reply !== undefined) return Promise.resolve(reply);
    if (broken !== null) return Promise.reject(broken);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((waiter) => waiter.timer !== timer);
        reject(new Error(`no ${this.#what} arrived within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiters.push({ resolve, reject, timer });
    });
  }

  fail(error: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      clearTimeout(waiter.timer);
      waiter.reject(error);
    }
  }
}

/** The RESP request of one command. */
export function encodeCommand(args: readonly Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === 'object' ? arg : Buffer.from(String(arg), 'latin1');
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

export type RawClientOptions = {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** The longest any read and the connecting may take; default 60,000. */
  readonly timeoutMs?: number;
};

/** A connection to a server; made by `RawClient.connect`. */
export class RawClient {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #reader = new ReplyReader();
  readonly #replies = new ReplyQueue('reply');
  readonly #pushes = new ReplyQueue('push');
  #broken: Error | null = null;
  #onClosed: () => void = () => {};
  readonly #closed: Promise<void>;

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    this.#closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#break(error));
    socket.on('close', () => {
      this.#break(new Error('the server closed the connection'));
      this.#onClosed();
    });
  }

  /** Opens a connection; rejects when the server refuses or does not accept in time. */
  static connect(port: number, options: RawClientOptions = {}): Promise<RawClient> {
    const timeoutMs = options.timeoutMs ?? 60_000;
    return new Promise((resolve, reject) => {
      const socket = connectSocket(port, options.host ?? '127.0.0.1');
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new Error(`no connection to port ${port} within ${timeoutMs} ms`));
      }, timeoutMs);
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(new RawClient(socket, timeoutMs));
      });
    });
  }

  #receive(chunk: Buffer): void {
    this.#reader.push(chunk);
    try {
      for (let reply = this.#reader.next(); reply !== null; reply = this.#reader.next()) {
        (reply.push ? this.#pushes : this.#replies).offer(reply);
      }
    } catch (error) {
      this.#break(error instanceof Error ? error : new Error(String(error)));
      this.#socket.destroy();
    }
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#replies.fail(this.#broken);
    this.#pushes.fail(this.#broken);
  }

  /** True once the connection ended, from either side. */
  get isClosed(): boolean {
    return this.#broken !== null;
  }

  /** Bytes that arrived and do not form a whole reply. */
  get pending(): Buffer {
    return this.#reader.pending;
  }

  /** The replies and pushes that arrived and were not read, oldest first. */
  get unread(): { readonly replies: readonly Reply[]; readonly pushes: readonly Reply[] } {
    return { replies: this.#replies.ready, pushes: this.#pushes.ready };
  }

  /** Sends one command and gives its reply. */
  send(...args: Argument[]): Promise<Reply> {
    this.write(encodeCommand(args));
    return this.read();
  }

  /** Sends one command and gives the plain value of its reply; an error reply is a value too. */
  async value(...args: Argument[]): Promise<ReplyValue> {
    return (await this.send(...args)).value;
  }

  /** Sends all commands in one write and gives their replies in order. */
  async pipeline(commands: readonly (readonly Argument[])[]): Promise<Reply[]> {
    this.write(Buffer.concat(commands.map(encodeCommand)));
    const replies: Reply[] = [];
    for (let i = 0; i < commands.length; i++) replies.push(await this.read());
    return replies;
  }

  /** Sends bytes as they are (strings as latin1). */
  write(bytes: Buffer | string): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The next reply that is not a push. */
  read(timeoutMs: number = this.#timeoutMs): Promise<Reply> {
    return this.#replies.take(timeoutMs, this.#broken);
  }

  /** The next RESP3 push. (RESP2 messages are ordinary arrays: use `read`.) */
  readPush(timeoutMs: number = this.#timeoutMs): Promise<Reply> {
    return this.#pushes.take(timeoutMs, this.#broken);
  }

  /** Resolves when the connection has ended; rejects when it has not in time. */
  waitClosed(timeoutMs: number = this.#timeoutMs): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the server kept the connection open for ${timeoutMs} ms`)),
        timeoutMs,
      );
      void this.#closed.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Sends FIN and keeps reading: what a client does that half-closes. */
  endWriting(): void {
    this.#socket.end();
  }

  /** Stops reading from the socket: what a slow client does. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends the connection at once. */
  close(): void {
    this.#socket.destroy();
  }
}
