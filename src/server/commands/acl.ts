/**
 * ACL: users and what they may do. See acl.ts of the server, acl-user.ts and acl-selector.ts.
 */
import { randomBytes } from 'node:crypto';
import { CATEGORIES, isInCategory } from '../acl/acl-categories.ts';
import { isBadName } from '../acl/acl-rules.ts';
import type { Selector } from '../acl/acl-selector.ts';
import { ADMIN, ANYTIME, type Command, command } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { wrongSubcommand } from '../dispatch/errors.ts';
import { aclCheckCommands } from './acl-checks.ts';
import { helpSubcommand, replyOwnHelp } from './help.ts';

const NO_FILE =
  'ERR This Redis instance is not configured to use an ACL file. You may want to specify users ' +
  'via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis ' +
  'configuration file set) in order to store users in the Redis configuration.';
const BAD_BITS =
  'ERR ACL GENPASS argument must be the number of bits for the output password, a positive ' +
  'number up to 4096';
const BITS_DEFAULT = 256;
const BITS_MAX = 4096;

function bulks(c: Context, texts: readonly string[]): void {
  c.reply.array(texts.length);
  for (const text of texts) c.reply.bulkText(text);
}

function catCommand(c: Context): void {
  const { commands } = c.services;
  if (c.argc > 3) {
    c.reply.error(wrongSubcommand('ACL', c.args.text(1)));
    return;
  }
  if (c.argc === 2) {
    bulks(c, CATEGORIES);
    return;
  }
  const category = c.args.text(2).toLowerCase();
  if (!CATEGORIES.some((one) => one === category)) {
    c.reply.error(`ERR Unknown category '${c.args.text(2)}'`);
    return;
  }
  bulks(
    c,
    commands.every.filter((one) => isInCategory(one, category)).map((one) => one.name),
  );
}

function setuserCommand(c: Context): void {
  const name = c.args.text(2);
  const words: string[] = [];
  for (let i = 2; i < c.argc; i++) c.services.dispatcher.redacted.push(i);
  for (let i = 3; i < c.argc; i++) words.push(c.args.text(i));
  if (isBadName(name)) {
    c.reply.error("ERR Usernames can't contain spaces or null characters");
    return;
  }
  const error = c.services.desk.access.setUser(name, words);
  if (error === undefined) c.ok();
  else c.reply.error(`ERR ${error}`);
}

function deluserCommand(c: Context): void {
  const { access } = c.services.desk;
  let deleted = 0;
  for (let i = 2; i < c.argc; i++) {
    c.services.dispatcher.redacted.push(i);
    const name = c.args.text(i);
    if (name === 'default') {
      c.reply.error("ERR The 'default' user cannot be removed");
      return;
    }
    if (access.deleteUser(name, c.client)) deleted++;
  }
  c.reply.integer(deleted);
}

function getuserCommand(c: Context): void {
  const { reply } = c;
  c.services.dispatcher.redacted.push(2);
  const user = c.services.desk.access.user(c.args.text(2));
  if (user === undefined) {
    reply.null();
    return;
  }
  reply.map(6);
  reply.bulkText('flags');
  const flags = user.flags();
  reply.set(flags.length);
  for (const flag of flags) reply.bulkText(flag);
  reply.bulkText('passwords');
  bulks(c, user.hashes);
  replySelector(c, user.rootSelector);
  reply.bulkText('selectors');
  reply.array(user.furtherSelectors.length);
  for (const selector of user.furtherSelectors) {
    reply.map(3);
    replySelector(c, selector);
  }
}

/** The three fields that all selectors have. */
function replySelector({ reply }: Context, selector: Selector): void {
  reply.bulkText('commands');
  reply.bulkText(selector.describeCommands());
  reply.bulkText('keys');
  reply.bulkText(selector.describeKeys());
  reply.bulkText('channels');
  reply.bulkText(selector.describeChannels());
}

function genpassCommand(c: Context): void {
  if (c.argc > 3) {
    c.reply.error(wrongSubcommand('ACL', c.args.text(1)));
    return;
  }
  let bits = BITS_DEFAULT;
  if (c.argc === 3) {
    bits = c.integer(2);
    if (Number.isNaN(bits)) return;
    if (bits <= 0 || bits > BITS_MAX) {
      c.reply.error(BAD_BITS);
      return;
    }
  }
  const digits = Math.ceil(bits / 4);
  c.reply.bulkText(
    randomBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits),
  );
}

function loadCommand(c: Context): void {
  if (c.services.config.values.aclfile === '') {
    c.reply.error(NO_FILE);
    return;
  }
  const error = c.services.desk.access.load(c.client);
  if (error === undefined) c.ok();
  else c.reply.error(`ERR ${error}`);
}

function saveCommand(c: Context): void {
  const { client, reply, services } = c;
  if (services.config.values.aclfile === '') {
    reply.error(NO_FILE);
    return;
  }
  const work = services.desk.access.save();
  const failed = (error: string | undefined): void => {
    if (error !== undefined) services.log.warning(error);
  };
  if (!services.mayWait(client)) {
    c.ok();
    void work.then(failed);
    return;
  }
  services.answerLater(client, work, (error) => {
    failed(error);
    if (error === undefined) reply.simple('OK');
    else reply.error(`ERR ${error}`);
  });
}

const aclSubcommands: readonly Command[] = [
  ...aclCheckCommands,
  command(
    'acl|cat',
    'server',
    {
      arity: -2,
      flags: ANYTIME,
      since: '6.0.0',
      complexity: 'O(1) since the categories and commands are a fixed set.',
      syntax: '[category]',
      summary: 'Lists the categories of commands, or the commands of one.',
    },
    catCommand,
  ),
  command(
    'acl|deluser',
    'server',
    {
      arity: -3,
      flags: ADMIN | ANYTIME,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '6.0.0',
      complexity: 'O(1) amortized time considering the typical user.',
      syntax: 'username...',
      summary: 'Deletes users and disconnects their clients.',
    },
    deluserCommand,
  ),
  command(
    'acl|genpass',
    'server',
    {
      arity: -2,
      flags: ANYTIME,
      since: '6.0.0',
      complexity: 'O(1)',
      syntax: '[bits:integer]',
      summary: 'Makes a password that nobody can guess.',
    },
    genpassCommand,
  ),
  command(
    'acl|getuser',
    'server',
    {
      arity: 3,
      flags: ADMIN | ANYTIME,
      since: '6.0.0',
      complexity:
        'O(N). Where N is the number of password, command and pattern rules that the user has.',
      syntax: 'username',
      summary: 'Describes a user.',
      history: [
        ['6.2.0', 'Shows channels.'],
        ['7.0.0', 'Shows selectors; keys and channels as rules.'],
      ],
    },
    getuserCommand,
  ),
  helpSubcommand('acl', 'server', { since: '6.0.0' }),
  command(
    'acl|list',
    'server',
    {
      arity: 2,
      flags: ADMIN | ANYTIME,
      since: '6.0.0',
      complexity: 'O(N). Where N is the number of configured users.',
      summary: 'Describes all users as lines of an ACL file.',
    },
    (c) => bulks(c, c.services.desk.access.lines()),
  ),
  command(
    'acl|load',
    'server',
    {
      arity: 2,
      flags: ADMIN | ANYTIME,
      since: '6.0.0',
      complexity: 'O(N). Where N is the number of configured users.',
      summary: 'Reads the ACL file again.',
    },
    loadCommand,
  ),
  command(
    'acl|save',
    'server',
    {
      arity: 2,
      flags: ADMIN | ANYTIME,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '6.0.0',
      complexity: 'O(N). Where N is the number of configured users.',
      summary: 'Writes the ACL file.',
    },
    saveCommand,
  ),
  command(
    'acl|setuser',
    'server',
    {
      arity: -3,
      flags: ADMIN | ANYTIME,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '6.0.0',
      complexity: 'O(N). Where N is the number of rules provided.',
      syntax: 'username [rule]...',
      summary: 'Makes or changes a user.',
      history: [
        ['6.2.0', 'Takes channels.'],
        ['7.0.0', 'Takes selectors and rights on keys.'],
      ],
    },
    setuserCommand,
  ),
  command(
    'acl|users',
    'server',
    {
      arity: 2,
      flags: ADMIN | ANYTIME,
      since: '6.0.0',
      complexity: 'O(N). Where N is the number of configured users.',
      summary: 'Lists the names of all users.',
    },
    (c) => bulks(c, c.services.desk.access.names()),
  ),
  command(
    'acl|whoami',
    'server',
    {
      arity: 2,
      flags: ANYTIME,
      since: '6.0.0',
      complexity: 'O(1)',
      summary: 'Returns the user of the connection.',
    },
    (c) => c.reply.bulkText(c.client.user?.name ?? '(superuser)'),
  ),
];

export const aclCommands: readonly Command[] = [
  command(
    'acl',
    'server',
    {
      arity: -2,
      flags: 0,
      since: '6.0.0',
      complexity: 'Depends on subcommand.',
      summary: 'About users and what they may do.',
      subcommands: aclSubcommands,
    },
    replyOwnHelp,
  ),
];
