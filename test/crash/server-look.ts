/**
 * Holds what a server finds on a disk after a crash against the writers of the load before it.
 *
 * The transactions are those of the snapshot tests: a total that is the sum of the writers' own
 * numbers tells a hole from a prefix, over all clients.
 */
import { expect } from 'vitest';
import type { SnapshotWriter } from '../integration/snapshot-load.ts';
import type { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { InProcessServer } from '../support/in-process-server.ts';
import { observe } from './observe.ts';

export type Policy = 'always' | 'everysec' | 'no';

/** How many transactions each writer must find at least. */
export type Floor = number[];

export const SETTINGS = { 'enable-debug-command': true, 'auto-aof-rewrite-percentage': 0 };

/** Starts on the disk; gives the digest after holding every writer against what is there. */
export async function lookAt(
  fs: FaultyFileSystem,
  policy: Policy,
  writers: readonly SnapshotWriter[],
  floor: Floor,
): Promise<string> {
  const server = await InProcessServer.start(fs, { ...SETTINGS, appendfsync: policy });
  const client = await server.connect();
  const nowMs = Date.now();
  const observed = await observe(client, 0);
  const numberOf = (key: string) => Number(observed.get(key)?.content.slice(7) ?? '0');
  const seqs = writers.map((one) => numberOf(`${one.prefix}seq`));
  expect(seqs.reduce((sum, one) => sum + one, 0)).toBe(numberOf('total'));
  for (const [i, writer] of writers.entries()) {
    const own = [...observed].filter(
      ([key]) => key.startsWith(writer.prefix) && !key.endsWith('seq'),
    );
    expect(seqs[i]).toBeGreaterThanOrEqual(floor[i] ?? 0);
    expect(writer.difference(seqs[i] ?? 0, new Map(own), nowMs)).toBeNull();
  }
  const digest = String(await client.value('DEBUG', 'DIGEST'));
  client.close();
  await server.abandon();
  return digest;
}
