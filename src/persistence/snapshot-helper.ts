/**
 * The server's side of the snapshot's child process.
 *
 * Starting a process stops the one that starts it for as long as the kernel copies its page tables.
 * Measured on Node 20 (Linux, 2 cores): 2 to 8 ms at 40 MB, 50 to 110 ms at 450 MB, up to 280 ms at
 * 2 GB. So the child is started once, by `warm`, while the server is still small, and kept: a job
 * costs one packet then. Idle it takes about 40 MB, most of it the code it shares with the server.
 *
 *     none -> idle (ready) -> busy (a job) -> idle ...
 *                               |  killed, or gave up on by `begin`: none
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { realFileSystem } from './file-system.ts';
import { removeIfThere, temporaryRdbName } from './rdb-file.ts';
import {
  type ChildReport,
  PACKET_ABORT,
  PACKET_DATA,
  PACKET_END,
  PACKET_JOB,
  PACKET_PRACTISE,
  packetHead,
  type SnapshotJob,
} from './snapshot-protocol.ts';

/** Told what happens to a job, until `ended` or `gone`. */
export interface JobListener {
  /** Bytes of a streamed RDB, the listener's to keep. False holds the rest back until `resume`. */
  output(bytes: Uint8Array): boolean;
  report(what: ChildReport): void;
  /** The child has died. */
  gone(reason: string): void;
}

/** A small heap: what the child holds is mostly outside of it. */
const CHILD_FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=1'];
const NOTHING = new Uint8Array(0);
/** A server has other things to do when it starts, and may be gone soon. */
const PRACTISE_AFTER_MS = 1500;

/** A child process, and what is known of it. */
class Child {
  readonly process: ChildProcess;
  /** A job was given whose `ended` has not come. */
  busy = false;
  /** It has neither had a job nor practised. */
  isNew = true;
  /** The file that the job writes. */
  path: string | null = null;
  /** Of its reports, the part of a line that came so far. */
  line = '';

  constructor(process: ChildProcess) {
    this.process = process;
  }

  /** An idle child does not keep the server's loop alive, one with a job does. */
  keepAlive(alive: boolean): void {
    for (const handle of [this.process, ...this.pipes()]) {
      if (alive) handle.ref();
      else handle.unref();
    }
  }

  /** Its pipes, which are sockets here. */
  pipes(): Socket[] {
    return this.process.stdio.filter((pipe) => pipe instanceof Socket);
  }

  /** Removes what a killed child left behind. */
  cleanUp(): void {
    if (!this.busy || this.path === null || this.process.pid === undefined) return;
    removeIfThere(realFileSystem, temporaryRdbName(this.path, this.process.pid));
  }
}

export class SnapshotHelper {
  /** Told when a child has been started. */
  onStart: () => void = () => {};
  readonly #script: string;
  #child: Child | null;
  #listener: JobListener | null;

  /** `script`: the child's program, for those who run it from elsewhere. */
  constructor(script = fileURLToPath(new URL('./snapshot-child.js', import.meta.url))) {
    this.#script = script;
    this.#child = null;
    this.#listener = null;
  }

  /** The child's process id, 0 when there is none. */
  get pid(): number {
    return this.#child?.process.pid ?? 0;
  }

  /** Starts the child unless it runs already. Later, if it still has had no job, it practises. */
  warm(): void {
    if (this.#child === null) this.#start();
    setTimeout(() => this.practise(), PRACTISE_AFTER_MS).unref();
  }

  /** Lets a child that has had no job yet get ready for the first. */
  practise(): void {
    if (this.#child?.isNew !== true) return;
    this.#child.isNew = false;
    this.#send(PACKET_PRACTISE, NOTHING, () => {});
  }

  /** Ends the child by hanging up: it removes what it has not finished, and goes. */
  close(): void {
    this.#child?.process.stdin?.destroy();
  }

  /** Gives the child a job. One that still has not ended its last is replaced by a new child. */
  begin(job: SnapshotJob, listener: JobListener): void {
    if (this.#child?.busy === true) {
      this.#child.process.kill('SIGKILL');
      this.#child = null;
    }
    const child = this.#child ?? this.#start();
    child.busy = true;
    child.isNew = false;
    child.path = job.path;
    child.keepAlive(true);
    this.#listener = listener;
    this.#send(PACKET_JOB, Buffer.from(JSON.stringify(job)), () => {});
  }

  /** Sends frames; the bytes are borrowed until `sent`, which is not called when the child dies. */
  data(bytes: Uint8Array, sent: () => void): void {
    this.#send(PACKET_DATA, bytes, sent);
  }

  /** All frames were sent. */
  end(): void {
    this.#send(PACKET_END, NOTHING, () => {});
  }

  /** The listener wants to hear no more: its job has ended, or is to be given up. */
  leave(): void {
    this.#listener = null;
    this.resume();
    if (this.#child?.busy === true) this.#send(PACKET_ABORT, NOTHING, () => {});
    else this.#child?.keepAlive(false);
  }

  /** Goes on taking the output that the listener held back. */
  resume(): void {
    this.#child?.process.stdout?.resume();
  }

  #send(kind: number, body: Uint8Array, sent: () => void): void {
    const input = this.#child?.process.stdin;
    if (input == null || input.destroyed) return;
    const done = (error: Error | null | undefined): void => {
      if (error == null) sent();
    };
    input.cork();
    if (body.length === 0) {
      input.write(packetHead(kind, 0), done);
    } else {
      input.write(packetHead(kind, body.length));
      input.write(body, done);
    }
    input.uncork();
  }

  #start(): Child {
    const { NODE_OPTIONS: _, ...env } = process.env;
    // Detached: an interrupt from the terminal is the server's business, which may want to save.
    const spawned = spawn(process.execPath, [...CHILD_FLAGS, this.#script], {
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
      detached: true,
      env,
    });
    const child = new Child(spawned);
    spawned.on('exit', (code, signal) => {
      child.cleanUp();
      this.#gone(child, `the child process ended (${signal ?? `exit code ${code}`})`);
    });
    spawned.on('error', (error) => {
      this.#gone(child, `the child process cannot be started: ${error.message}`);
    });
    for (const pipe of child.pipes()) pipe.on('error', () => {});
    spawned.stdout?.on('data', (bytes: Buffer) => this.#output(child, bytes));
    const [, , , reports] = child.process.stdio;
    reports?.on('data', (text: Buffer) => this.#reports(child, text.toString()));
    child.keepAlive(false);
    this.#child = child;
    this.onStart();
    return child;
  }

  #gone(child: Child, reason: string): void {
    if (this.#child !== child) return;
    const listener = this.#listener;
    this.#child = null;
    this.#listener = null;
    listener?.gone(reason);
  }

  #output(child: Child, bytes: Buffer): void {
    if (this.#child !== child || this.#listener === null) return;
    if (!this.#listener.output(bytes)) child.process.stdout?.pause();
  }

  #reports(child: Child, text: string): void {
    const lines = (child.line + text).split('\n');
    child.line = lines.pop() ?? '';
    for (const line of lines) {
      const report = JSON.parse(line) as ChildReport;
      if (report.event === 'ended') {
        child.busy = false;
        if (this.#listener === null) child.keepAlive(false);
      }
      if (this.#child === child) this.#listener?.report(report);
    }
  }
}
