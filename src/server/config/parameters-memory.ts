/** Memory: its limit, eviction, and how things are freed. */
import {
  choice,
  flag,
  INT_MAX,
  INT64_MAX,
  integer,
  numeric,
  size,
  UINT64_MAX,
} from './parameter.ts';

const NO_DEFRAG = 'the allocator reuses whole pages and does not fragment as malloc does';

const ALWAYS_LAZY = 'large values are always freed bit by bit';

export const memoryParameters = [
  size('maxmemory', [0, UINT64_MAX], 0, 'Bytes that the dataset may take; 0 is no limit.'),
  choice(
    'maxmemory-policy',
    [
      'volatile-lru',
      'volatile-lfu',
      'volatile-random',
      'volatile-ttl',
      'allkeys-lru',
      'allkeys-lfu',
      'allkeys-random',
      'noeviction',
    ],
    'noeviction',
    'Which keys go when the limit is reached.',
  ),
  integer('maxmemory-samples', [1, INT_MAX], 5, 'Keys compared to find one to evict.'),
  integer(
    'maxmemory-eviction-tenacity',
    [0, 100],
    10,
    'Readiness to evict at the cost of latency.',
  ),
  numeric(
    'bytes-or-percent',
    'maxmemory-clients',
    [-100, INT64_MAX],
    0,
    'Bytes that all clients may take, or a percentage of maxmemory (exposed as a negative number).',
  ),
  integer('lfu-log-factor', [0, INT_MAX], 10, 'How slowly the LFU counter grows.'),
  integer('lfu-decay-time', [0, INT_MAX], 1, 'Minutes until it falls by one.'),
  integer('active-expire-effort', [1, 10], 1, 'Effort to remove expired keys.'),
  integer('tracking-table-max-keys', [0, INT64_MAX], 1000000, 'Keys tracked for client caches.'),
  flag('lazyfree-lazy-eviction', false, 'Free evicted values bit by bit.'),
  flag('lazyfree-lazy-expire', false, 'Free expired values bit by bit.'),
  flag(
    'lazyfree-lazy-server-del',
    false,
    'Tell replicas to free what a command removes bit by bit.',
  ),
  flag('lazyfree-lazy-user-del', false, 'Let DEL free bit by bit, like UNLINK.', {
    inert: ALWAYS_LAZY,
  }),
  flag('lazyfree-lazy-user-flush', false, 'Let FLUSHALL and FLUSHDB free bit by bit.'),
  flag('activedefrag', false, 'Move values together.', { inert: NO_DEFRAG }),
  size('active-defrag-ignore-bytes', [1, INT64_MAX], 100 << 20, 'Waste that starts it.', {
    inert: NO_DEFRAG,
  }),
  integer('active-defrag-threshold-lower', [0, 1000], 10, 'Percentage that starts it.', {
    inert: NO_DEFRAG,
  }),
  integer('active-defrag-threshold-upper', [0, 1000], 100, 'Percentage of most effort.', {
    inert: NO_DEFRAG,
  }),
  integer('active-defrag-cycle-min', [1, 99], 1, 'Least effort in percent.', { inert: NO_DEFRAG }),
  integer('active-defrag-cycle-max', [1, 99], 25, 'Most effort in percent.', { inert: NO_DEFRAG }),
  integer('active-defrag-max-scan-fields', [1, INT64_MAX], 1000, 'Fields moved at a time.', {
    inert: NO_DEFRAG,
  }),
  flag('jemalloc-bg-thread', true, 'Return memory in a thread.', {
    inert: 'memory does not come from jemalloc',
  }),
] as const;
