/**
 * MODULE on a server that has no modules and loads none: the list of them is empty, as tools expect
 * that ask for it, and what would load one is refused.
 */
import { ADMIN, type Command, command, NO_ASYNC_LOADING, NOSCRIPT } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { helpSubcommand, replyOwnHelp } from './help.ts';

const CHANGES = ADMIN | NOSCRIPT | NO_ASYNC_LOADING;

function listCommand(c: Context): void {
  c.reply.array(0);
}

function loadCommand(c: Context): void {
  c.reply.error('ERR Error loading the extension: modules cannot be loaded into this server');
}

function unloadCommand(c: Context): void {
  c.reply.error('ERR Error unloading module: no such module with that name');
}

const moduleSubcommands: readonly Command[] = [
  command(
    'module|list',
    'server',
    {
      arity: 2,
      flags: ADMIN | NOSCRIPT,
      tips: ['nondeterministic_output_order'],
      since: '4.0.0',
      complexity: 'O(N) where N is the number of loaded modules.',
      summary: 'Lists the modules that are loaded: none.',
    },
    listCommand,
  ),
  command(
    'module|load',
    'server',
    {
      arity: -3,
      flags: CHANGES,
      since: '4.0.0',
      complexity: 'O(1)',
      syntax: 'path [arg]...',
      summary: 'Refuses to load a module.',
    },
    loadCommand,
  ),
  command(
    'module|loadex',
    'server',
    {
      arity: -3,
      flags: CHANGES,
      since: '7.0.0',
      complexity: 'O(1)',
      syntax: 'path [CONFIG... configs={name value}] [ARGS args...]',
      summary: 'Refuses to load a module with settings of its own.',
    },
    loadCommand,
  ),
  command(
    'module|unload',
    'server',
    {
      arity: 3,
      flags: CHANGES,
      since: '4.0.0',
      complexity: 'O(1)',
      syntax: 'name',
      summary: 'Refuses to unload a module.',
    },
    unloadCommand,
  ),
  helpSubcommand('module', 'server', { since: '5.0.0' }),
];

export const moduleCommands: readonly Command[] = [
  command(
    'module',
    'server',
    {
      arity: -2,
      flags: 0,
      since: '4.0.0',
      complexity: 'Depends on subcommand.',
      summary: 'About modules, of which there are none.',
      subcommands: moduleSubcommands,
    },
    replyOwnHelp,
  ),
];
