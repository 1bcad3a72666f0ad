/**
 * PUBLISH: what a message takes to encode does not depend on how many clients and patterns get it.
 */
import { expect, it } from 'vitest';
import { ChunkPool } from '../../../src/core/resp/chunk-pool.ts';
import { Reply } from '../../../src/core/resp/reply.ts';
import { PubSub } from '../../../src/server/clients/pubsub.ts';
import { InsideServer } from '../../support/inside.ts';

/** A reply that remembers which bytes it was handed. */
class Recorder extends Reply {
  readonly handed: Uint8Array[] = [];

  override raw(bytes: Uint8Array): void {
    this.handed.push(bytes);
    super.raw(bytes);
  }

  get text(): string {
    return Buffer.from(this.chunk.subarray(0, this.at)).toString('latin1');
  }
}

it('hands the same bytes to all who match', async () => {
  const inside = await InsideServer.open();
  const pubsub = new PubSub({
    listClient: () => {},
    isExecuting: () => false,
    afterThis: (task) => task(),
  });
  const pool = new ChunkPool(() => {});
  const listen = (kind: 'channels' | 'patterns', name: string): Recorder => {
    const reply = new Recorder(pool);
    const client = Object.assign(inside.server.hub.detached(), { reply });
    pubsub.subscribe(client, kind, name);
    return reply;
  };
  const channels = [listen('channels', 'news'), listen('channels', 'news')];
  const patterns = [listen('patterns', 'n*'), listen('patterns', 'n*'), listen('patterns', '*s')];
  listen('patterns', 'other*');

  expect(pubsub.publish('news', 'text')).toBe(5);

  const body = patterns[0]?.handed.at(-1);
  expect(body).toBeDefined();
  for (const one of patterns) expect(one.handed.at(-1)).toBe(body);
  expect(patterns[1]?.handed[0]).toBe(patterns[0]?.handed[0]);
  expect(channels[1]?.handed.at(-1)).toBe(channels[0]?.handed.at(-1));
  expect(channels[0]?.text).toBe('*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\ntext\r\n');
  const message = '\r\n$4\r\nnews\r\n$4\r\ntext\r\n';
  expect(patterns[0]?.text).toBe(`*4\r\n$8\r\npmessage\r\n$2\r\nn*${message}`);
  expect(patterns[2]?.text).toBe(`*4\r\n$8\r\npmessage\r\n$2\r\n*s${message}`);
  await inside.close();
});
