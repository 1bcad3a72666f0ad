/**
 * Tools and clients that push hard: `redis-cli --pipe`, redis-benchmark, ioredis with automatic
 * pipelining. None of them may see an error. `CRASH_PIPE_MB` says how much is piped.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCairnServer } from '../support/cairn-server.ts';
import { Random } from '../support/random.ts';
import { encodeCommand } from '../support/raw-client.ts';
import { findTool } from '../support/real-server.ts';
import type { ServerProcess } from '../support/server-process.ts';

const PIPE_BYTES = Number(process.env.CRASH_PIPE_MB ?? 20) * 1_000_000;
const TIMEOUT_MS = 900_000;
const BATCH = 500;

let server: ServerProcess;

beforeEach(async () => {
  server = await startCairnServer({ config: { appendonly: 'yes', appendfsync: 'everysec' } });
});
afterEach(() => server?.close());

/** Runs a tool against the server; gives what it printed. `input` is written as it is taken. */
async function run(tool: string, args: string[], input?: Iterable<Buffer>): Promise<string> {
  const child = spawn(tool, ['-p', String(server.port), ...args]);
  let text = '';
  child.stdout.on('data', (bytes) => {
    text += String(bytes);
  });
  child.stderr.on('data', (bytes) => {
    text += String(bytes);
  });
  const ended = once(child, 'close');
  for (const bytes of input ?? []) {
    if (!child.stdin.write(bytes)) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  const [code] = await ended;
  expect(code, text).toBe(0);
  return text;
}

/** Commands of about `bytes` in all; each writes a key of its own. */
function* load(bytes: number, counts: { keys: number }): Generator<Buffer> {
  const random = new Random(1);
  const large = 'v'.repeat(4000);
  for (let done = 0; done < bytes; ) {
    const parts: Buffer[] = [];
    for (let i = 0; i < BATCH; i++) {
      const length = random.chance(0.1) ? random.between(1000, 4000) : random.between(1, 800);
      parts.push(encodeCommand(['SET', `key:${counts.keys++}`, large.slice(0, length)]));
    }
    const batch = Buffer.concat(parts);
    done += batch.length;
    yield batch;
  }
}

const cli = findTool('redis-cli');
describe.skipIf(cli === null)('redis-cli --pipe', () => {
  it(
    `loads ${PIPE_BYTES} bytes, which are there after kill -9`,
    async () => {
      const counts = { keys: 0 };
      const startMs = performance.now();
      const text = await run(cli ?? '', ['--pipe'], load(PIPE_BYTES, counts));
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      process.stderr.write(`${PIPE_BYTES} bytes, ${counts.keys} keys in ${seconds} s\n`);
      expect(text).toContain(`errors: 0, replies: ${counts.keys}`);
      await server.kill();
      const startedMs = performance.now();
      await server.startAgain({ readyTimeoutMs: TIMEOUT_MS });
      process.stderr.write(`started again in ${Math.round(performance.now() - startedMs)} ms\n`);
      const client = await server.connect();
      expect(await client.value('DBSIZE')).toBe(counts.keys);
      client.close();
    },
    TIMEOUT_MS,
  );
});

const benchmark = findTool('redis-benchmark');
describe.skipIf(benchmark === null)('redis-benchmark', () => {
  it.each([1, 16])('with pipelines of %i has no error', async (pipeline) => {
    const tests = 'ping,set,get,incr,mset';
    const args = ['-q', '-n', '20000', '-r', '1000', '-P', String(pipeline), '-t', tests];
    const text = await run(benchmark ?? '', args);
    expect(text).not.toMatch(/error/i);
    for (const name of ['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR', 'MSET']) {
      expect(text).toMatch(new RegExp(`${name}[^\\n]*: [0-9.]+ requests per second`));
    }
  });
});

describe('ioredis with automatic pipelining', () => {
  it('gets the right answer to each of many commands at once', async () => {
    const client = new Redis({ port: server.port, enableAutoPipelining: true, lazyConnect: true });
    const failures: Error[] = [];
    client.on('error', (error) => failures.push(error));
    await client.connect();
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(
        Array.from({ length: 500 }, async (_, i) => {
          const key = `k${i}`;
          const [set, sum, text] = await Promise.all([
            client.set(key, `${round}.${i}`),
            client.incrby(`n${i}`, i),
            client.get(key),
          ]);
          return set === 'OK' && sum === (round + 1) * i && text === `${round}.${i}`;
        }),
      );
      expect(answers.every(Boolean)).toBe(true);
    }
    expect(failures).toEqual([]);
    client.disconnect();
  });
});
