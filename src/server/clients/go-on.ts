/**
 * Clients that were answered after a wait: their replies leave with this turn, their further
 * commands run with the next.
 */
import type { Services } from '../services.ts';
import { type Client, RUNNING, WAIT_BLOCKED, WAIT_TURN } from './client.ts';

export class GoingOn {
  private readonly services: Pick<Services, 'listClient'>;
  private readonly resume: (client: Client) => void;
  /** Those of this turn, who go on together. */
  private clients: Client[] = [];

  /** `resume` runs what a client has sent meanwhile. */
  constructor(services: Pick<Services, 'listClient'>, resume: (client: Client) => void) {
    this.services = services;
    this.resume = resume;
  }

  /** The client has its answer. */
  add(client: Client): void {
    this.services.listClient(client);
    if (client.waiting !== WAIT_BLOCKED) return;
    client.waiting = WAIT_TURN;
    if (this.clients.push(client) === 1) setImmediate(() => this.allGoOn());
  }

  private allGoOn(): void {
    const { clients } = this;
    this.clients = [];
    for (const client of clients) {
      if (client.waiting !== WAIT_TURN) continue;
      client.waiting = RUNNING;
      this.resume(client);
    }
  }
}
