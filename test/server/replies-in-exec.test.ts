/**
 * What CLIENT REPLY and messages to oneself make of the reply to EXEC: bytes that are no whole
 * replies any more, so they are compared as they come.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { rawExchange } from '../support/raw-exchange.ts';
import type { ServerProcess } from '../support/server-process.ts';

let server: ServerProcess;
beforeAll(async () => {
  server = await startCairnServer();
});
afterAll(() => server.close());

/** Runs the commands in MULTI; what comes from EXEC on, up to the answer to a last ECHO. */
async function transaction(...commands: string[]): Promise<string> {
  const queued = `+OK\r\n+OK\r\n${'+QUEUED\r\n'.repeat(commands.length)}`;
  // SKIP is over after one command, OFF is not.
  const after = ['CLIENT REPLY ON', 'ECHO after'];
  const lines = ['CLIENT REPLY ON', 'MULTI', ...commands, 'EXEC', ...after];
  const text = await rawExchange(server.port, lines, '$5\r\nafter\r\n');
  expect(text.startsWith(queued)).toBe(true);
  return text.slice(queued.length);
}

describe('CLIENT REPLY in a transaction', () => {
  it.each([
    [
      'OFF silences what follows',
      ['ECHO a', 'CLIENT REPLY OFF', 'ECHO b'],
      '*3\r\n$1\r\na\r\n+OK\r\n',
    ],
    [
      'ON lets through what follows',
      ['CLIENT REPLY OFF', 'ECHO a', 'CLIENT REPLY ON', 'ECHO b'],
      '*4\r\n+OK\r\n$1\r\nb\r\n+OK\r\n',
    ],
    [
      'SKIP silences the command after the transaction',
      ['CLIENT REPLY SKIP', 'ECHO a'],
      '*2\r\n$1\r\na\r\n+OK\r\n',
    ],
  ])('%s', async (_, commands, expected) => {
    expect(await transaction(...commands)).toBe(expected);
  });
});

it('CLIENT REPLY SKIP in a transaction leaves its reply where a push comes behind', async () => {
  const push = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n';
  const before = ['HELLO 3', 'CLIENT TRACKING ON BCAST', 'MULTI', 'SET k 1'];
  const text = await rawExchange(server.port, [...before, 'CLIENT REPLY SKIP', 'EXEC'], push);
  expect(text).toMatch(/\*2\r\n\+OK\r\n$/);
});

describe('a message to oneself', () => {
  it('comes after the reply to EXEC', async () => {
    const message = '*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$1\r\nm\r\n';
    const told = '*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n';
    const gone = '*3\r\n$11\r\nunsubscribe\r\n$2\r\nch\r\n:0\r\n';
    const text = await transaction('SUBSCRIBE ch', 'PUBLISH ch m', 'UNSUBSCRIBE ch');
    expect(text).toBe(`*3\r\n${told}:1\r\n${gone}${message}+OK\r\n`);
  });
});
