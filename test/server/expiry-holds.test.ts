/**
 * Keys whose time has come are hidden for as long as anybody wants that, whoever else begins or
 * ceases to want it meanwhile, and deleted as soon as nobody does.
 */
import { afterEach, expect, it } from 'vitest';
import { EXPIRY_DELETE, EXPIRY_HIDE } from '../../src/core/keyspace.ts';
import { ask, InProcessScene, until } from '../support/in-process-scene.ts';
import { emptyDisk, type InProcessServer } from '../support/in-process-server.ts';

const scene = new InProcessScene({ 'enable-debug-command': 'yes' });

afterEach(() => scene.end());

const mode = ({ server }: InProcessServer): number => server.keyspace.expiryMode;

it('keys expire again after a pause that ends while an AOF is loaded', async () => {
  const disk = emptyDisk();
  const server = await scene.start(disk);
  const client = await scene.connect(server);
  const other = await scene.connect(server);
  disk.holdSyncs(/\.aof$/);
  await ask(client, 'SET', 'key', 'value');
  await ask(client, 'CLIENT', 'PAUSE', 3_600_000, 'WRITE');
  expect(mode(server)).toBe(EXPIRY_HIDE);
  const loaded = ask(client, 'DEBUG', 'LOADAOF');
  await until('it loads', () => server.server.persistence.isLoading);
  expect(await ask(other, 'CLIENT', 'UNPAUSE')).toBe('OK');
  disk.releaseSyncs();
  expect(await loaded).toBe('OK');
  expect(mode(server)).toBe(EXPIRY_DELETE);
});

it('keys stay for a pause that begins while an AOF is loaded', async () => {
  const disk = emptyDisk();
  const server = await scene.start(disk);
  const client = await scene.connect(server);
  const other = await scene.connect(server);
  disk.holdSyncs(/\.aof$/);
  await ask(client, 'SET', 'key', 'value');
  const loaded = ask(client, 'DEBUG', 'LOADAOF');
  await until('it loads', () => server.server.persistence.isLoading);
  expect(await ask(other, 'CLIENT', 'PAUSE', 3_600_000, 'WRITE')).toBe('OK');
  disk.releaseSyncs();
  expect(await loaded).toBe('OK');
  expect(mode(server)).toBe(EXPIRY_HIDE);
  await ask(other, 'CLIENT', 'UNPAUSE');
  expect(mode(server)).toBe(EXPIRY_DELETE);
});

it('keys stay when a disk fails on a primary that is a replica once it is well', async () => {
  const disk = emptyDisk();
  const server = await scene.start(disk, { appendfsync: 'no' });
  const client = await scene.connect(server);
  disk.failWriteOf = /\.aof$/;
  const { persistence, replication } = server.server;
  const set = ask(client, 'SET', 'key', 'value');
  await until('it is noticed', () => persistence.isDiskBroken);
  expect(mode(server)).toBe(EXPIRY_HIDE);
  const follows = ask(client, 'REPLICAOF', '127.0.0.1', 1);
  await until('it is a replica', () => replication.isReplica);
  disk.failWriteOf = undefined;
  expect([await set, await follows]).toEqual(['OK', 'OK']);
  await until('the disk is well', () => !persistence.isDiskBroken);
  expect(mode(server)).toBe(EXPIRY_HIDE);
  await ask(client, 'REPLICAOF', 'NO', 'ONE');
  expect(mode(server)).toBe(EXPIRY_DELETE);
});

it('keys stay while clients are paused, though their replica is promoted', async () => {
  const server = await scene.start(emptyDisk(), { replicaof: '127.0.0.1 1' });
  const client = await scene.connect(server);
  await ask(client, 'CLIENT', 'PAUSE', 3_600_000, 'WRITE');
  await ask(client, 'REPLICAOF', 'NO', 'ONE');
  expect(mode(server)).toBe(EXPIRY_HIDE);
  await ask(client, 'CLIENT', 'UNPAUSE');
  expect(mode(server)).toBe(EXPIRY_DELETE);
});
