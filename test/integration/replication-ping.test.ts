/**
 * What else than changes may stand in a primary's stream. A PING moves its offset, so how often it
 * comes is obeyed at once: a primary that is to hand over must be able to stop it. An answer to a
 * replica would be taken for a part of the stream, so there is none.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { nodesOfTest, until } from './replication-nodes.ts';

const { node } = nodesOfTest();

it('a longer period between PINGs holds from the moment it is set', async () => {
  const primary = await node('cairn', { 'repl-ping-replica-period': 1 });
  const replica = await node('cairn');
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

it('a replica that asks for an answer is disconnected, and finds none in the stream', async () => {
  const primary = await node('cairn');
  const talker = connect(primary.port, '127.0.0.1');
  let stream = '';
  talker.on('data', (bytes) => {
    stream += bytes.toString('latin1');
  });
  talker.write('SYNC\r\n');
  await until('it is a replica', async () => {
    return primary.server.logText.includes('Synchronization with replica');
  });
  talker.write('REPLCONF ACK 0\r\nPING\r\n');
  await once(talker, 'close');
  expect(stream).toContain('REDIS0');
  expect(stream).not.toContain('PONG');
  expect(primary.server.logText).toContain("Replica generated a reply to command 'ping'");
  await until('it is gone', async () => (await primary.number('connected_slaves')) === 0);
});
