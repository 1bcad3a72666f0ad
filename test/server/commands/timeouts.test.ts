/**
 * Timeouts in milliseconds: the moment at which they end must fit in 64 bits, whoever waits, as
 * Redis 7.2 has it. (7.0 adds the two up, and waits until long ago.)
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyDisk, InProcessServer } from '../../support/in-process-server.ts';
import type { RawClient } from '../../support/raw-client.ts';

const LONGEST = '9223372036854775807';
/** It ends in the year 2292, by any clock before 2326. */
const LONG = '9223360000000000000';

describe('a timeout in milliseconds', () => {
  let server: InProcessServer;
  let client: RawClient;
  beforeAll(async () => {
    server = await InProcessServer.start(emptyDisk(), { appendonly: false });
    client = await server.connect();
    await client.value('XADD', 's', '1-1', 'f', 'v');
    await client.value('XGROUP', 'CREATE', 's', 'g', '0');
  });
  afterAll(async () => {
    client.close();
    await server.abandon();
  });

  const commands: readonly (readonly [string, ...string[]])[] = [
    ['XREAD', 'BLOCK', '?', 'STREAMS', 's', '0'],
    ['XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '?', 'STREAMS', 's', '0'],
    ['WAIT', '0', '?'],
    ['WAITAOF', '0', '0', '?'],
    ['CLIENT', 'PAUSE', '?', 'WRITE'],
  ];
  const ask = async (words: readonly string[], timeout: string): Promise<string> => {
    const [name = '', ...rest] = words.map((word) => (word === '?' ? timeout : word));
    return (await client.send(name, ...rest)).raw.toString('latin1');
  };

  it.each(commands)('is checked in %s %s %s %s %s %s %s %s %s', async (...words) => {
    expect(await ask(words, LONGEST)).toBe('-ERR timeout is out of range\r\n');
    expect(await ask(words, '-1')).toBe('-ERR timeout is negative\r\n');
    for (const text of ['x', '1.5', '', '9223372036854775808']) {
      const refused = '-ERR timeout is not an integer or out of range\r\n';
      expect(await ask(words, text), text).toBe(refused);
    }
    expect(await ask(words, LONG)).not.toMatch(/^-/);
    await client.value('CLIENT', 'UNPAUSE');
  });
});
