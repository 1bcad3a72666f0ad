/**
 * Connections that are ended for what is said on them.
 *
 *     a replica     that was answered on the link where it reads the stream
 *     a web page    that makes a browser send a request to this port: the lines of it that are no
 *                   commands would be refused, and those that are would run
 *
 * Such a request is known by a word that each of them has and that is no command: `POST` or
 * `Host:`. What comes before it may have run; the replies are not sent.
 */
import type { Args } from '../../core/resp/args.ts';
import type { Client } from '../clients/client.ts';
import type { Services } from '../services.ts';

/** How often the log tells of web requests at most: strangers must not be able to fill it. */
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
