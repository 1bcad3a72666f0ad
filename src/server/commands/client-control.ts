/**
 * CLIENT, on other connections: KILL, PAUSE, UNPAUSE, UNBLOCK.
 */
import type { User } from '../acl/acl-user.ts';
import type { Client } from '../clients/client.ts';
import { type ClientKind, clientKind, parseClientKind } from '../clients/client-list.ts';
import { ADMIN, ANYTIME, type Command, command } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR, wrongSubcommand } from '../dispatch/errors.ts';
import { readTimeoutMs } from './blocking-timeout.ts';

const NO_SUCH_CLIENT = 'ERR No such client';

interface KillFilter {
  id?: number;
  kind?: ClientKind | undefined;
  address?: string;
  localAddress?: string;
  user?: User | undefined;
  /** Seconds. */
  minAge?: number;
  skipSelf: boolean;
}

function killCommand(c: Context): void {
  if (c.argc === 3) {
    const killed = kill(c, { address: c.args.text(2), skipSelf: false });
    if (killed === 0) c.reply.error(NO_SUCH_CLIENT);
    else c.ok();
    return;
  }
  const filter = readFilter(c);
  if (filter !== undefined) c.reply.integer(kill(c, filter));
}

/** The filters from argument 2 on; undefined when an error has been answered. */
function readFilter(c: Context): KillFilter | undefined {
  const filter: KillFilter = { skipSelf: true };
  for (let i = 2; i < c.argc; i += 2) {
    if (i + 1 === c.argc) {
      c.reply.error(SYNTAX_ERROR);
      return undefined;
    }
    if (!takeFilter(c, filter, i)) return undefined;
  }
  return filter;
}

/** One filter, its value in argument `i + 1`; false when an error has been answered. */
function takeFilter(c: Context, filter: KillFilter, i: number): boolean {
  const { args, reply } = c;
  const value = args.text(i + 1);
  if (c.is(i, 'id')) {
    const id = positiveAt(c, i + 1, 'ERR client-id should be greater than 0');
    filter.id = id;
    return !Number.isNaN(id);
  }
  if (c.is(i, 'type')) {
    filter.kind = parseClientKind(value);
    if (filter.kind === undefined) reply.error(`ERR Unknown client type '${value}'`);
    return filter.kind !== undefined;
  }
  if (c.is(i, 'user')) {
    filter.user = c.services.desk.access.user(value);
    if (filter.user === undefined) reply.error(`ERR No such user '${value}'`);
    return filter.user !== undefined;
  }
  if (c.is(i, 'maxage')) {
    if (Number.isNaN(c.integer(i + 1))) return false;
    const age = positiveAt(c, i + 1, 'ERR maxage should be greater than 0');
    filter.minAge = age;
    return !Number.isNaN(age);
  }
  if (c.is(i, 'addr')) filter.address = value;
  else if (c.is(i, 'laddr')) filter.localAddress = value;
  else if (c.is(i, 'skipme') && /^(yes|no)$/i.test(value)) {
    filter.skipSelf = value.toLowerCase() === 'yes';
  } else {
    reply.error(SYNTAX_ERROR);
    return false;
  }
  return true;
}

/** Argument `i` as an integer above 0, NaN once the error has been answered. */
function positiveAt(c: Context, i: number, error: string): number {
  return c.integerIn(i, 1, Number.MAX_SAFE_INTEGER, error);
}

function kill(c: Context, filter: KillFilter): number {
  let killed = 0;
  for (const client of [...c.services.clients.values()]) {
    if (!matches(client, filter, c.keyspace.nowMs) || (filter.skipSelf && client === c.client))
      continue;
    c.services.closeClient(client, client === c.client ? 'after-reply' : 'now');
    killed++;
  }
  return killed;
}

function matches(client: Client, filter: KillFilter, nowMs: number): boolean {
  const { id, kind, address, localAddress, user, minAge } = filter;
  return (
    (id === undefined || client.id === id) &&
    (kind === undefined || clientKind(client) === kind) &&
    (address === undefined || client.address === address) &&
    (localAddress === undefined || client.localAddress === localAddress) &&
    (user === undefined || client.user === user) &&
    (minAge === undefined || nowMs - client.createdMs >= minAge * 1000)
  );
}

function pauseCommand(c: Context): void {
  let writesOnly = false;
  if (c.argc > 4) {
    c.reply.error(wrongSubcommand('CLIENT', c.args.text(1)));
    return;
  }
  if (c.argc === 4) {
    writesOnly = c.is(3, 'write');
    if (!writesOnly && !c.is(3, 'all')) {
      c.reply.error('ERR CLIENT PAUSE mode must be WRITE or ALL');
      return;
    }
  }
  const ms = readTimeoutMs(c, 2);
  if (Number.isNaN(ms)) return;
  c.services.desk.pause.begin('client', performance.now() + ms, writesOnly);
  c.ok();
}

function unpauseCommand(c: Context): void {
  c.services.desk.pause.end('client');
  c.ok();
}

function unblockCommand(c: Context): void {
  let error = false;
  if (c.argc > 4) {
    c.reply.error(wrongSubcommand('CLIENT', c.args.text(1)));
    return;
  }
  if (c.argc === 4) {
    error = c.is(3, 'error');
    if (!error && !c.is(3, 'timeout')) {
      c.reply.error('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
      return;
    }
  }
  const id = c.integer(2);
  if (Number.isNaN(id)) return;
  const client = c.services.clients.get(id);
  const { blocking, replication } = c.services;
  const ended =
    client !== undefined &&
    (blocking.unblock(client, error) || replication.waits.unblock(client, error));
  c.reply.integer(ended ? 1 : 0);
}

export const clientControlCommands: readonly Command[] = [
  command(
    'client|kill',
    'connection',
    {
      arity: -3,
      flags: ADMIN | ANYTIME,
      acl: ['connection'],
      since: '2.4.0',
      complexity: 'O(N) where N is the number of client connections',
      syntax:
        'filter=(old-format~"ip:port"!2.8.12|new-format=([ID client-id:integer@2.8.12]|' +
        '[TYPE client-type=' +
        '(NORMAL|MASTER@3.2.0|SLAVE|REPLICA@5.0.0|PUBSUB)@2.8.12]|[USER username]|' +
        '[ADDR addr~"ip:port"]|[LADDR laddr~"ip:port"@6.2.0]|[SKIPME skipme=(YES|NO)]|' +
        '[MAXAGE maxage:integer@8.0.0])...)',
      summary: 'Closes connections.',
      history: [
        ['2.8.12', 'Takes filters.'],
        ['2.8.12', 'Takes `ID`.'],
        ['3.2.0', 'Takes `TYPE master`.'],
        ['5.0.0', 'Takes `TYPE replica`.'],
        ['6.2.0', 'Takes `LADDR`.'],
        ['8.0.0', 'Takes `MAXAGE`.'],
      ],
    },
    killCommand,
  ),
  command(
    'client|pause',
    'connection',
    {
      arity: -3,
      flags: ADMIN | ANYTIME,
      acl: ['connection'],
      since: '3.0.0',
      complexity: 'O(1)',
      syntax: 'timeout:integer [mode=(WRITE|ALL)@6.2.0]',
      summary: 'Lets commands of clients wait.',
      history: [['6.2.0', 'Takes a mode.']],
    },
    pauseCommand,
  ),
  command(
    'client|unpause',
    'connection',
    {
      arity: 2,
      flags: ADMIN | ANYTIME,
      acl: ['connection'],
      since: '6.2.0',
      complexity: 'O(N) Where N is the number of paused clients',
      summary: 'Ends a pause.',
    },
    unpauseCommand,
  ),
  command(
    'client|unblock',
    'connection',
    {
      arity: -3,
      flags: ADMIN | ANYTIME,
      acl: ['connection'],
      since: '5.0.0',
      complexity: 'O(log N) where N is the number of client connections',
      syntax: 'client-id:integer [unblock-type=(TIMEOUT|ERROR)]',
      summary: 'Ends the wait of a blocked client.',
    },
    unblockCommand,
  ),
];
