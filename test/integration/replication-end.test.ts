/**
 * The end of a primary: what its replicas must have, and how far the stream goes.
 */
import { expect, it } from 'vitest';
import { nodesOfTest, until } from './replication-nodes.ts';

const GETACK = '*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n';
const SET = '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n';
const CONFIG = { save: '3600 1', 'repl-ping-replica-period': 3600 };
const { node } = nodesOfTest();

it.each([
  ['SHUTDOWN NOW', ['NOW'], 0],
  ['SHUTDOWN', [], 1],
])('%s asks a replica that lags how far it is no more than once', async (_, words, asked) => {
  const primary = await node('cairn', CONFIG);
  const replica = await node('cairn');
  await replica.follow(primary.port);
  await replica.linked();
  await primary.call('SET', 'k', 'v');
  const before = await primary.number('master_repl_offset');
  // Nobody can have acknowledged what came in the same turn.
  const sent = [primary.call('SET', 'k', 'v'), primary.call('SHUTDOWN', ...words)];
  await Promise.allSettled(sent);
  await until('it has ended', async () => !primary.server.isRunning);
  await primary.restart(CONFIG);
  const after = await primary.number('master_repl_offset');
  expect(after - before).toBeGreaterThanOrEqual(SET.length);
  expect(after - before).toBeLessThanOrEqual(SET.length + asked * GETACK.length);
  await replica.linked();
  expect(await primary.number('sync_full')).toBe(0);
});
