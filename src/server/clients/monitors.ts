/**
 * MONITOR: clients that see every command, after it ran.
 *
 *     +1700000000.123456 [0 127.0.0.1:51234] "set" "key" "value"
 *       time              database, client
 *
 * Commands of administration are not shown, nor arguments that their handlers redact. While nobody
 * monitors, the dispatcher has nobody to tell.
 */
import type { Args } from '../../core/resp/args.ts';
import { ADMIN, type Command, SKIP_MONITOR } from '../dispatch/command.ts';
import type { Dispatcher } from '../dispatch/dispatch.ts';
import { wallMicroseconds } from '../time/wall-clock.ts';
import type { Client } from './client.ts';
import { monitorLine } from './monitor-line.ts';

export class Monitors {
  /** Called when the first one came or the last one went. */
  onChange: () => void = () => {};
  private readonly clients = new Set<Client>();
  private readonly dispatcher: Dispatcher;
  private readonly listClient: (client: Client) => void;

  constructor(dispatcher: Dispatcher, listClient: (client: Client) => void) {
    this.dispatcher = dispatcher;
    this.listClient = listClient;
  }

  get size(): number {
    return this.clients.size;
  }

  add(client: Client): void {
    client.monitor = true;
    this.clients.add(client);
    this.changed();
  }

  remove(client: Client): void {
    client.monitor = false;
    if (this.clients.delete(client)) this.changed();
  }

  private changed(): void {
    const none = this.clients.size === 0;
    this.dispatcher.monitor = none
      ? null
      : (client, command, args) => this.show(client, command, args);
    this.onChange();
  }

  private show(client: Client, command: Command, args: Args): void {
    if ((command.flags & (SKIP_MONITOR | ADMIN)) !== 0) return;
    const { redacted } = this.dispatcher;
    const now = wallMicroseconds();
    const time = `${Math.floor(now / 1e6)}.${String(now % 1e6).padStart(6, '0')}`;
    const line = monitorLine(`${time} [${client.db} ${labelOf(client)}]`, args, redacted);
    for (const one of this.clients) {
      // To the protocol these lines are replies, of which none follows the one that ends all.
      if (one.isSilent || one.closeAfterReply) continue;
      one.reply.share(line);
      this.listClient(one);
    }
  }
}

function labelOf(client: Client): string {
  if (client.address === '') return 'lua';
  return client.unixSocket ? `unix:${client.address.replace(/:0$/, '')}` : client.address;
}
