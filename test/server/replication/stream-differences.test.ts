/** Commands of a primary's stream that fail here: what is told of them, and what is not lost. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeCommand } from '../../../src/replication/handshake.ts';
import { ID, RDB } from '../../replication/link-scene.ts';
import { type PeerConnection, ScriptedPeer } from '../../replication/scripted-peer.ts';
import { ask, InProcessScene, until } from '../../support/in-process-scene.ts';
import { emptyDisk, type InProcessServer } from '../../support/in-process-server.ts';
import type { RawClient } from '../../support/raw-client.ts';

const scene = new InProcessScene({ databases: 4 });
const CRITICAL = '== CRITICAL == This replica is sending an error to its master:';
const OFFSET = 100;

let peer: ScriptedPeer;
let replica: InProcessServer;
let client: RawClient;
let primary: PeerConnection;

beforeEach(async () => {
  peer = await ScriptedPeer.listen();
  replica = await scene.start(emptyDisk());
  client = await scene.connect(replica);
  await ask(client, 'REPLICAOF', '127.0.0.1', peer.port);
  await accept();
});

afterEach(async () => {
  await scene.end();
  await peer.close();
});

/** Takes the replica's connection, and sends it an empty dataset. */
async function accept(): Promise<void> {
  primary = await peer.connection();
  await primary.answer('+PONG\r\n');
  await primary.answer('+OK\r\n');
  await primary.answer('+OK\r\n');
  await primary.answer(`+FULLRESYNC ${ID} ${OFFSET}\r\n$${RDB.length}\r\n${RDB}`);
}

/** Sends commands, their words parted by spaces; returns how many bytes they are. */
function send(...commands: string[]): number {
  const text = commands.map((one) => encodeCommand(one.split(' '))).join('');
  primary.send(text);
  return text.length;
}

function seen(key: string): Promise<void> {
  return until(`it has ${key}`, async () => (await ask(client, 'GET', key)) !== null);
}

async function info(field: string): Promise<number> {
  const text = String(await ask(client, 'INFO', 'replication'));
  return Number(new RegExp(`^${field}:(.*)$`, 'm').exec(text)?.[1]);
}

function lines(word: string): string[] {
  return replica.log.filter((line) => line.includes(word));
}

describe('a command of the stream that fails', () => {
  it('is told with its place, and counted, once for many', async () => {
    const before = send('SET s 1');
    send('VADD v VALUES 1 1 e', 'LPUSH s x');
    for (let i = 0; i < 20; i++) send('VADD v VALUES 1 1 e');
    send('SET end 1');
    await seen('end');
    const told = lines(CRITICAL);
    expect(told).toHaveLength(2);
    expect(told[0]).toContain("unknown command 'VADD'");
    expect(told[0]).toContain(`the command 'VADD', at offset ${OFFSET + before} of its stream.`);
    expect(told[0]).toContain('REPLICAOF NO ONE');
    expect(told[1]).toContain("'-WRONGTYPE Operation");
    expect(await info('slave_failed_commands')).toBe(22);
    expect(await info('slave_first_failed_offset')).toBe(OFFSET + before);
    expect(await info('slave_repl_offset')).toBe(await info('slave_read_repl_offset'));
  });

  it('takes nothing along of its transaction, and is named there', async () => {
    send('SET s 1', 'MULTI', 'SET a 1', 'VADD v VALUES 1 1 e', 'SET b', 'SET c 1', 'EXEC');
    send('MULTI', 'SET d 1', 'LPUSH s x', 'LPUSH s y', 'SET e 1', 'EXEC', 'SET end 1');
    await seen('end');
    expect(await ask(client, 'MGET', 'a', 'b', 'c', 'd', 'e')).toEqual(['1', null, '1', '1', '1']);
    expect(lines(CRITICAL).map((line) => /the command '(\w+)'/.exec(line)?.[1])).toEqual([
      'VADD',
      'SET',
      'lpush',
    ]);
    expect(lines('WRONGTYPE')).toHaveLength(1);
    expect(await info('slave_failed_commands')).toBe(4);
  });

  it('is forgotten when the whole dataset is taken over anew', async () => {
    send('VADD v VALUES 1 1 e', 'SET end 1');
    await seen('end');
    expect(await info('slave_failed_commands')).toBe(1);
    await ask(client, 'REPLICAOF', 'NO', 'ONE');
    expect(await info('slave_failed_commands')).toBe(1);
    await ask(client, 'REPLICAOF', '127.0.0.1', peer.port);
    await accept();
    await until('it has been taken over', async () => (await ask(client, 'DBSIZE')) === 0);
    await until('it is linked', async () => (await info('master_sync_in_progress')) === 0);
    expect(String(await ask(client, 'INFO', 'replication'))).not.toContain('_failed_');
    const before = send('SELECT 0');
    send('VADD v VALUES 1 1 e', 'SET end 1');
    await seen('end');
    expect(await info('slave_first_failed_offset')).toBe(OFFSET + before);
    expect(lines(CRITICAL)).toHaveLength(2);
  });

  it('is passed over when it is a SELECT that no database can be meant by', async () => {
    send('SELECT 9 x', 'SET end 1');
    await seen('end');
    expect(await info('slave_failed_commands')).toBe(1);
  });
});

it('the cache of scripts, which older primaries propagate, costs no transaction', async () => {
  send('SCRIPT FLUSH', 'MULTI', 'SET a 1', 'SCRIPT LOAD return', 'SET b 1', 'EXEC', 'SET end 1');
  await seen('end');
  expect(await ask(client, 'MGET', 'a', 'b')).toEqual(['1', '1']);
  expect(lines(CRITICAL)).toEqual([]);
});

it('HINCRBYFLOAT of a primary that calls it HSETEX is followed', async () => {
  const kept = 'HSETEX h KEEPTTL FIELDS';
  send(`${kept} 1 f 1.5`, 'MULTI', `hsetex h keepttl fields 2 g 1 f 2.5`, 'EXEC', 'SET end 1');
  await seen('end');
  expect(await ask(client, 'HGETALL', 'h')).toEqual(['f', '2.5', 'g', '1']);
  expect(lines(CRITICAL)).toEqual([]);
  // It sets no time, which no field has here; others are no such.
  send('HSETEX h EX 10 FIELDS 1 f 3', `${kept} 2 f 3`, `${kept} 0`, `${kept} x f 3`, 'SET last 1');
  await seen('last');
  expect(await ask(client, 'HGETALL', 'h')).toEqual(['f', '2.5', 'g', '1']);
  expect(await info('slave_failed_commands')).toBe(4);
});

describe('a database that there is not here', () => {
  it.each([
    ['selected', ['SELECT 4', 'SET a theirs', 'SELECT 0']],
    ['selected in a transaction', ['MULTI', 'SET a theirs', 'SELECT 4', 'SET b 1', 'EXEC']],
  ])('%s ends the stream before it, so that no other is written to', async (_how, commands) => {
    const before = send('SELECT 0', 'SET a ours');
    send(...commands);
    await until('it tells', () => lines('Replication with MASTER failed').length > 0);
    expect(lines('Replication with MASTER failed')[0]).toContain(
      'the master uses database 4, but there are only 4 here. Nothing is applied from there on: ' +
        "restart this server with 'databases 5' or more",
    );
    expect(await ask(client, 'MGET', 'a', 'b')).toEqual(['ours', null]);
    expect(await info('slave_repl_offset')).toBe(OFFSET + before);
    expect(String(await ask(client, 'INFO', 'replication'))).toContain('master_link_status:down');
  });
});

it('what is no command is not run, and has a full sync follow', async () => {
  send('SET a 1');
  await seen('a');
  primary.send(`\nFLUSHALL\r\n`);
  primary = await peer.connection();
  await primary.answer('+PONG\r\n');
  await primary.answer('+OK\r\n');
  await primary.answer('+OK\r\n');
  expect(await primary.command()).toBe('PSYNC ? -1');
  expect(await ask(client, 'GET', 'a')).toBe('1');
  expect(lines('"FLUSHALL" does not begin with')).toHaveLength(1);
});
