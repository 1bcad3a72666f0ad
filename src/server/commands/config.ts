/**
 * CONFIG: reads and changes the configuration while the server runs.
 *
 * A change may take time (another port to listen on): then the client waits for its answer. Inside
 * of EXEC nobody can wait; there such a change is answered at once, and should it fail after all,
 * the log says so.
 */
import type { Reply } from '../../core/resp/reply.ts';
import type { SetOutcome } from '../config/config-changes.ts';
import { ADMIN, ANYTIME, type Command, command } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { helpSubcommand, replyOwnHelp } from './help.ts';

function getCommand(c: Context): void {
  const patterns: string[] = [];
  for (let i = 2; i < c.argc; i++) patterns.push(c.args.text(i));
  const pairs = c.services.config.get(patterns);
  c.reply.map(pairs.length);
  for (const [name, value] of pairs) {
    c.reply.bulkText(name);
    c.reply.bulkText(value);
  }
}

function setCommand(c: Context): void {
  const { args, client, reply, services } = c;
  const { config } = services;
  if (c.argc % 2 !== 0) {
    reply.error(SYNTAX_ERROR);
    return;
  }
  const pairs: [string, string][] = [];
  for (let i = 2; i < c.argc; i += 2) {
    pairs.push([args.text(i), args.text(i + 1)]);
    if (config.isSensitive(args.text(i))) services.dispatcher.redacted.push(i + 1);
  }
  const { isLoading, isLoadingAside } = services.persistence;
  const asking = { loading: isLoading || isLoadingAside, local: client.local };
  const outcome = config.set(pairs, asking);
  if (!(outcome instanceof Promise)) answer(reply, outcome);
  else if (services.mayWait(client)) {
    services.answerLater(client, outcome, (late) => answer(reply, late));
  } else {
    c.ok();
    void outcome.then((late) => {
      if (!late.ok) services.log.warning(`CONFIG SET in a transaction failed: ${late.error}`);
    });
  }
}

function answer(reply: Reply, outcome: SetOutcome): void {
  if (outcome.ok) reply.simple('OK');
  else reply.error(outcome.error);
}

function rewriteCommand(c: Context): void {
  const { client, reply, services } = c;
  const { access } = services.desk;
  const users = services.config.values.aclfile === '' ? access.lines() : [];
  const work = services.config.rewrite({ users });
  const done = (error: string | undefined): void => {
    if (error === undefined) services.log.notice('CONFIG REWRITE executed with success.');
    else services.log.warning(`CONFIG REWRITE failed: ${error}`);
  };
  if (services.mayWait(client)) {
    services.answerLater(client, work, (error) => {
      done(error);
      if (error === undefined) reply.simple('OK');
      else reply.error(error);
    });
  } else {
    c.ok();
    void work.then(done);
  }
}

function resetstatCommand(c: Context): void {
  const { commands, desk, dispatcher, eviction, keyspace, persistence, stats } = c.services;
  dispatcher.endClock();
  stats.reset();
  desk.rates.reset();
  persistence.resetFigures();
  eviction.resetFigures();
  keyspace.hits = 0;
  keyspace.misses = 0;
  keyspace.expiredKeys = 0;
  keyspace.freedLater = 0;
  for (const one of commands.every) one.stats.reset();
  c.ok();
}

const configSubcommands: readonly Command[] = [
  command(
    'config|get',
    'server',
    {
      arity: -3,
      flags: ADMIN | ANYTIME,
      since: '2.0.0',
      complexity: 'O(N) when N is the number of configuration parameters provided',
      syntax: 'parameter...',
      summary: 'Returns parameters whose names match patterns.',
      history: [['7.0.0', 'Takes several patterns.']],
    },
    getCommand,
  ),
  command(
    'config|set',
    'server',
    {
      arity: -4,
      flags: ADMIN | ANYTIME,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '2.0.0',
      complexity: 'O(N) when N is the number of configuration parameters provided',
      syntax: 'data={parameter value}...',
      summary: 'Changes parameters, all or none.',
      history: [['7.0.0', 'Takes several parameters.']],
    },
    setCommand,
  ),
  command(
    'config|rewrite',
    'server',
    {
      arity: 2,
      flags: ADMIN | ANYTIME,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '2.8.0',
      complexity: 'O(1)',
      summary: 'Writes the configuration into its file.',
    },
    rewriteCommand,
  ),
  command(
    'config|resetstat',
    'server',
    {
      arity: 2,
      flags: ADMIN | ANYTIME,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '2.0.0',
      complexity: 'O(1)',
      summary: 'Sets the figures of INFO back to zero.',
    },
    resetstatCommand,
  ),
  helpSubcommand('config', 'server', { since: '5.0.0' }),
];

export const configCommands: readonly Command[] = [
  command(
    'config',
    'server',
    {
      arity: -2,
      flags: 0,
      since: '2.0.0',
      complexity: 'Depends on subcommand.',
      summary: 'About the configuration.',
      subcommands: configSubcommands,
    },
    replyOwnHelp,
  ),
];
