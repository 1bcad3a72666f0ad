/**
 * Where pushes stand that a client's own command causes: behind its reply, and behind that of the
 * transaction which it is part of. Compared as the bytes come.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { rawExchange } from '../support/raw-exchange.ts';
import type { ServerProcess } from '../support/server-process.ts';

let server: ServerProcess;
beforeAll(async () => {
  server = await startCairnServer({ config: { 'enable-debug-command': 'yes' } });
});
afterAll(() => server.close());

/** Runs the commands in one go, in RESP3; what comes behind the answer to the first ECHO. */
async function answers(...commands: string[]): Promise<string> {
  const before = ['HELLO 3', 'CLIENT TRACKING ON', 'SET k 1', 'ECHO begin'];
  const lines = [...before, ...commands, 'ECHO end'];
  const text = await rawExchange(server.port, lines, '$3\r\nend\r\n');
  return text.slice(text.indexOf('begin\r\n') + 7);
}

const EMPTIED = '>2\r\n$10\r\ninvalidate\r\n_\r\n';
const SAMPLE = '$40\r\nSome real reply following the push reply\r\n';
const PUSH = '>2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n';
const QUEUED = '+QUEUED\r\n';

describe('a push that a command of the client itself causes', () => {
  it.each([
    ['FLUSHALL', ['FLUSHALL'], `+OK\r\n${EMPTIED}`],
    ['FLUSHDB', ['FLUSHDB SYNC'], `+OK\r\n${EMPTIED}`],
    ['FLUSHALL ASYNC', ['FLUSHALL ASYNC'], `+OK\r\n${EMPTIED}`],
    ['FLUSHALL of nothing', ['FLUSHALL', 'FLUSHALL'], `+OK\r\n${EMPTIED}`.repeat(2)],
    [
      'FLUSHALL in a transaction',
      ['MULTI', 'FLUSHALL', 'ECHO a', 'EXEC'],
      `+OK\r\n${QUEUED}${QUEUED}*2\r\n+OK\r\n$1\r\na\r\n${EMPTIED}`,
    ],
    ['DEBUG PROTOCOL PUSH', ['DEBUG PROTOCOL PUSH'], SAMPLE + PUSH],
    [
      'DEBUG PROTOCOL PUSH in a transaction',
      ['MULTI', 'DEBUG PROTOCOL PUSH', 'ECHO a', 'EXEC'],
      `+OK\r\n${QUEUED}${QUEUED}*2\r\n${SAMPLE}$1\r\na\r\n${PUSH}`,
    ],
  ])('of %s comes behind the reply', async (_, commands, expected) => {
    expect(await answers(...commands)).toBe(expected);
  });

  it.each([
    ['a change', ['SET', 'k', '2'], ['k']],
    ['a change of everything', ['FLUSHALL'], null],
  ])('comes behind it, too, for %s of what its redirector read', async (_, command, told) => {
    const [reader, target] = [await server.connect(), await server.connect()];
    await target.send('HELLO', '3');
    const id = String(await target.value('CLIENT', 'ID'));
    await reader.send('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id);
    await reader.send('GET', 'k');
    const replies = await target.pipeline([['MULTI'], command, ['ECHO', 'a'], ['EXEC']]);
    expect(replies.at(-1)?.raw.toString()).toBe('*2\r\n+OK\r\n$1\r\na\r\n');
    expect((await target.readPush()).value).toEqual(['invalidate', told]);
    reader.close();
    target.close();
  });
});
