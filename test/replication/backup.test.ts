/**
 * A backup from a primary that the test plays: what it asks for, that the file is on disk before it
 * has its name, and that whatever breaks off leaves the old one and nothing else.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BackupResult, takeBackup } from '../../src/replication/backup.ts';
import { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { FULL, ID, RDB } from './link-scene.ts';
import { type PeerConnection, ScriptedPeer } from './scripted-peer.ts';

let peer: ScriptedPeer;
let fs: FaultyFileSystem;

beforeEach(async () => {
  peer = await ScriptedPeer.listen();
  fs = new FaultyFileSystem();
  fs.put('/data/backup.rdb', Buffer.from('the old one'));
});

afterEach(() => peer.close());

function take(signal?: AbortSignal): Promise<BackupResult> {
  return takeBackup({
    fs,
    path: '/data/backup.rdb',
    pid: 7,
    host: '127.0.0.1',
    port: peer.port,
    user: '',
    password: '',
    timeoutMs: 60_000,
    onProgress: () => undefined,
    log: () => undefined,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Plays a primary up to PSYNC; returns what was said. */
async function greet(): Promise<{ connection: PeerConnection; said: (string | null)[] }> {
  const connection = await peer.connection();
  const said = [await connection.answer('+PONG\r\n')];
  for (let i = 0; i < 3; i++) said.push(await connection.answer('+OK\r\n'));
  said.push(await connection.command());
  return { connection, said };
}

it('asks for the dataset alone, and puts it under its name when it is on disk', async () => {
  const backup = take();
  const { connection, said } = await greet();
  expect(said.slice(3)).toEqual(['REPLCONF rdb-only 1', 'PSYNC ? -1']);
  connection.send(FULL);
  expect(await backup).toMatchObject({
    rdbBytes: RDB.length,
    fileBytes: RDB.length,
    position: { id: ID, offset: 100 },
  });
  expect(await connection.command()).toBe(null);
  expect(fs.paths()).toEqual(['/data/backup.rdb']);
  const cut = fs.cutPower(1, 'all');
  expect(Buffer.from(cut.content('/data/backup.rdb') ?? []).toString('latin1')).toBe(RDB);
});

it.each(['the primary goes', 'it is given up'])('leaves the old one when %s', async (what) => {
  const abort = new AbortController();
  const backup = take(abort.signal);
  const settled = backup.catch((error: Error) => error.message);
  const { connection } = await greet();
  connection.send(FULL.slice(0, -5));
  await expect.poll(() => fs.calls.some((call) => call.startsWith('write'))).toBe(true);
  if (what === 'the primary goes') connection.close();
  else abort.abort();
  expect(await settled).toContain(what === 'the primary goes' ? 'closed' : 'given up');
  expect(await connection.command()).toBe(null);
  expect(fs.paths()).toEqual(['/data/backup.rdb']);
  expect(Buffer.from(fs.content('/data/backup.rdb') ?? []).toString()).toBe('the old one');
});
