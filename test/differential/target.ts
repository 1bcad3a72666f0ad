/**
 * One of the two servers of a differential run: two client connections and one that only checks,
 * opened anew for every sequence on an emptied server. A server that died is started again, so
 * that shrinking can go on past a crash.
 */
import type { RawClient } from '../support/raw-client.ts';
import { ReplyError, splitReply } from '../support/resp-reader.ts';
import type { ServerProcess } from '../support/server-process.ts';
import type { Step } from './step.ts';

/** What came back for a step: the reply's bytes, or why there is none. */
export type Answer = Buffer | Error;

const loopPagesMax = 5000;
const replyTimeoutMs = 60_000;

export class Target {
  readonly name: string;
  readonly #server: ServerProcess;
  #protocol: 2 | 3 = 2;
  #clients: RawClient[] = [];

  constructor(name: string, server: ServerProcess) {
    this.name = name;
    this.#server = server;
  }

  /** Empties the server, runs the setup commands and opens fresh connections. */
  async prepare(protocol: 2 | 3, setup: readonly (readonly string[])[]): Promise<void> {
    this.closeClients();
    this.#protocol = protocol;
    if (!this.#server.isRunning) await this.#server.startAgain();
    for (let i = 0; i < 3; i++) this.#clients.push(await this.#open());
    for (const command of [['FLUSHALL'], ...setup]) {
      const { value } = await this.checker.send(...command);
      if (value instanceof ReplyError) {
        throw new Error(`${this.name} refused the setup ${command.join(' ')}: ${value.error}`);
      }
    }
  }

  async #open(): Promise<RawClient> {
    const client = await this.#server.connect({ timeoutMs: replyTimeoutMs });
    if (this.#protocol === 3) await client.send('HELLO', '3');
    return client;
  }

  #client(index: number): RawClient {
    const client = this.#clients[index];
    if (client === undefined) throw new Error(`${this.name} was not prepared`);
    return client;
  }

  /** The connection that is not part of the sequence. */
  get checker(): RawClient {
    return this.#client(2);
  }

  /** Sends steps of one connection as one pipeline; once a reply is missing, so are the rest. */
  async run(steps: readonly Step[]): Promise<Answer[]> {
    const first = steps[0];
    if (first === undefined) return [];
    const client = this.#client(first.connection);
    const answers: Answer[] = [];
    try {
      if (first.loop !== undefined) return [await this.#runLoop(client, first)];
      const whole = client.pipeline(steps.map((step) => step.args));
      answers.push(...(await whole).map((reply) => reply.raw));
      if (first.closes) {
        await client.waitClosed();
        this.#clients[first.connection] = await this.#open();
      }
    } catch (error) {
      const missing = error instanceof Error ? error : new Error(String(error));
      while (answers.length < steps.length) answers.push(missing);
    }
    return answers;
  }

  /** A whole cursor loop as one made-up reply: the sorted union of its elements. */
  async #runLoop(client: RawClient, step: Step): Promise<Buffer> {
    const { cursorAt, itemsPerElement } = step.loop ?? { cursorAt: 1, itemsPerElement: 1 };
    const args = [...step.args];
    const elements = new Set<string>();
    for (let page = 0; page < loopPagesMax; page++) {
      const { raw, value } = await client.send(...args);
      if (!Array.isArray(value)) return raw;
      const items = splitReply(splitReply(raw).children[1] ?? raw).children;
      for (let i = 0; i < items.length; i += itemsPerElement) {
        elements.add(Buffer.concat(items.slice(i, i + itemsPerElement)).toString('latin1'));
      }
      if (value[0] === '0') return Buffer.from([...elements].sort().join(''), 'latin1');
      args[cursorAt] = String(value[0]);
    }
    throw new Error(`a cursor loop did not end within ${loopPagesMax} pages`);
  }

  closeClients(): void {
    for (const client of this.#clients) client.close();
    this.#clients = [];
  }
}
