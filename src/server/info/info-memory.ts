/**
 * INFO memory. `used_memory` is what the arena, the tables beside it, clients and buffers take,
 * exact at every moment; `used_memory_rss` is what the system says of the whole process, the heap
 * of JavaScript included.
 */
import { totalmem } from 'node:os';
import { fragmentationOf } from '../memory/fragmentation.ts';
import type { MemoryShares } from '../memory/memory-account.ts';
import type { Services } from '../services.ts';
import type { InfoLines } from './info-lines.ts';

export function memoryLines(services: Services): InfoLines {
  const { rss } = process.memoryUsage();
  const { shares } = services.memory;
  return [
    ...usedLines(services, shares, rss),
    ...scriptLines(services),
    ...limitLines(services),
    ...allocatorLines(services, shares.used, rss),
    ...bufferLines(services),
    ['mem_overhead_db_hashtable_rehashing', 0],
    ['mem_allocator', 'arena'],
    ['active_defrag_running', 0],
    ['lazyfree_pending_objects', services.keyspace.doomedCount],
    ['lazyfreed_objects', services.keyspace.freedLater],
  ];
}

function usedLines({ keyspace, memory }: Services, shares: MemoryShares, rss: number): InfoLines {
  const { arena } = keyspace;
  const { dataset, datasetPercent, overhead, peak, used } = shares;
  return [
    ...withHuman('used_memory', used),
    ...withHuman('used_memory_rss', rss),
    ...withHuman('used_memory_peak', peak),
    ['used_memory_peak_perc', percent((used / Math.max(1, peak)) * 100)],
    ['used_memory_overhead', overhead],
    ['used_memory_startup', memory.startupBytes],
    ['used_memory_dataset', dataset],
    ['used_memory_dataset_perc', percent(Math.min(100, datasetPercent))],
    ['allocator_allocated', arena.usedBytes],
    ['allocator_active', arena.reservedBytes],
    ['allocator_resident', arena.reservedBytes],
    ...withHuman('total_system_memory', totalmem()),
  ];
}

function scriptLines({ memory }: Services): InfoLines {
  const scripts = memory.bytesOf('lua.caches');
  const functions = memory.bytesOf('functions.caches');
  return [
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
  ];
}

function limitLines({ config }: Services): InfoLines {
  const { maxmemory, maxmemoryPolicy } = config.values;
  return [...withHuman('maxmemory', maxmemory), ['maxmemory_policy', maxmemoryPolicy]];
}

function allocatorLines({ keyspace }: Services, used: number, rss: number): InfoLines {
  const { arena } = keyspace;
  const { arenaBytes, arenaRatio, processBytes, processRatio } = fragmentationOf(arena, used, rss);
  return [
    ['allocator_frag_ratio', arenaRatio.toFixed(2)],
    ['allocator_frag_bytes', arenaBytes],
    ['allocator_rss_ratio', '1.00'],
    ['allocator_rss_bytes', 0],
    ['rss_overhead_ratio', ratio(rss, arena.reservedBytes)],
    ['rss_overhead_bytes', rss - arena.reservedBytes],
    ['mem_fragmentation_ratio', processRatio.toFixed(2)],
    ['mem_fragmentation_bytes', processBytes],
  ];
}

function bufferLines({ memory }: Services): InfoLines {
  const replicaBuffers = memory.bytesOf('clients.slaves');
  const backlog = memory.bytesOf('replication.backlog');
  const aofBuffer = memory.bytesOf('aof.buffer');
  return [
    ['mem_not_counted_for_evict', memory.unlimitedBytes],
    ['mem_replication_backlog', backlog],
    ['mem_total_replication_buffers', backlog + replicaBuffers],
    ['mem_clients_slaves', replicaBuffers],
    ['mem_clients_normal', memory.bytesOf('clients.normal')],
    ['mem_cluster_links', memory.bytesOf('cluster.links')],
    ['mem_aof_buffer', aofBuffer],
  ];
}

function withHuman(name: string, bytes: number): InfoLines {
  return [
    [name, bytes],
    [`${name}_human`, humanBytes(bytes)],
  ];
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
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
