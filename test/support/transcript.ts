/**
 * Tests as transcripts: command lines and the replies that they must get, from Cairn and, where it
 * is installed, from the real server. The latter proves the transcript itself.
 *
 *     ## the name of a topic
 *     > SET k "a\x00b" EX 100
 *     +OK
 *     > MGET k nothing
 *     *2 $3 a\x00b $-1
 *
 *     ## another topic (RESP3)
 *     ...
 *
 *     ## a topic that only a server of 7.2 answers so (7.2)
 *     ...
 *
 * Each topic begins with empty databases and a connection of its own. Arguments are quoted as for
 * redis-cli. A reply is its own bytes, with blanks for its line ends, \xHH for bytes that do not
 * print, and only the beginning when it is long. Seconds that count down or up may have gone on.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitArgs } from '../../src/core/text/args-split.ts';
import { startCairnServer } from './cairn-server.ts';
import type { RawClient } from './raw-client.ts';
import { requireRedisServer, startRealServer } from './real-server.ts';
import type { ServerOptions, ServerProcess } from './server-process.ts';

type Topic = { readonly name: string; readonly protocol: 2 | 3; readonly text: string };

const REPLY_SHOWN_MAX = 160;

/** A reply as a transcript shows it. */
export function printedReply(raw: Buffer): string {
  const text = raw
    .toString('latin1')
    .replaceAll('\r\n', ' ')
    .trimEnd()
    .replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  if (text.length <= REPLY_SHOWN_MAX) return text;
  return `${text.slice(0, REPLY_SHOWN_MAX)}... ${raw.length} bytes`;
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** The words of a command line. */
export function wordsOf(line: string): Buffer[] {
  const words = splitArgs(line);
  if (words === undefined || words.length === 0) throw new Error(`not a command line: ${line}`);
  return words.map((word) => Buffer.from(word));
}

/**
 * Whether two replies to a command are seconds that a clock has come from and gone to since the
 * transcript began. Both sides count whole seconds, and the clock of a server may be a little late.
 */
function isLater(line: string, reply: string, wanted: string, begunMs: number): boolean {
  const secondsMax = 1 + Math.ceil((performance.now() - begunMs) / 1000);
  const passed = Number(reply.slice(1)) - Number(wanted.slice(1));
  if (/^> TTL /i.test(line)) return wanted >= ':1' && passed < 0 && passed >= -secondsMax;
  return /^> OBJECT IDLETIME /i.test(line) && passed > 0 && passed <= secondsMax;
}

/** The transcript again, with the replies that the server gave now. */
async function replay(client: RawClient, text: string): Promise<string> {
  const played: string[] = [];
  const lines = linesOf(text);
  const begunMs = performance.now();
  for (const [i, line] of lines.entries()) {
    if (!line.startsWith('> ')) continue;
    const reply = printedReply((await client.send(...wordsOf(line.slice(2)))).raw);
    const wanted = lines[i + 1] ?? '';
    played.push(line, isLater(line, reply, wanted, begunMs) ? wanted : reply);
  }
  return played.join('\n');
}

function topicsOf(file: URL): Topic[] {
  const parts = readFileSync(file, 'utf8').split(/^## /m).slice(1);
  return parts.map((part) => {
    const [name = '', ...lines] = part.split('\n');
    return { name, protocol: name.endsWith('(RESP3)') ? 3 : 2, text: lines.join('\n') };
  });
}

type Contestant = {
  readonly name: string;
  readonly missing: boolean;
  readonly start: (options: ServerOptions) => Promise<ServerProcess>;
};

const startCairn: Contestant['start'] = (options) => startCairnServer(options);
const contestants: readonly Contestant[] = [
  { name: 'Cairn', missing: false, start: startCairn },
  { name: 'the real server', missing: requireRedisServer() === null, start: startRealServer },
];

/** Registers a test for each topic of a transcript and each server. */
export function describeTranscript(
  file: URL,
  config: NonNullable<ServerOptions['config']> = {},
): void {
  const topics = topicsOf(file);
  for (const { name, missing, start } of contestants) {
    describe.skipIf(missing)(name, () => {
      let server: ServerProcess;
      beforeAll(async () => {
        server = await start({ config });
      });
      afterAll(() => server?.close());

      const played = topics.filter(({ name }) => start === startCairn || !name.endsWith('(7.2)'));
      it.each(played)('$name', async ({ protocol, text }) => {
        const client = await server.connect();
        await client.send('FLUSHALL');
        if (protocol === 3) await client.send('HELLO', 3);
        expect(await replay(client, text)).toBe(linesOf(text).join('\n'));
        client.close();
      });
    });
  }
}
