/**
 * A replica that reads late what has long left the backlog: it gets the stream as it was, whatever
 * has become of the memory since.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';
import { RawReplica } from '../../support/raw-replica.ts';

const scene = new InProcessScene({ 'repl-ping-replica-period': 3600, 'repl-backlog-size': '16kb' });

afterEach(() => scene.end());

describe('a replica that reads late', () => {
  it('gets the stream as it was', async () => {
    const primary = await scene.start(emptyDisk(), { appendonly: false });
    const { replication } = primary.server;
    replication.primary.openBacklog();
    const { history } = replication;
    const first = history.offset;
    const replicas = [1, 2].map(() => new RawReplica(primary, history.id, first + 1));
    try {
      await until('both are fed', () => replication.primary.replicas.size === 2);
      const [prompt, late] = replicas as [RawReplica, RawReplica];
      late.socket.pause();
      const client = await primary.connect();
      for (let i = 0; i < 100; i++) {
        await client.send('SET', `key:${i}`, String.fromCharCode(97 + (i % 26)).repeat(300_000));
      }
      client.close();
      const bytes = history.offset - first;
      const behind = [...replication.primary.replicas].map((one) => one.connection.unsentBytes);
      expect(Math.max(...behind)).toBeGreaterThan(5_000_000);
      late.socket.resume();
      for (const one of replicas) await until('all is read', () => one.streamBytes === bytes);
      expect(late.stream.equals(prompt.stream)).toBe(true);
    } finally {
      for (const { socket } of replicas) socket.destroy();
    }
  });
});
