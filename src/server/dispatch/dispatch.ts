/**
 * Dispatch: from a parsed command to its handler, through the gates, in Redis's order.
 *
 *     name known -> arity -> authenticated -> may be queued -> allowed -> memory -> disk healthy
 *       -> enough replicas -> not a read-only replica -> subscriber's subset -> data fresh
 *       -> not loading -> queue in MULTI -> call
 *
 * A gate that refuses answers an error and, between MULTI and EXEC, spoils the transaction. `call`
 * runs a handler inside a unit of propagation, counts and times it.
 *
 * Time is read once a command: the end of one is the beginning of the next of the same read. What
 * the keyspace takes for now is read once a read, and again when a millisecond has passed.
 * Commands of constant cost that stand together in one read are timed together and share the time
 * evenly (measured: reading the clock and filling the histogram costs 90 ns, a fifth of a GET),
 * unless the slow log or the latency monitor asks for less than a millisecond: then each is timed
 * alone.
 */
import type { Args } from '../../core/resp/args.ts';
import type { Client } from '../clients/client.ts';
import { isAnsweredLater, REPLY_ON, WAIT_BLOCKED } from '../clients/client.ts';
import { silence } from '../clients/reply-mode.ts';
import type { Transaction, TransactionCursor } from '../clients/transaction.ts';
import { countCalls, QUICK_US, SHARED_MAX, SharedCalls } from '../info/call-figures.ts';
import type { Services } from '../services.ts';
import {
  type Command,
  NO_AUTH,
  NO_MULTI,
  PROTECTED,
  runsInMulti,
  TOUCHES_ARBITRARY_KEYS,
} from './command.ts';
import type { CommandTable } from './command-table.ts';
import { Context } from './context.ts';
import { Doorman } from './doorman.ts';
import { AUTH_REQUIRED, NO_DEBUG, unknownCommand, wrongArity } from './errors.ts';

const QUEUED = Uint8Array.from('+QUEUED\r\n', (c) => c.charCodeAt(0));

/** A threshold below which every command is timed alone, in microseconds. */
const SHARED_SLOW_MIN = 1000;

/** A gate that the server adds: an error text, or null to let the command pass. */
export type Gate = (client: Client, command: Command, args: Args) => string | null;

/** Hears of the commands that took long. */
export interface CallWatcher {
  called(client: Client, command: Command, args: Args, microseconds: number): void;
}

export class Dispatcher {
  readonly context: Context;
  /** Whether EXEC may still run a queued command; null while no user is limited. */
  recheck: Gate | null = null;
  /** Further gates, in order: most servers need few, so the list is short while all is well. */
  gates: Gate[] = [];
  /** The further gates that a command that waited passes again. */
  gatesAgain: Gate[] = [];
  /** Slow log and latency monitor: told of commands that took `slowMicroseconds` or more. */
  watcher: CallWatcher | null = null;
  slowMicroseconds = Number.POSITIVE_INFINITY;
  /** Whether each command keeps a histogram of its latencies. */
  histograms = true;
  /** Monitors see a command after it ran; null while there are none. */
  monitor: ((client: Client, command: Command, args: Args) => void) | null = null;
  /** Arguments of the running command that monitors and the slow log must not show. */
  readonly redacted: number[] = [];
  /** The last command whose handler answered an error; whoever asks clears it before. */
  lastFailed = '';
  /** Called after each command that is not inside another, when clients may have become ready. */
  afterUnit: (() => void) | null = null;

  private readonly services: Services;
  private readonly commands: CommandTable;
  private readonly doorman: Doorman;
  private readonly later: (() => void)[] = [];
  /** Depth of calls: a command inside EXEC stands at 2. */
  private depth = 0;
  /** Error replies held against a command: against what gave them, not the EXEC around it. */
  private errorsTold = 0;
  private lastMs = 0;
  /** When the keyspace was told the time last. */
  private toldMs = 0;
  /** Commands of a read run: their end will be told by `endClock`. */
  private reading = false;
  /** A command that waited runs once more: it has been counted, and shown to monitors, already. */
  private again = false;
  /** Commands that wait for their share of the time since `lastMs`. */
  private readonly shared = new SharedCalls();

  constructor(services: Services, anyone: Client, args: Args) {
    this.services = services;
    this.commands = services.commands;
    this.doorman = new Doorman(services);
    const first = services.commands.all[0];
    if (first === undefined) throw new Error('a server needs commands');
    this.context = new Context(services, anyone, args, first);
  }

  /** Begins a read: what runs from here on sees this moment. */
  startClock(nowMs: number): void {
    this.services.keyspace.nowMs = nowMs;
    this.lastMs = performance.now();
    this.toldMs = this.lastMs;
    this.reading = true;
  }

  /** Ends a read: commands that were timed together get their shares. */
  endClock(): void {
    if (this.shared.count > 0) this.settle();
    this.reading = false;
  }

  /** Whether a command is running. */
  get isRunning(): boolean {
    return this.depth > 0;
  }

  /** Whether the running command stands inside EXEC: none may wait there. */
  get isNested(): boolean {
    return this.depth > 1;
  }

  /** Runs one command of a client: gates, handler, propagation, figures. */
  run(client: Client, args: Args): void {
    client.silentFrom = client.reply.total;
    client.commandCount++;
    const { isReplica } = client;
    this.admit(client, args);
    if (isReplica && client.reply.total > client.silentFrom) this.doorman.dropTalker(client, args);
    if (client.replyMode !== REPLY_ON && !isAnsweredLater(client)) silence(client);
  }

  /** Runs a command that has passed its gates. */
  call(client: Client, command: Command, args: Args): void {
    const { keyspace, propagator, stats } = this.services;
    const c = this.context;
    const before = keyspace.dirty;
    const outermost = this.depth === 0;
    const { again } = this;
    this.again = false;
    const shares = outermost && command.isConstant && this.reading && this.mayShare && !again;
    if (!shares && this.shared.count > 0) this.settle();
    c.client = client;
    c.reply = client.reply;
    c.args = args;
    c.command = command;
    c.db = keyspace.databases[client.db]!;
    if (client.noTouch || keyspace.noTouch) {
      keyspace.noTouch = client.noTouch && command.name !== 'touch';
    }
    if (outermost) propagator.beginUnit((command.flags & TOUCHES_ARBITRARY_KEYS) === 0);
    else propagator.nextCommand();
    this.depth++;
    this.errorsTold = stats.totalErrorReplies;
    command.handler(c);
    this.depth--;
    if (keyspace.dirty > before) {
      propagator.command(c.db.id, args);
      client.wrote = true;
    }
    if (outermost) propagator.endUnit();
    if (outermost && propagator.streamOffset >= 0 && propagator.hasWritten) {
      client.writeOffset = propagator.streamOffset + propagator.length;
    }
    if (stats.totalErrorReplies > this.errorsTold) {
      command.stats.failed++;
      this.lastFailed = command.name;
    }
    this.errorsTold = stats.totalErrorReplies;
    const waits = client.waiting === WAIT_BLOCKED && this.runsAgain(client);
    if (waits) this.putOff(client);
    else {
      stats.commandsProcessed++;
      if (shares && this.shared.mayTake(client, args, keyspace, before)) this.share(command);
      else this.measure(client, command, args, again);
    }
    if (this.monitor !== null && !again) this.monitor(client, command, args);
    if (this.redacted.length > 0) this.redacted.length = 0;
    // One who goes on waiting has read nothing that it did not read before.
    if (client.tracking !== null && !(again && waits)) {
      this.services.desk.tracking.ran(client, command, args, outermost);
    }
    if (outermost && this.afterUnit !== null) this.afterUnit();
    if (outermost && this.later.length > 0) this.runLater();
  }

  /** Runs the command of a client that waited for a key once more, if it still may run. */
  callAgain(client: Client, command: Command, args: Args): void {
    for (const gate of this.gatesAgain) {
      const error = gate(client, command, args);
      if (error === null) continue;
      this.refuse(client, command, args, error);
      return;
    }
    this.again = true;
    this.call(client, command, args);
  }

  /** Calls `task` once, after the command that runs now and all that it is part of. */
  afterThis(task: () => void): void {
    if (this.depth === 0) task();
    else this.later.push(task);
  }

  private runLater(): void {
    for (const task of this.later.splice(0)) task();
  }

  /** Runs the commands of a transaction, one unit together. */
  execute(client: Client, cursor: TransactionCursor, scratch: Args): void {
    const { propagator } = this.services;
    const c = this.context;
    const { args, command } = c;
    for (let one = cursor.next(scratch); one !== null; one = cursor.next(scratch)) {
      const refusal = this.recheck === null ? null : this.recheck(client, one, scratch);
      if (refusal === null) this.call(client, one, scratch);
      else client.reply.error(refusal);
    }
    propagator.suppress();
    c.client = client;
    c.args = args;
    c.command = command;
  }

  /** Whether there is such a command, with whatever arguments. */
  knows(args: Args): boolean {
    return this.commands.find(args, 0) !== null;
  }

  /**
   * Looks the command up, answering for one that is unknown or has the wrong number of arguments.
   */
  resolve(client: Client, args: Args): Command | null {
    client.lastCommand = null;
    const found = this.commands.find(args, 0);
    if (found === null) {
      this.refuse(client, null, args, unknownCommand(args));
      return null;
    }
    let command = found;
    if (found.subcommands !== undefined && args.count > 1) {
      const sub = this.commands.child(found, args.text(1));
      if (sub === undefined) {
        const name = args.shown(1).slice(0, 128);
        const parent = args.shown(0).toUpperCase();
        this.refuse(client, null, args, `ERR unknown subcommand '${name}'. Try ${parent} HELP.`);
        return null;
      }
      command = sub;
    }
    client.lastCommand = command;
    const { arity } = command;
    if ((arity > 0 && args.count !== arity) || args.count < -arity) {
      this.refuse(client, command, args, wrongArity(command.name));
      return null;
    }
    if ((command.flags & PROTECTED) !== 0 && !this.mayDebug(client)) {
      this.refuse(client, command, args, NO_DEBUG);
      return null;
    }
    return command;
  }

  private mayDebug(client: Client): boolean {
    const { enableDebugCommand } = this.services.config.values;
    return enableDebugCommand === 'yes' || (enableDebugCommand === 'local' && client.local);
  }

  /**
   * Answers an error before a command ran; a transaction that is being queued is spoiled, EXEC
   * discards it, and is shown to monitors, which saw MULTI. That of a primary has been executed
   * there: what can be executed of it is.
   */
  refuse(client: Client, command: Command | null, args: Args, error: string): void {
    if (command !== null) command.stats.rejected++;
    if (command?.name === 'exec') {
      this.discard(client);
      const reason = error.replace(/^ERR /, '');
      client.reply.error(`EXECABORT Transaction discarded because of: ${reason}`);
      this.monitor?.(client, command, args);
    } else {
      if (client.transaction !== null && !client.isPrimary) client.transaction.spoiled = true;
      client.reply.error(error);
    }
    if (client.tracking !== null) this.services.desk.tracking.endCaching(client, command);
  }

  /** Ends a transaction, whether it has run or not. */
  discard(client: Client): void {
    const held = client.transaction?.takeHeld() ?? [];
    client.transaction = null;
    for (const one of held) this.services.keyspace.offered.letGo(one);
    this.services.watches.clear(client);
  }

  private admit(client: Client, args: Args): void {
    const command = this.resolve(client, args);
    if (command === null) {
      this.doorman.dropWebRequest(client, args);
      return;
    }
    if (!client.authenticated && (command.flags & NO_AUTH) === 0) {
      this.refuse(client, command, args, AUTH_REQUIRED);
      return;
    }
    const queue = client.transaction === null || runsInMulti(command) ? null : client.transaction;
    if (queue !== null && (command.flags & NO_MULTI) !== 0) {
      this.refuse(client, command, args, 'ERR Command not allowed inside a transaction');
      return;
    }
    for (let i = 0; i < this.gates.length; i++) {
      const error = this.gates[i]!(client, command, args);
      if (error === null) continue;
      if (error !== '') this.refuse(client, command, args, error);
      return;
    }
    if (queue !== null) {
      this.queue(client, command, args, queue);
      return;
    }
    this.call(client, command, args);
  }

  private queue(client: Client, command: Command, args: Args, transaction: Transaction): void {
    // What will not run anyway is not kept.
    if (!transaction.spoiled && !client.watchedChanged) {
      transaction.add(command, args, this.services.keyspace.offered);
    }
    client.reply.raw(QUEUED);
  }

  /** Times one command by itself. */
  private measure(client: Client, command: Command, args: Args, again: boolean): void {
    if (this.shared.count > 0) this.shared.settle(QUICK_US, this.histograms);
    const microseconds = this.sinceLast() + (again ? client.spentMicroseconds : 0);
    countCalls(command, microseconds, 1, this.histograms);
    if (microseconds >= this.slowMicroseconds && this.watcher !== null) {
      this.watcher.called(client, command, args, microseconds);
    }
  }

  /** Whether the command that the client waits for will be run once more, to answer. */
  private runsAgain(client: Client): boolean {
    const { blocking, desk } = this.services;
    return blocking.stillWaits(client) || desk.migrations.moves(client);
  }

  /** A command that waits is counted when it is answered, with all the time that it took. */
  private putOff(client: Client): void {
    if (this.shared.count > 0) this.settle();
    client.spentMicroseconds += this.sinceLast();
  }

  /** Microseconds since the end of the command before this one. */
  private sinceLast(): number {
    const now = performance.now();
    const microseconds = (now - this.lastMs) * 1000;
    this.lastMs = now;
    if (now - this.toldMs >= 1) this.tellTime(now);
    return microseconds;
  }

  /** Puts off the timing of a command to that of the group it stands in. */
  private share(command: Command): void {
    this.shared.add(command);
    if (this.shared.count === SHARED_MAX) this.settle();
  }

  /** Reads the clock for the group: each command gets an equal share. */
  private settle(): void {
    this.shared.settle(this.sinceLast() / this.shared.count, this.histograms);
  }

  /** Commands that follow a long one see how late it has become. */
  private tellTime(now: number): void {
    if (!this.reading || this.depth > 0) return;
    this.toldMs = now;
    this.services.keyspace.nowMs = Date.now();
  }

  /**
   * Whether no command is so interesting, by the thresholds that are set, that it must be timed
   * alone.
   */
  private get mayShare(): boolean {
    return this.watcher === null || this.slowMicroseconds >= SHARED_SLOW_MIN;
  }

  /** Answers a command that waited. */
  answerNow(client: Client, answer: () => void): void {
    client.silentFrom = client.reply.total;
    answer();
    silence(client);
  }
}
