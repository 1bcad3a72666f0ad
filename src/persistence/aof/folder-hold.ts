/**
 * Whose an AOF folder is. Two servers that append to one log, and clean up and rewrite it, destroy
 * it for both; so who is about to change such a folder takes hold of it before.
 *
 *     @cairn-aof:<device>:<inode>:.......   a listening unix socket of the abstract namespace
 *                                           (unix(7)), its name filled up to 108 bytes
 *
 * The name is in no folder: the kernel keeps it for one process, and takes it back when that has
 * gone, in whatever way. So there is no lock file that a `kill -9` could leave behind. Device and
 * inode are the same along every path: a symbolic link and a bind mount lead to the same name. The
 * folder stays open meanwhile, so that no other one gets its inode should it be deleted. Whoever
 * connects is told `<pid>\n`, so that the one who is refused can say whom to end.
 *
 * Some versions of Node pass all 108 bytes of the address to the kernel, whatever the name's length
 * is, others as many as it has. A name of 108 bytes is the same for all of them.
 *
 * Children do not have the socket (Node opens it with CLOEXEC), nor does `cluster` share it
 * (`exclusive`). It keeps no process alive.
 *
 * Only Linux has such names, and Node from 20.8 on: elsewhere nothing is held, and nobody is
 * refused. Nor is anybody who does not see the name, in another network namespace or on another
 * machine. Any process of the machine may take a name; it keeps a server from its log by that, and
 * can change nothing.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { errorCode, errorText } from '../file-system.ts';

/** Takes hold of one folder at a time. */
export interface FolderHold {
  /**
   * Takes hold of the folder at `path`, which is there, and then lets the one before go. Rejects
   * with `FolderHeldError` while somebody else has it.
   */
  take(path: string): Promise<void>;
  /** Others may have it from now on. */
  letGo(): void;
}

/** Why a folder cannot be had. */
export class FolderHeldError extends Error {
  readonly path: string;
  /** The process that has it; undefined when it does not say so. */
  readonly pid: number | undefined;

  constructor(path: string, pid: number | undefined) {
    super(
      `the AOF folder ${path} is held by ${holderText(pid)}: two servers would destroy each ` +
        "other's log. Nothing was changed. End that process first, or use another folder",
    );
    this.name = 'FolderHeldError';
    this.path = path;
    this.pid = pid;
  }
}

/** The process that has a folder, for people. */
export function holderText(pid: number | undefined): string {
  if (pid === undefined) return 'another process, which does not say its number';
  return pid === process.pid ? `process ${pid} (the number of this one)` : `process ${pid}`;
}

/** How long to wait for the number of a process that may be going away, or be busy. */
const ANSWER_MAX_MS = 500;
const ANSWER_MAX_CHARS = 16;
const ADDRESS_BYTES = 108;

/** Errors that mean that there are no such sockets here, or none that this process may have. */
const NOT_HERE = new Set(['EACCES', 'EAFNOSUPPORT', 'EINVAL', 'ENOSYS', 'EPERM']);

type Held = { readonly name: string; readonly fd: number; readonly socket: Server };

export class SocketHold implements FolderHold {
  readonly #warn: (text: string) => void;
  #held: Held | null;

  /** `warn` hears when a folder cannot be held though it should be possible. */
  constructor(warn: (text: string) => void) {
    this.#warn = warn;
    this.#held = null;
  }

  async take(path: string): Promise<void> {
    if (!hasAbstractNames()) return;
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    let socket: Server | null = null;
    try {
      const name = nameOf(fd);
      if (name === this.#held?.name) return;
      socket = await this.#listen(name, path);
      this.letGo();
      if (socket !== null) this.#held = { name, fd, socket };
    } finally {
      if (socket === null) closeSync(fd);
    }
  }

  letGo(): void {
    if (this.#held === null) return;
    const { fd, socket } = this.#held;
    this.#held = null;
    socket.close();
    closeSync(fd);
  }

  async #listen(name: string, path: string): Promise<Server | null> {
    try {
      return await listening(name);
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EADDRINUSE') throw new FolderHeldError(path, await holderOf(name));
      if (!NOT_HERE.has(code)) throw error;
      this.#warn(`the AOF folder ${path} is not kept from other servers: ${errorText(error)}`);
      return null;
    }
  }
}

/** Before 20.8 Node cut such a name to nothing, one for all folders, or refused it. */
function hasAbstractNames(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return process.platform === 'linux' && (major > 20 || (major === 20 && minor >= 8));
}

function nameOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `\0cairn-aof:${dev}:${ino}:`.padEnd(ADDRESS_BYTES, '.');
}

function listening(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(tellNumber);
    // Later ones, such as a connection for which no descriptor is left, are of no account.
    server.on('error', reject);
    server.listen({ path, exclusive: true }, () => resolve(server));
    server.unref();
  });
}

function tellNumber(socket: Socket): void {
  socket.unref();
  socket.on('error', () => socket.destroy());
  socket.end(`${process.pid}\n`, () => socket.destroy());
}

/** The number of the process that listens there, undefined when it cannot be told. */
function holderOf(name: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ path: name });
    const done = (): void => {
      socket.destroy();
      resolve(/^[1-9]\d*\n$/.test(text) ? Number(text) : undefined);
    };
    socket.setTimeout(ANSWER_MAX_MS, done);
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.length > ANSWER_MAX_CHARS) done();
    });
    socket.on('error', done);
    socket.on('end', done);
  });
}
