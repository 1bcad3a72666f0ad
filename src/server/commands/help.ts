/**
 * The answers of the HELP subcommands: lines of text, in the form that clients know from Redis.
 */
import type { Context } from '../context.ts';

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
