/**
 * SLOWLOG: the commands that took long. See slow-log.ts.
 */
import { ADMIN, type Command, command, LOADING, STALE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { wrongSubcommand } from '../dispatch/errors.ts';
import { helpSubcommand, replyOwnHelp } from './help.ts';

const SHOWN = 10;

function getCommand(c: Context): void {
  const { reply } = c;
  if (c.argc > 3) {
    reply.error(wrongSubcommand('SLOWLOG', c.args.text(1)));
    return;
  }
  let count = SHOWN;
  if (c.argc === 3) {
    const max = Number.MAX_SAFE_INTEGER;
    count = c.integerIn(2, -1, max, 'ERR count should be greater than or equal to -1');
    if (Number.isNaN(count)) return;
  }
  const { entries } = c.services.desk.slowLog;
  const shown = count === -1 ? entries : entries.slice(0, count);
  reply.array(shown.length);
  for (const entry of shown) {
    reply.array(6);
    reply.integer(entry.id);
    reply.integer(entry.time);
    reply.integer(entry.microseconds);
    reply.array(entry.words.length);
    for (const word of entry.words) reply.bulkText(word);
    reply.bulkText(entry.address);
    reply.bulkText(entry.name);
  }
}

function lenCommand(c: Context): void {
  c.reply.integer(c.services.desk.slowLog.entries.length);
}

function resetCommand(c: Context): void {
  c.services.desk.slowLog.clear();
  c.ok();
}

const slowlogSubcommands: readonly Command[] = [
  command(
    'slowlog|get',
    'server',
    {
      arity: -2,
      flags: ADMIN | LOADING | STALE,
      tips: ['request_policy:all_nodes', 'nondeterministic_output'],
      since: '2.2.12',
      complexity: 'O(N) where N is the number of entries returned',
      syntax: '[count:integer]',
      summary: 'Returns the latest entries.',
      history: [['4.0.0', 'Shows the address and the name of the client.']],
    },
    getCommand,
  ),
  command(
    'slowlog|len',
    'server',
    {
      arity: 2,
      flags: ADMIN | LOADING | STALE,
      tips: ['request_policy:all_nodes', 'response_policy:agg_sum', 'nondeterministic_output'],
      since: '2.2.12',
      complexity: 'O(1)',
      summary: 'Counts the entries.',
    },
    lenCommand,
  ),
  command(
    'slowlog|reset',
    'server',
    {
      arity: 2,
      flags: ADMIN | LOADING | STALE,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '2.2.12',
      complexity: 'O(N) where N is the number of entries in the slowlog',
      summary: 'Forgets all entries.',
    },
    resetCommand,
  ),
  helpSubcommand('slowlog', 'server', { since: '6.2.0' }),
];

export const slowlogCommands: readonly Command[] = [
  command(
    'slowlog',
    'server',
    {
      arity: -2,
      flags: 0,
      since: '2.2.12',
      complexity: 'Depends on subcommand.',
      summary: 'About commands that took long.',
      subcommands: slowlogSubcommands,
    },
    replyOwnHelp,
  ),
];
