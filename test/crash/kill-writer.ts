/**
 * One client of the crash tests: writes pipelined operations as fast as they are answered, until
 * its connection ends, and knows then what was acknowledged and what was in flight.
 */
import { connect, type Socket } from 'node:net';
import type { Random } from '../support/random.ts';
import { encodeCommand } from '../support/raw-client.ts';
import { ReplyError, ReplyReader, type ReplyValue } from '../support/resp-reader.ts';
import { ClientState, type Expected, type Observed, type Operation } from './kill-model.ts';
import { OperationSource } from './kill-operations.ts';

/** Operations in flight at most; a pipeline is sent when there is room for half of them. */
const WINDOW_MAX = 60;

type InFlight = { readonly operation: Operation; repliesLeft: number };

export type Outcome = {
  /** Operations in flight when the connection ended, and how many of them were found again. */
  readonly inFlight: number;
  readonly kept: number;
};

export class KillWriter {
  readonly prefix: string;
  readonly database: number;
  acknowledged = 0;
  /** A reply that should not have come. */
  wrongReply: string | null = null;
  #state = new ClientState();
  #inFlight: InFlight[] = [];
  /** The rest of a pipeline is still to be written: nothing else may come before it. */
  #holdsBack = false;
  readonly #random: Random;
  readonly #source: OperationSource;
  readonly #window: number;

  constructor(id: number, random: Random, commands: ReadonlySet<string>) {
    this.prefix = `c${id}:`;
    // The first client has a database of its own, the others share two.
    this.database = id === 0 ? 5 : id % 2;
    this.#random = random;
    this.#source = new OperationSource(random, this.prefix, id === 0, commands);
    this.#window = random.between(1, WINDOW_MAX);
  }

  /**
   * Writes until the connection ends; resolves then. `end` gives the moment to end it from here.
   */
  run(port: number, end?: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      void end?.then(() => socket.destroy());
      const reader = new ReplyReader();
      let greeted = false;
      socket.setNoDelay(true);
      socket.on('connect', () => socket.write(encodeCommand(['SELECT', this.database])));
      socket.on('data', (chunk) => {
        reader.push(chunk);
        for (let reply = reader.next(); reply !== null; reply = reader.next()) {
          if (greeted) this.#answered(reply.value);
          greeted = true;
        }
        this.#send(socket);
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
  }

  /** Finds the prefix that the server holds; throws when there is none. */
  settle(observed: ReadonlyMap<string, Observed>, readFromMs: number, readToMs: number): Outcome {
    if (this.wrongReply !== null) throw new Error(this.wrongReply);
    const inFlight = this.#inFlight.length;
    const state = this.#state.copy();
    const first = state.difference(observed, readFromMs, readToMs);
    let difference = first;
    let kept = 0;
    for (const { operation } of this.#inFlight) {
      if (difference === null) break;
      state.apply(operation, readToMs);
      kept++;
      difference = state.difference(observed, readFromMs, readToMs);
    }
    if (difference !== null) {
      throw new Error(
        `${this.prefix} after ${this.acknowledged} acknowledged operations and ${inFlight} in ` +
          `flight: with all of these ${difference}; with none of them ${first}`,
      );
    }
    this.#state = state;
    this.#inFlight = [];
    return { inFlight, kept };
  }

  #send(socket: Socket): void {
    if (this.#holdsBack || this.#inFlight.length > this.#window / 2) return;
    const bytes: Buffer[] = [];
    while (this.#inFlight.length < this.#window) {
      const commands = this.#source.next();
      const repliesLeft = commands.length === 1 ? 1 : commands.length + 2;
      this.#inFlight.push({ operation: { commands, sentMs: Date.now() }, repliesLeft });
      const all = commands.length === 1 ? commands : [['MULTI'], ...commands, ['EXEC']];
      bytes.push(...all.map(encodeCommand));
    }
    const whole = Buffer.concat(bytes);
    // Cut anywhere, so that a turn may see half a command or half a transaction.
    const cut = this.#random.between(0, whole.length);
    socket.write(whole.subarray(0, cut));
    this.#holdsBack = true;
    setImmediate(() => {
      this.#holdsBack = false;
      if (socket.destroyed) return;
      socket.write(whole.subarray(cut));
      this.#send(socket);
    });
  }

  #answered(value: ReplyValue): void {
    const first = this.#inFlight[0];
    if (first === undefined) {
      this.wrongReply ??= `a reply that was not asked for: ${String(value)}`;
      return;
    }
    if (--first.repliesLeft > 0) return;
    this.#inFlight.shift();
    this.acknowledged++;
    const expected = this.#state.apply(first.operation, Date.now());
    if (fits(value, expected)) return;
    const shown = value instanceof ReplyError ? value.error : String(value);
    const words = JSON.stringify(first.operation.commands).slice(0, 200);
    this.wrongReply ??= `${words} was answered ${shown} instead of ${String(expected)}`;
  }
}

function fits(value: ReplyValue, expected: Expected): boolean {
  if (expected === 'error') return value instanceof ReplyError;
  if (value instanceof ReplyError) return false;
  return expected === undefined || value === expected;
}
