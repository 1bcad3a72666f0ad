/**
 * LOLWUT: a little picture, and the version that clients take this server for, in the last line
 * as ever.
 */
import { CAIRN_VERSION, REDIS_VERSION } from '../config/version.ts';
import { type Command, command, FAST, READONLY } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';

/** A cairn: stones of different widths, one upon the other, a new one each time. */
function drawCairn(random: () => number): string {
  const widths = [4, 7, 9, 12, 15, 19].map((width) => width + (random() % 3));
  const base = 24;
  return widths
    .map((width) => `${' '.repeat(Math.floor((base - width) / 2))}(${'_'.repeat(width)})\n`)
    .join('');
}

function lolwutCommand(c: Context): void {
  if (c.argc > 2 && c.is(1, 'version')) {
    if (Number.isNaN(c.integer(2))) return;
  }
  const version = `Redis ver. ${REDIS_VERSION}`;
  const text = `${drawCairn(c.keyspace.random)}\nCairn ${CAIRN_VERSION}. ${version}\n`;
  c.reply.verbatim('txt', text);
}

export const lolwutCommands: readonly Command[] = [
  command(
    'lolwut',
    'server',
    {
      arity: -1,
      flags: READONLY | FAST,
      since: '5.0.0',
      summary: 'Draws something and tells the version.',
      syntax: '[VERSION version:integer]',
    },
    lolwutCommand,
  ),
];
