/**
 * The differential test itself, tried on the real server against the real server with a fault put
 * in: it must stay silent without one, find each kind, and shrink to what is needed to show it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { requireRedisServer, startRealServer } from '../support/real-server.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { stringFamily } from './families/string.ts';
import { transactionFamily } from './families/transaction.ts';
import { generateSteps } from './generate.ts';
import { compareServers, type DifferentialOptions } from './harness.ts';
import type { Step } from './step.ts';
import { type Answer, Target } from './target.ts';

type Fault = (step: Step, answer: Answer, target: Faulty) => Answer | Promise<Answer>;

/** A target whose answers pass through a fault. */
class Faulty extends Target {
  readonly #fault: Fault;

  constructor(server: ServerProcess, fault: Fault) {
    super('faulty', server);
    this.#fault = fault;
  }

  override async run(steps: readonly Step[]): Promise<Answer[]> {
    const answers = await super.run(steps);
    const changed: Answer[] = [];
    for (const [i, answer] of answers.entries()) {
      changed.push(await this.#fault(steps[i] as Step, answer, this));
    }
    return changed;
  }
}

const isCommand = (step: Step, name: string): boolean => step.args[0]?.toUpperCase() === name;

describe.skipIf(requireRedisServer() === null)('the differential engine', () => {
  const families = [stringFamily, transactionFamily];
  const options: DifferentialOptions = { families, commands: 4000 };
  let servers: ServerProcess[] = [];
  let targets: Target[] = [];

  beforeAll(async () => {
    // What a person sets for the real comparison is not for these runs.
    for (const name of ['DIFF_COMMANDS', 'DIFF_FAMILIES']) vi.stubEnv(name, undefined);
    vi.stubEnv('DIFF_SEED', '20260101');
    const config = { 'enable-debug-command': 'yes' };
    servers = [await startRealServer({ config }), await startRealServer({ config })];
  });
  afterEach(() => {
    for (const target of targets) target.closeClients();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    for (const server of servers) await server.close();
  });

  async function outcome(fault: Fault): Promise<string> {
    const [first, second] = servers as [ServerProcess, ServerProcess];
    const pair = { left: new Faulty(first, fault), right: new Target('redis', second) };
    targets = [pair.left, pair.right];
    try {
      await compareServers({ ...pair, leftLog: '' }, options);
      return 'no difference';
    } catch (error) {
      return String(error);
    }
  }

  it('finds nothing between equal servers', async () => {
    expect(await outcome((_, answer) => answer)).toBe('no difference');
  });

  it('finds a wrong reply and shrinks it to one command', async () => {
    const text = await outcome((step, answer) =>
      isCommand(step, 'MGET') && answer instanceof Buffer && answer[0] === 0x2a
        ? Buffer.concat([answer, Buffer.from('+more\r\n')])
        : answer,
    );
    expect(text).toMatch(/ 1 of \d+ commands are enough:\n\n(?:mget|Mget|MGET) [^\n]+\n\nreplies/);
    expect(text).toContain('DIFF_SEED=');
  });

  it('keeps the commands that a wrong reply depends on', async () => {
    const text = await outcome((step, answer) =>
      isCommand(step, 'STRLEN') && /^:[1-9]/.test(String(answer)) ? Buffer.from(':0\r\n') : answer,
    );
    expect(text).toMatch(/ 2 of \d+ commands are enough/);
  });

  it('finds wrong data behind right replies at a checkpoint', async () => {
    const text = await outcome(async (step, answer, target) => {
      if (isCommand(step, 'GETEX')) await target.checker.send('SET', 'hidden', 'x');
      return answer;
    });
    expect(text).toMatch(/ 1 of \d+ commands are enough/);
    expect(text).toContain('hidden');
  });

  it('reports a server that dies, and goes on shrinking after starting it again', async () => {
    const text = await outcome(async (step, answer) => {
      if (!isCommand(step, 'LCS')) return answer;
      await servers[0]?.kill();
      return new Error('the server closed the connection');
    });
    expect(text).toMatch(/ 1 of \d+ commands are enough:\n\nlcs/i);
    expect(text).toContain('the server closed the connection');
  });

  it('makes the same steps from the same seed', () => {
    const [a, b, c] = [7, 7, 8].map((seed) => generateSteps(families, seed, 300, 3));
    const lines = (steps: Step[] = []) => steps.map((step) => step.args.join(' '));
    expect(lines(a)).toEqual(lines(b));
    expect(lines(a)).not.toEqual(lines(c));
  });
});
