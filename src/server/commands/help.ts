/**
 * The answers of the HELP subcommands: lines of text, in the form that clients know from Redis.
 */
import { type Command, type CommandTraits, command, LOADING, STALE } from '../dispatch/command.ts';
import { usageOf } from '../dispatch/command-syntax.ts';
import type { Context } from '../dispatch/context.ts';

/** What a subcommand looks like, and lines that say what it does. */
export type HelpEntry = readonly [usage: string, ...lines: string[]];

/** Answers the help of the command `name`. */
export function replyHelp(c: Context, name: string, entries: readonly HelpEntry[]): void {
  const lines = [`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const [usage, ...texts] of [...entries, ['HELP', 'Prints this help.'] as const]) {
    lines.push(usage);
    for (const text of texts) lines.push(`    ${text}`);
  }
  c.reply.array(lines.length);
  for (const line of lines) c.reply.simple(line);
}

/** Answers the help of the command that runs, from the specifications of its subcommands. */
export function replyOwnHelp(c: Context): void {
  const { commands } = c.services;
  const parent = commands.byName(c.command.name.split('|')[0] ?? '');
  if (parent === undefined) throw new Error(`${c.command.name} is no subcommand`);
  const entries = commands
    .childrenOf(parent)
    .filter((one) => !one.name.endsWith('|help'))
    .map((one): HelpEntry => {
      const word = one.name.slice(parent.name.length + 1).toUpperCase();
      return [`${word} ${usageOf(one.syntax ?? '')}`.trimEnd(), one.summary];
    });
  replyHelp(c, parent.name.toUpperCase(), entries);
}

/** The HELP subcommand of a command. */
export function helpSubcommand(
  parent: string,
  group: string,
  traits: Pick<CommandTraits, 'acl' | 'since'>,
  handler: (c: Context) => void = replyOwnHelp,
): Command {
  const common = { arity: 2, flags: LOADING | STALE, complexity: 'O(1)' };
  const summary = 'Explains the subcommands.';
  return command(`${parent}|help`, group, { ...common, ...traits, summary }, handler);
}
