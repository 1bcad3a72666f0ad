/**
 * A peer that plays a part: it accepts one connection at a time and does what its script says, byte
 * for byte.
 */
import { createServer, type Server, type Socket } from 'node:net';

/** The connection, as the script sees it. */
export class PeerConnection {
  readonly socket: Socket;
  #received = '';
  #wake: (() => void) | null = null;
  #closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake?.();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** The next command, its words joined by spaces; null when the other side has closed. */
  async command(): Promise<string | null> {
    for (;;) {
      const found = takeCommand(this.#received);
      if (found !== null) {
        this.#received = found.rest;
        return found.words.join(' ');
      }
      if (this.#closed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Reads a command and answers it; returns the command. */
  async answer(reply: string): Promise<string | null> {
    const command = await this.command();
    this.send(reply);
    return command;
  }

  close(): void {
    this.socket.destroy();
  }
}

function takeCommand(text: string): { words: string[]; rest: string } | null {
  const skipped = text.replace(/^[\r\n]+/, '');
  if (!skipped.startsWith('*')) {
    const end = skipped.indexOf('\r\n');
    if (end < 0) return null;
    return { words: [skipped.slice(0, end)], rest: skipped.slice(end + 2) };
  }
  let at = skipped.indexOf('\r\n');
  if (at < 0) return null;
  const words: string[] = [];
  const count = Number(skipped.slice(1, at));
  at += 2;
  for (let i = 0; i < count; i++) {
    const end = skipped.indexOf('\r\n', at);
    if (end < 0) return null;
    const length = Number(skipped.slice(at + 1, end));
    if (skipped.length < end + 2 + length + 2) return null;
    words.push(skipped.slice(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
  return { words, rest: skipped.slice(at) };
}

export class ScriptedPeer {
  readonly port: number;
  readonly #server: Server;
  readonly #arrived: PeerConnection[] = [];
  readonly #open = new Set<PeerConnection>();
  #wake: (() => void) | null = null;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => {
      const connection = new PeerConnection(socket);
      this.#open.add(connection);
      this.#arrived.push(connection);
      this.#wake?.();
    });
  }

  static async listen(): Promise<ScriptedPeer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new ScriptedPeer(server, address.port);
  }

  /** The next connection. */
  async connection(): Promise<PeerConnection> {
    for (;;) {
      const found = this.#arrived.shift();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async close(): Promise<void> {
    for (const one of this.#open) one.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
