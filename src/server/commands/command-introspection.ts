/**
 * COMMAND: what the server knows about its commands, all of it derived from their specifications.
 */
import { Args } from '../../core/resp/args.ts';
import { globMatch } from '../../core/text/glob.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { CATEGORIES, isInCategory } from '../acl/acl-categories.ts';
import { type Command, command, LOADING, NO_MANDATORY_KEYS, STALE } from '../dispatch/command.ts';
import { replyCommandDocs, replyCommandInfo } from '../dispatch/command-docs.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { type FoundKey, findKeys, mayHaveKeys } from '../dispatch/key-extraction.ts';
import { helpSubcommand } from './help.ts';

function commandCommand(c: Context): void {
  const { commands } = c.services;
  c.reply.array(commands.all.length);
  for (const one of commands.all) replyCommandInfo(c.reply, one, commands);
}

function countCommand(c: Context): void {
  c.reply.integer(c.services.commands.all.length);
}

function infoCommand(c: Context): void {
  const { commands } = c.services;
  if (c.argc === 2) {
    commandCommand(c);
    return;
  }
  c.reply.array(c.argc - 2);
  for (let i = 2; i < c.argc; i++) {
    const one = commands.byCalledName(c.args.text(i));
    if (one === undefined) c.reply.null();
    else replyCommandInfo(c.reply, one, commands);
  }
}

function docsCommand(c: Context): void {
  const { commands } = c.services;
  let found: readonly Command[] = commands.all;
  if (c.argc > 2) {
    const named: Command[] = [];
    for (let i = 2; i < c.argc; i++) {
      const one = commands.byCalledName(c.args.text(i));
      if (one !== undefined) named.push(one);
    }
    found = named;
  }
  c.reply.map(found.length);
  for (const one of found) {
    c.reply.bulkText(one.name);
    replyCommandDocs(c.reply, one, commands);
  }
}

function listCommand(c: Context): void {
  const filter = listFilter(c);
  if (filter === undefined) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  const { commands } = c.services;
  const names = commands.every.filter(filter).map(({ name }) => name);
  c.reply.array(names.length);
  for (const name of names) c.reply.bulkText(name);
}

/** What FILTERBY lets pass; undefined for a syntax error. */
function listFilter(c: Context): ((one: Command) => boolean) | undefined {
  if (c.argc === 2) return () => true;
  if (c.argc !== 5 || !c.is(2, 'filterby')) return undefined;
  if (c.is(3, 'module')) return () => false;
  if (c.is(3, 'aclcat')) {
    const category = c.args.text(4).toLowerCase();
    if (!CATEGORIES.some((one) => one === category)) return () => false;
    return (one) => isInCategory(one, category);
  }
  if (!c.is(3, 'pattern')) return undefined;
  const pattern = c.args.copy(4);
  return (one) => {
    const name = latin1Bytes(one.name);
    return globMatch(pattern, 0, pattern.length, name, 0, name.length, true);
  };
}

/** The keys of the command from argument 2 on; undefined when an error has been answered. */
function keysOfInner(c: Context): { keys: readonly FoundKey[]; words: Args } | undefined {
  const { commands } = c.services;
  const words = new Args();
  for (let i = 2; i < c.argc; i++)
    words.push(c.args.bytes[i]!, c.args.offsets[i]!, c.args.lengths[i]!);
  const parent = commands.find(words, 0);
  const inner =
    parent?.subcommands !== undefined && words.count > 1
      ? commands.child(parent, words.text(1))
      : parent;
  if (inner === null || inner === undefined) {
    c.reply.error('ERR Invalid command specified');
    return undefined;
  }
  if (!mayHaveKeys(inner)) {
    c.reply.error('ERR The command has no key arguments');
    return undefined;
  }
  const { arity } = inner;
  if ((arity > 0 && arity !== words.count) || words.count < -arity) {
    c.reply.error('ERR Invalid number of arguments specified for command');
    return undefined;
  }
  const keys = findKeys(inner, words) ?? [];
  if (keys.length === 0 && (inner.flags & NO_MANDATORY_KEYS) === 0) {
    c.reply.error('ERR Invalid arguments specified for command');
    return undefined;
  }
  return { keys, words };
}

function getkeysCommand(c: Context): void {
  const found = keysOfInner(c);
  if (found === undefined) return;
  c.reply.array(found.keys.length);
  for (const { index } of found.keys) c.reply.bulkText(found.words.text(index));
}

function getkeysandflagsCommand(c: Context): void {
  const found = keysOfInner(c);
  if (found === undefined) return;
  c.reply.array(found.keys.length);
  for (const { index, flags } of found.keys) {
    c.reply.array(2);
    c.reply.bulkText(found.words.text(index));
    c.reply.set(flags.length);
    for (const flag of flags) c.reply.simple(flag);
  }
}

const commandSubcommands: readonly Command[] = [
  command(
    'command|count',
    'server',
    {
      arity: 2,
      flags: LOADING | STALE,
      acl: ['connection'],
      since: '2.8.13',
      complexity: 'O(1)',
      summary: 'Counts the commands.',
    },
    countCommand,
  ),
  command(
    'command|docs',
    'server',
    {
      arity: -2,
      flags: LOADING | STALE,
      acl: ['connection'],
      tips: ['nondeterministic_output_order'],
      since: '7.0.0',
      complexity: 'O(N) where N is the number of commands to look up',
      syntax: '[command-name]...',
      summary: 'Documents commands.',
    },
    docsCommand,
  ),
  command(
    'command|getkeys',
    'server',
    {
      arity: -3,
      flags: LOADING | STALE,
      acl: ['connection'],
      since: '2.8.13',
      complexity: 'O(N) where N is the number of arguments to the command',
      syntax: 'command [arg]...',
      summary: 'Returns the keys among the arguments of a command.',
    },
    getkeysCommand,
  ),
  command(
    'command|getkeysandflags',
    'server',
    {
      arity: -3,
      flags: LOADING | STALE,
      acl: ['connection'],
      since: '7.0.0',
      complexity: 'O(N) where N is the number of arguments to the command',
      syntax: 'command [arg]...',
      summary: 'Returns the keys of a command and what it does to them.',
    },
    getkeysandflagsCommand,
  ),
  helpSubcommand('command', 'server', { acl: ['connection'], since: '5.0.0' }),
  command(
    'command|info',
    'server',
    {
      arity: -2,
      flags: LOADING | STALE,
      acl: ['connection'],
      tips: ['nondeterministic_output_order'],
      since: '2.8.13',
      complexity: 'O(N) where N is the number of commands to look up',
      syntax: '[command-name]...',
      summary: 'Describes commands.',
      history: [['7.0.0', 'Describes all without names.']],
    },
    infoCommand,
  ),
  command(
    'command|list',
    'server',
    {
      arity: -2,
      flags: LOADING | STALE,
      acl: ['connection'],
      tips: ['nondeterministic_output_order'],
      since: '7.0.0',
      complexity: 'O(N) where N is the total number of Redis commands',
      syntax: '[FILTERBY filterby=(MODULE module-name|ACLCAT category|PATTERN pattern:pattern)]',
      summary: 'Lists the names of commands.',
    },
    listCommand,
  ),
];

export const commandCommands: readonly Command[] = [
  command(
    'command',
    'server',
    {
      arity: -1,
      flags: LOADING | STALE,
      acl: ['connection'],
      tips: ['nondeterministic_output_order'],
      since: '2.8.13',
      complexity: 'O(N) where N is the total number of Redis commands',
      summary: 'Describes all commands.',
      subcommands: commandSubcommands,
    },
    commandCommand,
  ),
];
