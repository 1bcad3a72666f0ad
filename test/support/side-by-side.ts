/**
 * The same conversation with Cairn and with the real server: several clients, their replies and
 * their pushes, compared as bytes.
 *
 *     a> SET k v        client a sends a command and reads its reply
 *     a>> SUBSCRIBE x   sends, reads a push (RESP3 confirmations are pushes)
 *     a>2 ...  a>>2     reads two
 *     a>0 ...           reads none
 *     a< 2              reads two more replies (RESP2 messages)      a<< 2   two pushes
 *     a! closed         waits until the server has closed the connection
 *     a~ 2              asks, as client a, until two clients are blocked
 *
 * A client whose name ends with 3 says HELLO 3 first. Every conversation begins with new clients.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCairnServer } from './cairn-server.ts';
import { until } from './in-process-scene.ts';
import type { RawClient } from './raw-client.ts';
import { startRealServer } from './real-server.ts';
import type { ServerOptions, ServerProcess } from './server-process.ts';
import { wordsOf } from './transcript.ts';

/** What may differ, and what stands in its place. */
export type Mask = readonly [pattern: RegExp, text: string];

/** What is refused by ACL rules, which 7.0 and 7.2 say in other words. */
export const refusals: readonly Mask[] = [
  [/-NOPERM this user has no permissions to run/, '-NOPERM User some has no permissions to run'],
  [
    /-NOPERM this user has no permissions to access one of the keys used as arguments/,
    '-NOPERM No permissions to access a key',
  ],
];

const LINE = /^(\w+)(>>|>|<<|<|!|~)(\d*) *(.*)$/;

class Talk {
  readonly #server: ServerProcess;
  readonly #clients = new Map<string, RawClient>();
  readonly #ids = new Map<string, string>();

  constructor(server: ServerProcess) {
    this.#server = server;
  }

  async client(name: string): Promise<RawClient> {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const client = await this.#server.connect();
    this.#ids.set(name, String(await client.value('CLIENT', 'ID')));
    if (name.endsWith('3')) await client.send('HELLO', 3);
    this.#clients.set(name, client);
    return client;
  }

  /** Client numbers and addresses differ between servers: `$id(name)` in a line stands for one. */
  async fill(line: string): Promise<string> {
    for (const [whole, name = ''] of line.matchAll(/\$id\((\w+)\)/g)) {
      await this.client(name);
      line = line.replace(whole, this.#ids.get(name) ?? '');
    }
    return line;
  }

  async run(line: string): Promise<string[]> {
    const found = LINE.exec(line);
    if (found === null) throw new Error(`not a line of a conversation: ${line}`);
    const [, name = '', kind = '', count = '', rest = ''] = found;
    const client = await this.client(name);
    if (kind === '!') {
      await client.waitClosed();
      return ['closed'];
    }
    if (kind === '~') {
      await until(`${rest} blocked clients`, async () => {
        const info = String(await client.value('INFO', 'clients'));
        return info.includes(`blocked_clients:${rest}\r\n`);
      });
      return ['blocked'];
    }
    const sends = kind.startsWith('>');
    const reads = sends ? Number(count === '' ? 1 : count) : Number(rest === '' ? 1 : rest);
    if (sends) await this.write(client, rest);
    const got: string[] = [];
    for (let i = 0; i < reads; i++) {
      const push = kind.length === 2;
      const reply = await (push ? client.readPush() : client.read());
      got.push(reply.raw.toString('latin1'));
    }
    return got;
  }

  private async write(client: RawClient, line: string): Promise<void> {
    const words = wordsOf(await this.fill(line));
    const parts = words.map((word) => [`$${word.length}\r\n`, word.toString('latin1'), '\r\n']);
    client.write(`*${words.length}\r\n${parts.flat().join('')}`);
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}

/** Holds the conversation with one server; each line with what came back. */
export async function converse(
  server: ServerProcess,
  text: string,
  masks: readonly Mask[],
): Promise<string[]> {
  const talk = new Talk(server);
  const record: string[] = [];
  try {
    const lines = text.split('\n').map((line) => line.trim());
    for (const line of lines.filter((one) => one !== '' && !one.startsWith('#'))) {
      const got = await talk.run(line).catch((error: Error) => [`no answer: ${error.message}`]);
      const masked = got.map((one) =>
        masks.reduce((all, [pattern, stand]) => all.replace(pattern, stand), one),
      );
      record.push(`${line}  ->  ${JSON.stringify(masked)}`);
    }
  } finally {
    talk.close();
  }
  return record;
}

/** Starts both servers for a test file; `same` declares a test that both answer alike. */
export function sideBySide(options: ServerOptions = {}): {
  readonly same: (name: string, text: string, masks?: readonly Mask[]) => void;
  readonly servers: () => { readonly cairn: ServerProcess; readonly redis: ServerProcess };
} {
  let cairn: ServerProcess;
  let redis: ServerProcess;
  beforeAll(async () => {
    [cairn, redis] = await Promise.all([startCairnServer(options), startRealServer(options)]);
  });
  afterAll(async () => {
    await cairn?.close();
    await redis?.close();
  });
  const same = (name: string, text: string, masks: readonly Mask[] = []): void => {
    it(name, async () => {
      const [ours, theirs] = [
        await converse(cairn, text, masks),
        await converse(redis, text, masks),
      ];
      expect(theirs.length).toBeGreaterThan(0);
      expect(ours).toEqual(theirs);
    });
  };
  return { same, servers: () => ({ cairn, redis }) };
}
