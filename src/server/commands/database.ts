/**
 * The commands on whole databases: SELECT, SWAPDB, FLUSHDB, FLUSHALL.
 *
 * A flush empties a database for everyone at once and leaves its memory to lazy-free.ts. ASYNC
 * answers right then; SYNC answers when the memory is back, while the other clients go on. Inside a
 * transaction nobody can wait, so there SYNC frees everything on the spot.
 */
import { command, FAST, LOADING, STALE, WRITE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { databaseAt, int32At, NO_SUCH_DATABASE } from './database-number.ts';

const SYNC = 1;
const ASYNC = 2;

function selectCommand(c: Context): void {
  const found = databaseAt(c, 1);
  if (found === null) return;
  c.client.db = found.id;
  c.ok();
}

function swapdbCommand(c: Context): void {
  const { keyspace, reply, services } = c;
  const first = int32At(c, 1, 'ERR invalid first DB index');
  if (Number.isNaN(first)) return;
  const second = int32At(c, 2, 'ERR invalid second DB index');
  if (Number.isNaN(second)) return;
  if (keyspace.databases[first] === undefined || keyspace.databases[second] === undefined) {
    reply.error(NO_SUCH_DATABASE);
    return;
  }
  if (first !== second) {
    services.swapDatabases(first, second);
    // The client stays in the database of the same number, which is what its command is propagated
    // for.
    c.db = keyspace.databases[c.client.db] ?? c.db;
  }
  keyspace.dirty++;
  c.ok();
}

function flushdbCommand(c: Context): void {
  const mode = flushMode(c);
  if (mode === 0) return;
  c.keyspace.dirty += c.services.flushDatabase(c.db.id);
  propagateAnyway(c);
  finish(c, mode);
}

function flushallCommand(c: Context): void {
  const mode = flushMode(c);
  if (mode === 0) return;
  const { keyspace, services } = c;
  for (let i = 0; i < keyspace.databases.length; i++) keyspace.dirty += services.flushDatabase(i);
  keyspace.dirty++;
  // Afterwards: a dump of half a unit would fit no place in the replication stream.
  services.dispatcher.afterThis(() => services.persistence.flushed());
  propagateAnyway(c);
  finish(c, mode);
}

/** SYNC or ASYNC, 0 when an error has been answered. */
function flushMode(c: Context): number {
  const { args, services } = c;
  if (args.count === 1) return services.config.values.lazyfreeLazyUserFlush ? ASYNC : SYNC;
  if (args.count === 2 && args.is(1, 'sync')) return SYNC;
  if (args.count === 2 && args.is(1, 'async')) return ASYNC;
  c.reply.error(SYNTAX_ERROR);
  return 0;
}

/** A flush is propagated even when there was nothing to delete. */
function propagateAnyway(c: Context): void {
  c.propagator.command(c.db.id, c.args);
  c.propagator.suppress();
}

function finish(c: Context, mode: number): void {
  const { client, keyspace, services } = c;
  if (mode === SYNC && keyspace.hasDoomed) {
    if (services.mayWait(client)) {
      services.answerLater(client, services.lazyFree.done(), () => client.reply.simple('OK'));
      return;
    }
    services.lazyFree.drain();
  }
  services.lazyFree.kick();
  c.ok();
}

const FLUSH_TIPS = ['request_policy:all_shards', 'response_policy:all_succeeded'];
const FLUSH_SYNTAX = '[flush-type=(ASYNC@4.0.0|SYNC@6.2.0)]';
const FLUSH_HISTORY = [
  ['4.0.0', 'Added the `ASYNC` flushing mode modifier.'],
  ['6.2.0', 'Added the `SYNC` flushing mode modifier.'],
] as const;

export const databaseCommands = [
  command(
    'select',
    'connection',
    {
      arity: 2,
      flags: LOADING | STALE | FAST,
      acl: ['connection'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Chooses the database of this connection.',
      syntax: 'index:integer',
    },
    selectCommand,
  ),
  command(
    'swapdb',
    'server',
    {
      arity: 3,
      flags: WRITE | FAST,
      acl: ['keyspace', 'dangerous'],
      since: '4.0.0',
      complexity: 'O(N) with N the number of clients that watch keys of the two',
      summary: 'Exchanges the contents of two databases.',
      syntax: 'index1:integer index2:integer',
    },
    swapdbCommand,
  ),
  command(
    'flushdb',
    'server',
    {
      arity: -1,
      flags: WRITE,
      acl: ['keyspace', 'dangerous'],
      tips: FLUSH_TIPS,
      since: '1.0.0',
      complexity: 'O(N) with N the number of keys, in slices',
      summary: 'Deletes all keys of this database.',
      history: FLUSH_HISTORY,
      syntax: FLUSH_SYNTAX,
    },
    flushdbCommand,
  ),
  command(
    'flushall',
    'server',
    {
      arity: -1,
      flags: WRITE,
      acl: ['keyspace', 'dangerous'],
      tips: FLUSH_TIPS,
      since: '1.0.0',
      complexity: 'O(N) with N the number of all keys, in slices',
      summary: 'Deletes all keys of all databases.',
      history: FLUSH_HISTORY,
      syntax: FLUSH_SYNTAX,
    },
    flushallCommand,
  ),
];
