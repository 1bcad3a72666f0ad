/** SLOWLOG where Redis 7.2 keeps it otherwise than 7.0, and what it does not show. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyDisk, InProcessServer } from '../../support/in-process-server.ts';
import type { RawClient } from '../../support/raw-client.ts';
import type { ReplyValue } from '../../support/resp-reader.ts';

describe('SLOWLOG', () => {
  let server: InProcessServer;
  let client: RawClient;
  beforeEach(async () => {
    server = await InProcessServer.start(emptyDisk(), { 'slowlog-log-slower-than': 0 });
    client = await server.connect();
  });
  afterEach(async () => {
    client.close();
    await server.abandon();
  });

  const latest = async (): Promise<readonly ReplyValue[]> => {
    const entries = await client.value('SLOWLOG', 'GET', '1');
    const entry = Array.isArray(entries) ? entries[0] : undefined;
    if (!Array.isArray(entry)) throw new Error('SLOWLOG GET shows no entry');
    return entry;
  };

  it('counts no commands while it holds none', async () => {
    await client.value('PING');
    const [before] = await latest();
    await client.value('CONFIG', 'SET', 'slowlog-max-len', '0');
    for (let i = 0; i < 10; i++) await client.value('PING');
    expect(await client.value('SLOWLOG', 'LEN')).toBe(0);
    await client.value('CONFIG', 'SET', 'slowlog-max-len', '128');
    const [after] = await latest();
    // SLOWLOG GET, and the CONFIG SET that ended it.
    expect(Number(after) - Number(before)).toBe(2);
  });

  it.each([
    ...['requirepass', 'masteruser', 'masterauth', 'tls-key-file-pass', 'tls-client-key-file-pass'],
  ])('does not show what %s is set to', async (name) => {
    await client.value('CONFIG', 'SET', name, '');
    expect((await latest())[3]).toEqual(['CONFIG', 'SET', name, '(redacted)']);
  });
});
