/** INFO: the state of the server and its figures, by sections. */
import { type Command, command, LOADING, STALE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { infoText } from '../info/info-sections.ts';

function infoCommand(c: Context): void {
  const words: string[] = [];
  for (let i = 1; i < c.argc; i++) words.push(c.args.text(i));
  c.reply.verbatim('txt', infoText(c.services, words));
}

export const infoCommands: readonly Command[] = [
  command(
    'info',
    'server',
    {
      arity: -1,
      flags: LOADING | STALE,
      acl: ['dangerous'],
      tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
      since: '1.0.0',
      complexity: 'O(1)',
      syntax: '[section]...',
      summary: 'Tells how the server is.',
      history: [['7.0.0', 'Takes several sections.']],
    },
    infoCommand,
  ),
];
