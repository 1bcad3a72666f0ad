/**
 * An AOF that is switched on lies in the `dir` of that moment, not in that of the start: who keeps
 * the new `dir` in the configuration finds the data there at the next start.
 */
import { existsSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { type NodeKind, nodesOfTest, until } from './replication-nodes.ts';

const { node } = nodesOfTest();
const KINDS: NodeKind[] = requireRedisServer() === null ? ['cairn'] : ['redis', 'cairn'];
let other = '';
const hasAof = (dir: string): boolean =>
  existsSync(join(dir, 'appendonlydir', 'appendonly.aof.manifest'));

beforeEach(() => {
  other = realpathSync(mkdtempSync(join(tmpdir(), 'aof-dir-')));
});

afterEach(() => removeFolder(other));

describe.each(KINDS)('%s', (kind) => {
  it('switches its AOF on in the folder that dir names by then', async () => {
    const one = await node(kind, { 'enable-protected-configs': 'yes', save: '' });
    const [, first] = (await one.call('CONFIG', 'GET', 'dir')) as [string, string];
    await one.call('SET', 'a', 1);
    await one.call('CONFIG', 'SET', 'dir', other);
    await one.call('CONFIG', 'SET', 'appendonly', 'yes');
    await until('there is an AOF', async () => hasAof(other));
    expect(hasAof(first)).toBe(false);
    await one.call('SET', 'b', 2);
    await one.call('DEBUG', 'LOADAOF');
    expect(await one.call('MGET', 'a', 'b')).toEqual(['1', '2']);

    await one.call('CONFIG', 'SET', 'appendonly', 'no');
    await one.call('CONFIG', 'SET', 'dir', first);
    await one.call('CONFIG', 'SET', 'appendonly', 'yes');
    await until('there is one in the first folder', async () => hasAof(first));
  });
});
