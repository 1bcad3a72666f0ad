/**
 * Pauses that overlap: each stops what it stops for as long as it lasts, and no longer.
 */
import { afterEach, expect, it } from 'vitest';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';

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
