/**
 * The replica's end of the link against peers that play a primary: it syncs, follows, comes again,
 * and gives up nothing that it has before it holds something better.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FULL, ID, LinkScene, RDB, SET } from './link-scene.ts';

let scene: LinkScene;
let host: LinkScene['host'];
let link: LinkScene['link'];

beforeEach(async () => {
  scene = await LinkScene.begin();
  ({ host, link } = scene);
});

afterEach(() => scene.end());

describe('the link to a primary', () => {
  it('loads what it received, follows, and asks to go on when the stream breaks', async () => {
    link.start();
    const connection = await scene.fullSync();
    expect(host.events).toEqual([`load ${RDB.length} 100`, 'connected', 'SET']);
    expect(link.state).toBe('connected');
    link.acknowledge(131, -1);
    expect(await connection.command()).toBe('REPLCONF ACK 131');
    link.acknowledge(131, 77);
    expect(await connection.command()).toBe('REPLCONF ACK 131 FACK 77');
    link.acknowledge(131, 0);
    expect(await connection.command()).toBe('REPLCONF ACK 131 FACK 0');
    host.from = { id: ID, nextByte: 132 };
    // Whoever is told asks for the state.
    const states: string[] = [];
    host.onDisconnected = () => states.push(link.state);
    connection.close();
    await scene.noted('disconnected');
    expect(states).toEqual(['connect']);
    expect(link.downSinceMs).toBeGreaterThan(0);
    const again = await scene.greet();
    expect(again.psync).toBe(`PSYNC ${ID} 132`);
    again.connection.send(`+CONTINUE\r\n${SET}`);
    await scene.noted(`continued ${ID}`);
    await scene.noted('SET', 2);
    expect(host.events.slice(3, 6)).toEqual(['disconnected', `continued ${ID}`, 'connected']);
    expect(link.downSinceMs).toBe(0);
  });

  it('comes again when the connection is reset', async () => {
    link.start();
    const connection = await scene.fullSync();
    connection.send(SET.slice(0, 10));
    await expect.poll(() => link.unappliedBytes).toBe(10);
    connection.socket.resetAndDestroy();
    await scene.greet();
    expect(host.events.at(-1)).toBe('disconnected');
    expect(link.unappliedBytes).toBe(0);
  });

  it('tells an old primary, which counts no stream, of no offset', async () => {
    link.start();
    const { connection } = await scene.greet();
    connection.send("-ERR unknown command 'PSYNC'\r\n");
    expect(await connection.command()).toBe('SYNC');
    connection.send(`$${RDB.length}\r\n${RDB}${SET}`);
    await scene.noted('SET');
    expect(host.events[0]).toBe(`load ${RDB.length} undefined`);
    link.acknowledge(31, -1);
    link.stop();
    expect(await connection.command()).toBe(null);
  });

  it('tells what is applied when it is asked in between', async () => {
    const seen: number[] = [];
    host.onCommand = () => {
      link.settle();
      seen.push(host.appliedBytes);
    };
    link.start();
    const { connection } = await scene.greet();
    connection.send(FULL + SET + SET);
    await scene.noted('SET', 2);
    expect(seen).toEqual([0, SET.length]);
  });

  it('follows what had come before the dataset was loaded, and what comes after', async () => {
    const large = `*3\r\n$3\r\nSET\r\n$1\r\na\r\n$200000\r\n${'x'.repeat(200_000)}\r\n`;
    // More than is read ahead: the connection stands still until somebody takes it.
    host.onLoad = () => new Promise((resolve) => setTimeout(resolve, 100));
    link.start();
    const { connection } = await scene.greet();
    connection.send(FULL + large.repeat(20));
    await scene.noted('SET', 20);
    expect(host.appliedBytes).toBe(large.length * 20);
  });

  it('gives up a primary that is silent for longer than repl-timeout', async () => {
    link.start();
    await scene.fullSync();
    link.tick(Date.now() + 30_000, 60_000);
    expect(link.state).toBe('connected');
    link.tick(Date.now() + 61_000, 60_000);
    expect(host.events.at(-1)).toBe('disconnected');
    await scene.greet();
  });

  it('counts the silence from when bytes last came, or the connection', async () => {
    link.start();
    const connection = await scene.fullSync();
    link.lastIoMs = 1;
    connection.send(SET);
    await scene.noted('SET', 2);
    link.tick(Date.now() + 30_000, 60_000);
    expect(link.state).toBe('connected');
    host.from = { id: ID, nextByte: 163 };
    link.lastIoMs = 1;
    connection.close();
    const again = await scene.greet();
    again.connection.send('+CONTINUE\r\n');
    await scene.noted('connected', 2);
    link.tick(Date.now() + 30_000, 60_000);
    expect(link.state).toBe('connected');
  });

  it('does not mind silence while it loads', async () => {
    link.start();
    const { connection } = await scene.greet();
    link.tick(Date.now() + 30_000, 60_000);
    host.onLoad = () => {
      expect(link.state).toBe('sync');
      link.tick(Date.now() + 1e6, 5000);
    };
    connection.send(FULL + SET);
    await scene.noted('SET');
    expect(host.events).toEqual([`load ${RDB.length} 100`, 'connected', 'SET']);
  });

  it('begins anew when it is interrupted before the stream flows', async () => {
    scene.withoutWaits();
    link.start();
    await scene.greet();
    link.interrupt('enough');
    await scene.greet();
    expect(host.logged).toContain('Replication with MASTER failed: enough');
  });

  it('gives up a handshake by what repl-timeout has become meanwhile', async () => {
    host.timeoutMs = 3_600_000;
    scene.withoutWaits();
    link.start();
    await scene.greet();
    link.tick(Date.now() + 30_000, 60_000);
    expect(link.state).toBe('handshake');
    link.tick(Date.now() + 61_000, 60_000);
    await scene.greet();
    expect(host.logged).toContain('Timeout connecting to the MASTER...');
  });

  it('holds back what comes while it is to wait, and goes on from there', async () => {
    link.start();
    const connection = await scene.fullSync();
    host.isPaused = true;
    const before = host.events.length;
    connection.send(SET);
    connection.send(SET.slice(0, 10));
    while (link.unappliedBytes < SET.length + 10) await new Promise((next) => setTimeout(next, 2));
    expect(host.events.length).toBe(before);
    link.goOn();
    expect(host.events.length).toBe(before);
    host.isPaused = false;
    link.goOn();
    expect(host.events.slice(before)).toEqual(['SET']);
    expect(link.unappliedBytes).toBe(10);
    connection.send(SET.slice(10));
    while (link.unappliedBytes > 0) await new Promise((next) => setTimeout(next, 2));
    expect(host.events.slice(before)).toEqual(['SET', 'SET']);
    host.isPaused = true;
    connection.send(SET);
    while (link.unappliedBytes < SET.length) await new Promise((next) => setTimeout(next, 2));
    link.interrupt('enough');
    expect(link.unappliedBytes).toBe(0);
    // What was held comes once more behind what was applied.
    host.from = { id: ID, nextByte: 163 };
    host.isPaused = false;
    const again = await scene.greet();
    again.connection.send(`+CONTINUE\r\n${SET}*1\r\n$3\r\nEND\r\n`);
    await scene.noted('END');
    expect(host.events.filter((event) => event === 'SET').length).toBe(4);
  });

  it('applies what it held back in the order in which it came', async () => {
    const [one, two] = ['*1\r\n$3\r\nONE\r\n', '*1\r\n$3\r\nTWO\r\n'];
    link.start();
    const connection = await scene.fullSync();
    const before = host.events.length;
    host.isPaused = true;
    connection.send(one);
    await expect.poll(() => link.unappliedBytes).toBe(one.length);
    // Nobody has told yet that it may go on.
    host.isPaused = false;
    connection.send(two);
    await expect.poll(() => link.unappliedBytes).toBe(one.length + two.length);
    link.goOn();
    expect(host.events.slice(before)).toEqual(['ONE', 'TWO']);
    expect(link.unappliedBytes).toBe(0);
  });

  it('reads no more than fits while it is to wait, and all of it in the end', async () => {
    const large = `*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000000\r\n${'x'.repeat(1e6)}\r\n`;
    const most = 17 * 1024 * 1024;
    link.start();
    const connection = await scene.fullSync();
    host.isPaused = true;
    for (let i = 0; i < 40; i++) connection.send(large);
    let reads = -1;
    while (link.unappliedBytes !== reads || reads < 16e6) {
      reads = link.unappliedBytes;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(reads).toBeLessThan(most);
    // Nothing comes since nothing is read: that is no silence of the primary.
    link.lastIoMs = 1;
    link.tick(Date.now(), 60_000);
    expect(link.state).toBe('connected');
    host.isPaused = false;
    link.goOn();
    link.tick(Date.now(), 60_000);
    expect(link.state).toBe('connected');
    await scene.noted('SET', 41);
    expect(host.appliedBytes).toBe(SET.length + 40 * large.length);
  });

  it('breaks the link at what is no command, having applied what came before', async () => {
    link.start();
    const connection = await scene.fullSync();
    connection.send('nonsense\r\n');
    await scene.noted('disconnected');
    await scene.greet();
  });

  it('may be broken by a command that it runs', async () => {
    host.onCommand = () => link.interrupt('enough');
    link.start();
    const { connection } = await scene.greet();
    connection.send(FULL + SET + SET);
    await scene.noted('disconnected');
    expect(host.events.filter((event) => event === 'SET').length).toBe(1);
    expect(await connection.command()).toBe(null);
    await scene.greet();
  });

  it('ends for good when it is stopped in the handshake', async () => {
    link.start();
    const { connection } = await scene.greet();
    link.stop();
    expect(await connection.command()).toBe(null);
    expect(host.events).toEqual([]);
    expect(host.logged.join()).not.toContain('failed');
  });

  it('ends for good when it is stopped before it connects', async () => {
    link.start();
    link.stop();
    const other = await LinkScene.begin();
    other.link.start();
    await other.greet();
    await other.end();
    expect(host.logged).toEqual([]);
  });

  it('ends for good when it is stopped while a dataset is brought to disk', async () => {
    host.fs.holdSyncs();
    link.start();
    const { connection } = await scene.greet();
    connection.send(FULL + SET);
    await expect.poll(() => host.fs.heldSyncs).toBe(1);
    link.stop();
    host.fs.releaseSyncs();
    expect(await connection.command()).toBe(null);
    await expect.poll(() => host.fs.paths()).toEqual([]);
    expect(host.events).toEqual([]);
  });

  it.each([
    ['a dataset is loaded', false, 'load'],
    ['a dataset that came aside is taken', true, 'take'],
  ])('ends for good when it is stopped while %s', async (_what, aside, event) => {
    let release = (): void => undefined;
    const isLoading = new Promise<void>((begun) => {
      host.onLoad = () => {
        begun();
        return new Promise((loaded) => {
          release = loaded;
        });
      };
    });
    host.aside = aside;
    link.start();
    const { connection } = await scene.greet();
    connection.send(FULL + SET);
    await isLoading;
    link.stop();
    release();
    expect(await connection.command()).toBe(null);
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(host.events.filter((one) => !/^(open|drop)/.test(one))).toEqual([
      expect.stringMatching(`^${event}`),
    ]);
    expect(link.state).not.toBe('connected');
  });

  it('ends for good when it is stopped while it follows', async () => {
    link.start();
    const connection = await scene.fullSync();
    link.stop();
    connection.send(SET);
    expect(await connection.command()).toBe(null);
    expect(host.events.slice(2)).toEqual(['SET', 'disconnected']);
  });

  it('tells of a successor that refuses, and does not insist', async () => {
    scene.withoutWaits();
    host.failover = true;
    link.start();
    // Who has not been asked yet has not taken over.
    (await scene.peer.connection()).close();
    const { connection } = await scene.greet();
    host.logged.length = 0;
    connection.send("-ERR PSYNC FAILOVER can't be sent to a master.\r\n");
    await scene.noted('rejected Failover target rejected psync request');
    expect(link.state).toBe('connect');
    expect(host.logged.join()).not.toContain('failed');
  });

  it('asks a successor whose answer was lost again, until it says who is the primary', async () => {
    scene.withoutWaits();
    host.failover = true;
    host.from = { id: ID, nextByte: 101 };
    link.start();
    const refusal = "-ERR PSYNC FAILOVER can't be sent to a master.\r\n";
    const first = await scene.greet();
    expect(first.psync).toBe(`PSYNC ${ID} 101 FAILOVER`);
    first.connection.close();
    const second = await scene.greet();
    second.connection.send(refusal);
    expect(await second.connection.command()).toBe(`PSYNC ${ID} 101`);
    second.connection.close();
    const third = await scene.greet();
    third.connection.send(refusal);
    expect(await third.connection.answer('+CONTINUE\r\n')).toBe(`PSYNC ${ID} 101`);
    await scene.noted('connected');
    third.connection.close();
    // All is decided by that answer: what is asked later is another failover.
    const fourth = await scene.greet();
    fourth.connection.send(refusal);
    await scene.noted('rejected Failover target rejected psync request');
  });
});
