/**
 * Back-pressure: who asks for more than he takes waits until he has taken it, but not for ever when
 * he takes nothing before he has sent all.
 */
import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { OfferedBuffers } from '../../../src/core/memory/offered-buffers.ts';
import { Args } from '../../../src/core/resp/args.ts';
import { ChunkPool } from '../../../src/core/resp/chunk-pool.ts';
import {
  Client,
  OUTPUT_FIRST_MARK,
  RUNNING,
  WAIT_OUTPUT,
} from '../../../src/server/clients/client.ts';
import { UnreadReplies } from '../../../src/server/clients/unread-replies.ts';
import { startCairnServer } from '../../support/cairn-server.ts';
import { encodeCommand } from '../../support/raw-client.ts';

const LIMITS = { bulkBytesMax: 1000 };
const BUFFERS = new OfferedBuffers(new Arena());

/** A client that waits with so many bytes unsent. */
function waiting(bytes: number): Client {
  const tally = { count: (): void => {} };
  const client = new Client(1, LIMITS, new Args(), BUFFERS, new ChunkPool(), tally, 0);
  client.reply.raw(new Uint8Array(bytes));
  client.waiting = WAIT_OUTPUT;
  return client;
}

describe('a client with unread replies', () => {
  const bytes = OUTPUT_FIRST_MARK + 10;

  it('goes on when it has taken nothing between two looks, with a higher mark', () => {
    const unread = new UnreadReplies();
    const client = waiting(bytes);
    const gone: Client[] = [];
    unread.add(client);
    unread.tick((one) => gone.push(one));
    expect(gone).toEqual([client]);
    expect(client.outputMark).toBe(bytes * 4);
    unread.tick((one) => gone.push(one));
    expect(gone).toHaveLength(1);
  });

  it('is held back as long as it takes some, and while its replies wait for the disk', () => {
    const unread = new UnreadReplies();
    const client = waiting(bytes);
    const gone: Client[] = [];
    unread.add(client);
    for (let i = 0; i < 5; i++) {
      client.reply.advance(10);
      unread.tick((one) => gone.push(one));
    }
    client.heldReplies = 1;
    for (let i = 0; i < 5; i++) unread.tick((one) => gone.push(one));
    expect(gone).toEqual([]);
    expect(client.outputMark).toBe(OUTPUT_FIRST_MARK);
  });

  it('has the first mark again when its replies have drained', () => {
    const unread = new UnreadReplies();
    const client = waiting(bytes);
    client.outputMark = bytes * 4;
    unread.add(client);
    expect(unread.hasDrained(client)).toBe(false);
    client.reply.advance(bytes);
    expect(unread.hasDrained(client)).toBe(true);
    expect(client.outputMark).toBe(OUTPUT_FIRST_MARK);
    unread.tick(() => expect.unreachable());
    // Also when it had been let go on, and waits no more.
    client.outputMark = bytes * 4;
    client.waiting = RUNNING;
    expect(unread.hasDrained(client)).toBe(false);
    expect(client.outputMark).toBe(OUTPUT_FIRST_MARK);
  });

  it('may send a long pipeline before it reads anything', async () => {
    const server = await startCairnServer();
    try {
      const [other, client] = [await server.connect(), await server.connect()];
      await other.send('SETRANGE', 'large', 99_999, 'v');
      client.pause();
      const gets = Array.from({ length: 400 }, () => encodeCommand(['GET', 'large']));
      client.write(Buffer.concat([...gets, encodeCommand(['SET', 'end', 'reached'])]));
      const end = async (): Promise<unknown> => other.value('GET', 'end');
      await expect.poll(end).toBe('reached');
      client.resume();
      for (let i = 0; i < 400; i++) {
        expect(String((await client.read()).value)).toHaveLength(100_000);
      }
      expect((await client.read()).value).toBe('OK');
      for (const one of [other, client]) one.close();
    } finally {
      await server.close();
    }
  });

  it('has nobody evicted for its sake when it goes anyway', async () => {
    const server = await startCairnServer();
    const client = await server.connect();
    await client.send('CLIENT', 'NO-EVICT', 'ON');
    await client.send('SETRANGE', 'large', 4 << 20, 'v');
    await client.send('CONFIG', 'SET', 'maxmemory-clients', '10mb');
    await client.send('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 3mb 0 0');
    const [asks, sends] = [await server.connect(), await server.connect()];
    const id = String(await sends.value('CLIENT', 'ID'));
    const sent = 6 << 20;
    sends.write(Buffer.from(`*2\r\n$4\r\nECHO\r\n$${sent}\r\n${'x'.repeat(sent - 100)}`));
    const line = async (): Promise<string> =>
      String(await client.value('CLIENT', 'LIST', 'ID', id));
    await expect.poll(line).toMatch(/ qbuf=62\d{5} /);
    asks.pause();
    asks.write(encodeCommand(['GET', 'large']));
    await asks.waitClosed();
    await client.send('PING');
    expect(await line()).toMatch(/ qbuf=62\d{5} /);
    for (const one of [client, sends]) one.close();
    await server.close();
  });
});
