/**
 * XINFO STREAM's `radix-tree-nodes`, for streams with one entry a node: as many as Redis 7.0.15 has
 * in its tree of the ids that nodes begin with.
 */
import { expect, it } from 'vitest';
import { InsideServer } from '../../support/inside.ts';

it.each([
  [['1-1'], 2],
  [['1-1', '1-2'], 4],
  [['1-1', '1-2', '1-258', '2-1'], 11],
  [['1-1', '256-0', '65536-0', '4294967296-0', '4294967297-1'], 17],
  [Array.from({ length: 20 }, (_, i) => `5-${i * 37 + 1}`), 25],
])('%j', async (ids, nodes) => {
  const inside = await InsideServer.open({ 'stream-node-max-entries': 1 });
  for (const id of ids) inside.run('XADD', 'stream', id, 'field', 'value');
  const info = inside.run('XINFO', 'STREAM', 'stream');
  const words = (Array.isArray(info) ? info : []).slice(2, 6).map(String);
  expect(words).toEqual(['radix-tree-keys', `${ids.length}`, 'radix-tree-nodes', `${nodes}`]);
  await inside.close();
});
