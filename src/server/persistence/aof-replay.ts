/**
 * The commands of an AOF, executed once more. They were executed when they were written, so each
 * that cannot be now is a loss:
 *
 *   unknown, wrong number of words      refused: another server wrote it
 *   FUNCTION RESTORE of a bad payload   refused
 *   SELECT of no database of ours       refused: what follows would overwrite another one
 *   any other error                     told with its place, and passed over, as Redis does;
 *                                       refused with `propagation-error-behavior panic`
 */
import type { Args } from '../../core/resp/args.ts';
import type { AofRefusal } from '../../persistence/aof/aof-load.ts';
import { RdbError } from '../../persistence/rdb/rdb-error.ts';
import type { Client } from '../clients/client.ts';
import type { Config } from '../config/config.ts';
import type { Dispatcher } from '../dispatch/dispatch.ts';
import { inKnownWords } from '../dispatch/later-commands.ts';
import { ReplayFailures } from '../dispatch/replay-failures.ts';
import type { Stats } from '../info/stats.ts';
import type { Logger } from '../log.ts';
import { errorInLog } from '../log-privacy.ts';
import { isScriptCache, KeptFunctions } from './kept-functions.ts';

const FOREIGN = 'It was written by another kind of server, or by a module that is missing here';
const MISSING = 'What it did when it was written is missing now';
const FAILED = 'Commands of the AOF that failed, so that what they did is missing:';
const KEEP = 'Keep a copy of its folder: the next rewrite makes the loss final';

export interface AofReplayDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly stats: Stats;
  readonly dispatcher: Dispatcher;
  /** The client without a link that runs the commands. */
  readonly client: Client;
  readonly databases: number;
}

export class AofReplay {
  /** The function libraries that it brings. */
  readonly kept = new KeptFunctions([]);
  private readonly deps: AofReplayDeps;
  private readonly failures: ReplayFailures;
  private failed = 0;

  constructor(deps: AofReplayDeps) {
    this.deps = deps;
    this.failures = new ReplayFailures(deps, {
      here: 'server',
      from: 'AOF-loading-client',
      advice: MISSING,
    });
  }

  /** Runs one command of the file at `path`. Returns why it cannot be run. */
  execute(args: Args, path: string, offset: number): AofRefusal | undefined {
    const { client, dispatcher } = this.deps;
    try {
      if (isScriptCache(args) || this.kept.take(args)) return undefined;
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      const reason = `The payload of FUNCTION RESTORE: ${error.message}`;
      return { reason, advice: FOREIGN };
    }
    inKnownWords(args);
    const start = client.reply.total;
    this.failures.begin();
    const command = dispatcher.resolve(client, args);
    if (command !== null) dispatcher.call(client, command, args);
    client.reply.rewind(start);
    if (command === null) {
      const what = dispatcher.knows(args) ? 'Wrong number of arguments for' : 'Unknown command';
      return { reason: `${what} '${args.text(0)}'`, advice: FOREIGN };
    }
    return this.failures.any ? this.failure(args, path, offset) : undefined;
  }

  /** Says how much has failed, when all has been read. */
  finish(): void {
    if (this.failed > 0) this.deps.log.warning(`${FAILED} ${this.failed}. ${KEEP}`);
  }

  private failure(args: Args, path: string, offset: number): AofRefusal | undefined {
    const { config, databases, stats } = this.deps;
    this.failed++;
    if (args.is(0, 'select')) {
      const reason = `The data of database ${args.shown(1)}, but there are only ${databases},`;
      return { reason, advice: "Raise 'databases'" };
    }
    const error = errorInLog(config, stats.lastError);
    this.failures.tell(args, `at offset ${offset} of ${path}`, Date.now());
    if (config.values.propagationErrorBehavior !== 'panic') return undefined;
    const reason = `'${args.shown(0)}' fails with '${error}'`;
    return { reason, advice: "With propagation-error-behavior set to 'ignore' it is passed over" };
  }
}
