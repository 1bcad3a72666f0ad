/**
 * Which clients go without having asked to: those that have been idle for `timeout` seconds, and,
 * when all clients together take more than `maxmemory-clients`, the ones that take the most.
 *
 * Replicas, the primary's link, monitors, blocked clients and subscribers are never idle; CLIENT
 * NO-EVICT keeps a client from the other fate.
 */
import { clientBytes } from '../memory/memory-account.ts';
import type { Services } from '../services.ts';
import { type Client, WAIT_BLOCKED, WAIT_TURN } from './client.ts';
import { clientInLog } from './client-list.ts';

/** Called once a second: disconnects clients that were idle for longer than `timeout`. */
export function closeIdleClients(services: Services, nowMs: number): void {
  const seconds = services.config.values.timeout;
  if (seconds === 0) return;
  for (const client of [...services.clients.values()]) {
    if (nowMs - client.lastActiveMs <= seconds * 1000 || isExcused(client)) continue;
    services.log.verbose('Closing idle client');
    services.closeClient(client, 'now');
  }
}

function isExcused(client: Client): boolean {
  const { isPrimary, isReplica, monitor, subscribed, waiting } = client;
  const waits = waiting === WAIT_BLOCKED || waiting === WAIT_TURN;
  return isPrimary || isReplica || monitor || subscribed !== null || waits;
}

/**
 * Disconnects clients while all together take more than `maxmemory-clients`, but never `asking`.
 * Called several times a second, and before keys are evicted. Returns how many went.
 */
export function evictClients(
  services: Services,
  nowMs: number,
  asking: Client | null = null,
): number {
  const { clients, config, desk, log, stats } = services;
  const limit = limitBytes(config.values.maxmemoryClients, config.values.maxmemory);
  if (limit === 0) return 0;
  let total = 0;
  const { limits } = desk;
  // Nobody is evicted for the sake of those who go anyway.
  const stays = (client: Client): boolean =>
    client.outputBytes < limits.smallestBytes || !limits.sendsAway(client, nowMs);
  const counted = [...clients.values()].filter((client) => isEvictable(client) && stays(client));
  for (const client of counted) total += clientBytes(client);
  if (total <= limit) return 0;
  let gone = 0;
  const largest = counted
    .filter((client) => !client.noEvict && client !== asking)
    .sort((a, b) => clientBytes(b) - clientBytes(a));
  for (const client of largest) {
    if (total <= limit) break;
    gone++;
    total -= clientBytes(client);
    log.notice(`Evicting client: ${clientInLog(client, services)}`);
    stats.evictedClients++;
    services.closeClient(client, 'now');
  }
  return gone;
}

/** The client has been read from: looks at once when it takes much of what all may take. */
export function evictWhoTakesMuch(services: Services, client: Client, nowMs: number): void {
  const { maxmemory, maxmemoryClients } = services.config.values;
  if (maxmemoryClients === 0) return;
  const limit = limitBytes(maxmemoryClients, maxmemory);
  if (limit > 0 && clientBytes(client) > limit / 8) evictClients(services, nowMs);
}

function isEvictable(client: Client): boolean {
  return !client.isPrimary && !client.isReplica;
}

/** Below this nobody could tell the server of a better limit any more. */
const LIMIT_BYTES_MIN = 128 * 1024;

/** A negative setting is a percentage of maxmemory; 0 is no limit. */
function limitBytes(setting: number, maxmemory: number): number {
  if (setting === 0 || (setting < 0 && maxmemory === 0)) return 0;
  const bytes = setting < 0 ? Math.floor((maxmemory * -setting) / 100) : setting;
  return Math.max(LIMIT_BYTES_MIN, bytes);
}
