/**
 * The differential test as a test file uses it: starts the two servers, generates sequences from a
 * seed, runs them, and on a difference shrinks the sequence and throws an error that a person can
 * act on: the redis-cli lines, both replies, and how to run the same again.
 *
 *   DIFF_SEED=n        the seed (default: always the same), or `clock` for a new one; printed
 *   DIFF_COMMANDS=n    how many commands, half in RESP2 and half in RESP3
 *   DIFF_FAMILIES=a,b  only these families: for work on a server that has not all of them
 *   DIFF_LEFT=redis    compare the real server with itself: proves the harness, not Cairn
 *   DIFF_LEFT_LOG=1    print the tested server's log when something differs
 */
import { startCairnServer } from '../support/cairn-server.ts';
import { startRealServer } from '../support/real-server.ts';
import type { ServerOptions, ServerProcess } from '../support/server-process.ts';
import { type Difference, type RunOptions, runSteps } from './engine.ts';
import { generateSteps } from './generate.ts';
import { printSteps } from './print.ts';
import { shrink } from './shrink.ts';
import type { Family, Step } from './step.ts';
import { Target } from './target.ts';

export type DifferentialOptions = {
  readonly families: readonly Family[];
  /** Commands in total unless DIFF_COMMANDS says otherwise. */
  readonly commands: number;
  /** Directives for both servers. */
  readonly config?: NonNullable<ServerOptions['config']>;
};

export type DifferentialResult = {
  readonly seed: number;
  readonly executed: Readonly<Record<'resp2' | 'resp3', number>>;
  readonly known: ReadonlyMap<string, number>;
};

const stepsPerSequence = 500;
const checkpointEvery = 120;
const shrinkBudget = { runsMax: 400, timeMsMax: 60_000 };

/** Two prepared sides to compare, and what the left one printed. */
export type Pair = { readonly left: Target; readonly right: Target; readonly leftLog: string };

/** The two servers of a run: the tested one on the left, the oracle on the right. */
export class ServerPair implements Pair {
  readonly left: Target;
  readonly right: Target;
  readonly #servers: readonly ServerProcess[];

  private constructor(names: readonly [string, string], servers: [ServerProcess, ServerProcess]) {
    this.left = new Target(names[0], servers[0]);
    this.right = new Target(names[1], servers[1]);
    this.#servers = servers;
  }

  static async start(config: NonNullable<ServerOptions['config']> = {}): Promise<ServerPair> {
    const options = { config: { 'enable-debug-command': 'yes', ...config } };
    const itself = process.env.DIFF_LEFT === 'redis';
    const left = await (itself ? startRealServer(options) : startCairnServer(options));
    try {
      const right = await startRealServer(options);
      return new ServerPair([itself ? 'redis (left)' : 'cairn', 'redis'], [left, right]);
    } catch (error) {
      await left.close();
      throw error;
    }
  }

  /** What the tested server printed. */
  get leftLog(): string {
    return this.#servers[0]?.logText ?? '';
  }

  async close(): Promise<void> {
    this.left.closeClients();
    this.right.closeClients();
    for (const server of this.#servers) await server.close();
  }
}

/** The families of a run; a name that none has is a mistake, not an empty run. */
function chosenFamilies(families: readonly Family[]): readonly Family[] {
  const names = process.env.DIFF_FAMILIES?.split(',');
  if (names === undefined) return families;
  return names.map((name) => {
    const family = families.find((each) => each.name === name);
    if (family !== undefined) return family;
    throw new Error(`DIFF_FAMILIES: no ${name}; there are ${families.map((f) => f.name)}`);
  });
}

function seedOfRun(): number {
  // No run may fail by chance: without a word from outside the sequences are always the same.
  const given = process.env.DIFF_SEED ?? '20261123';
  return given === 'clock' ? Date.now() % 1_000_000_000 : Number(given);
}

async function explain(
  pair: Pair,
  steps: readonly Step[],
  first: Difference,
  options: RunOptions,
  again: string,
): Promise<Error> {
  const atEnd = { ...options, checkpointEvery: Number.MAX_SAFE_INTEGER };
  const rerun = (part: readonly Step[]) => runSteps(part, pair.left, pair.right, atEnd);
  const failing = steps.slice(0, first.at + 1);
  const small = await shrink(failing, async (part) => (await rerun(part)) !== null, shrinkBudget);
  const last = await rerun(small);
  const log = process.env.DIFF_LEFT_LOG === '1' ? `\n\nlog:\n${pair.leftLog.slice(-4000)}` : '';
  const what = last?.text ?? `not again after shrinking; first seen as: ${first.text}`;
  return new Error(
    `RESP${options.protocol}, ${small.length} of ${failing.length} commands are enough:\n\n` +
      `${printSteps(small)}\n\n${what}\n\nagain: ${again}${log}`,
  );
}

/** Compares a pair over random sequences; throws on the first difference that is not known. */
export async function compareServers(
  pair: Pair,
  options: DifferentialOptions,
): Promise<DifferentialResult> {
  const seed = seedOfRun();
  const families = chosenFamilies(options.families);
  const commands = Number(process.env.DIFF_COMMANDS ?? options.commands);
  const setup = families.flatMap((family) => family.setup ?? []);
  const known = new Map<string, number>();
  const executed = { resp2: 0, resp3: 0 };
  const names = families.map((family) => family.name).join(', ');
  process.stderr.write(`differential: DIFF_SEED=${seed} DIFF_COMMANDS=${commands} (${names})\n`);
  for (let sequence = 0; executed.resp2 + executed.resp3 < commands; sequence++) {
    const protocol = sequence % 2 === 0 ? 2 : 3;
    const steps = generateSteps(families, seed + sequence, stepsPerSequence, protocol);
    const run: RunOptions = { protocol, setup, checkpointEvery, known };
    const difference = await runSteps(steps, pair.left, pair.right, run);
    if (difference !== null) {
      const again = `DIFF_SEED=${seed} DIFF_COMMANDS=${commands} and the same test file`;
      throw await explain(pair, steps, difference, run, again);
    }
    executed[protocol === 2 ? 'resp2' : 'resp3'] += steps.length;
  }
  return { seed, executed, known };
}
