/**
 * The server's side of the snapshot's child process.
 *
 * Three processes are started once, by `warm`, while the server is still small: reserves
 * (snapshot-process.ts), which are hardly any work. `begin`, or `ready` when the data are loaded,
 * makes one of them the child, and the others wait beside it, so that a child that was killed is
 * replaced without a stall; after them a start costs what it costs. The child is kept: a job costs
 * one packet then. Idle it takes about 40 MB, most of it the code it shares with the server.
 *
 *     reserves -> idle (ready) -> busy (a job) -> idle ...
 *       ^                           |  killed, or given up on: by `begin`, and by
 *       '---------------------------'  `leave` when it might finish what nobody wants
 */
import { fileURLToPath } from 'node:url';
import type { StreamTaker } from './snapshot-output.ts';
import { type ProcessListener, SnapshotProcess } from './snapshot-process.ts';
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

/** Hears what happens to a job, until `ended` or `gone`. */
export interface JobListener {
  /** Takes a streamed RDB, and may hold it back until `resume`; null for a file. */
  readonly stream: StreamTaker | null;
  report(what: ChildReport): void;
  /** The child has died. */
  gone(reason: string): void;
}

/** Who writes the frames of snapshots, one job at a time. */
export interface SnapshotWriter {
  begin(job: SnapshotJob, listener: JobListener): void;
  /** Takes frames, borrowed until `sent`, which is not called when the job fails. */
  data(bytes: Uint8Array, sent: () => void): void;
  /** Ends the job, all of whose frames were sent. */
  end(): void;
  /** The listener wants to hear no more: its job has ended, or is to be given up. */
  leave(): void;
  /** Goes on giving out what the listener held back. */
  resume(): void;
}

/** The child, and those that may be killed before a start stalls the server. */
const RESERVES = 3;
const NOTHING = new Uint8Array(0);
const PRACTICE = Buffer.from('practice');
/** A server has other things to do when it starts, and may be gone soon. */
const PRACTISE_AFTER_MS = 1500;

export class SnapshotHelper implements SnapshotWriter {
  /** Called when a child has been started. */
  onStart: () => void = () => {};
  readonly #script: string;
  #child: SnapshotProcess | null;
  #reserves: SnapshotProcess[];
  #listener: JobListener | null;
  readonly #events: ProcessListener = {
    taker: (child) => (child === this.#child ? (this.#listener?.stream ?? null) : null),
    reports: (child, text) => this.#reports(child, text),
    gone: (child, reason) => this.#gone(child, reason),
  };

  /** `script`: the child's program, for those who run it from elsewhere. */
  constructor(script = fileURLToPath(new URL('./snapshot-child.js', import.meta.url))) {
    this.#script = script;
    this.#child = null;
    this.#reserves = [];
    this.#listener = null;
  }

  /** The child's process id, 0 when there is none. */
  get pid(): number {
    return this.#child?.process.pid ?? 0;
  }

  /** The process ids of the reserves. */
  get reserves(): readonly (number | undefined)[] {
    return this.#reserves.map((one) => one.process.pid);
  }

  /** Starts the reserves, of which one will be the child. */
  warm(): void {
    const missing = RESERVES - this.#reserves.length - (this.#child === null ? 0 : 1);
    for (let i = 0; i < missing; i++) this.#reserves.push(this.#launch(true));
  }

  /**
   * Makes a reserve the child unless there is one. Later, if it still has had no job, it practises.
   * To be called when the dataset is loaded: a child that starts takes 150 ms of a processor, which
   * the compiler of the loading code would use.
   */
  ready(): void {
    if (this.#child === null && this.#reserves.length > 0) this.#start();
    setTimeout(() => this.practise(), PRACTISE_AFTER_MS).unref();
  }

  /**
   * Lets a child that has had no job yet get ready for the first. What is sent to it means nothing:
   * this side practises as well.
   */
  practise(): void {
    const child = this.#child;
    if (child?.isNew !== true) return;
    child.isNew = false;
    child.keepAlive(true);
    this.#send(PACKET_PRACTISE, PRACTICE, () => {});
    child.keepAlive(false);
  }

  /** Ends the child, which removes what it has not finished, and the reserves. */
  close(): void {
    for (const one of this.#reserves) one.hangUp();
    this.#reserves = [];
    this.#child?.hangUp();
  }

  /** Gives the child a job. One that still has not ended its last is replaced by a new child. */
  begin(job: SnapshotJob, listener: JobListener): void {
    if (this.#child?.busy === true) this.#kill(this.#child);
    const child = this.#child ?? this.#start();
    child.busy = true;
    child.mayFinish = false;
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

  /** Ends the job, all of whose frames were sent. */
  end(): void {
    if (this.#child !== null) this.#child.mayFinish = true;
    this.#send(PACKET_END, NOTHING, () => {});
  }

  /**
   * The listener wants to hear no more: its job has ended, or is to be given up. A child that was
   * told to finish a file would do so before it heard that nobody wants it, and put what is old by
   * then in the place of what was written since: it is killed.
   */
  leave(): void {
    const child = this.#child;
    this.#listener = null;
    this.resume();
    if (child?.busy !== true) child?.keepAlive(false);
    else if (child.mayFinish && child.path !== null) this.#kill(child);
    else this.#send(PACKET_ABORT, NOTHING, () => {});
  }

  /** Goes on taking the output that the listener held back. */
  resume(): void {
    this.#child?.resume();
  }

  #kill(child: SnapshotProcess): void {
    child.kill();
    this.#child = null;
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

  /** A reserve takes the child's place, or else a new process. */
  #start(): SnapshotProcess {
    const [reserve, ...others] = this.#reserves;
    this.#reserves = others;
    reserve?.go();
    const child = reserve ?? this.#launch(false);
    this.#child = child;
    this.onStart();
    return child;
  }

  #launch(isReserve: boolean): SnapshotProcess {
    return new SnapshotProcess(this.#script, this.#events, isReserve);
  }

  #gone(child: SnapshotProcess, reason: string): void {
    this.#reserves = this.#reserves.filter((one) => one !== child);
    if (this.#child !== child) return;
    const listener = this.#listener;
    this.#child = null;
    this.#listener = null;
    listener?.gone(reason);
  }

  #reports(child: SnapshotProcess, text: string): void {
    const lines = (child.line + text).split('\n');
    child.line = lines.pop() ?? '';
    for (const line of lines) {
      const report = JSON.parse(line) as ChildReport;
      if (report.event === 'failed') child.mayFinish = false;
      if (report.event === 'ended') {
        child.busy = false;
        if (this.#listener === null) child.keepAlive(false);
      }
      if (this.#child === child) this.#listener?.report(report);
    }
  }
}
