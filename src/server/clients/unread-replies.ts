/**
 * Clients whose commands wait because many of their replies stand unsent: back-pressure, so that no
 * client fills the memory by asking for more than it reads.
 *
 *     unsent > mark      it waits, and is not read from
 *     unsent < low       it goes on; its mark is the first one again
 *     takes nothing      its mark is raised, and it goes on
 *
 * The last is for clients that send all of a long pipeline before they read the first reply. They
 * would wait for the server to read, as the server for them, for ever. So what stands unsent may
 * grow where nothing is taken, slowly, up to `client-output-buffer-limit`; a client that reads,
 * however slowly, is held back as before.
 */
import { type Client, OUTPUT_FIRST_MARK, WAIT_OUTPUT } from './client.ts';

/** Unsent replies below which a client's commands go on. */
const OUTPUT_LOW = 1 << 18;
const RAISED_BY = 4;

export class UnreadReplies {
  /** Clients that wait, and how much each had taken when it was last looked at. */
  private readonly waiting = new Map<Client, number>();

  /** Notes a client that begins to wait. */
  add(client: Client): void {
    this.waiting.set(client, client.reply.sent);
  }

  remove(client: Client): void {
    this.waiting.delete(client);
  }

  /** Whether a client that waits may go on, since its replies have drained. */
  hasDrained(client: Client): boolean {
    if (client.outputBytes >= OUTPUT_LOW) return false;
    client.outputMark = OUTPUT_FIRST_MARK;
    if (client.waiting !== WAIT_OUTPUT) return false;
    this.waiting.delete(client);
    return true;
  }

  /** Called twice a second: clients that have taken nothing since go on, with a higher mark. */
  tick(goOn: (client: Client) => void): void {
    for (const [client, taken] of [...this.waiting]) {
      // What waits for the disk cannot be taken.
      if (client.reply.sent !== taken || client.heldReplies > 0) {
        this.waiting.set(client, client.reply.sent);
        continue;
      }
      this.waiting.delete(client);
      if (client.waiting !== WAIT_OUTPUT) continue;
      client.outputMark = Math.max(client.outputMark, client.outputBytes) * RAISED_BY;
      goOn(client);
    }
  }
}
