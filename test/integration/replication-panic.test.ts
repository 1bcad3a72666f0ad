/**
 * `propagation-error-behavior panic`: a command of the primary that fails here shows that the two
 * datasets differ, and the replica ends, wherever in what the primary sends the command stands.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RDB } from '../replication/link-scene.ts';
import { ScriptedPeer } from '../replication/scripted-peer.ts';
import { requireRedisServer } from '../support/real-server.ts';
import { type NodeKind, nodesOfTest, until } from './replication-nodes.ts';

const KINDS: NodeKind[] = requireRedisServer() === null ? ['cairn'] : ['redis', 'cairn'];
const STREAM = '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nx\r\n' + '*2\r\n$4\r\nincr\r\n$1\r\na\r\n';
const { node } = nodesOfTest();

let peer: ScriptedPeer;

beforeEach(async () => {
  peer = await ScriptedPeer.listen();
});

afterEach(() => peer.close());

it.each(KINDS.flatMap((kind) => [[kind, 'with the dataset'] as const, [kind, 'later'] as const]))(
  '%s ends at a command that fails and comes %s',
  async (kind, when) => {
    const replica = await node(kind, { 'propagation-error-behavior': 'panic' });
    await replica.follow(peer.port);
    const connection = await peer.connection();
    await connection.answer('+PONG\r\n');
    await connection.answer('+OK\r\n');
    await connection.answer('+OK\r\n');
    await connection.command();
    const dataset = `+FULLRESYNC ${'a'.repeat(40)} 1\r\n$${RDB.length}\r\n${RDB}`;
    if (when === 'later') {
      connection.send(dataset);
      await replica.linked();
      connection.send(STREAM);
    } else {
      connection.send(dataset + STREAM);
    }
    await until('it has ended', async () => !replica.server.isRunning);
    expect(replica.server.logText).toContain("after processing the command 'incr'");
  },
);
