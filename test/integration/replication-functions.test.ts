/** Function libraries of a real primary in a replica: in a full sync, in the stream, and back. */
import { describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { converged, nodesOfTest, until } from './replication-nodes.ts';

const { node } = nodesOfTest();

const library = (name: string): string =>
  `#!lua name=${name}\nredis.register_function('${name}', function() return '${name}' end)`;

describe.skipIf(requireRedisServer() === null)('function libraries of a primary', () => {
  it('come to the replica and back from it, and spoil no transaction', async () => {
    const primary = await node('redis');
    const replica = await node('cairn', { appendonly: 'yes' });
    await primary.call('FUNCTION', 'LOAD', library('synced'));
    await primary.call('FUNCTION', 'LOAD', library('gone'));
    await replica.follow(primary.port);
    await replica.linked();
    // What comes from here on is in its log alone.
    await until('its AOF has a base', async () => {
      return String(await replica.call('INFO', 'persistence')).includes('rewrite_in_progress:0');
    });
    await primary.call('FUNCTION', 'LOAD', library('streamed'));
    await primary.client
      .multi()
      .set('before', 1)
      .call('FUNCTION', 'DELETE', 'gone')
      .set('behind', 2)
      .exec();
    await converged(primary, replica);
    expect(await replica.call('MGET', 'before', 'behind')).toEqual(['1', '2']);
    expect(replica.server.logText).not.toContain('CRITICAL');
    // Its log has them: what it sends is what it kept through a restart.
    await replica.restart({ appendonly: 'yes' });
    const last = await node('redis');
    await last.follow(replica.port);
    await last.linked();
    await last.call('REPLICAOF', 'NO', 'ONE');
    expect(await last.call('FCALL', 'synced', 0)).toBe('synced');
    expect(await last.call('FCALL', 'streamed', 0)).toBe('streamed');
    expect(JSON.stringify(await last.call('FUNCTION', 'LIST'))).not.toContain('gone');
  });
});
