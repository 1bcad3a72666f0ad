/**
 * The PING in a primary's stream moves its offset, so how often it comes is obeyed at once: a
 * primary that is to hand over must be able to stop it.
 */
import { afterEach, expect, it } from 'vitest';
import { type Node, startNode, until } from './replication-nodes.ts';

const open: Node[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

it('a longer period between PINGs holds from the moment it is set', async () => {
  const primary = await startNode('cairn', { 'repl-ping-replica-period': 1 });
  const replica = await startNode('cairn');
  open.push(primary, replica);
  await replica.follow(primary.port);
  await replica.linked();
  const first = await primary.number('master_repl_offset');
  await until('a PING', async () => (await primary.number('master_repl_offset')) > first);
  await primary.call('CONFIG', 'SET', 'repl-ping-replica-period', 3600);
  const [offset, second] = [
    await primary.number('master_repl_offset'),
    await primary.number('uptime_in_seconds'),
  ];
  await until('three seconds have passed', async () => {
    return (await primary.number('uptime_in_seconds')) >= second + 3;
  });
  expect(await primary.number('master_repl_offset')).toBe(offset);
});
