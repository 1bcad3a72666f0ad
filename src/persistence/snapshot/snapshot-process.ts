/**
 * The process that is, or may become, the snapshot's child.
 *
 * Starting a process stops the one that starts it for as long as the kernel copies its page tables:
 * Node uses fork. Measured on Node 20 (Linux, 2 cores): 2 to 8 ms at 40 MB, 50 to 110 ms at 450 MB,
 * up to 280 ms at 2 GB. So all processes are started while the server is small. Should the child be
 * killed, another takes its place that has waited as a shell, which is hardly any memory:
 *
 *     child    node snapshot-child.js
 *     reserve  sh, reading descriptor 4 -> one line comes -> the same process is node
 *                                       -> the server ends -> so does the shell
 *
 * The pipes were made with the process, so a reserve has fresh ones, and it keeps its process id.
 */
import { ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { realFileSystem } from '../file-system.ts';
import { removeIfThere, temporaryRdbName } from '../rdb/rdb-file.ts';
import { SnapshotOutput, type StreamTaker } from './snapshot-output.ts';
import { REPORT_FD } from './snapshot-protocol.ts';

/**
 * A small heap: what the child holds is mostly outside of it. And one thread for the compiler: more
 * of them would take the server's core from it where there are but two.
 */
const CHILD_FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=1', '--v8-pool-size=1'];
const SHELL = '/bin/sh';
const WAIT_AND_BECOME = 'read -r line <&4 && exec "$@" 4<&-';
const GO_FD = 4;

/** Hears what a process sends and when it ends. */
export interface ProcessListener {
  /** Asked at each read of its output. */
  taker(process: SnapshotProcess): StreamTaker | null;
  reports(process: SnapshotProcess, text: string): void;
  gone(process: SnapshotProcess, reason: string): void;
}

export class SnapshotProcess {
  readonly process: ChildProcess;
  /** A job was given whose `ended` has not come. */
  busy = false;
  /** Whether it was told that all of its job was sent. */
  mayFinish = false;
  /** Whether it has neither had a job nor practised. */
  isNew = true;
  /** The file that the job writes. */
  path: string | null = null;
  /** The part of a report's line that came so far. */
  line = '';
  readonly #output: SnapshotOutput | null;

  /** Starts a child with this program, or a reserve for one. */
  constructor(script: string, listener: ProcessListener, isReserve: boolean) {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const words = [process.execPath, ...CHILD_FLAGS, script];
    const shell = [SHELL, '-c', WAIT_AND_BECOME, SHELL];
    const [program = '', ...args] = isReserve ? [...shell, ...words] : words;
    // Detached: an interrupt from the terminal is the server's business, which may want to save.
    this.process = started(program, args, {
      stdio: ['pipe', 'pipe', 'inherit', 'pipe', ...(isReserve ? ['pipe' as const] : [])],
      detached: true,
      env,
    });
    this.process.on('exit', (code, signal) => {
      this.#cleanUp();
      listener.gone(this, `the child process ended (${signal ?? `exit code ${code}`})`);
      // What nobody takes any more is read all the same: a pipe is closed at its end.
      this.resume();
    });
    this.process.on('error', (error) => {
      listener.gone(this, `the child process cannot be started: ${error.message}`);
    });
    for (const pipe of this.#pipes()) pipe.on('error', () => {});
    const { stdout } = this.process;
    this.#output = stdout ? new SnapshotOutput(stdout, () => listener.taker(this)) : null;
    this.#stdio[REPORT_FD]?.on('data', (text: Buffer) => listener.reports(this, text.toString()));
    this.keepAlive(false);
  }

  /** Makes a reserve the child. */
  go(): void {
    this.#end(GO_FD, '\n');
  }

  /** Ends it by hanging up. What it has not finished is gone when this returns. */
  hangUp(): void {
    this.process.stdin?.destroy();
    this.#cleanUp();
    this.#end(GO_FD, '');
  }

  /** Ends it at once. What it has not finished is gone when this returns. */
  kill(): void {
    // One that was never there has no id, and its signal would go to this process's own group.
    if (this.process.pid !== undefined) this.process.kill('SIGKILL');
    this.#cleanUp();
  }

  /** Goes on taking the output that was held back. */
  resume(): void {
    this.#output?.resume();
  }

  /**
   * An idle process does not keep the server's loop alive, one with a job does. A pipe that was
   * closed is left alone: Node would wait for its connection, once more at each call.
   */
  keepAlive(alive: boolean): void {
    const open = this.#pipes().filter((pipe) => !pipe.destroyed);
    for (const handle of [this.process, ...open]) {
      if (alive) handle.ref();
      else handle.unref();
    }
  }

  #end(fd: number, last: string): void {
    const pipe = this.#stdio[fd];
    if (pipe instanceof Socket && pipe.writable) pipe.end(last);
  }

  /** What Node has made of its descriptors: nothing, for all its types say, where it has none. */
  get #stdio(): readonly (ChildProcess['stdio'][number] | undefined)[] {
    const stdio: ChildProcess['stdio'] | undefined = this.process.stdio;
    return stdio ?? [];
  }

  /** Its pipes, which are sockets here. */
  #pipes(): Socket[] {
    return this.#stdio.filter((pipe) => pipe instanceof Socket);
  }

  /** Removes what a killed child left behind, or one that has not come to it yet. */
  #cleanUp(): void {
    if (!this.busy || this.path === null || this.process.pid === undefined) return;
    removeIfThere(realFileSystem, temporaryRdbName(this.path, this.process.pid));
  }
}

/**
 * Starts a process, or gives one that tells in a later turn why it could not be. Node does that by
 * itself where a limit was met or the program is missing; where there is no memory it throws.
 */
function started(program: string, args: string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(program, args, options);
  } catch (error) {
    const none = new ChildProcess();
    process.nextTick(() => none.emit('error', error));
    return none;
  }
}
