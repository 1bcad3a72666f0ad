/** How long strings may become: a limit of 1 MB, and the 512 MB of the default. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/string-limit.txt', import.meta.url), {
  'proto-max-bulk-len': '1mb',
});

describe('the longest strings', () => {
  const longest = 512 * 1024 * 1024;
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startCairnServer();
  });
  afterAll(() => server?.close());

  it('are made by SETRANGE and SETBIT at once, and no longer ones', async () => {
    const client = await server.connect();
    expect(await client.value('SETRANGE', 'k', longest - 1, 'a')).toBe(longest);
    expect(await client.value('GETRANGE', 'k', -3, -1)).toBe('\0\0a');
    expect(await client.value('GETRANGE', 'k', 0, 1)).toBe('\0\0');
    expect(await client.value('SETBIT', 'b', longest * 8 - 1, 1)).toBe(0);
    expect(await client.value('BITPOS', 'b', 1, -1)).toBe(longest * 8 - 1);
    expect(await client.value('STRLEN', 'b')).toBe(longest);
    const error = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
    expect(await client.value('APPEND', 'k', 'a')).toEqual({ error });
    expect(await client.value('SETRANGE', 'k', longest, 'a')).toEqual({ error });
    expect(await client.value('GETDEL', 'small')).toBeNull();
    client.close();
  });
});
