/**
 * The connection to a replica, over the client that it came in as: what is sent joins the client's
 * replies and leaves with them at the end of the turn.
 */
import { latin1Bytes } from '../../core/text/latin1.ts';
import type { ReplicaConnection } from '../../replication/replica.ts';
import type { Client } from '../clients/client.ts';
import type { Services } from '../services.ts';

export class ClientConnection implements ReplicaConnection {
  private readonly client: Client;
  private readonly services: Pick<Services, 'listClient' | 'closeClient'>;

  constructor(services: Pick<Services, 'listClient' | 'closeClient'>, client: Client) {
    this.services = services;
    this.client = client;
  }

  send(text: string): void {
    this.client.reply.raw(latin1Bytes(text));
    this.services.listClient(this.client);
  }

  share(bytes: Uint8Array): void {
    this.client.reply.share(bytes);
    this.services.listClient(this.client);
  }

  get unsentBytes(): number {
    return this.client.outputBytes;
  }

  get sentBytes(): number {
    return this.client.reply.sent;
  }

  get lastReadMs(): number {
    return this.client.lastActiveMs;
  }

  get address(): string {
    const { address } = this.client;
    const host = address.slice(0, Math.max(0, address.lastIndexOf(':')));
    return host.startsWith('[') ? host.slice(1, -1) : host;
  }

  get port(): number {
    const { address } = this.client;
    return Number(address.slice(address.lastIndexOf(':') + 1));
  }

  get onDrained(): (() => void) | null {
    return this.client.drained;
  }

  set onDrained(listener: (() => void) | null) {
    this.client.drained = listener;
  }

  close(): void {
    this.services.closeClient(this.client, 'now');
  }

  closeAfterSending(): void {
    this.services.closeClient(this.client, 'after-reply');
  }
}
