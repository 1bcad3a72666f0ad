/**
 * LATENCY: events that took long (latency-monitor.ts), and histograms of the commands' latencies.
 */
import { ADMIN, ANYTIME, type Command, command } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { adviseOnLatency } from '../latency/latency-advice.ts';
import { drawLatency } from '../latency/latency-graph.ts';
import { helpSubcommand, replyOwnHelp } from './help.ts';

function latestCommand(c: Context): void {
  const { reply } = c;
  const { events } = c.services.desk.latency;
  reply.array(events.size);
  for (const [kind, event] of events) {
    const last = event.samples.at(-1);
    reply.array(4);
    reply.bulkText(kind);
    reply.integer(last?.time ?? 0);
    reply.integer(last?.ms ?? 0);
    reply.integer(event.maxMs);
  }
}

function historyCommand(c: Context): void {
  const { reply } = c;
  const samples = c.services.desk.latency.events.get(c.args.text(2))?.samples ?? [];
  reply.array(samples.length);
  for (const { time, ms } of samples) {
    reply.array(2);
    reply.integer(time);
    reply.integer(ms);
  }
}

function graphCommand(c: Context): void {
  const kind = c.args.text(2);
  const event = c.services.desk.latency.events.get(kind);
  if (event === undefined) c.reply.error(`ERR No samples available for event '${kind}'`);
  else c.reply.verbatim('txt', drawLatency(kind, event, Math.floor(Date.now() / 1000)));
}

function doctorCommand(c: Context): void {
  const { config, desk } = c.services;
  c.reply.verbatim('txt', adviseOnLatency(desk.latency, config.values, Date.now()));
}

function resetCommand(c: Context): void {
  const kinds: string[] = [];
  for (let i = 2; i < c.argc; i++) kinds.push(c.args.text(i));
  c.reply.integer(c.services.desk.latency.reset(kinds));
}

/** Shows the commands named, containers standing for their subcommands, or all that ran. */
function histogramCommand(c: Context): void {
  const { commands } = c.services;
  const chosen = new Set<Command>();
  const add = (one: Command): void => {
    if (one.stats.histogram !== null) chosen.add(one);
    for (const sub of commands.childrenOf(one)) add(sub);
  };
  if (c.argc === 2) for (const one of commands.all) add(one);
  for (let i = 2; i < c.argc; i++) {
    const one = commands.byCalledName(c.args.text(i));
    if (one !== undefined) add(one);
  }
  c.reply.map(chosen.size);
  for (const one of chosen) replyHistogram(c, one);
}

function replyHistogram(c: Context, one: Command): void {
  const { reply } = c;
  const levels = one.stats.histogram?.cumulative() ?? [];
  reply.bulkText(one.name);
  reply.map(2);
  reply.bulkText('calls');
  reply.integer(one.stats.histogram?.total ?? 0);
  reply.bulkText('histogram_usec');
  reply.map(levels.length);
  for (const [microseconds, count] of levels) {
    reply.integer(microseconds);
    reply.integer(count);
  }
}

const latencySubcommands: readonly Command[] = [
  command(
    'latency|latest',
    'server',
    {
      arity: 2,
      flags: ADMIN | ANYTIME,
      tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
      since: '2.8.13',
      complexity: 'O(1)',
      summary: 'Returns the latest sample of each kind of event.',
    },
    latestCommand,
  ),
  command(
    'latency|history',
    'server',
    {
      arity: 3,
      flags: ADMIN | ANYTIME,
      tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
      since: '2.8.13',
      complexity: 'O(1)',
      syntax: 'event',
      summary: 'Returns the samples of a kind of event.',
    },
    historyCommand,
  ),
  command(
    'latency|graph',
    'server',
    {
      arity: 3,
      flags: ADMIN | ANYTIME,
      tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
      since: '2.8.13',
      complexity: 'O(1)',
      syntax: 'event',
      summary: 'Draws the samples of a kind of event.',
    },
    graphCommand,
  ),
  command(
    'latency|doctor',
    'server',
    {
      arity: 2,
      flags: ADMIN | ANYTIME,
      tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
      since: '2.8.13',
      complexity: 'O(1)',
      summary: 'Says what to make of the samples.',
    },
    doctorCommand,
  ),
  command(
    'latency|histogram',
    'server',
    {
      arity: -2,
      flags: ADMIN | ANYTIME,
      tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
      since: '7.0.0',
      complexity:
        'O(N) where N is the number of commands with latency information being retrieved.',
      syntax: '[command]...',
      summary: 'Returns how long commands took, cumulated.',
    },
    histogramCommand,
  ),
  command(
    'latency|reset',
    'server',
    {
      arity: -2,
      flags: ADMIN | ANYTIME,
      tips: ['request_policy:all_nodes', 'response_policy:agg_sum'],
      since: '2.8.13',
      complexity: 'O(1)',
      syntax: '[event]...',
      summary: 'Forgets the samples of some kinds of events, or all.',
    },
    resetCommand,
  ),
  helpSubcommand('latency', 'server', { since: '2.8.13' }),
];

export const latencyCommands: readonly Command[] = [
  command(
    'latency',
    'server',
    {
      arity: -2,
      flags: 0,
      since: '2.8.13',
      complexity: 'Depends on subcommand.',
      summary: 'About what took long.',
      subcommands: latencySubcommands,
    },
    replyOwnHelp,
  ),
];
