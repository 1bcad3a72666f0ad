/**
 * Commands that were executed elsewhere, or by an earlier run, and fail when they are executed
 * here: of a primary's stream, or of an AOF. What such a command did then is missing now, so that
 * it must not go by in silence, whatever `propagation-error-behavior` says.
 *
 *     failures.begin()
 *     ... the command runs ...
 *     if (failures.any) failures.tell(...)
 *
 * A line begins as Redis's does. A command that fails over and over, as one that only the primary
 * knows, gets a line at once and then one every TELL_EVERY_MS.
 */
import type { Args } from '../../core/resp/args.ts';
import { errorInLog } from '../log-privacy.ts';
import type { Services } from '../services.ts';

const TELL_EVERY_MS = 10_000;
/** Names of commands that are told apart. */
const NAMES_MAX = 256;

/** Whose command it was, in Redis's words, and what follows from its failure. */
export interface ReplaySource {
  readonly here: 'replica' | 'server';
  readonly from: 'master' | 'AOF-loading-client';
  /** What to do, as a sentence. */
  readonly advice: string;
}

interface Told {
  atMs: number;
  /** Failures since then. */
  more: number;
}

export class ReplayFailures {
  private readonly services: Pick<Services, 'config' | 'stats' | 'log' | 'dispatcher'>;
  private readonly source: ReplaySource;
  private readonly told = new Map<string, Told>();
  private errorsBefore = 0;

  constructor(
    services: Pick<Services, 'config' | 'stats' | 'log' | 'dispatcher'>,
    source: ReplaySource,
  ) {
    this.services = services;
    this.source = source;
  }

  /** A command is about to run. */
  begin(): void {
    this.errorsBefore = this.services.stats.totalErrorReplies;
    this.services.dispatcher.lastFailed = '';
  }

  /** Whether something has failed since `begin`. */
  get any(): boolean {
    return this.services.stats.totalErrorReplies !== this.errorsBefore;
  }

  /** How many errors were answered since `begin`: in a transaction there may be several. */
  get count(): number {
    return this.services.stats.totalErrorReplies - this.errorsBefore;
  }

  /** Logs what has failed, unless that was done a moment ago. Returns what there is to say. */
  tell(args: Args, place: string, nowMs: number): string {
    const { config, stats, log, dispatcher } = this.services;
    const { here, from, advice } = this.source;
    const name = dispatcher.lastFailed === '' ? args.shown(0).slice(0, 128) : dispatcher.lastFailed;
    stats.unexpectedErrorReplies += this.count;
    const error = errorInLog(config, stats.lastError);
    const message =
      `== CRITICAL == This ${here} is sending an error to its ${from}: '-${error}' ` +
      `after processing the command '${name}', ${place}. ${advice}`;
    const known = this.told.get(name);
    if (known !== undefined && nowMs - known.atMs < TELL_EVERY_MS) {
      known.more++;
      return message;
    }
    const since = known === undefined ? 0 : known.more;
    log.warning(since === 0 ? message : `${message} (${since} more of that name failed before)`);
    if (this.told.size < NAMES_MAX || known !== undefined) {
      this.told.set(name, { atMs: nowMs, more: 0 });
    }
    return message;
  }

  /** What fails from now on is told as if nothing had failed before. */
  forget(): void {
    this.told.clear();
  }
}
