/** CLIENT: its subcommands together. */

import { type Command, command, LOADING, STALE } from '../command.ts';
import { clientControlCommands } from './client-control.ts';
import { clientIdentityCommands } from './client-identity.ts';
import { clientTrackingCommands } from './client-tracking.ts';
import { replyOwnHelp } from './help.ts';

const helpCommand = command(
  'client|help',
  'connection',
  {
    arity: 2,
    flags: LOADING | STALE,
    acl: ['connection'],
    since: '5.0.0',
    complexity: 'O(1)',
    summary: 'Shows the subcommands.',
  },
  replyOwnHelp,
);

export const clientCommands: readonly Command[] = [
  command(
    'client',
    'connection',
    {
      arity: -2,
      flags: 0,
      since: '2.4.0',
      complexity: 'Depends on subcommand.',
      summary: 'About connections.',
      subcommands: [
        ...clientIdentityCommands,
        ...clientControlCommands,
        ...clientTrackingCommands,
        helpCommand,
      ],
    },
    replyOwnHelp,
  ),
];
