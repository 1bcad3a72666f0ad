/**
 * A turn without a server: clients whose links note what they are sent, and a journal that units
 * are written into.
 */
import { Arena } from '../../src/core/memory/arena.ts';
import { OfferedBuffers } from '../../src/core/memory/offered-buffers.ts';
import { Args } from '../../src/core/resp/args.ts';
import { ChunkPool } from '../../src/core/resp/chunk-pool.ts';
import { Client } from '../../src/server/clients/client.ts';
import { Propagator } from '../../src/server/dispatch/propagate.ts';
import { type Link, SEND_DONE } from '../../src/server/io/link.ts';
import { Turn } from '../../src/server/turn/turn.ts';

const LIMITS = { bulkBytesMax: 1000 };
const BUFFERS = new OfferedBuffers(new Arena());

export class TurnStage {
  readonly propagator = new Propagator();
  readonly turn = new Turn(this.propagator);
  /** What was sent, each piece behind the name of its client. */
  readonly sent: string[] = [];

  constructor() {
    this.propagator.active = true;
  }

  client(name: string): Client {
    const tally = { count: () => {} };
    const client = new Client(1, LIMITS, new Args(), BUFFERS, new ChunkPool(), tally, 0);
    const sendParts = (parts: readonly Uint8Array[]): number => {
      this.sent.push(`${name} ${Buffer.concat(parts).toString().trim()}`);
      return SEND_DONE;
    };
    const send = (bytes: Uint8Array, from: number, to: number): number =>
      sendParts([bytes.subarray(from, to)]);
    const link: Partial<Link> = { send, sendParts };
    client.link = link as Link;
    return client;
  }

  /** A write of the client, with its answer. */
  write(client: Client): void {
    const args = new Args();
    args.setTo(['SET', 'k', 'v'].map((word) => Buffer.from(word)));
    this.propagator.beginUnit(true);
    this.propagator.command(0, args);
    this.propagator.endUnit();
    this.answer(client);
  }

  answer(client: Client): void {
    client.reply.simple('OK');
    this.turn.list(client);
  }
}
