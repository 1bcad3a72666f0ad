/**
 * A replica whose clients are paused: what its primary sends waits, and goes on when the pause
 * ends, whether or not a client of its own waited, too.
 */
import { describe, expect, it } from 'vitest';
import { nodesOfTest, until } from './replication-nodes.ts';

const { node } = nodesOfTest();

describe('a paused replica', () => {
  it.each(['CLIENT UNPAUSE', 'time'])('applies the stream after %s', async (end) => {
    const primary = await node('cairn');
    const replica = await node('cairn');
    await replica.follow(primary.port);
    await replica.linked();
    await replica.call('CLIENT', 'PAUSE', end === 'time' ? 500 : 1_000_000, 'WRITE');
    for (let i = 0; i < 3; i++) await primary.call('SET', `k${i}`, i);
    if (end !== 'time') {
      await until('the replica has read all', async () => {
        const { slave_read_repl_offset: read } = await replica.info('replication');
        return Number(read) >= (await primary.number('master_repl_offset'));
      });
      expect(await replica.call('GET', 'k0')).toBeNull();
      await replica.call('CLIENT', 'UNPAUSE');
    }
    await until('the replica has the data', async () => (await replica.call('GET', 'k2')) === '2');
  });
});
