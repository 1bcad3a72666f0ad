/**
 * The snapshot's child process: turns frames into an RDB, in a file or on its standard output, or
 * into an AOF base of commands.
 *
 *     node snapshot-child.js        spoken to as snapshot-protocol.ts says
 *
 * It is started once and waits for jobs, because starting a process from a large one stalls it. It
 * reads, works and writes one after the other and blocking: nobody waits for it but the server's
 * snapshot, whose walker pauses when the pipe is full. Only the disk works beside it: it takes 7 ms
 * for 4 MB, as measured, at each of which all would wait. Where cores are short it stands back, for
 * clients wait for the server. There is no clean-up to be missed by a kill but the temporary file,
 * which the server removes then.
 */
import { readSync, writeFileSync, writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { realFileSystem } from '../file-system.ts';
import { SnapshotFile, type SnapshotOutput } from './snapshot-file.ts';
import { practise } from './snapshot-practice.ts';
import {
  type ChildReport,
  PACKET_DATA,
  PACKET_END,
  PACKET_HEAD_BYTES,
  PACKET_JOB,
  PACKET_PRACTISE,
  REPORT_FD,
  type SnapshotJob,
} from './snapshot-protocol.ts';

const INPUT_BYTES = 1 << 18;
/** A third of the server's share of a core that both want: less would stretch the snapshot. */
const NICENESS = 5;

function report(what: ChildReport): void {
  try {
    writeAll(REPORT_FD, Buffer.from(`${JSON.stringify(what)}\n`));
  } catch {
    // The server went away. The input is at its end then, which ends this process in order.
  }
}

function writeAll(fd: number, bytes: Uint8Array, length = bytes.length): void {
  let done = 0;
  while (done < length) done += writeSync(fd, bytes, done, length - done);
}

const OUTPUT: SnapshotOutput = {
  fs: realFileSystem,
  report,
  stream: (bytes, length) => writeAll(1, bytes, length),
};

/** Reads packets from standard input until it ends. */
class Input {
  readonly #buf = new Uint8Array(INPUT_BYTES);
  #at = 0;
  #end = 0;

  /** Bytes at hand after waiting for at least one; none at the end of the input. */
  #fill(): number {
    if (this.#at === this.#end) {
      this.#at = 0;
      this.#end = 0;
      try {
        this.#end = readSync(0, this.#buf, 0, this.#buf.length, null);
      } catch {
        // A server that was killed may leave an error in place of the end.
      }
    }
    return this.#end - this.#at;
  }

  /** Exactly `length` bytes, or null at the end of the input. */
  take(length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    let done = 0;
    const whole = this.stream(length, (buf, off, len) => {
      bytes.set(buf.subarray(off, off + len), done);
      done += len;
    });
    return whole ? bytes : null;
  }

  /** Gives the next `length` bytes in pieces; false when the input ends before. */
  stream(length: number, give: (buf: Uint8Array, off: number, len: number) => void): boolean {
    let left = length;
    while (left > 0) {
      const piece = Math.min(left, this.#fill());
      if (piece === 0) return false;
      give(this.#buf, this.#at, piece);
      this.#at += piece;
      left -= piece;
    }
    return true;
  }
}

/** The server goes first whenever both want a core. */
function standBack(): void {
  try {
    setPriority(NICENESS);
    // Being a session of its own, it may be weighed as a group against the server's: Linux, with
    // sched_autogroup.
    writeFileSync('/proc/self/autogroup', `${NICENESS}`);
  } catch {
    // Then both share alike.
  }
}

async function serve(): Promise<void> {
  const input = new Input();
  let job: SnapshotFile | null = null;
  report({ event: 'ready' });
  for (;;) {
    const head = input.take(PACKET_HEAD_BYTES);
    if (head === null) break;
    const length = new DataView(head.buffer).getUint32(4, true);
    if (head[0] === PACKET_DATA) {
      const current = job;
      if (!input.stream(length, (buf, off, len) => current?.data(buf, off, len))) break;
      await current?.sync();
      continue;
    }
    const body = input.take(length);
    if (body === null) break;
    if (head[0] === PACKET_JOB) {
      const told = JSON.parse(Buffer.from(body).toString()) as SnapshotJob;
      job = new SnapshotFile(told, OUTPUT);
      await job.begin();
    } else if (head[0] === PACKET_PRACTISE) {
      practise();
    } else {
      if (head[0] === PACKET_END) await job?.end();
      else job?.abort();
      job = null;
    }
  }
  job?.abort();
}

standBack();
await serve();
