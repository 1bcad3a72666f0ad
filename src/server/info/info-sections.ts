/**
 * The sections of INFO, in their order, each from whoever knows.
 *
 *     # Server
 *     redis_version:7.2.4
 *     ...
 *                            an empty line between sections; lines end with CR LF
 *     # Clients
 */
import { createHash } from 'node:crypto';
import { release, type } from 'node:os';
import type { Database } from '../../core/database.ts';
import { WAIT_WORK } from '../clients/client.ts';
import { CAIRN_VERSION, REDIS_VERSION } from '../config/version.ts';
import { replicationFields } from '../replication/replication-report.ts';
import type { Services } from '../services.ts';
import { wallMicroseconds } from '../time/wall-clock.ts';
import { cpuLines } from './info-cpu.ts';
import type { InfoLines } from './info-lines.ts';
import { memoryLines } from './info-memory.ts';
import { commandstatsLines, errorstatsLines, latencystatsLines, statsLines } from './info-stats.ts';

interface Section {
  readonly name: string;
  readonly title: string;
  readonly lines: (services: Services) => InfoLines;
  /** Shown only when it is asked for, or all. */
  readonly extra?: true;
}

const SECTIONS: readonly Section[] = [
  { name: 'server', title: 'Server', lines: serverLines },
  { name: 'clients', title: 'Clients', lines: clientsLines },
  { name: 'memory', title: 'Memory', lines: memoryLines },
  { name: 'persistence', title: 'Persistence', lines: () => [] },
  { name: 'stats', title: 'Stats', lines: statsLines },
  {
    name: 'replication',
    title: 'Replication',
    lines: ({ replication }) => replicationFields(replication, Date.now()),
  },
  { name: 'cpu', title: 'CPU', lines: cpuLines },
  { name: 'modules', title: 'Modules', lines: () => [] },
  { name: 'commandstats', title: 'Commandstats', lines: commandstatsLines, extra: true },
  { name: 'errorstats', title: 'Errorstats', lines: errorstatsLines },
  { name: 'latencystats', title: 'Latencystats', lines: latencystatsLines, extra: true },
  { name: 'cluster', title: 'Cluster', lines: () => [['cluster_enabled', 0]] },
  { name: 'keyspace', title: 'Keyspace', lines: keyspaceLines },
];

/**
 * The text of the sections that these words ask for; unknown words ask for nothing, no word for
 * the usual ones.
 */
export function infoText(services: Services, words: readonly string[]): string {
  const asked = new Set(words.map((word) => word.toLowerCase()));
  const everything = asked.has('all') || asked.has('everything');
  const usual = asked.size === 0 || asked.has('default');
  return SECTIONS.filter(
    ({ name, extra }) => everything || asked.has(name) || (usual && extra !== true),
  )
    .map(({ name, title, lines }) => {
      const all = [...lines(services), ...services.desk.info.linesOf(name)];
      return `# ${title}\r\n${all.map(([key, value]) => `${key}:${value}\r\n`).join('')}`;
    })
    .join('\r\n');
}

/** Tells builds apart for monitoring: 16 hex digits of what the server is made of. */
const BUILD_ID = createHash('sha1')
  .update(`${CAIRN_VERSION} ${process.version} ${process.arch}`)
  .digest('hex')
  .slice(0, 16);

function serverLines(services: Services): InfoLines {
  const { config, keyspace, runId, startedMs } = services;
  const now = Date.now();
  const uptime = Math.max(0, Math.floor((now - startedMs) / 1000));
  const { hz, port } = config.values;
  return [
    ['redis_version', REDIS_VERSION],
    ['redis_git_sha1', '00000000'],
    ['redis_git_dirty', 0],
    ['redis_build_id', BUILD_ID],
    ['cairn_version', CAIRN_VERSION],
    ['node_version', process.versions.node],
    ['redis_mode', 'standalone'],
    ['os', `${type()} ${release()} ${process.arch === 'x64' ? 'x86_64' : process.arch}`],
    ['arch_bits', 64],
    ['monotonic_clock', process.platform === 'linux' ? 'POSIX clock_gettime' : 'libuv'],
    ['multiplexing_api', process.platform === 'linux' ? 'epoll' : 'kqueue'],
    ['process_id', process.pid],
    ['process_supervised', config.values.supervised],
    ['run_id', runId],
    ['tcp_port', port],
    ['server_time_usec', wallMicroseconds()],
    ['uptime_in_seconds', uptime],
    ['uptime_in_days', Math.floor(uptime / 86_400)],
    ['hz', hz],
    ['configured_hz', hz],
    ['lru_clock', keyspace.lruClock],
    ['executable', process.execPath],
    ['config_file', config.file ?? ''],
    ['io_threads_active', 0],
    ...listenerLines(services),
  ];
}

/** Where the server listens, as it was told. */
function listenerLines({ config }: Services): InfoLines {
  const { bind, port, unixsocket } = config.values;
  const all: string[] = [];
  if (port !== 0) {
    all.push(`name=tcp${bind.map((address) => `,bind=${address}`).join('')},port=${port}`);
  }
  if (unixsocket !== '') all.push(`name=unix,bind=${unixsocket}`);
  return all.map((text, i) => [`listener${i}`, text] as const);
}

function clientsLines(services: Services): InfoLines {
  const { blocking, clients, config, desk, replication, watches } = services;
  let input = 0;
  let output = 0;
  let replicas = 0;
  let watching = 0;
  let blocked = blocking.size + replication.waits.size + desk.migrations.size + desk.pause.size;
  for (const client of clients.values()) {
    input = Math.max(input, client.parser.pendingBytes);
    output = Math.max(output, client.outputBytes);
    if (client.isReplica) replicas++;
    if (client.waiting === WAIT_WORK) blocked++;
    if (client.watched.length > 0) watching++;
  }
  return [
    ['connected_clients', clients.size - replicas],
    ['cluster_connections', 0],
    ['maxclients', config.values.maxclients],
    ['client_recent_max_input_buffer', input],
    ['client_recent_max_output_buffer', output],
    ['blocked_clients', blocked],
    ['tracking_clients', desk.tracking.clientCount],
    ['pubsub_clients', desk.pubsub.subscribers],
    ['watching_clients', watching],
    ['clients_in_timeout_table', blocking.timedCount + replication.waits.timedCount],
    ['total_watched_keys', watches.size],
    ['total_blocking_keys', blocking.keyCount],
    ['total_blocking_keys_on_nokey', blocking.keysAwaitedMissing],
  ];
}

function keyspaceLines({ keyspace }: Services): InfoLines {
  return keyspace.databases
    .filter(({ dict }) => dict.count > 0)
    .map((db) => {
      const ttl = averageTtl(db, keyspace.nowMs);
      const text = `keys=${db.dict.count},expires=${db.expires.size},avg_ttl=${ttl}`;
      return [`db${db.id}`, text] as const;
    });
}

const TTL_SAMPLES = 1000;

/**
 * Milliseconds that the keys that expire have left, on average: of all, or of a thousand spread
 * evenly.
 */
function averageTtl({ expires }: Database, nowMs: number): number {
  const count = Math.min(expires.size, TTL_SAMPLES);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const place = Math.floor((i * expires.size) / count);
    sum += Math.max(0, expires.timeAt(place) - nowMs);
  }
  return count === 0 ? 0 : Math.floor(sum / count);
}
