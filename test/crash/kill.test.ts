/**
 * kill -9 under load: no acknowledged write is lost, no acknowledged delete is undone, every start
 * succeeds. A few rounds here; many with `npm run crash -- --rounds N --seed S`.
 */
import { describe, expect, it } from 'vitest';
import { Random } from '../support/random.ts';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import { KillLab } from './kill.ts';
import { ClientState, type Operation } from './kill-model.ts';
import { OPTIONAL_COMMANDS } from './kill-operations.ts';
import { KillWriter } from './kill-writer.ts';
import { observe } from './observe.ts';

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 12);
const SEED = Number(process.env.CRASH_SEED ?? 1);
const LANES = Number(process.env.CRASH_LANES ?? 1);
const ROUND_MS_MAX = 60_000;

/** Set when one lane failed: the others end. */
let failed = false;

async function rounds(lane: number): Promise<void> {
  const lab = await KillLab.open({ seed: SEED + lane });
  const startMs = performance.now();
  try {
    for (let i = lane; i < ROUNDS && !failed; i += LANES) {
      await lab.round();
      if (lab.figures.rounds % 20 === 0) tell(lane, lab, startMs);
    }
  } catch (error) {
    // The folder stays, to be looked at.
    failed = true;
    await lab.server.kill();
    throw error;
  }
  await lab.close();
  if (failed) return;
  const { figures } = lab;
  tell(lane, lab, startMs);
  expect(figures.acknowledged).toBeGreaterThan(figures.rounds * 20);
  expect(figures.inFlight).toBeGreaterThan(figures.rounds);
}

function tell(lane: number, { figures }: KillLab, startMs: number): void {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const strikes = [...figures.strikes].map(([kind, count]) => `${kind} ${count}`).join(', ');
  const rest = Object.entries(figures).filter(([name]) => name !== 'strikes');
  const text = rest.map(([name, value]) => `${name} ${String(value)}`).join(', ');
  process.stderr.write(`lane ${lane}, ${seconds} s: ${text}; ${strikes}\n`);
}

describe('kill -9 under load', () => {
  it(
    `loses nothing acknowledged in ${ROUNDS} rounds`,
    async () => {
      const lanes = Array.from({ length: LANES }, (_, lane) => rounds(lane));
      const [broken] = (await Promise.allSettled(lanes)).filter((one) => one.status === 'rejected');
      if (broken !== undefined) throw broken.reason;
    },
    ROUNDS * ROUND_MS_MAX,
  );
});

describe.skipIf(requireRedisServer() === null)('the truth of the test and a real server', () => {
  it('agree on what the operations do', async () => {
    const server = await startRealServer();
    const client = await server.connect();
    const writers = [0, 1, 2].map((id) => {
      return new KillWriter(id, new Random(SEED * 100 + id), new Set(OPTIONAL_COMMANDS));
    });
    const enough = (): boolean => writers.every(({ acknowledged }) => acknowledged > 3000);
    const end = (async () => await expect.poll(enough).toBe(true))();
    await Promise.all(writers.map((writer) => writer.run(server.port, end)));
    await end;
    // What was sent is executed by then, or never will be.
    await client.send('PING');
    for (const writer of writers) {
      const readFromMs = Date.now();
      const observed = [...(await observe(client, writer.database))];
      const own = observed.filter(([key]) => key.startsWith(writer.prefix));
      writer.settle(new Map(own), readFromMs, Date.now());
    }
    client.close();
    await server.close();
  });
});

describe('the truth of the test itself', () => {
  const op = (...commands: string[][]): Operation => ({ commands, sentMs: 0 });

  it('tells a lost write, an undone delete, half a transaction and an expired key', () => {
    const state = new ClientState();
    state.apply(op(['SET', 'a', '1'], ['SET', 'b', '2']), 0);
    const seen = (...keys: string[]) =>
      new Map(keys.map((key) => [key, { content: `string ${key === 'a' ? 1 : 2}`, expireMs: -1 }]));
    expect(state.difference(seen('a', 'b'), 0, 0)).toBeNull();
    expect(state.difference(seen('a'), 0, 0)).toContain('b is missing');
    state.apply(op(['DEL', 'a']), 0);
    expect(state.difference(seen('a', 'b'), 0, 0)).toContain('a should not be there');
    state.apply(op(['PEXPIREAT', 'b', '1000']), 0);
    expect(state.difference(seen('b'), 1001, 1002)).toContain('is back');
    expect(state.difference(new Map(), 1001, 1002)).toBeNull();
    expect(state.difference(new Map(), 900, 901)).toContain('missing');
  });
});
