/**
 * Where the server listens: TCP on every bound address, and a unix socket.
 *
 * A bind address with "-" in front may be missing on this machine; "*" is all of IPv4, "::*" all of
 * IPv6. Any other that cannot be listened on fails the start with the line that tools look for,
 * "Failed listening on port N", and with what can be done.
 */
import { chmodSync, unlinkSync } from 'node:fs';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { errorCode } from '../../persistence/file-system.ts';
import type { Config } from '../config/config.ts';
import { errorReason } from '../config/system-error.ts';
import type { Logger } from '../log.ts';

type Accept = (socket: Socket, unix: boolean) => void;

/** Codes of errors that mean that this machine has no such address. */
const MISSING_ADDRESS = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'EINVAL']);

const NO_PORT = 'Unable to listen on this port. Check server logs.';
const NO_ADDRESS = 'Failed to bind to specified addresses.';

/** What to do about it, by kind and code. */
const ADVICE: Readonly<Record<string, string>> = {
  'TCP EADDRINUSE': 'Another server listens there: end it, or choose another port',
  'TCP EADDRNOTAVAIL': 'This machine has no such address: bind names those to listen on',
  'TCP EACCES': 'Ports below 1024 need rights: choose a higher one',
  'unix EACCES': 'Its folder must be there, and the user of the server be let write there',
  'unix EADDRINUSE': 'What has this name cannot be removed: remove it, or choose another name',
  'unix ENAMETOOLONG': 'The system takes 107 bytes, folder included: choose a shorter one',
};

/** What the address of a unix socket holds, its zero at the end left out. */
const UNIX_PATH_BYTES_MAX = 107;

export class ListenError extends Error {
  /** `cause`: what the system said. */
  constructor(port: number | string, kind: 'TCP' | 'unix', cause: unknown) {
    const advice = ADVICE[`${kind} ${errorCode(cause)}`];
    const what = `Failed listening on port ${port} (${kind}), aborting.`;
    super(advice === undefined ? what : `${what} ${advice}`, { cause });
    this.name = 'ListenError';
  }
}

export class Listeners {
  /**
   * The TCP port listened on, 0 for none; where port 0 was asked for, the one that the system
   * chose.
   */
  port = 0;
  private readonly config: Config;
  private readonly log: Logger;
  private readonly accept: Accept;
  private tcp: NetServer[] = [];
  private unix: NetServer | null = null;
  private isClosed = false;

  constructor(config: Config, log: Logger, accept: Accept) {
    this.config = config;
    this.log = log;
    this.accept = accept;
  }

  /**
   * Listens as the configuration says, or nowhere when a part of that fails. `anyPort`: port 0
   * means any free port (for servers in a program). `bound`: what else may fail, before a file (of
   * another server, perhaps) gives way to the unix socket.
   */
  async open(anyPort: boolean, bound: () => Promise<void>): Promise<void> {
    const { values } = this.config;
    try {
      if (values.port !== 0 || anyPort) await this.openTcp(values.port, values.bind);
      await bound();
      if (values.unixsocket !== undefined && values.unixsocket !== '') await this.openUnix();
      if (this.tcp.length === 0 && this.unix === null) {
        throw new Error('Configured to not listen anywhere, exiting.');
      }
      if (this.isClosed) throw new Error('the server ended before it listened');
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Moves to another port or other addresses: the old ones close only when the new ones stand. */
  private async reopen(port: number, bind: readonly string[]): Promise<void> {
    const old = this.tcp;
    const oldPort = this.port;
    this.tcp = [];
    if (port === oldPort) for (const one of old) one.close();
    try {
      if (port !== 0) await this.openTcp(port, bind);
      else this.port = 0;
      if (this.isClosed) throw new Error(NO_PORT);
    } catch (error) {
      for (const one of this.tcp) one.close();
      this.tcp = old;
      this.port = oldPort;
      throw error;
    }
    if (port !== oldPort) for (const one of old) one.close();
  }

  /** Has CONFIG SET of `port` and `bind` move the sockets from now on, or say that it cannot. */
  followConfig(): void {
    const { config } = this;
    const { values } = config;
    const orText = (done: Promise<void>, text: string): Promise<string | undefined> =>
      done.then(() => undefined).catch(() => text);
    config.onChange('port', (port) => orText(this.reopen(port, values.bind), NO_PORT));
    config.onChange('bind', (bind) => orText(this.reopen(values.port, bind), NO_ADDRESS));
  }

  /** Listens no more, nor again, though a socket is just being bound; connections stay. */
  close(): void {
    this.isClosed = true;
    for (const one of this.tcp) one.close();
    this.tcp = [];
    if (this.unix === null) return;
    this.unix.close();
    this.unix = null;
  }

  private async openTcp(port: number, bind: readonly string[]): Promise<void> {
    let chosen = port;
    for (const address of bind) {
      const optional = address.startsWith('-');
      const name = optional ? address.slice(1) : address;
      const host = name === '*' ? '0.0.0.0' : name === '::*' ? '::' : name;
      try {
        const server = await this.listen({ host, port: chosen, ipv6Only: host.includes(':') });
        this.tcp.push(server);
        const bound = server.address();
        if (bound !== null && typeof bound === 'object') chosen = bound.port;
      } catch (error) {
        if (optional && MISSING_ADDRESS.has(errorCode(error))) continue;
        const reason = errorReason(error);
        const place = host.includes(':') ? `[${name}]` : name;
        this.log.warning(
          `Could not create server TCP listening socket ${place}:${chosen}: bind: ${reason}`,
        );
        throw new ListenError(chosen, 'TCP', error);
      }
    }
    this.port = chosen;
  }

  private async openUnix(): Promise<void> {
    const path = this.config.path(this.config.values.unixsocket ?? '');
    try {
      assertFits(path);
      removeOld(path);
      this.unix = await this.listen({ path });
    } catch (error) {
      this.log.warning(`Failed opening Unix socket: bind: ${errorReason(error)}`);
      throw new ListenError(path, 'unix', error);
    }
    const { unixsocketperm } = this.config.values;
    if (unixsocketperm !== 0) chmodSync(path, unixsocketperm);
  }

  private listen(where: {
    host?: string;
    port?: number;
    ipv6Only?: boolean;
    path?: string;
  }): Promise<NetServer> {
    const unix = where.path !== undefined;
    const server = createServer({ pauseOnConnect: true }, (socket) => this.accept(socket, unix));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...where, backlog: this.config.values.tcpBacklog }, () => {
        server.removeListener('error', reject);
        server.on('error', (error) => this.log.warning(`Accepting a connection: ${error.message}`));
        resolve(server);
      });
    });
  }
}

/** Throws where the system would cut the path, and the socket be there under another name. */
function assertFits(path: string): void {
  if (Buffer.byteLength(path) <= UNIX_PATH_BYTES_MAX) return;
  throw Object.assign(new Error(`the path is too long: ${path}`), { code: 'ENAMETOOLONG' });
}

/** Removes the socket of a server that was killed; what cannot be removed, listening tells. */
function removeOld(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Mostly there is none.
  }
}
