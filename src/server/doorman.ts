/**
 * Connections that are ended for what is said on them.
 *
 *     a replica     that was answered on the link where it reads the stream
 *     a web page    whose browser was made to send a request to this port: it would go over the
 *                   words that are no commands, and run those that are
 *
 * Such a request is known by a word that every one has and no command is: `POST`, or `Host:`. What
 * comes before it may have run; the replies are not sent.
 */
import type { Args } from '../core/resp/args.ts';
import type { Client } from './clients/client.ts';
import type { Services } from './services.ts';

/** The log tells of web requests once in so long: it is not for others to fill. */
const WARNING_MS = 60_000;

export class Doorman {
  private readonly services: Services;
  private warnedMs = Number.NEGATIVE_INFINITY;

  constructor(services: Services) {
    this.services = services;
  }

  /**
   * A replica was answered: it would take the answer for a part of the stream. Only what REPLCONF
   * writes is the stream's own.
   */
  dropTalker(client: Client, args: Args): void {
    if (args.is(0, 'replconf')) return;
    const name = args.shown(0).toLowerCase();
    this.services.log.warning(
      `Replica generated a reply to command '${name}', disconnecting it: ${client.address}`,
    );
    client.reply.rewind(client.silentFrom);
    this.services.closeClient(client, 'now');
  }

  /** What came is no command: ends the connection if it is a line of a web request. */
  dropWebRequest(client: Client, args: Args): void {
    if (!args.is(0, 'post') && !args.is(0, 'host:')) return;
    const nowMs = performance.now();
    if (nowMs - this.warnedMs > WARNING_MS) {
      this.warnedMs = nowMs;
      this.services.log.warning(
        'Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: ' +
          'commands to Redis. This is likely due to an attacker attempting to use Cross Protocol ' +
          `Scripting to compromise your Redis instance. Connection from ${client.address} aborted.`,
      );
    }
    this.services.closeClient(client, 'now');
  }
}
