/** Replication: the primary to follow, and how replicas are fed. */
import {
  choice,
  flag,
  INT_MAX,
  INT64_MAX,
  integer,
  optionalText,
  port,
  size,
  special,
} from './parameter.ts';
import { replicaOfType } from './special-type.ts';

/** A smaller backlog would not hold what is under way at any moment. */
const BACKLOG_BYTES_MIN = 16384n;

export const replicationParameters = [
  special('replicaof', replicaOfType, undefined, 'Host and port of the primary.', {
    alias: 'slaveof',
    immutable: true,
  }),
  optionalText('masteruser', 'User name at the primary.', {
    sensitive: true,
    valkeyName: 'primaryuser',
  }),
  optionalText('masterauth', 'Password at the primary.', {
    sensitive: true,
    valkeyName: 'primaryauth',
  }),
  flag('replica-serve-stale-data', true, 'Answer while the primary is out of reach.', {
    alias: 'slave-serve-stale-data',
  }),
  flag('replica-read-only', true, 'Refuse writes of clients on a replica.', {
    alias: 'slave-read-only',
  }),
  flag('replica-lazy-flush', false, 'Free the old dataset bit by bit at a full sync.', {
    alias: 'slave-lazy-flush',
    inert: 'the old dataset is always freed bit by bit',
  }),
  flag('replica-ignore-maxmemory', true, 'Let only the primary evict.', {
    alias: 'slave-ignore-maxmemory',
  }),
  flag(
    'replica-accept-empty-primary',
    false,
    'Give up the own keys for the empty dataset of a primary with another history.',
  ),
  integer('replica-priority', [0, INT_MAX], 100, 'Rank for promotion; 0 is never.', {
    alias: 'slave-priority',
  }),
  flag('replica-announced', true, 'Be shown by Sentinel.'),
  optionalText('replica-announce-ip', 'Address to tell the primary.', {
    alias: 'slave-announce-ip',
  }),
  port('replica-announce-port', 0, 'Port to tell the primary; 0 is the real one.', {
    alias: 'slave-announce-port',
  }),
  flag('replica-ignore-disk-write-errors', false, 'Apply writes that the disk refuses.'),
  choice(
    'propagation-error-behavior',
    ['ignore', 'panic', 'panic-on-replicas'],
    'ignore',
    'What to do when a propagated command fails.',
  ),
  flag('repl-diskless-sync', true, 'Send snapshots to replicas without a file.'),
  integer('repl-diskless-sync-delay', [0, INT_MAX], 5, 'Seconds to wait for more replicas.'),
  integer('repl-diskless-sync-max-replicas', [0, INT_MAX], 0, 'Replicas that end the wait.'),
  choice(
    'repl-diskless-load',
    ['disabled', 'on-empty-db', 'swapdb'],
    'disabled',
    'Load a snapshot straight from the socket.',
    { denyLoading: true },
  ),
  integer('repl-ping-replica-period', [1, INT_MAX], 10, 'Seconds between pings to replicas.', {
    alias: 'repl-ping-slave-period',
  }),
  integer('repl-timeout', [1, INT_MAX], 60, 'Seconds until a silent link is given up.'),
  flag('repl-disable-tcp-nodelay', false, 'Fewer, later packets to replicas.'),
  size('repl-backlog-size', [1, INT64_MAX], 1024 * 1024, 'Bytes kept for partial syncs.', {
    clamp: (bytes) => (bytes < BACKLOG_BYTES_MIN ? BACKLOG_BYTES_MIN : bytes),
  }),
  integer('repl-backlog-ttl', [0, INT64_MAX], 3600, 'Seconds to keep them without replicas.'),
  integer('min-replicas-to-write', [0, INT_MAX], 0, 'Replicas without which writes are refused.', {
    alias: 'min-slaves-to-write',
  }),
  integer('min-replicas-max-lag', [0, INT_MAX], 10, 'Seconds that such a replica may lag.', {
    alias: 'min-slaves-max-lag',
  }),
] as const;
