/**
 * Files of full syncs: one that is whole in the moment in which its last replica goes is nobody's.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { realFileSystem } from '../../../src/persistence/file-system.ts';
import { syncSnapshotStarter } from '../../../src/server/persistence/sync-snapshot.ts';
import { InsideServer } from '../../support/inside.ts';

it('a snapshot that is given up when it has its name already leaves no file', async () => {
  const inside = await InsideServer.open();
  const { persistence } = inside.server;
  let path = '';
  vi.spyOn(persistence.maker, 'begin').mockImplementation(async (_purpose, target) => {
    if (!('file' in target)) throw new Error('not a file');
    path = target.file;
    writeFileSync(path, 'whole');
    throw new Error('the snapshot was aborted');
  });
  const content = { data: true, functions: true };
  const aux = { id: '0'.repeat(40), offset: 0, streamDb: 0 };
  const taker = { take: () => true, room: () => new Uint8Array(1) };

  const start = syncSnapshotStarter(persistence, realFileSystem);
  const snapshot = start({ target: 'file', content, aux, taker });

  await expect(snapshot?.done).rejects.toThrow('aborted');
  expect(path).toContain('temp-sync-');
  expect(existsSync(path)).toBe(false);
  await inside.close();
});
