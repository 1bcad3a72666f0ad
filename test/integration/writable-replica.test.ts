/**
 * A replica that its own clients may write to.
 */
import { describe, expect, it } from 'vitest';
import { level, nodesOfTest, until } from './replication-nodes.ts';

const { node } = nodesOfTest();

describe('a replica that may be written to', () => {
  it('removes by the clock what its own clients wrote, and nothing of its primary', async () => {
    const primary = await node('cairn');
    const replica = await node('cairn', { 'replica-read-only': 'no' });
    await primary.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
    await primary.call('SET', 'theirs', 1, 'PX', 1);
    await replica.follow(primary.port);
    await replica.linked();
    await replica.client
      .multi([
        ['set', 'copied', 1, 'PX', 1],
        ['copy', 'copied', 'copy'],
        ['set', 'renamed', 1, 'PX', 1],
        ['rename', 'renamed', 'new name'],
        ['set', 'kept', 1, 'PX', 1],
        ['persist', 'kept'],
      ])
      .exec();
    await replica.call('SET', 'elsewhere', 1);
    await replica.call('PEXPIRE', 'elsewhere', 1);
    await until('only what is to stay is left', async () => {
      return (await replica.call('DBSIZE')) === 2;
    });
    expect(await replica.call('GET', 'kept')).toBe('1');
    expect(await replica.call('GET', 'theirs')).toBeNull();
    await level(primary, replica);
  });
});
