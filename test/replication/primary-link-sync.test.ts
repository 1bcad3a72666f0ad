/**
 * A replica's full syncs: the dataset that is loaded as it comes, signs of life meanwhile, and how
 * long it waits before it asks again for what was of no use.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LinkError } from '../../src/replication/socket-reader.ts';
import { FULL, ID, LinkScene, RDB, SET } from './link-scene.ts';

const MARK = 'm'.repeat(40);
const STREAMED = `+FULLRESYNC ${ID} 100\r\n$EOF:${MARK}\r\n${RDB}${MARK}`;

let scene: LinkScene;
let host: LinkScene['host'];
let link: LinkScene['link'];

beforeEach(async () => {
  scene = await LinkScene.begin();
  ({ host, link } = scene);
});

afterEach(async () => {
  await scene.end();
  vi.restoreAllMocks();
});

describe('a full sync', () => {
  it('is asked for again when the dataset is refused, or damaged, or breaks off', async () => {
    scene.withoutWaits();
    host.onLoad = () => {
      throw new LinkError('refused');
    };
    link.start();
    const first = await scene.greet();
    first.connection.send(FULL);
    const second = await scene.greet();
    expect(await first.connection.command()).toBe(null);
    expect(host.events).toEqual([`load ${RDB.length} 100`]);
    second.connection.send(FULL.slice(0, -14));
    second.connection.close();
    await scene.greet();
    expect(host.events.length).toBe(1);
    expect(host.fs.statSync('/data/temp.rdb')).toBe(undefined);
  });

  it('is asked for less and less often while it fails', async () => {
    const waits = scene.withoutWaits();
    let refused = 0;
    host.onLoad = () => {
      if (++refused < 8) throw new LinkError('refused');
    };
    link.start();
    for (let i = 0; i < 7; i++) (await scene.greet()).connection.send(FULL);
    const connection = await scene.fullSync();
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    connection.close();
    const again = await scene.peer.connection();
    await again.answer('-ERR not now\r\n');
    await scene.greet();
    expect(waits.slice(7)).toEqual([25, 1000]);
  });

  it('is asked for without delay again once the link has stood without one', async () => {
    const waits = scene.withoutWaits();
    host.onLoad = () => {
      throw new LinkError('refused');
    };
    link.start();
    host.from = { id: ID, nextByte: 101 };
    for (let i = 0; i < 3; i++) (await scene.greet()).connection.send(FULL);
    const { connection } = await scene.greet();
    connection.send('+CONTINUE\r\n');
    await scene.noted('connected');
    connection.close();
    const again = await scene.peer.connection();
    await again.answer('-ERR not now\r\n');
    await scene.greet();
    expect(waits).toEqual([1000, 2000, 4000, 25, 1000]);
  });

  it('tells the log how much has come, when it takes long', async () => {
    link.start();
    const { connection } = await scene.greet();
    let nowMs = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => {
      nowMs += 6000;
      return nowMs;
    });
    connection.send(FULL);
    await scene.noted('connected');
    const { length } = RDB;
    const line = new RegExp(`^MASTER <-> REPLICA sync: received: 100.0% of ${length} bytes after `);
    expect(host.logged).toContainEqual(expect.stringMatching(line));
  });

  it('tells the primary now and then that the dataset is being loaded', async () => {
    const { setInterval, clearInterval } = globalThis;
    const running = new Set<unknown>();
    vi.spyOn(globalThis, 'setInterval').mockImplementation(((run: () => void) => {
      const timer = setInterval(run, 1);
      running.add(timer);
      return timer;
    }) as typeof setInterval);
    vi.spyOn(globalThis, 'clearInterval').mockImplementation((timer) => {
      running.delete(timer);
      clearInterval(timer);
    });
    link.start();
    const { connection } = await scene.greet();
    let came = '';
    connection.socket.on('data', (text: string) => {
      came += text;
    });
    host.onLoad = () => expect.poll(() => came).toContain('\n\n');
    connection.send(FULL + SET);
    await scene.noted('SET');
    expect(running.size).toBe(0);
    expect(came.trim()).toBe('');
  });

  it('may be loaded as it comes, and is let go of', async () => {
    host.aside = true;
    host.onLoad = () => {
      const { receivedBytes, totalBytes } = link.receiver;
      expect([receivedBytes, totalBytes]).toEqual([RDB.length, 0]);
      expect(link.lastIoMs).toBeGreaterThan(0);
    };
    link.start();
    const { connection } = await scene.greet();
    connection.send(STREAMED);
    await scene.noted('connected');
    connection.send(SET);
    await scene.noted('SET');
    expect(host.events).toEqual(['open 0', `take ${RDB.length}`, 'drop', 'connected', 'SET']);
  });

  it.each([true, false])(
    'is let go of when it is refused (%s) or breaks off',
    async (isRefused) => {
      scene.withoutWaits();
      host.aside = true;
      host.onLoad = () => {
        throw new LinkError('refused');
      };
      link.start();
      const { connection } = await scene.greet();
      connection.send(isRefused ? FULL : FULL.slice(0, -5));
      await scene.noted(`open ${RDB.length}`);
      if (!isRefused) connection.close();
      await scene.greet();
      expect(await connection.command()).toBe(null);
      const taken = isRefused ? [`take ${RDB.length}`] : [];
      expect(host.events).toEqual([`open ${RDB.length}`, ...taken, 'drop']);
    },
  );

  it('comes from the address that the link is bound to', async () => {
    host.sourceAddress = '127.0.0.2';
    link.start();
    const { connection } = await scene.greet();
    expect(connection.socket.remoteAddress).toBe('127.0.0.2');
  });
});
