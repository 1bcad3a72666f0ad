/** Encodings of small collections, figures about commands, notifications, scripts, and timers. */
import { flag, INT_MAX, INT_MIN, INT64_MAX, integer, size, special } from './parameter.ts';
import { keyspaceEventsType, percentilesType } from './special-type.ts';

const HZ_MIN = 1n;
const HZ_MAX = 500n;

const NO_SCRIPTS = 'no scripts run here';

export const advancedParameters = [
  integer('hash-max-listpack-entries', [0, INT64_MAX], 512, 'Fields of a compact hash.', {
    alias: 'hash-max-ziplist-entries',
  }),
  size('hash-max-listpack-value', [0, INT64_MAX], 64, 'Longest value of a compact hash.', {
    alias: 'hash-max-ziplist-value',
  }),
  integer(
    'list-max-listpack-size',
    [INT_MIN, INT_MAX],
    -2,
    'Entries or size class of a list node.',
    {
      alias: 'list-max-ziplist-size',
    },
  ),
  integer('list-compress-depth', [0, INT_MAX], 0, 'Nodes at each end that stay uncompressed.'),
  integer('set-max-intset-entries', [0, INT64_MAX], 512, 'Members of a set of integers.'),
  integer('set-max-listpack-entries', [0, INT64_MAX], 128, 'Members of a compact set.'),
  size('set-max-listpack-value', [0, INT64_MAX], 64, 'Longest member of a compact set.'),
  integer('zset-max-listpack-entries', [0, INT64_MAX], 128, 'Members of a compact sorted set.', {
    alias: 'zset-max-ziplist-entries',
  }),
  size('zset-max-listpack-value', [0, INT64_MAX], 64, 'Longest member of one.', {
    alias: 'zset-max-ziplist-value',
  }),
  size('hll-sparse-max-bytes', [0, INT64_MAX], 3000, 'Bytes of a sparse HyperLogLog.'),
  size('stream-node-max-bytes', [0, INT64_MAX], 4096, 'Bytes of a node of a stream.'),
  integer('stream-node-max-entries', [0, INT64_MAX], 100, 'Entries of a node of a stream.'),
  integer(
    'slowlog-log-slower-than',
    [-1, INT64_MAX],
    10000,
    'Microseconds from which a command is logged; -1 logs none.',
    { valkeyName: 'commandlog-execution-slower-than' },
  ),
  integer('slowlog-max-len', [0, INT64_MAX], 128, 'Entries of SLOWLOG.', {
    valkeyName: 'commandlog-slow-execution-max-len',
  }),
  integer(
    'latency-monitor-threshold',
    [0, INT64_MAX],
    0,
    'Milliseconds from which an event is recorded; 0 records none.',
  ),
  flag('latency-tracking', true, 'Keep a histogram of the latencies of each command.'),
  special(
    'latency-tracking-info-percentiles',
    percentilesType,
    [50, 99, 99.9],
    'Percentiles that INFO shows.',
  ),
  special('notify-keyspace-events', keyspaceEventsType, 0, 'Events that are published.'),
  integer('busy-reply-threshold', [0, INT64_MAX], 5000, 'Milliseconds until a script is busy.', {
    alias: 'lua-time-limit',
    inert: NO_SCRIPTS,
  }),
  flag('lua-enable-deprecated-api', false, 'Offer old Lua functions.', {
    hidden: true,
    immutable: true,
    inert: NO_SCRIPTS,
  }),
  flag('activerehashing', true, 'Rehash in idle time.', {
    inert: 'tables grow and shrink in steps that every access pays for',
  }),
  integer('hz', [0, INT_MAX], 10, 'How often background work is looked at, a second.', {
    clamp: (value) => (value < HZ_MIN ? HZ_MIN : value > HZ_MAX ? HZ_MAX : value),
  }),
  flag('dynamic-hz', true, 'Raise hz with the number of clients.', {
    inert: 'background work runs in slices of bounded time, whatever the number of clients',
  }),
] as const;
