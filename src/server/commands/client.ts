/** CLIENT: its subcommands together. */
import { type Command, command } from '../dispatch/command.ts';
import { clientControlCommands } from './client-control.ts';
import { clientIdentityCommands } from './client-identity.ts';
import { clientTrackingCommands } from './client-tracking.ts';
import { helpSubcommand, replyOwnHelp } from './help.ts';

const helpCommand = helpSubcommand('client', 'connection', { acl: ['connection'], since: '5.0.0' });

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
