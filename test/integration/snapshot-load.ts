/**
 * A load under which a snapshot must be exact.
 *
 * Each writer sends transactions; number n of writer i is
 *
 *     MULTI   INCR total   SET c<i>:seq n   ...writes to its own keys...   EXEC
 *
 * So a dump of one moment holds a total equal to the sum of all `seq`, and of each writer exactly
 * what its first `seq` transactions made. Anything of a later or earlier moment breaks one of
 * these.
 */
import { connect, type Socket } from 'node:net';
import { ClientState, type Observed, type Operation } from '../crash/kill-model.ts';
import { OperationSource } from '../crash/kill-operations.ts';
import type { Random } from '../support/random.ts';
import { encodeCommand } from '../support/raw-client.ts';
import { ReplyError, ReplyReader } from '../support/resp-reader.ts';

const IN_FLIGHT_MAX = 40;
const OPERATIONS_MAX = 6;

export class SnapshotWriter {
  readonly prefix: string;
  /** Transactions sent so far. */
  sent = 0;
  answered = 0;
  /** Errors that came back. */
  readonly errors: string[] = [];
  readonly #random: Random;
  readonly #source: OperationSource;
  readonly #socket: Socket;
  /** Transactions after the state that was checked last. */
  #log: Operation[] = [];
  #checked = new ClientState();
  #checkedSeq = 0;
  #repliesLeft: number[] = [];
  #mark: ((seq: number) => void) | null = null;

  constructor(id: number, port: number, random: Random, keys: number, commands: readonly string[]) {
    this.prefix = `c${id}:`;
    this.#random = random;
    this.#source = new OperationSource(random, this.prefix, false, new Set(commands), keys);
    const reader = new ReplyReader();
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('error', (error) => this.errors.push(error.message));
    this.#socket.on('connect', () => this.#send());
    this.#socket.on('data', (chunk) => {
      reader.push(chunk);
      for (let reply = reader.next(); reply !== null; reply = reader.next()) {
        if (reply.value instanceof ReplyError) this.errors.push(reply.value.error);
        this.#count();
      }
      this.#send();
    });
  }

  /** Puts a BGSAVE between two transactions of the pipeline; gives the number before it. */
  mark(): Promise<number> {
    return new Promise((resolve) => {
      this.#mark = resolve;
    });
  }

  /** Holds what a dump has of this writer against its first `seq` transactions. */
  difference(seq: number, observed: ReadonlyMap<string, Observed>, nowMs: number): string | null {
    if (seq < this.#checkedSeq || seq > this.sent) {
      return `${this.prefix}seq is ${seq}, of ${this.#checkedSeq} to ${this.sent}`;
    }
    for (const operation of this.#log.splice(0, seq - this.#checkedSeq)) {
      this.#checked.apply(operation, nowMs);
    }
    this.#checkedSeq = seq;
    return this.#checked.difference(observed, nowMs - 1000, Date.now());
  }

  close(): void {
    this.#socket.destroy();
  }

  #count(): void {
    const left = this.#repliesLeft[0] ?? 1;
    if (left > 1) {
      this.#repliesLeft[0] = left - 1;
      return;
    }
    this.#repliesLeft.shift();
    this.answered++;
  }

  #send(): void {
    if (this.#repliesLeft.length > IN_FLIGHT_MAX / 2) return;
    const bytes: Buffer[] = [];
    while (this.#repliesLeft.length < IN_FLIGHT_MAX) {
      if (this.#mark !== null && this.#random.chance(0.1)) {
        bytes.push(encodeCommand(['BGSAVE']));
        this.#repliesLeft.push(1);
        this.#mark(this.sent);
        this.#mark = null;
        continue;
      }
      bytes.push(...this.#transaction().map(encodeCommand));
    }
    this.#socket.write(Buffer.concat(bytes));
  }

  #transaction(): (readonly string[])[] {
    this.sent++;
    const count = this.#random.between(1, OPERATIONS_MAX);
    const commands = Array.from({ length: count }, () => this.#source.next()).flat();
    this.#log.push({ commands, sentMs: Date.now() });
    const stamps = [
      ['INCR', 'total'],
      ['SET', `${this.prefix}seq`, `${this.sent}`],
    ];
    this.#repliesLeft.push(commands.length + stamps.length + 2);
    return [['MULTI'], ...stamps, ...commands, ['EXEC']];
  }
}
