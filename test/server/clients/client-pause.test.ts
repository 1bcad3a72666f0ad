/**
 * Pauses that overlap: each stops what it stops for as long as it lasts, and no longer. And whom
 * none of them stops.
 */
import { afterEach, expect, it, vi } from 'vitest';
import { ClientPause } from '../../../src/server/clients/client-pause.ts';
import type { ExpiryHolds } from '../../../src/server/clients/expiry-holds.ts';
import type { Services } from '../../../src/server/services.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';
import { encodeCommand } from '../../support/raw-client.ts';

const scene = new InProcessScene({ appendonly: false });

afterEach(() => scene.end());

it('who waits for the end of a pause of everything goes on while writes stay paused', async () => {
  const server = await scene.start(emptyDisk());
  const { pause } = server.server.desk;
  const reader = await scene.connect(server);
  const writer = await scene.connect(server);
  pause.begin('failover', Number.MAX_SAFE_INTEGER, true);
  pause.begin('client', Number.MAX_SAFE_INTEGER, false);
  const written = ask(writer, 'SET', 'key', 'value');
  await until('the write waits', () => pause.size === 1);
  const read = ask(reader, 'GET', 'key');
  await until('the read waits', () => pause.size === 2);
  pause.end('client');
  expect(await read).toBe(null);
  expect(pause.size).toBe(1);
  pause.end('failover');
  expect(await written).toBe('OK');
  expect(pause.size).toBe(0);
});

it('a pause of everything is not made less by one of writes', async () => {
  const server = await scene.start(emptyDisk());
  const { pause } = server.server.desk;
  const reader = await scene.connect(server);
  const untilMs = performance.now() + 3_600_000;
  pause.begin('client', untilMs, false);
  pause.begin('client', untilMs, true);
  const read = ask(reader, 'GET', 'key');
  await until('the read waits', () => pause.size === 1);
  pause.end('client');
  expect(await read).toBe(null);
});

it('a replica is heard while everything is paused', async () => {
  const server = await scene.start(emptyDisk());
  const { desk, hub } = server.server;
  const client = await scene.connect(server);
  const replica = hub.clients.get(Number(await client.value('CLIENT', 'ID')))!;
  replica.isReplica = true;
  desk.pause.begin('client', Number.MAX_SAFE_INTEGER, false);
  const acks = Buffer.from(encodeCommand(['REPLCONF', 'ACK', '0']).toString().repeat(20));
  const { commandCount } = replica;
  hub.read(replica, acks, 0, acks.length);
  expect([desk.pause.size, replica.commandCount - commandCount]).toEqual([0, 20]);
});

it('lasts as long as was said where no timer reaches so far', () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'setImmediate'] });
  try {
    const services: Partial<Services> = {};
    const expiry: Partial<ExpiryHolds> = { hold: () => {} };
    const pause = new ClientPause(services as Services, expiry as ExpiryHolds);
    const days = 24 * 3_600_000;
    pause.begin('client', performance.now() + 30 * days, false);
    vi.advanceTimersByTime(30 * days - 1);
    expect(pause.isPaused).toBe(true);
    pause.resumeWaiting = () => {};
    vi.advanceTimersByTime(1);
    expect(pause.isPaused).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});
