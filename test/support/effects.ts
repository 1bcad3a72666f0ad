/**
 * What commands do besides answering: the operations that go to the AOF and the replicas, and the
 * keyspace events. Of a server inside the test, by its journal; of a real server, by its AOF and a
 * subscriber.
 *
 * Moments near the present are shown as "now+100s", in steps of ten seconds; SELECT is left out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Args } from '../../src/core/resp/args.ts';
import { Config } from '../../src/server/config/config.ts';
import type { Settings } from '../../src/server/config/settings.ts';
import { silentLog } from '../../src/server/log.ts';
import { Server } from '../../src/server/server.ts';
import { startRealServer } from './real-server.ts';
import { ReplyReader, type ReplyValue } from './resp-reader.ts';
import { printedReply, wordsOf } from './transcript.ts';

export type Effects = {
  /** As `printedReply` shows them. */
  readonly replies: readonly string[];
  readonly propagated: readonly string[];
  /** "set k" */
  readonly events: readonly string[];
};

const NEAR_MS = 86_400_000;
const STEP_MS = 10_000;
/** Clocks may differ by so much. */
const ROUNDING_MS = 500;

/** The commands of a script, one a line. */
export function linesOf(script: string): string[] {
  return script
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/**
 * Expects commands to do here what they do to a real server, which is more than so many operations
 * and events.
 */
export async function expectEffects(
  lines: readonly string[],
  more: { readonly propagated: number; readonly events: number },
): Promise<void> {
  const mine = effectsInside(lines);
  const theirs = await effectsOfRealServer(lines);
  expect(mine.replies).toEqual(theirs.replies);
  expect(mine.propagated).toEqual(theirs.propagated);
  expect(mine.events).toEqual(theirs.events);
  expect(theirs.propagated.length).toBeGreaterThan(more.propagated);
  expect(theirs.events.length).toBeGreaterThan(more.events);
}

/** The operations in a journal or AOF, one line each. */
function operationsIn(bytes: Buffer, nowMs: number): string[] {
  const reader = new ReplyReader();
  reader.push(bytes);
  const lines: string[] = [];
  for (let one = reader.next(); one !== null; one = reader.next()) {
    const words = (Array.isArray(one.value) ? one.value : []).map(String);
    if (words[0] !== 'SELECT') lines.push(words.map((word) => dated(word, nowMs)).join(' '));
  }
  return lines;
}

function dated(word: string, nowMs: number): string {
  if (!/^\d{13}$/.test(word) || Math.abs(Number(word) - nowMs) > NEAR_MS) return word;
  // What is later than `nowMs` by the time that the commands before took.
  const steps = Math.floor((Number(word) - nowMs + ROUNDING_MS) / STEP_MS);
  return `now+${(steps * STEP_MS) / 1000}s`;
}

/** Runs the commands in a server inside this process. */
export function effectsInside(lines: readonly string[], settings: Settings = {}): Effects {
  const config = new Config();
  // A dump, as FLUSHALL makes one where there are save points, would take the journal.
  config.applySettings({ save: '', 'enable-debug-command': true, ...settings });
  const server = new Server({ config, log: silentLog, anyPort: true });
  const events: string[] = [];
  server.notifyClasses = -1;
  server.notifyKey = (_db, key, offset, length, _class, event) => {
    events.push(
      `${event} ${Buffer.from(key.subarray(offset, offset + length)).toString('latin1')}`,
    );
  };
  server.propagator.active = true;
  // As of a primary that has started: until then nothing expires.
  server.desk.expiry.hold('replica', false);
  const client = server.hub.detached();
  const args: Args = server.hub.args;
  const replies: string[] = [];
  const nowMs = Date.now();
  for (const line of lines) {
    server.dispatcher.startClock(Date.now());
    args.setTo(wordsOf(line));
    server.dispatcher.run(client, args);
    const { reply } = client;
    const parts = reply.queue.map((part) => part.bytes.subarray(0, part.length));
    replies.push(printedReply(Buffer.concat([...parts, reply.chunk.subarray(0, reply.at)])));
    reply.drop();
  }
  const { journal, length } = server.propagator;
  const propagated = operationsIn(Buffer.from(journal.subarray(0, length)), nowMs);
  return { replies, propagated, events };
}

/** Runs the commands in a real server. The caller has checked that there is one. */
export async function effectsOfRealServer(
  lines: readonly string[],
  directives: Readonly<Record<string, string>> = {},
): Promise<Effects> {
  const config = {
    appendonly: 'yes',
    appendfsync: 'no',
    'notify-keyspace-events': 'EAmn',
    'enable-debug-command': 'yes',
    ...directives,
  };
  const server = await startRealServer({ config });
  try {
    const client = await server.connect();
    const listener = await server.connect();
    await listener.send('PSUBSCRIBE', '__keyevent@*__:*', 'the-end');
    await listener.read();
    const nowMs = Date.now();
    const replies: string[] = [];
    for (const line of lines) replies.push(printedReply((await client.send(...wordsOf(line))).raw));
    await client.send('PUBLISH', 'the-end', '');
    const events: string[] = [];
    for (;;) {
      const message = (await listener.read()).value;
      const [, , channel, key] = Array.isArray(message) ? message.map(textOf) : [];
      if (channel === 'the-end') break;
      events.push(`${channel?.replace(/^__keyevent@\d+__:/, '')} ${key}`);
    }
    const folder = join(server.dir, 'appendonlydir');
    const file = readdirSync(folder).find((name) => name.endsWith('.incr.aof')) ?? '';
    const propagated = operationsIn(readFileSync(join(folder, file)), nowMs);
    client.close();
    listener.close();
    return { replies, propagated, events };
  } finally {
    await server.close();
  }
}

function textOf(value: ReplyValue): string {
  return typeof value === 'string' ? value : '';
}
