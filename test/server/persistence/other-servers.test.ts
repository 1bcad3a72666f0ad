/**
 * Dumps that Valkey 8 and 9 and Redis 8 wrote (fixtures/rdb): all types and encodings, a stream
 * with groups, two databases, a function library, and from those that have expiring fields a hash
 * and a table whose fields were to expire once. What the digests should be, those servers said.
 */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { checkRdb } from '../../../src/persistence/tools/check-rdb.ts';
import { fileReader, fixture, loaded, NOW_MS } from '../../persistence/rdb/rdb-support.ts';
import { ask, InProcessScene } from '../../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk } from '../../support/in-process-server.ts';

const DUMP = `${DATA_FOLDER}/dump.rdb`;
const WITH_FORMER_EXPIRIES = '60bba5397de41e1794b36a797430afa7f4245129';

const DUMPS = [
  { name: 'valkey-8.1.1.rdb', version: 11, digest: '5e68013a9ca063238eff4ebe6b771dc513cdeb15' },
  { name: 'valkey-9.1.2.rdb', version: 80, digest: WITH_FORMER_EXPIRIES },
  { name: 'redis-8.0.6.rdb', version: 12, digest: WITH_FORMER_EXPIRIES },
];

describe.each(DUMPS)('the dump $name', ({ name, version, digest }) => {
  const scene = new InProcessScene({ appendonly: false, 'enable-debug-command': 'yes' });
  afterEach(() => scene.end());

  it('is sound, and says its version', () => {
    const reader = () => fileReader(readFileSync(fixture(name)));
    expect(checkRdb(reader(), NOW_MS).ok).toBe(true);
    expect(loaded(reader()).load.version).toBe(version);
  });

  it.each(['9', '10', '11'])('loads, and is as equal when saved as version %s', async (saved) => {
    const disk = emptyDisk();
    disk.put(DUMP, readFileSync(fixture(name)));
    const server = await scene.start(disk, { 'rdb-save-version': saved });
    const client = await scene.connect(server);
    expect(await ask(client, 'DEBUG', 'DIGEST')).toBe(digest);
    const groups = String(await ask(client, 'XINFO', 'GROUPS', 'stream'));
    expect(groups).toContain('name,g1,consumers,2,pending,11,last-delivered-id,1013-1,');
    expect(groups).toContain('name,g2,consumers,1,pending,0,last-delivered-id,1100-0,');
    expect(await ask(client, 'PEXPIRETIME', 'expires')).toBe(4_000_000_000_000);
    expect(await ask(client, 'SAVE')).toBe('OK');

    const again = await scene.connect(await scene.start(disk));
    expect(await ask(again, 'DEBUG', 'DIGEST')).toBe(digest);
    // Version 9 has no room for what groups have read in all.
    const lost = saved === '9' ? /,entries-read,.*?,lag,[^,]*/g : /$^/;
    expect(String(await ask(again, 'XINFO', 'GROUPS', 'stream')).replace(lost, '')).toBe(
      groups.replace(lost, ''),
    );
  });
});
