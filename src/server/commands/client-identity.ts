/**
 * CLIENT, on the asking connection: ID, GETNAME, SETNAME, SETINFO, INFO, LIST, REPLY, NO-EVICT,
 * NO-TOUCH, CAPA.
 */
import { TextWriter } from '../../core/text/text-writer.ts';
import { type Client, REPLY_OFF, REPLY_ON, REPLY_SKIP_NEXT } from '../clients/client.ts';
import {
  clientKind,
  describeClient,
  parseClientKind,
  writeClient,
} from '../clients/client-list.ts';
import { ADMIN, ANYTIME, type Command, command } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';

export const BAD_NAME = 'ERR Client names cannot contain spaces, newlines or special characters.';

const lines = new TextWriter();

/** Whether a text may name a client: printable ASCII without spaces. */
export function isAttribute(text: string): boolean {
  return /^[!-~]*$/.test(text);
}

function idCommand(c: Context): void {
  c.reply.integer(c.client.id);
}

function getnameCommand(c: Context): void {
  if (c.client.name === '') c.reply.null();
  else c.reply.bulkText(c.client.name);
}

function setnameCommand(c: Context): void {
  const name = c.args.text(2);
  if (!isAttribute(name)) {
    c.reply.error(BAD_NAME);
    return;
  }
  c.client.name = name;
  c.ok();
}

function setinfoCommand(c: Context): void {
  const value = c.args.text(3);
  const option = c.args.text(2).toLowerCase();
  if (option !== 'lib-name' && option !== 'lib-ver') {
    c.reply.error(`ERR Unrecognized option '${c.args.shown(2)}'`);
  } else if (!isAttribute(value)) {
    c.reply.error(`ERR ${c.args.shown(2)} cannot contain spaces, newlines or special characters.`);
  } else {
    if (option === 'lib-name') c.client.libName = value;
    else c.client.libVersion = value;
    c.ok();
  }
}

function infoCommand(c: Context): void {
  c.reply.verbatim('txt', `${describeClient(c.client, c.keyspace.nowMs, c.args)}\n`);
}

function listCommand(c: Context): void {
  const clients = listed(c);
  if (clients === undefined) return;
  lines.start();
  for (const client of clients) {
    writeClient(lines, client, c.keyspace.nowMs, client === c.client ? c.args : null);
    lines.text('\n');
  }
  c.reply.verbatimBytes('txt', lines.bytes, lines.length);
}

/** The clients that CLIENT LIST is asked for; undefined when an error has been answered. */
function listed(c: Context): Client[] | undefined {
  const { clients } = c.services;
  if (c.argc === 2) return [...clients.values()];
  if (c.argc === 4 && c.is(2, 'type')) {
    const kind = parseClientKind(c.args.text(3));
    if (kind !== undefined) return [...clients.values()].filter((one) => clientKind(one) === kind);
    c.reply.error(`ERR Unknown client type '${c.args.shown(3)}'`);
    return undefined;
  }
  if (c.argc < 4 || !c.is(2, 'id')) {
    c.reply.error(SYNTAX_ERROR);
    return undefined;
  }
  const found: Client[] = [];
  for (let i = 3; i < c.argc; i++) {
    const id = c.integer(i, 'ERR Invalid client ID');
    if (Number.isNaN(id)) return undefined;
    const client = clients.get(id);
    if (client !== undefined) found.push(client);
  }
  return found;
}

/** Inside EXEC it concerns what comes after it alone: a part of an array is then missing. */
function replyCommand(c: Context): void {
  const { client } = c;
  if (c.is(2, 'on')) {
    if (client.isSilent) client.reply.rewind(client.silentFrom);
    client.replyMode = REPLY_ON;
    c.ok();
  } else if (c.is(2, 'off')) {
    if (!client.isSilent) client.silentFrom = client.reply.total;
    client.replyMode = REPLY_OFF;
  } else if (c.is(2, 'skip')) {
    if (client.replyMode !== REPLY_OFF) client.replyMode = REPLY_SKIP_NEXT;
  } else {
    c.reply.error(SYNTAX_ERROR);
  }
}

/** ON or OFF in argument 2; undefined when an error has been answered. */
function switchOf(c: Context): boolean | undefined {
  if (c.is(2, 'on')) return true;
  if (c.is(2, 'off')) return false;
  c.reply.error(SYNTAX_ERROR);
  return undefined;
}

function noEvictCommand(c: Context): void {
  const on = switchOf(c);
  if (on === undefined) return;
  c.client.noEvict = on;
  c.ok();
}

function noTouchCommand(c: Context): void {
  const on = switchOf(c);
  if (on === undefined) return;
  c.client.noTouch = on;
  c.ok();
}

/**
 * Newer clients tell what they understand; there is nothing that this server would do otherwise
 * for them.
 */
function capaCommand(c: Context): void {
  c.ok();
}

const clientIdentitySpecs: readonly Command[] = [
  command(
    'client|id',
    'connection',
    {
      arity: 2,
      flags: ANYTIME,
      acl: ['connection'],
      since: '5.0.0',
      complexity: 'O(1)',
      summary: 'Returns the number of the connection.',
    },
    idCommand,
  ),
  command(
    'client|getname',
    'connection',
    {
      arity: 2,
      flags: ANYTIME,
      acl: ['connection'],
      since: '2.6.9',
      complexity: 'O(1)',
      summary: 'Returns the name of the connection.',
    },
    getnameCommand,
  ),
  command(
    'client|setname',
    'connection',
    {
      arity: 3,
      flags: ANYTIME,
      acl: ['connection'],
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '2.6.9',
      complexity: 'O(1)',
      syntax: 'connection-name',
      summary: 'Names the connection.',
    },
    setnameCommand,
  ),
  command(
    'client|info',
    'connection',
    {
      arity: 2,
      flags: ANYTIME,
      acl: ['connection'],
      tips: ['nondeterministic_output'],
      since: '6.2.0',
      complexity: 'O(1)',
      summary: 'Describes the connection in a line.',
    },
    infoCommand,
  ),
  command(
    'client|list',
    'connection',
    {
      arity: -2,
      flags: ADMIN | ANYTIME,
      acl: ['connection'],
      tips: ['nondeterministic_output'],
      since: '2.4.0',
      complexity: 'O(N) where N is the number of client connections',
      syntax:
        '[TYPE client-type=(NORMAL|MASTER|REPLICA|PUBSUB)@5.0.0] ' +
        '[ID client-id:integer@6.2.0...]',
      summary: 'Describes connections, a line each.',
      history: [
        ['2.8.12', 'Shows `id`.'],
        ['5.0.0', 'Takes `TYPE`.'],
        ['6.0.0', 'Shows `user`.'],
        ['6.2.0', 'Takes `ID`; shows `argv-mem`, `tot-mem`, `laddr` and `redir`.'],
        ['7.0.0', 'Shows `resp`, `multi-mem`, `rbs` and `rbp`.'],
        ['7.0.3', 'Shows `ssub`.'],
      ],
    },
    listCommand,
  ),
  command(
    'client|reply',
    'connection',
    {
      arity: 3,
      flags: ANYTIME,
      acl: ['connection'],
      since: '3.2.0',
      complexity: 'O(1)',
      syntax: 'action=(ON|OFF|SKIP)',
      summary: 'Says whether the connection wants replies.',
    },
    replyCommand,
  ),
  command(
    'client|no-evict',
    'connection',
    {
      arity: 3,
      flags: ADMIN | ANYTIME,
      acl: ['connection'],
      since: '7.0.0',
      complexity: 'O(1)',
      syntax: 'enabled=(ON|OFF)',
      summary: 'Keeps the connection when clients take too much memory.',
    },
    noEvictCommand,
  ),
];

/** The subcommands that came with Redis 7.2 and Valkey 8. */
const laterCommands: readonly Command[] = [
  command(
    'client|no-touch',
    'connection',
    {
      arity: 3,
      flags: ANYTIME,
      acl: ['connection'],
      since: '7.2.0',
      complexity: 'O(1)',
      summary: 'Leaves no trace of the use of keys.',
      syntax: 'enabled=(ON|OFF)',
    },
    noTouchCommand,
  ),
  command(
    'client|setinfo',
    'connection',
    {
      arity: 4,
      flags: ANYTIME,
      acl: ['connection'],
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '7.2.0',
      complexity: 'O(1)',
      summary: 'Names the library that the client uses.',
      syntax: 'attr=(LIB-NAME libname|LIB-VER libver)',
    },
    setinfoCommand,
  ),
  command(
    'client|capa',
    'connection',
    {
      arity: -3,
      flags: ANYTIME,
      acl: ['connection'],
      since: '8.0.0',
      complexity: 'O(1)',
      summary: 'Tells what the client understands.',
      syntax: 'capability...',
    },
    capaCommand,
  ),
];

export const clientIdentityCommands = [...clientIdentitySpecs, ...laterCommands];
