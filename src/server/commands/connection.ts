/**
 * The commands on the connection itself: AUTH, HELLO, PING, ECHO, QUIT, RESET.
 */
import { WRONG_PASSWORD } from '../acl/acl.ts';
import { type Client, REPLY_OFF, REPLY_ON } from '../clients/client.ts';
import { REDIS_VERSION } from '../config/version.ts';
import {
  ALLOW_BUSY,
  ANYTIME,
  type Command,
  command,
  FAST,
  LOADING,
  NO_AUTH,
  STALE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { BAD_NAME, isAttribute } from './client-identity.ts';

const NO_PASSWORD_SET =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure ' +
  'your configuration is correct?';
const HELLO_NEEDS_AUTH =
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH ' +
  '<user> <pass> option can be used to authenticate the client and select the RESP protocol ' +
  'version at the same time';

/** Arguments that the last `readHelloOptions` found, of the user and of the name; 0 for none. */
const helloOptions = { userAt: 0, nameAt: 0 };

function authCommand(c: Context): void {
  const { access } = c.services.desk;
  if (c.argc > 3) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  c.services.dispatcher.redacted.push(1);
  let user = 'default';
  if (c.argc === 2) {
    if (access.defaultUser.noPassword) {
      c.reply.error(NO_PASSWORD_SET);
      return;
    }
  } else {
    c.services.dispatcher.redacted.push(2);
    user = c.args.text(1);
  }
  if (access.authenticate(c.client, user, c.args.text(c.argc - 1), c.args.text(0))) c.ok();
  else c.reply.error(WRONG_PASSWORD);
}

function helloCommand(c: Context): void {
  const { args, client, reply } = c;
  const protocol = c.argc > 1 ? readProtocol(c) : reply.protocol;
  if (Number.isNaN(protocol) || !readHelloOptions(c)) return;
  const { nameAt, userAt } = helloOptions;
  const { access } = c.services.desk;
  if (userAt > 0) {
    const [user, password] = [args.text(userAt), args.text(userAt + 1)];
    if (!access.authenticate(client, user, password, args.text(0))) {
      reply.error(WRONG_PASSWORD);
      return;
    }
  }
  if (!client.authenticated) {
    reply.error(HELLO_NEEDS_AUTH);
    return;
  }
  if (nameAt > 0) client.name = args.text(nameAt);
  reply.protocol = protocol;
  describeServer(c);
}

/** The protocol that HELLO asks for, 2 or 3; NaN when it is another, which has been answered. */
function readProtocol(c: Context): number {
  const protocol = c.integer(1, 'ERR Protocol version is not an integer or out of range');
  if (Number.isNaN(protocol) || protocol === 2 || protocol === 3) return protocol;
  c.reply.error('NOPROTO unsupported protocol version');
  return Number.NaN;
}

/**
 * Reads the options of HELLO into `helloOptions`; of those that are repeated the last one counts.
 * False when an error has been answered.
 */
function readHelloOptions(c: Context): boolean {
  const { args, reply } = c;
  helloOptions.userAt = 0;
  helloOptions.nameAt = 0;
  for (let i = 2; i < c.argc; i++) {
    const more = c.argc - 1 - i;
    if (c.is(i, 'auth') && more >= 2) {
      c.services.dispatcher.redacted.push(i + 1, i + 2);
      helloOptions.userAt = i + 1;
      i += 2;
    } else if (c.is(i, 'setname') && more >= 1) {
      helloOptions.nameAt = ++i;
      if (isAttribute(args.text(i))) continue;
      reply.error(BAD_NAME);
      return false;
    } else {
      reply.error(`ERR Syntax error in HELLO option '${args.shown(i)}'`);
      return false;
    }
  }
  return true;
}

function describeServer(c: Context): void {
  const { client, reply } = c;
  reply.map(7);
  reply.bulkText('server');
  reply.bulkText('redis');
  reply.bulkText('version');
  reply.bulkText(REDIS_VERSION);
  reply.bulkText('proto');
  reply.integer(reply.protocol);
  reply.bulkText('id');
  reply.integer(client.id);
  reply.bulkText('mode');
  reply.bulkText('standalone');
  reply.bulkText('role');
  reply.bulkText(c.services.replication.isReplica ? 'replica' : 'master');
  reply.bulkText('modules');
  reply.array(0);
}

function pingCommand(c: Context): void {
  const { client, args, reply } = c;
  if (c.argc > 2) {
    reply.error("ERR wrong number of arguments for 'ping' command");
  } else if (client.subscribed !== null && reply.protocol === 2) {
    reply.array(2);
    reply.bulkText('pong');
    if (c.argc === 1) reply.bulkText('');
    else reply.bulk(args.bytes[1]!, args.offsets[1]!, args.lengths[1]!);
  } else if (c.argc === 1) {
    reply.raw(PONG);
  } else {
    reply.bulk(args.bytes[1]!, args.offsets[1]!, args.lengths[1]!);
  }
}

const PONG = Uint8Array.from('+PONG\r\n', (char) => char.charCodeAt(0));

function echoCommand(c: Context): void {
  const { args } = c;
  c.reply.bulk(args.bytes[1]!, args.offsets[1]!, args.lengths[1]!);
}

function quitCommand(c: Context): void {
  c.ok();
  c.services.closeClient(c.client, 'after-reply');
}

function resetCommand(c: Context): void {
  const { client, services } = c;
  if (client.isReplica) {
    c.reply.error('ERR can only reset normal client connections');
    return;
  }
  forgetAll(c, client);
  services.desk.access.welcome(client);
  c.reply.simple('RESET');
}

/** Takes back whatever a connection may have changed about itself. */
function forgetAll(c: Context, client: Client): void {
  const { desk, dispatcher } = c.services;
  dispatcher.discard(client);
  desk.tracking.stop(client);
  desk.pubsub.leave(client);
  if (client.monitor) desk.monitors.remove(client);
  client.reply.protocol = 2;
  client.db = 0;
  client.name = '';
  // The answer to RESET itself may be one to be skipped.
  if (client.replyMode === REPLY_OFF) client.replyMode = REPLY_ON;
  client.noEvict = false;
  client.noTouch = false;
}

export const connectionCommands: readonly Command[] = [
  command(
    'auth',
    'connection',
    {
      arity: -2,
      flags: ANYTIME | FAST | NO_AUTH | ALLOW_BUSY,
      acl: ['connection'],
      since: '1.0.0',
      complexity: 'O(N) where N is the number of passwords defined for the user',
      syntax: '[username@6.0.0] password',
      summary: 'Logs the connection in.',
      history: [['6.0.0', 'A user name may come first.']],
    },
    authCommand,
  ),
  command(
    'echo',
    'connection',
    {
      arity: 2,
      flags: LOADING | STALE | FAST,
      acl: ['connection'],
      since: '1.0.0',
      complexity: 'O(1)',
      syntax: 'message',
      summary: 'Answers its argument.',
    },
    echoCommand,
  ),
  command(
    'hello',
    'connection',
    {
      arity: -1,
      flags: ANYTIME | FAST | NO_AUTH | ALLOW_BUSY,
      acl: ['connection'],
      since: '6.0.0',
      complexity: 'O(1)',
      syntax:
        '[arguments={protover:integer [AUTH auth={username password}] ' + '[SETNAME clientname]}]',
      summary: 'Chooses the protocol, and logs in and names the connection on the way.',
      history: [['6.2.0', 'Without arguments it only reports.']],
    },
    helloCommand,
  ),
  command(
    'ping',
    'connection',
    {
      arity: -1,
      flags: FAST,
      acl: ['connection'],
      tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
      since: '1.0.0',
      complexity: 'O(1)',
      syntax: '[message]',
      summary: 'Answers, so that the connection is known to work.',
    },
    pingCommand,
  ),
  command(
    'quit',
    'connection',
    {
      arity: -1,
      flags: ANYTIME | FAST | NO_AUTH | ALLOW_BUSY,
      acl: ['connection'],
      since: '1.0.0',
      deprecated: { since: '7.2.0', replacedBy: 'just closing the connection' },
      complexity: 'O(1)',
      summary: 'Closes the connection after its replies.',
    },
    quitCommand,
  ),
  command(
    'reset',
    'connection',
    {
      arity: 1,
      flags: ANYTIME | FAST | NO_AUTH | ALLOW_BUSY,
      acl: ['connection'],
      since: '6.2.0',
      complexity: 'O(1)',
      summary: 'Makes the connection as new.',
    },
    resetCommand,
  ),
];
