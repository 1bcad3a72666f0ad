/** TIME: the server's clock. */
import { type Command, command, FAST, LOADING, STALE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { wallMicroseconds } from '../time/wall-clock.ts';

function timeCommand(c: Context): void {
  const microseconds = wallMicroseconds();
  c.reply.array(2);
  c.reply.bulkInteger(Math.floor(microseconds / 1_000_000));
  c.reply.bulkInteger(microseconds % 1_000_000);
}

export const timeCommands: readonly Command[] = [
  command(
    'time',
    'server',
    {
      arity: 1,
      flags: LOADING | STALE | FAST,
      tips: ['nondeterministic_output'],
      since: '2.6.0',
      complexity: 'O(1)',
      summary: 'Returns the time in seconds and microseconds.',
    },
    timeCommand,
  ),
];
