/**
 * INFO memory. `used_memory` is what the arena, the tables beside it, clients and buffers take,
 * exact at every moment;
 * `used_memory_rss` is what the system says of the whole process, JavaScript's own heap included.
 */
import { totalmem } from 'node:os';
import type { Services } from '../services.ts';
import type { InfoLines } from './info-lines.ts';

export function memoryLines(services: Services): InfoLines {
  const { config, keyspace, memory } = services;
  const { arena, databases } = keyspace;
  const { rss } = process.memoryUsage();
  const used = memory.usedBytes;
  const peak = memory.peakBytes;
  const replicaBuffers = memory.bytesOf('clients.slaves');
  const backlog = memory.bytesOf('replication.backlog');
  const aofBuffer = memory.bytesOf('aof.buffer');
  const tables = databases.reduce(
    (sum, { dict, expires }) => sum + dict.overheadBytes + expires.overheadBytes,
    0,
  );
  const beside = backlog + replicaBuffers + memory.bytesOf('clients.normal') + aofBuffer;
  const overhead = memory.startupBytes + tables + beside;
  const dataset = Math.max(0, used - overhead);
  const net = Math.max(1, used - memory.startupBytes);
  const scripts = memory.bytesOf('lua.caches');
  const functions = memory.bytesOf('functions.caches');
  const { maxmemory, maxmemoryPolicy } = config.values;
  return [
    ...withHuman('used_memory', used),
    ...withHuman('used_memory_rss', rss),
    ...withHuman('used_memory_peak', peak),
    ['used_memory_peak_perc', `${((used / Math.max(1, peak)) * 100).toFixed(2)}%`],
    ['used_memory_overhead', overhead],
    ['used_memory_startup', memory.startupBytes],
    ['used_memory_dataset', dataset],
    ['used_memory_dataset_perc', `${Math.min(100, (dataset / net) * 100).toFixed(2)}%`],
    ['allocator_allocated', arena.usedBytes],
    ['allocator_active', arena.reservedBytes],
    ['allocator_resident', arena.reservedBytes],
    ...withHuman('total_system_memory', totalmem()),
    ...withHuman('used_memory_lua', scripts),
    ['used_memory_vm_eval', scripts],
    ['used_memory_scripts_eval', scripts],
    ['used_memory_vm_functions', functions],
    ...withHuman('used_memory_vm_total', scripts + functions),
    ['used_memory_functions', functions],
    ['number_of_cached_scripts', 0],
    ['number_of_functions', 0],
    ['number_of_libraries', 0],
    ...withHuman('used_memory_scripts', scripts + functions),
    ...withHuman('maxmemory', maxmemory),
    ['maxmemory_policy', maxmemoryPolicy],
    ['allocator_frag_ratio', ratio(arena.reservedBytes, arena.usedBytes)],
    ['allocator_frag_bytes', arena.reservedBytes - arena.usedBytes],
    ['allocator_rss_ratio', '1.00'],
    ['allocator_rss_bytes', 0],
    ['rss_overhead_ratio', ratio(rss, arena.reservedBytes)],
    ['rss_overhead_bytes', rss - arena.reservedBytes],
    ['mem_fragmentation_ratio', ratio(rss, used)],
    ['mem_fragmentation_bytes', rss - used],
    ['mem_not_counted_for_evict', replicaBuffers + aofBuffer],
    ['mem_replication_backlog', backlog],
    ['mem_total_replication_buffers', backlog + replicaBuffers],
    ['mem_clients_slaves', replicaBuffers],
    ['mem_clients_normal', memory.bytesOf('clients.normal')],
    ['mem_cluster_links', memory.bytesOf('cluster.links')],
    ['mem_aof_buffer', aofBuffer],
    ['mem_overhead_db_hashtable_rehashing', 0],
    ['mem_allocator', 'arena'],
    ['active_defrag_running', 0],
    ['lazyfree_pending_objects', keyspace.doomedCount],
    ['lazyfreed_objects', keyspace.freedLater],
  ];
}

function withHuman(name: string, bytes: number): InfoLines {
  return [
    [name, bytes],
    [`${name}_human`, humanBytes(bytes)],
  ];
}

function ratio(a: number, b: number): string {
  return b === 0 ? '0.00' : (a / b).toFixed(2);
}

/** "512B", "1.50K", "2.00G". */
function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let size = bytes / 1024;
  for (const unit of ['K', 'M', 'G', 'T']) {
    if (size < 1024) return `${size.toFixed(2)}${unit}`;
    size /= 1024;
  }
  return `${size.toFixed(2)}P`;
}
