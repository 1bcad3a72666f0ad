/**
 * What of the primary's stream could not be applied here since the last full sync: the two datasets
 * differ by that. It is told in the log and counted in INFO.
 *
 * A command that fails is passed over, as Redis does, since what comes behind it is mostly worth
 * having. One is not: SELECT of a database that there is not here. What follows would be written
 * into another one, over its keys; so nothing of it is applied, and the link waits until somebody
 * has given this server more databases.
 */
import type { Args } from '../../core/resp/args.ts';
import { parseInteger } from '../../core/text/integer.ts';
import { ReplayFailures } from '../dispatch/replay-failures.ts';
import type { Services } from '../services.ts';

const ADVICE =
  'What it did there is missing here, and stays so unless the whole dataset is taken over anew: ' +
  'REPLICAOF NO ONE, then REPLICAOF again. Commands that this server does not have must not be ' +
  "used by the master's clients while it is a replica";

export class StreamDifferences {
  /** Errors that the stream's commands gave. */
  count = 0;
  /** Where in the stream the first of them stands, -1 for none. */
  firstOffset = -1;

  private readonly services: Services;
  private readonly failures: ReplayFailures;

  constructor(services: Services) {
    this.services = services;
    this.failures = new ReplayFailures(services, {
      here: 'replica',
      from: 'master',
      advice: ADVICE,
    });
  }

  /** A command of the stream is about to run. */
  begin(): void {
    this.failures.begin();
  }

  /** Whether something has failed since `begin`. */
  get any(): boolean {
    return this.failures.any;
  }

  /**
   * Tells of what has failed since `begin`; `offset` is where it begins, or its transaction. Throws
   * where the replica is to end for it.
   */
  note(args: Args, offset: number): void {
    const { config, keyspace } = this.services;
    this.count += this.failures.count;
    if (this.firstOffset < 0) this.firstOffset = offset;
    const message = this.failures.tell(args, `at offset ${offset} of its stream`, keyspace.nowMs);
    if (config.values.propagationErrorBehavior !== 'ignore') throw new Error(message);
  }

  /** The dataset is the primary's again. */
  forget(): void {
    this.count = 0;
    this.firstOffset = -1;
    this.failures.forget();
  }

  /** Why the stream cannot be followed beyond a command; null for nearly all. */
  refusal(args: Args): string | null {
    if (args.count !== 2 || !args.is(0, 'select')) return null;
    const { databases } = this.services.keyspace;
    const number = parseInteger(args.bytes[1]!, args.offsets[1]!, args.lengths[1]!);
    if (!(number >= databases.length)) return null;
    return (
      `the master uses database ${number}, but there are only ${databases.length} here. Nothing ` +
      `is applied from there on: restart this server with 'databases ${number + 1}' or more`
    );
  }
}
