/**
 * MONITOR: shows the client every command of everybody from now on. See monitors.ts.
 */
import { ADMIN, type Command, command, LOADING, NOSCRIPT, STALE } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';

function monitorCommand(c: Context): void {
  const { client, services } = c;
  if (services.dispatcher.isNested) {
    c.reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
    return;
  }
  if (client.monitor || client.isReplica) return;
  services.desk.monitors.add(client);
  c.ok();
}

export const monitorCommands: readonly Command[] = [
  command(
    'monitor',
    'server',
    {
      arity: 1,
      flags: ADMIN | NOSCRIPT | LOADING | STALE,
      since: '1.0.0',
      summary: 'Shows every command of the server.',
    },
    monitorCommand,
  ),
];
