/**
 * Reads that are kept until the end of the turn and run together: each client's commands run in
 * its order, whatever the others do to it in between.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Intake } from '../../../src/server/turn/intake.ts';
import { emptyDisk, InProcessServer } from '../../support/in-process-server.ts';
import { Random } from '../../support/random.ts';
import type { RawClient } from '../../support/raw-client.ts';

let server: InProcessServer;
beforeAll(async () => {
  server = await InProcessServer.start(emptyDisk(), {
    appendonly: false,
    'enable-debug-command': 'yes',
  });
});
afterAll(() => server.abandon());

async function connected(count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => server.connect()));
}

function encode(...words: (string | number)[]): string {
  const parts = words.map((word) => `$${String(word).length}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

describe('many clients in one turn', () => {
  it('are each answered in the order of their commands', async () => {
    const random = new Random(20261128);
    const clients = await connected(40);
    const [other] = await connected(1);
    const expected = clients.map(() => [] as number[]);
    for (let round = 0; round < 30; round++) {
      clients.forEach((client, i) => {
        let text = '';
        for (let n = random.between(0, 3); n > 0; n--) {
          const long = random.between(0, 19) === 0 ? 'x'.repeat(700) : '';
          text += encode('ECHO', long) + encode('INCR', `own:${i}`);
          expected[i]!.push(expected[i]!.length + 1);
        }
        // Cut anywhere: the rest of a command comes with the next read.
        const cut = random.between(0, text.length);
        client.write(text.slice(0, cut));
        client.write(text.slice(cut));
      });
      await other!.send('PING');
    }
    for (const [i, client] of clients.entries()) {
      const got: number[] = [];
      while (got.length < expected[i]!.length) {
        await client.read();
        got.push(Number((await client.read()).value));
      }
      expect(got).toEqual(expected[i]!);
    }
    for (const client of [...clients, other!]) client.close();
  });

  it('may be blocked, served, and closed by one another', async () => {
    const [taker, giver, killer] = await connected(3);
    const id = await taker!.value('CLIENT', 'ID');
    taker!.write(encode('BLPOP', 'queue', 0) + encode('INCR', 'after') + encode('PING'));
    giver!.write(encode('RPUSH', 'queue', 'one') + encode('SET', 'done', 1) + encode('PING'));
    expect((await taker!.read()).value).toEqual(['queue', 'one']);
    expect((await taker!.read()).value).toBe(1);
    expect((await taker!.read()).value).toBe('PONG');
    expect([(await giver!.read()).value, (await giver!.read()).value]).toEqual([1, 'OK']);
    killer!.write(encode('CLIENT', 'KILL', 'ID', Number(id)) + encode('PING'));
    taker!.write(encode('SET', 'never', 1));
    await taker!.waitClosed();
    expect((await killer!.read()).value).toBe(1);
    expect((await killer!.read()).value).toBe('PONG');
    giver!.close();
    killer!.close();
  });

  it('see what stands before them, in whatever database', async () => {
    const clients = await connected(20);
    await Promise.all(clients.map((client, i) => client.send('SELECT', i % 3)));
    clients.forEach((client, i) => {
      client.write(encode('SET', 'k', i) + encode('SELECT', 5) + encode('APPEND', 'log', 'x'));
    });
    for (const client of clients) for (let n = 0; n < 3; n++) await client.read();
    expect(await clients[0]!.value('STRLEN', 'log')).toBe(20);
    for (const client of clients) client.close();
  });

  it('hear nothing of a command that waits where they asked for no reply', async () => {
    const [client] = await connected(1);
    const silent: string[][] = [
      ['CLIENT', 'PAUSE', '30'],
      ['CLIENT', 'REPLY', 'SKIP'],
      ['SET', 'silent', '1'],
      ['CLIENT', 'REPLY', 'SKIP'],
      ['WAIT', '1', '20'],
      ['CLIENT', 'REPLY', 'SKIP'],
      ['BLPOP', 'nothing', '0.02'],
      ['CLIENT', 'REPLY', 'SKIP'],
      ['CONFIG', 'SET', 'maxclients', '9000'],
      ['INCR', 'silent'],
      ['CLIENT', 'REPLY', 'OFF'],
      ['WAIT', '1', '20'],
      ['BLPOP', 'nothing', '0.02'],
      ['FLUSHALL', 'SYNC'],
      ['CLIENT', 'PAUSE', '30'],
      ['ECHO', 'off'],
      ['CLIENT', 'REPLY', 'ON'],
      ['ECHO', 'on'],
    ];
    client!.write(silent.map((words) => encode(...words)).join(''));
    const heard: unknown[] = [];
    for (let i = 0; i < 4; i++) heard.push((await client!.read()).value);
    expect(heard).toEqual(['OK', 2, 'OK', 'on']);
    client!.close();
  });

  it('see how late it has become after a long command', async () => {
    const [client] = await connected(1);
    const wait = encode('DEBUG', 'SLEEP', '0.6');
    const get = encode('GET', 'soon');
    client!.write(encode('SET', 'soon', 1, 'PX', 500) + get + wait + get);
    const outside: unknown[] = [];
    for (let i = 0; i < 4; i++) outside.push((await client!.read()).value);
    expect(outside).toEqual(['OK', '1', 'OK', null]);
    // A transaction sees one moment.
    client!.write(
      encode('MULTI') + encode('SET', 'soon', 1, 'PX', 500) + wait + get + encode('EXEC') + get,
    );
    for (let i = 0; i < 4; i++) await client!.read();
    expect((await client!.read()).value).toEqual(['OK', 'OK', '1']);
    expect((await client!.read()).value).toBe(null);
    client!.close();
  });

  it('may leave at once: what they sent before is run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cairn-intake-'));
    const unixsocket = join(folder, 'socket');
    const own = await InProcessServer.start(emptyDisk(), { appendonly: false, unixsocket });
    try {
      for (const address of [{ path: unixsocket }, { port: own.port, host: '127.0.0.1' }]) {
        for (let i = 0; i < 20; i++) {
          const socket = connect(address);
          await once(socket, 'connect');
          await new Promise((sent) => socket.write(encode('INCR', 'left'), sent));
          socket.destroy();
        }
      }
      const client = await own.connect();
      await expect.poll(() => client.value('GET', 'left')).toBe('40');
      client.close();
    } finally {
      await own.abandon();
      await rm(folder, { recursive: true });
    }
  });

  it('are refused what is wrong, after what stands before it', async () => {
    const [good, bad] = await connected(2);
    good!.write(encode('SET', 'g', 1));
    bad!.write(`${encode('SET', 'b', 1)}*1\r\n!nonsense\r\n`);
    expect((await good!.read()).value).toBe('OK');
    expect((await bad!.read()).value).toBe('OK');
    expect(String((await bad!.read()).raw)).toContain("expected '$', got '!'");
    await bad!.waitClosed();
    good!.close();
  });
});

describe('several reads of one client in a turn', () => {
  it('are run in their order, short or long, whatever it waits for in between', async () => {
    const [client, other, boss] = await connected(3);
    const { hub } = server.server;
    const reader = async (one: RawClient): Promise<(...texts: string[]) => void> => {
      const own = hub.clients.get(Number(await one.value('CLIENT', 'ID')))!;
      return (...texts) => {
        const bytes = Buffer.from(texts.join(''));
        hub.read(own, bytes, 0, bytes.length);
        bytes.fill(0);
      };
    };
    const append = (text: string): string => encode('APPEND', 'order', text);
    const [mine, theirs] = [await reader(client!), await reader(other!)];
    mine(append('a'));
    mine(append('b'.repeat(600)));
    mine(append('c'), encode('BLPOP', 'gate', 0), append('d'));
    theirs(encode('SET', 'theirs', 'x'.repeat(100)));
    mine(append('e'));
    const cut = append('g');
    mine(append('f'.repeat(600)), cut.slice(0, 30));
    mine(cut.slice(30), append('h'));
    await expect.poll(() => boss!.value('STRLEN', 'order')).toBe(602);
    expect(await boss!.value('RPUSH', 'gate', 'open')).toBe(1);
    await expect.poll(() => boss!.value('STRLEN', 'order')).toBe(1206);
    mine(cut.slice(0, 30));
    await boss!.value('PING');
    theirs(append('i'));
    mine(cut.slice(30));
    await expect.poll(() => boss!.value('STRLEN', 'order')).toBe(1208);
    mine(encode('BLPOP', 'gate', 0));
    await boss!.value('PING');
    mine(append('j'.repeat(600)));
    expect(await boss!.value('RPUSH', 'gate', 'open')).toBe(1);
    const replies: unknown[] = [];
    for (let i = 0; i < 12; i++) replies.push((await client!.read()).value);
    const opened = ['gate', 'open'];
    expect(replies).toEqual([1, 601, 602, opened, 603, 604, 1204, 1205, 1206, 1208, opened, 1808]);
    const order = ['a', 'b'.repeat(600), 'cde', 'f'.repeat(600), 'ghig', 'j'.repeat(600)];
    expect(await boss!.value('GET', 'order')).toBe(order.join(''));
    for (const one of [client!, other!, boss!]) one.close();
  });
});

describe('the intake', () => {
  it('keeps what each client sent until it is cleared', () => {
    const intake = new Intake();
    const clients = Array.from({ length: 100 }, () => server.server.hub.detached());
    clients.forEach((client, i) => {
      const text = Buffer.from(`xx${'y'.repeat(i)}`);
      expect(intake.hasRoom(text.length)).toBe(true);
      intake.add(client, text, 2, text.length);
    });
    expect(intake.count).toBe(100);
    for (let i = 0; i < 100; i++) expect(intake.to(i) - intake.from(i)).toBe(i);
    expect(intake.bytes).toBe(4950);
    expect(intake.hasRoom(65_536)).toBe(false);
    intake.clear();
    expect([intake.count, intake.bytes]).toEqual([0, 0]);
    expect(intake.hasRoom(65_536)).toBe(true);
  });
});
