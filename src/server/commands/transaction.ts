/**
 * Transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH.
 *
 *     WATCH k     note k                      any change of k spoils the EXEC: it answers null
 *     MULTI    begin              the commands from here on are checked and queued (dispatch.ts)
 *     ...      QUEUED             one that is refused spoils the EXEC: it answers EXECABORT
 *     EXEC     run all, one unit  nothing else runs in between; one MULTI/EXEC in the journal
 *
 * A watched key that expires before EXEC spoils it, whether or not anybody has removed the key yet.
 */
import { entriesLimit } from '../../core/entries-limit.ts';
import { Args } from '../../core/resp/args.ts';
import { SpareTransactions, TransactionCursor } from '../clients/transaction.ts';
import {
  ALLOW_BUSY,
  command,
  FAST,
  keysFrom,
  LOADING,
  NOSCRIPT,
  SKIP_SLOWLOG,
  STALE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { EXEC_ABORTED, tooMany } from '../dispatch/errors.ts';

/** Arguments of the queued command that runs; EXEC does not nest. */
const queued = new Args();
const spare = new SpareTransactions();

function multiCommand(c: Context): void {
  if (c.client.transaction !== null) {
    c.reply.error('ERR MULTI calls can not be nested');
    return;
  }
  c.client.transaction = spare.take();
  c.ok();
}

function execCommand(c: Context): void {
  const { client, keyspace, reply, services } = c;
  const { dispatcher, watches } = services;
  const { transaction } = client;
  if (transaction === null) {
    reply.error('ERR EXEC without MULTI');
    return;
  }
  if (transaction.spoiled) {
    reply.error(EXEC_ABORTED);
  } else if (client.watchedChanged || watches.expired(client, keyspace)) {
    reply.nullArray();
  } else {
    watches.clear(client);
    reply.array(transaction.commands.length);
    // Whatever becomes of the client meanwhile, its words stay until all of them have run.
    const cursor = new TransactionCursor(transaction);
    const held = transaction.takeHeld();
    dispatcher.execute(client, cursor, queued);
    queued.release();
    for (const one of held) keyspace.offered.letGo(one);
  }
  dispatcher.discard(client);
  spare.giveBack(transaction);
}

function discardCommand(c: Context): void {
  if (c.client.transaction === null) {
    c.reply.error('ERR DISCARD without MULTI');
    return;
  }
  c.services.dispatcher.discard(c.client);
  c.ok();
}

function watchCommand(c: Context): void {
  const { args, client, services } = c;
  if (client.transaction !== null) {
    c.reply.error('ERR WATCH inside MULTI is not allowed');
    return;
  }
  if (services.watches.size + args.count - 1 > entriesLimit.max) {
    c.reply.error(tooMany('watched keys'));
    return;
  }
  // When a key has changed already, EXEC will fail whatever else is watched.
  if (!client.watchedChanged) {
    for (let i = 1; i < args.count; i++) {
      services.watches.add(client, c.keyspace, client.db, args.copy(i));
    }
  }
  c.ok();
}

function unwatchCommand(c: Context): void {
  c.services.watches.clear(c.client);
  c.ok();
}

const ALWAYS = NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY;

export const transactionCommands = [
  command(
    'multi',
    'transactions',
    {
      arity: 1,
      flags: ALWAYS,
      acl: ['transaction'],
      since: '1.2.0',
      complexity: 'O(1)',
      summary: 'Begins a transaction.',
      syntax: '',
    },
    multiCommand,
  ),
  command(
    'exec',
    'transactions',
    {
      arity: 1,
      flags: NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG,
      acl: ['transaction'],
      since: '1.2.0',
      complexity: 'Depends on the commands of the transaction',
      summary: 'Runs the commands of a transaction.',
      syntax: '',
    },
    execCommand,
  ),
  command(
    'discard',
    'transactions',
    {
      arity: 1,
      flags: ALWAYS,
      acl: ['transaction'],
      since: '2.0.0',
      complexity: 'O(N) with N the number of queued commands',
      summary: 'Gives a transaction up.',
      syntax: '',
    },
    discardCommand,
  ),
  command(
    'watch',
    'transactions',
    {
      arity: -2,
      flags: ALWAYS,
      keys: [keysFrom(1, -1, 1, 'RO')],
      acl: ['transaction'],
      since: '2.2.0',
      complexity: 'O(1) a key',
      summary: 'Lets the next transaction run only if these keys do not change.',
      syntax: 'key:key...',
    },
    watchCommand,
  ),
  command(
    'unwatch',
    'transactions',
    {
      arity: 1,
      flags: ALWAYS,
      acl: ['transaction'],
      since: '2.2.0',
      complexity: 'O(N) with N the number of watched keys',
      summary: 'Forgets the watched keys.',
      syntax: '',
    },
    unwatchCommand,
  ),
];
