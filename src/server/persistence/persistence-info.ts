/**
 * INFO persistence: names and order as Redis has them, then what only Cairn knows.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { InfoLines } from '../info/info-lines.ts';
import type { Persistence } from './persistence.ts';

type Line = readonly [name: string, value: string | number];

/** The section's lines. Sizes in bytes, times in seconds unless named otherwise. */
export function persistenceInfo(persistence: Persistence, keyspace: Keyspace): InfoLines {
  return [
    ...generalLines(persistence),
    ...rdbLines(persistence, keyspace),
    ...aofLines(persistence),
    ...loadingLines(persistence),
    ['snapshot_longest_turn_usec', persistence.snapshots.rounds.longestUs],
    ['snapshot_longest_turn_work_usec', persistence.snapshots.rounds.workUs],
  ];
}

function generalLines({ isLoading, isLoadingAside, snapshots }: Persistence): Line[] {
  const figures = snapshots.figures;
  const total = figures?.keysTotal ?? 0;
  const done = figures?.keysDone ?? 0;
  return [
    ['loading', isLoading ? 1 : 0],
    ['async_loading', isLoadingAside ? 1 : 0],
    ['current_cow_peak', figures?.queuedBytesPeak ?? 0],
    ['current_cow_size', figures?.queuedBytes ?? 0],
    ['current_cow_size_age', figures === null ? 0 : secondsSince(snapshots.startedMs)],
    ['current_fork_perc', (total === 0 ? 0 : (done / total) * 100).toFixed(2)],
    ['current_save_keys_processed', done],
    ['current_save_keys_total', total],
  ];
}

function rdbLines(persistence: Persistence, keyspace: Keyspace): Line[] {
  const { rdb, loadedKeys, loadedExpiredKeys, snapshots } = persistence;
  // What is made for replicas counts as a dump, as it does in Redis.
  const isWriting = rdb.isSaving || snapshots.purpose === 'sync';
  return [
    ['rdb_changes_since_last_save', keyspace.dirty],
    ['rdb_bgsave_in_progress', isWriting ? 1 : 0],
    ['rdb_last_save_time', rdb.lastSaveSeconds],
    ['rdb_last_bgsave_status', rdb.lastOk ? 'ok' : 'err'],
    ['rdb_last_bgsave_time_sec', rdb.lastSeconds],
    ['rdb_current_bgsave_time_sec', rdb.isSaving ? secondsSince(rdb.startedMs) : -1],
    ['rdb_saves', rdb.saves],
    ['rdb_last_cow_size', rdb.lastPeakBytes],
    ['rdb_last_load_keys_expired', loadedExpiredKeys],
    ['rdb_last_load_keys_loaded', loadedKeys],
  ];
}

function aofLines({ aof, latency }: Persistence): Line[] {
  const { rewrites } = aof;
  const log = aof.aof;
  // While the last fsync of one that is being switched off runs, it is off.
  const isEnabled = aof.localLog !== null;
  const lines: Line[] = [
    ['aof_enabled', isEnabled ? 1 : 0],
    ['aof_rewrite_in_progress', rewrites.isRunning ? 1 : 0],
    ['aof_rewrite_scheduled', rewrites.isScheduled ? 1 : 0],
    ['aof_last_rewrite_time_sec', rewrites.lastSeconds],
    ['aof_current_rewrite_time_sec', rewrites.isRunning ? secondsSince(rewrites.startedMs) : -1],
    ['aof_last_bgrewrite_status', rewrites.lastOk ? 'ok' : 'err'],
    ['aof_rewrites', rewrites.count],
    ['aof_rewrites_consecutive_failures', log.schedule.failures],
    ['aof_last_write_status', log.lastError === undefined ? 'ok' : 'err'],
    ['aof_last_cow_size', 0],
    ['module_fork_in_progress', 0],
    ['module_fork_last_cow_size', 0],
  ];
  if (!isEnabled) return lines;
  const { clock, queue } = log.disk;
  return [
    ...lines,
    ['aof_current_size', log.size.currentBytes],
    ['aof_base_size', log.size.afterRewriteBytes],
    ['aof_pending_rewrite', rewrites.isScheduled ? 1 : 0],
    ['aof_buffer_length', queue.bytes],
    ['aof_pending_bio_fsync', log.disk.isSyncing ? 1 : 0],
    ['aof_delayed_fsync', clock.delayedCount],
    ['aof_unsynced_bytes', log.appendedBytes - log.syncedBytes],
    ['aof_fsyncs', clock.count],
    ['aof_last_fsync_usec', Math.round(clock.lastMs * 1000)],
    ['aof_max_fsync_usec', Math.round(clock.maxMs * 1000)],
    ['aof_fsync_percentiles_usec', latency.percentiles],
    ['aof_oldest_unsynced_msec', Math.round(clock.unsyncedAgeMs(performance.now()))],
  ];
}

function loadingLines({ loader }: Persistence): Line[] {
  const { progress } = loader;
  if (progress === null) return [];
  const { startedMs, totalBytes, loadedBytes, aux } = progress;
  const seconds = Math.max(1, secondsSince(startedMs));
  const left = Math.max(0, totalBytes - loadedBytes);
  const eta = loadedBytes === 0 ? 1 : Math.round((left * seconds) / loadedBytes);
  return [
    ['loading_start_time', Math.floor(startedMs / 1000)],
    ['loading_total_bytes', totalBytes],
    ['loading_rdb_used_mem', Number.parseInt(aux.get('used-mem') ?? '', 10) || 0],
    ['loading_loaded_bytes', loadedBytes],
    ['loading_loaded_perc', ((loadedBytes / Math.max(1, totalBytes)) * 100).toFixed(2)],
    ['loading_eta_seconds', eta],
  ];
}

function secondsSince(ms: number): number {
  return Math.floor((Date.now() - ms) / 1000);
}
