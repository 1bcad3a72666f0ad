/**
 * Servers that replicate, for tests: Cairn and the real one behind the same few calls, a proxy
 * between them whose connections can be cut, and waiting for what comes with time.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterEach } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { startRealServer } from '../support/real-server.ts';
import type { ServerProcess } from '../support/server-process.ts';

export type NodeKind = 'cairn' | 'redis';
export type Directives = Readonly<Record<string, string | number>>;

const EVERYWHERE: Directives = {
  // However far a replica is behind on a slow machine, the stream is still there.
  'repl-backlog-size': '64mb',
  'enable-debug-command': 'yes',
  'repl-diskless-sync-delay': 0,
  'repl-ping-replica-period': 1,
};

/** A server and a client of it. */
export class Node {
  readonly kind: NodeKind;
  readonly server: ServerProcess;
  client: Redis;

  constructor(kind: NodeKind, server: ServerProcess) {
    this.kind = kind;
    this.server = server;
    this.client = clientOf(server.port);
  }

  get port(): number {
    return this.server.port;
  }

  call(...words: (string | number)[]): Promise<unknown> {
    const [name = '', ...args] = words;
    return this.client.call(`${name}`, args);
  }

  /** The fields of INFO, of one section or of all. */
  async info(section = 'all'): Promise<Record<string, string>> {
    const text = String(await this.call('INFO', section));
    const fields: Record<string, string> = {};
    for (const line of text.split('\r\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1);
    }
    return fields;
  }

  async number(field: string): Promise<number> {
    return Number((await this.info())[field]);
  }

  digest(): Promise<unknown> {
    return this.call('DEBUG', 'DIGEST');
  }

  async follow(port: number): Promise<void> {
    await this.call('REPLICAOF', '127.0.0.1', port);
  }

  /** Waits until the link to the primary is up. */
  async linked(): Promise<void> {
    try {
      await until(`${this.kind} is linked`, async () => {
        const role = (await this.call('ROLE')) as unknown[];
        return role[0] === 'slave' && role[3] === 'connected';
      });
    } catch (error) {
      const lines = this.server.logText.trimEnd().split('\n').slice(-8);
      throw new Error(`${String(error)}; the end of its log:\n${lines.join('\n')}`);
    }
  }

  /** Starts the process again on the same files. */
  async restart(config: Directives = {}): Promise<void> {
    this.client.disconnect();
    await this.server.restart({ config: { ...EVERYWHERE, ...config } });
    this.client = clientOf(this.port);
  }

  async close(): Promise<void> {
    this.client.disconnect();
    await this.server.close();
  }
}

function clientOf(port: number): Redis {
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 0, enableReadyCheck: false });
  client.on('error', () => undefined);
  return client;
}

export async function startNode(kind: NodeKind, config: Directives = {}): Promise<Node> {
  const options = { config: { ...EVERYWHERE, ...config } };
  const start = kind === 'cairn' ? startCairnServer : startRealServer;
  return new Node(kind, await start(options));
}

/** Waits until something holds. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  let last = '';
  while (Date.now() < deadline) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = ` (${String(error)})`;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never: ${what}${last}`);
}

/** Waits until both are at the same place in the stream, which a PING may move at any time. */
export async function level(primary: Node, ...replicas: Node[]): Promise<void> {
  await until('all have the same offset', async () => {
    const offsets = await Promise.all(
      [primary, ...replicas].map((one) => one.number('master_repl_offset')),
    );
    return new Set(offsets).size === 1;
  });
}

/** Waits until both hold the same data. */
export async function converged(primary: Node, ...replicas: Node[]): Promise<void> {
  for (const replica of replicas) {
    await until(`${replica.kind} ${replica.port} has the data of ${primary.port}`, async () => {
      const [a, b] = await Promise.all([primary.digest(), replica.digest()]);
      return a === b;
    });
  }
}

/** A TCP proxy in front of a port, whose connections a test can cut. */
export class LinkProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #unanswered = '';
  /** Connections ever taken. */
  connections = 0;

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (near) => {
      this.connections++;
      const far = connect(target, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far);
      far.pipe(near);
      near.on('data', (chunk: Buffer) => {
        if (this.#unanswered === '' || !chunk.includes(this.#unanswered)) return;
        this.#unanswered = '';
        far.unpipe(near);
        far.once('data', () => near.destroy()).resume();
      });
    });
  }

  static async listen(target: number): Promise<LinkProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new LinkProxy(server, address.port, target);
  }

  /** The next connection on which this is said breaks as soon as there is an answer. */
  loseAnswerTo(word: string): void {
    this.#unanswered = word;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Servers and proxies of a test file, which end after each of its tests, the last one first. */
export function nodesOfTest(): {
  node(kind?: NodeKind, config?: Directives): Promise<Node>;
  proxyTo(target: Node): Promise<LinkProxy>;
} {
  const open: { close(): Promise<void> }[] = [];
  const kept = <T extends { close(): Promise<void> }>(one: T): T => {
    open.push(one);
    return one;
  };
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });
  return {
    node: async (kind = 'cairn', config = {}) => kept(await startNode(kind, config)),
    proxyTo: async (target) => kept(await LinkProxy.listen(target.port)),
  };
}
