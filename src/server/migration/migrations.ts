/**
 * MIGRATE while it is under way: which keys it holds, and what happens when the target has
 * answered.
 *
 *     values are taken -> (the target is sent them, the client waits, keys are held)
 *       -> the keys are released and deleted, the client is answered, in one breath
 *
 * In Redis the whole server stands still meanwhile, so nothing can come between the value that was
 * sent and the deletion. Here everybody else goes on, and two things together see to it that no
 * write is lost:
 *
 *     held       commands that would write to one of the keys, or that name none (FLUSHALL), wait
 *                until it is over, and then run in the order in which they came; a transaction
 *                waits whole, at its EXEC. Readers see the key as it was. Refusing to delete a key
 *                that changed would be safe as well, but one that is written to all the time could
 *                then never move, and each attempt would leave an old copy of it elsewhere.
 *     watched    not every change passes the gates: a BLMOVE that waited already, the stream of a
 *                primary, a reload. A key that has changed nevertheless stays where it is, and the
 *                client is answered IOERR: as after any IOERR of MIGRATE it may be at both ends,
 *                and here is the newer one.
 *
 * Keys are held by name, in all databases: COPY and MOVE reach into others, and it costs nobody
 * anything.
 *
 * Deleting is a write, so all gates are asked again before it: the server may be a replica now, or
 * its disk may fail. While clients are paused (FAILOVER, SHUTDOWN) it waits. A client that went
 * away has its keys moved all the same.
 */
import { Args } from '../../core/resp/args.ts';
import { latin1Text } from '../../core/text/latin1.ts';
import { type Client, WAIT_BLOCKED } from '../clients/client.ts';
import { GoingOn } from '../clients/go-on.ts';
import { TransactionCursor } from '../clients/transaction.ts';
import type { Watcher } from '../clients/watch-table.ts';
import { type Command, MAY_REPLICATE, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { findKeys, mayHaveKeys } from '../dispatch/key-extraction.ts';
import type { Services } from '../services.ts';
import { MigrateSockets } from './migrate-sockets.ts';
import { type MigrateOutcome, type MigrateRequest, migrate } from './migrate-talk.ts';

const PAUSE_POLL_MS = 20;

/** A command whose keys are being moved. */
export interface Migration {
  readonly request: MigrateRequest;
  readonly copy: boolean;
  /** The argument that names each key of the request. */
  readonly places: readonly number[];
  /** Arguments that must not be shown. */
  readonly secrets: readonly number[];
}

/** A migration that is over. */
export interface EndedMigration extends Migration {
  readonly outcome: MigrateOutcome;
  /** Whether a key, by its number, has changed since its value was taken. */
  readonly hasChanged: (i: number) => boolean;
}

export class Migrations {
  /** Called when keys begin or cease to be held. */
  onChange: () => void = () => {};
  readonly sockets = new MigrateSockets();
  /** The migration whose command runs once more, to delete and to answer. */
  ending: EndedMigration | null = null;
  /** Clients that wait. */
  private readonly clients = new Set<Client>();
  private readonly services: Services;
  private readonly goingOn: GoingOn;
  /** Names of held keys, and by how many commands each is held. */
  private readonly held = new Map<string, number>();

  constructor(services: Services) {
    this.services = services;
    this.goingOn = new GoingOn(services, (client) => services.resumeClient(client));
  }

  /** Clients that wait. */
  get size(): number {
    return this.clients.size;
  }

  /** Whether the client waits here. */
  moves(client: Client): boolean {
    return this.clients.has(client);
  }

  /** Whether any key is held. */
  get holds(): boolean {
    return this.held.size > 0;
  }

  /** The running command's client waits until the target has answered. */
  begin(c: Context, migration: Migration): void {
    const { client, command } = c;
    const args = new Args();
    for (let i = 0; i < c.args.count; i++) args.push(c.args.copy(i), 0, c.args.lengths[i]!);
    const { watches, keyspace } = this.services;
    const watchers = migration.request.keys.map(({ name }): Watcher => {
      const watcher = { watched: [], watchedBytes: 0, watchedChanged: false };
      watches.add(watcher, keyspace, client.db, name);
      return watcher;
    });
    this.hold(migration.request, 1);
    client.waiting = WAIT_BLOCKED;
    client.spentMicroseconds = 0;
    this.clients.add(client);
    void this.run(migration.request).then((outcome) => {
      this.clients.delete(client);
      this.hold(migration.request, -1);
      const hasChanged = (i: number): boolean => watchers[i]?.watchedChanged === true;
      this.end(client, command, args, { ...migration, outcome, hasChanged });
      for (const watcher of watchers) watches.clear(watcher);
    });
  }

  /** Whether the command would write to a held key. */
  stops(client: Client, command: Command, args: Args): boolean {
    if (client.isPrimary || client.link === null) return false;
    if (command.name !== 'exec') {
      return client.transaction === null && this.touches(command, args);
    }
    if (client.transaction === null) return false;
    const cursor = new TransactionCursor(client.transaction);
    const queued = new Args();
    for (let one = cursor.next(queued); one !== null; one = cursor.next(queued)) {
      if (this.touches(one, queued)) return true;
    }
    return false;
  }

  private touches(command: Command, args: Args): boolean {
    const { flags } = command;
    if ((flags & (WRITE | MAY_REPLICATE)) === 0) return false;
    if ((flags & WRITE) !== 0 && !mayHaveKeys(command)) return true;
    return (findKeys(command, args) ?? []).some(({ index }) => this.held.has(args.text(index)));
  }

  private hold({ keys }: MigrateRequest, by: 1 | -1): void {
    for (const { name } of keys) {
      const id = latin1Text(name, 0, name.length);
      const count = (this.held.get(id) ?? 0) + by;
      if (count > 0) this.held.set(id, count);
      else this.held.delete(id);
    }
    this.onChange();
  }

  private async run(request: MigrateRequest): Promise<MigrateOutcome> {
    const outcome = await migrate(this.sockets, request);
    while (this.services.desk.pause.isPaused) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_POLL_MS).unref());
    }
    return outcome;
  }

  /** Runs the command once more, if it still may, and lets its client go on. */
  private end(client: Client, command: Command, args: Args, ended: EndedMigration): void {
    const { dispatcher } = this.services;
    this.ending = ended;
    dispatcher.startClock(Date.now());
    dispatcher.answerNow(client, () => {
      const refusal = this.refusal(client, command, args);
      if (refusal === null) dispatcher.callAgain(client, command, args);
      else dispatcher.refuse(client, command, args, refusal);
    });
    dispatcher.endClock();
    this.ending = null;
    if (client.closed) {
      client.reply.drop();
      this.services.endTurnSoon();
      return;
    }
    this.goingOn.add(client);
  }

  private refusal(client: Client, command: Command, args: Args): string | null {
    for (const gate of this.services.dispatcher.gates) {
      const error = gate(client, command, args);
      if (error !== null && error !== '') return error;
    }
    return null;
  }
}
