/**
 * Rounds of writing, killing and starting again, on one folder.
 *
 *   start (killed itself now and then) -> every client finds its writes -> load -> a strike -> ...
 *
 * The policy changes from round to round. Everything is chosen by a seed; the timing is the
 * machine's, so a seed repeats what is done, not what happens.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startCairnServer } from '../support/cairn-server.ts';
import { Random } from '../support/random.ts';
import type { RawClient } from '../support/raw-client.ts';
import type { ServerOptions, ServerProcess } from '../support/server-process.ts';
import { OPTIONAL_COMMANDS } from './kill-operations.ts';
import { STRIKES, type Strike, sleep, strike } from './kill-strikes.ts';
import { KillWriter } from './kill-writer.ts';
import { observe } from './observe.ts';

export type KillOptions = {
  readonly seed: number;
  readonly clients?: number;
  /** Keys beside those of the clients, so that saves and loads take their time. */
  readonly ballast?: number;
  /** For node, before the server's script. */
  readonly nodeArgs?: readonly string[];
};

export type KillFigures = {
  rounds: number;
  acknowledged: number;
  inFlight: number;
  /** Operations in flight that were found again. */
  kept: number;
  /** Starts that were killed, too. */
  killedStarts: number;
  /** Log lines that tell of a torn end of the AOF, of rewrites, of saves. */
  tornEnds: number;
  rewrites: number;
  saves: number;
  readonly strikes: Map<Strike, number>;
};

const BALLAST_DATABASE = 9;
const START_ATTEMPTS_MAX = 20;
/** A start replays what was written, beside whatever else the machine does. */
const READY_MS_MAX = 60_000;
const POLICIES = ['everysec', 'always', 'no'] as const;

export class KillLab {
  readonly figures: KillFigures = {
    rounds: 0,
    acknowledged: 0,
    inFlight: 0,
    kept: 0,
    killedStarts: 0,
    tornEnds: 0,
    rewrites: 0,
    saves: 0,
    strikes: new Map(),
  };
  readonly server: ServerProcess;
  readonly #random: Random;
  readonly #writers: readonly KillWriter[];
  readonly #ballast: number;
  #round = 0;

  private constructor(
    server: ServerProcess,
    random: Random,
    commands: ReadonlySet<string>,
    options: KillOptions,
  ) {
    this.server = server;
    this.#random = random;
    this.#ballast = options.ballast ?? 5000;
    this.#writers = Array.from(
      { length: options.clients ?? 5 },
      (_, id) => new KillWriter(id, new Random(random.between(1, 2 ** 31)), commands),
    );
  }

  static async open(options: KillOptions): Promise<KillLab> {
    const random = new Random(options.seed);
    const config = configOf('everysec', random);
    const server = await startCairnServer(
      { config, readyTimeoutMs: READY_MS_MAX },
      options.nodeArgs,
    );
    const client = await server.connect();
    // Sorted sets are looked at with ZRANGE.
    const known = await client.value('COMMAND', 'INFO', ...OPTIONAL_COMMANDS, 'ZRANGE');
    const has = (i: number): boolean => Array.isArray(known) && known[i] !== null;
    const commands = OPTIONAL_COMMANDS.filter(
      (name, i) => has(i) && (name !== 'ZADD' || has(OPTIONAL_COMMANDS.length)),
    );
    const lab = new KillLab(server, random, new Set(commands), options);
    await lab.#putBallast(client);
    client.close();
    return lab;
  }

  /** Writes, strikes, starts again and looks. Throws when something acknowledged is not there. */
  async round(): Promise<void> {
    const { server } = this;
    const kind = this.#random.pick(STRIKES);
    const loads = this.#writers.map((writer) => writer.run(server.port));
    await sleep(this.#random.between(1, 100));
    await strike(kind, server, this.#random);
    await Promise.all(loads);
    try {
      await this.#startAgain();
      await this.#look();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new Error(`round ${this.#round}, ${kind}, in ${server.dir}: ${text}`, { cause: error });
    }
    this.#round++;
    this.figures.rounds++;
    this.figures.acknowledged = this.#writers.reduce((sum, one) => sum + one.acknowledged, 0);
    this.figures.strikes.set(kind, (this.figures.strikes.get(kind) ?? 0) + 1);
  }

  /**
   * A round with these variables in the server's environment, in which `acts` is all that happens
   * beside the load. Gives whether the server ended by itself, be it while it started.
   */
  async roundWith(
    env: Readonly<Record<string, string>>,
    acts: (server: ServerProcess) => Promise<void>,
  ): Promise<boolean> {
    const { server } = this;
    await server.kill();
    await server.startAgain({ config: this.#nextConfig(), env }).catch(() => undefined);
    const loads = server.isRunning ? this.#writers.map((writer) => writer.run(server.port)) : [];
    if (server.isRunning) await acts(server);
    const hasEnded = !server.isRunning;
    await server.kill();
    await Promise.all(loads);
    await this.#startAgain({});
    await this.#look();
    this.#round++;
    this.figures.rounds++;
    this.figures.acknowledged = this.#writers.reduce((sum, one) => sum + one.acknowledged, 0);
    return hasEnded;
  }

  /** Ends the server and removes its folder. */
  async close(): Promise<void> {
    const { figures, server } = this;
    const log = server.logText;
    figures.tornEnds = log.split(' was cut from ').length - 1;
    figures.rewrites = log.split('AOF rewrite finished successfully').length - 1;
    figures.saves = log.split('Background saving terminated with success').length - 1;
    await server.close();
  }

  #nextConfig(): NonNullable<ServerOptions['config']> {
    const policy = POLICIES[this.#round % POLICIES.length] ?? 'always';
    return configOf(policy, this.#random);
  }

  async #startAgain(env?: Readonly<Record<string, string>>): Promise<void> {
    const { server } = this;
    const random = this.#random;
    const config = this.#nextConfig();
    while (env === undefined && random.chance(0.25)) {
      server.launch();
      await sleep(random.between(40, 250));
      await server.kill();
      this.figures.killedStarts++;
    }
    for (let attempt = 1; ; attempt++) {
      const logBytes = server.logText.length;
      try {
        await server.startAgain({ config, ...(env && { env }) });
        break;
      } catch (error) {
        // While the port was free somebody else's server has taken it.
        const isTaken = server.logText.slice(logBytes).includes('Address already in use');
        if (!isTaken || attempt === START_ATTEMPTS_MAX) throw error;
        await server.kill();
        await sleep(500);
      }
    }
    removeDumps(server.dir);
  }

  /** Every client must find a prefix of its operations that includes what was acknowledged. */
  async #look(): Promise<void> {
    const client = await this.server.connect();
    try {
      await client.send('SELECT', BALLAST_DATABASE);
      const held = await client.value('DBSIZE');
      if (held !== this.#ballast) {
        const databases = String(await client.value('INFO', 'keyspace'));
        throw new Error(`${String(held)} keys of ${this.#ballast} left, ${databases}`);
      }
      for (const database of new Set(this.#writers.map((one) => one.database))) {
        const readFromMs = Date.now();
        const observed = await observe(client, database);
        const readToMs = Date.now();
        for (const writer of this.#writers.filter((one) => one.database === database)) {
          const own = [...observed].filter(([key]) => key.startsWith(writer.prefix));
          const outcome = writer.settle(new Map(own), readFromMs, readToMs);
          this.figures.inFlight += outcome.inFlight;
          this.figures.kept += outcome.kept;
        }
      }
    } finally {
      client.close();
    }
  }

  async #putBallast(client: RawClient): Promise<void> {
    await client.send('SELECT', BALLAST_DATABASE);
    const commands = Array.from({ length: this.#ballast }, (_, i) => [
      'SET',
      `ballast:${i}`,
      `${i}`.repeat(1 + (i % 60)),
    ]);
    await client.pipeline(commands);
  }
}

function configOf(policy: string, random: Random): NonNullable<ServerOptions['config']> {
  return {
    appendonly: 'yes',
    appendfsync: policy,
    'aof-checksum': random.chance(0.8) ? 'yes' : 'no',
    'aof-timestamp-enabled': random.chance(0.3) ? 'yes' : 'no',
    'auto-aof-rewrite-percentage': 100,
    'auto-aof-rewrite-min-size': random.pick(['1mb', '8mb', '64mb']),
  };
}

/** Dumps that children of killed servers left behind would fill the disk over many rounds. */
function removeDumps(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (/^temp-.*\.rdb$/.test(name)) rmSync(join(dir, name), { force: true });
  }
}
