/** CLIENT LIST of more clients than a chunk holds: a line for each, in both protocols. */
import { expect, it } from 'vitest';
import { startCairnServer } from '../../support/cairn-server.ts';

const CLIENTS = 150;

it('lists very many clients, whichever protocol asks', async () => {
  const server = await startCairnServer();
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => server.connect()));
  const ids = await Promise.all(clients.map((client) => client.value('CLIENT', 'ID')));
  for (const [i, client] of clients.slice(0, 2).entries()) {
    await client.send('HELLO', 2 + i, 'SETNAME', `asks${i}`);

    const text = String(await client.value('CLIENT', 'LIST'));

    const lines = text.replace(/^txt:/, '').split('\n');
    expect(lines.pop()).toBe('');
    expect(new Set(lines.map((line) => Number(/^id=(\d+) addr=/.exec(line)?.[1])))).toEqual(
      new Set(ids),
    );
    for (const line of lines) expect(line).toMatch(/ tot-cmds=\d+$/);
    const own = lines.find((line) => line.includes(` name=asks${i} `));
    expect(own).toMatch(new RegExp(` cmd=client\\|list .* resp=${2 + i} `));
  }
  for (const one of clients) one.close();
  await server.close();
});
