/**
 * The flags of CLIENT LIST of clients that have waited, compared with the real server: between
 * what ends the wait and the end of the turn they are neither blocked nor as if nothing were.
 */
import { describe, expect, it } from 'vitest';
import type { RawClient } from '../../support/raw-client.ts';
import { requireRedisServer } from '../../support/real-server.ts';
import { sideBySide } from '../../support/side-by-side.ts';

type Words = readonly (string | number)[];

/** The flags of client `id` in each reply that lists it. */
async function flagsOf(boss: RawClient, id: number, commands: readonly Words[]): Promise<string[]> {
  const flags: string[] = [];
  for (const { value } of await boss.pipeline(commands)) {
    const line = String(value)
      .split('\n')
      .find((one) => one.includes(`id=${id} `));
    if (line !== undefined) flags.push(/flags=(\w+)/.exec(line)?.[1] ?? '');
  }
  return flags;
}

describe.skipIf(requireRedisServer() === null)('flags of a client that has waited', () => {
  const { servers } = sideBySide();
  const list = ['CLIENT', 'LIST'];

  /** Runs `wait` in a client and then `commands`, ID standing for that client, on both servers. */
  async function both(before: Words, wait: Words, commands: readonly Words[]): Promise<string[]> {
    const shown: string[][] = [];
    for (const server of [servers().cairn, servers().redis]) {
      const [boss, client] = [await server.connect(), await server.connect()];
      const id = Number(await client.value('CLIENT', 'ID'));
      await boss.send('FLUSHALL');
      await boss.send(...before);
      const answer = client.send(...wait);
      await expect.poll(() => flagsOf(boss, id, [list])).toEqual(['b']);
      const meant = commands.map((words) => words.map((word) => (word === 'ID' ? id : word)));
      shown.push(await flagsOf(boss, id, meant));
      await answer;
      await expect.poll(() => flagsOf(boss, id, [list])).toEqual(['N']);
      for (const each of [boss, client]) each.close();
    }
    expect(shown[0]).toEqual(shown[1]);
    return shown[0] ?? [];
  }

  it.each<[string, Words, readonly Words[]]>([
    ['a push', ['BLPOP', 'k', 0], [['RPUSH', 'k', 'v'], list]],
    ['an entry', ['XREAD', 'BLOCK', 0, 'STREAMS', 'k', '$'], [['XADD', 'k', '*', 'f', 'v'], list]],
    ['CLIENT UNBLOCK', ['BLPOP', 'k', 0], [['CLIENT', 'UNBLOCK', 'ID'], list]],
    ['CLIENT UNBLOCK of WAIT', ['WAIT', 5, 0], [['CLIENT', 'UNBLOCK', 'ID'], list]],
  ])('that %s has served', async (_, wait, commands) => {
    expect(await both(['PING'], wait, [list, ...commands])).toEqual(['b', 'u']);
  });

  it('that a pause has held', async () => {
    const pause = ['CLIENT', 'PAUSE', 60_000, 'WRITE'];
    const end = [list, ['CLIENT', 'UNPAUSE'], list];
    expect(await both(pause, ['SET', 'k', 'v'], end)).toEqual(['b', 'u']);
  });
});
