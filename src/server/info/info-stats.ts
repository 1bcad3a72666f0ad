/**
 * INFO stats, commandstats, errorstats and latencystats: what the server has counted.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { Services } from '../services.ts';
import type { InfoLines } from './info-lines.ts';

export function statsLines(services: Services): InfoLines {
  const { stats } = services;
  return [
    ['total_connections_received', stats.connectionsReceived],
    ['total_commands_processed', stats.commandsProcessed],
    ...rateLines(services),
    ['rejected_connections', stats.rejectedConnections],
    ['sync_full', stats.syncFull],
    ['sync_partial_ok', stats.syncPartialOk],
    ['sync_partial_err', stats.syncPartialErr],
    ...keyLines(services),
    ...deskLines(services),
    ...loopLines(services),
    ['unexpected_error_replies', stats.unexpectedErrorReplies],
    ['total_error_replies', stats.totalErrorReplies],
    ['dump_payload_sanitizations', stats.payloadSanitizations],
    ['total_reads_processed', stats.totalReads],
    ['total_writes_processed', stats.totalWrites],
    ['io_threaded_reads_processed', 0],
    ['io_threaded_writes_processed', 0],
    ['client_query_buffer_limit_disconnections', stats.queryBufferLimitDisconnections],
    ['client_output_buffer_limit_disconnections', stats.clientOutputLimitDisconnections],
    ...aclLines(services),
  ];
}

function rateLines({ desk, stats }: Services): InfoLines {
  const { rates } = desk;
  const kilobytes = (rate: { readonly perSecond: number }): string =>
    (rate.perSecond / 1024).toFixed(2);
  return [
    ['instantaneous_ops_per_sec', Math.floor(rates.commands.perSecond)],
    ['total_net_input_bytes', stats.netInputBytes],
    ['total_net_output_bytes', stats.netOutputBytes],
    ['total_net_repl_input_bytes', stats.netReplInputBytes],
    ['total_net_repl_output_bytes', stats.netReplOutputBytes],
    ['instantaneous_input_kbps', kilobytes(rates.input)],
    ['instantaneous_output_kbps', kilobytes(rates.output)],
    ['instantaneous_input_repl_kbps', kilobytes(rates.replicaInput)],
    ['instantaneous_output_repl_kbps', kilobytes(rates.replicaOutput)],
  ];
}

function keyLines({ activeExpiry, eviction, keyspace, stats }: Services): InfoLines {
  return [
    ['expired_keys', keyspace.expiredKeys],
    ['expired_stale_perc', stalePercentage(keyspace).toFixed(2)],
    ['expired_time_cap_reached_count', stats.expiredTimeCapReached],
    ['expire_cycle_cpu_milliseconds', Math.floor(stats.expiryMs)],
    ['expiry_lag_ms', activeExpiry.lagMs],
    ['expiry_lag_ms_max', stats.expiryLagMsMax],
    ['evicted_keys', stats.evictedKeys],
    ['evicted_clients', stats.evictedClients],
    ['total_eviction_exceeded_time', Math.floor(stats.evictionExceededMs + eviction.exceededMs)],
    ['current_eviction_exceeded_time', Math.floor(eviction.exceededMs)],
    ['keyspace_hits', keyspace.hits],
    ['keyspace_misses', keyspace.misses],
  ];
}

const STALE_SAMPLES = 100;

/** Of the keys that expire, how many percent are overdue: of all, or of a hundred each database. */
function stalePercentage({ databases, nowMs }: Keyspace): number {
  let seen = 0;
  let stale = 0;
  for (const { expires } of databases) {
    const count = Math.min(expires.size, STALE_SAMPLES);
    for (let i = 0; i < count; i++) {
      const place = Math.floor((i * expires.size) / count);
      if (expires.timeAt(place) < nowMs) stale++;
    }
    seen += count;
  }
  return seen === 0 ? 0 : (stale / seen) * 100;
}

/** The event loop: its rounds, and what it did in them. */
function loopLines({ commands, desk, stats }: Services): InfoLines {
  const { loopRounds, loopUs } = desk.rates;
  const { rounds, workedUs } = stats.loop;
  const commandUs = commands.every.reduce((sum, one) => sum + one.stats.microseconds, 0);
  const each = loopRounds.perSecond === 0 ? 0 : loopUs.perSecond / loopRounds.perSecond;
  return [
    ['eventloop_cycles', rounds],
    ['eventloop_duration_sum', workedUs],
    ['eventloop_duration_cmd_sum', Math.floor(commandUs)],
    ['instantaneous_eventloop_cycles_per_sec', Math.floor(loopRounds.perSecond)],
    ['instantaneous_eventloop_duration_usec', Math.floor(each)],
  ];
}

function deskLines({ activeExpiry, desk }: Services): InfoLines {
  const { pubsub, tracking } = desk;
  return [
    ['pubsub_channels', pubsub.size('channels')],
    ['pubsub_patterns', pubsub.size('patterns')],
    ['pubsubshard_channels', pubsub.size('shardChannels')],
    ['latest_fork_usec', 0],
    ['total_forks', 0],
    ['migrate_cached_sockets', desk.migrations.sockets.size],
    ['slave_expires_tracked_keys', activeExpiry.own.size],
    ['active_defrag_hits', 0],
    ['active_defrag_misses', 0],
    ['active_defrag_key_hits', 0],
    ['active_defrag_key_misses', 0],
    ['total_active_defrag_time', 0],
    ['current_active_defrag_time', 0],
    ['tracking_total_keys', tracking.keyCount],
    ['tracking_total_items', tracking.itemCount],
    ['tracking_total_prefixes', tracking.prefixCount],
  ];
}

function aclLines({ desk }: Services): InfoLines {
  const { denied } = desk.access.log;
  return [
    ['acl_access_denied_auth', denied.auth],
    ['acl_access_denied_cmd', denied.command],
    ['acl_access_denied_key', denied.key],
    ['acl_access_denied_channel', denied.channel],
  ];
}

export function commandstatsLines(services: Services): InfoLines {
  return services.commands.every
    .filter(({ stats }) => stats.calls + stats.rejected + stats.failed > 0)
    .map(({ name, stats }) => {
      const { calls, rejected, failed } = stats;
      const microseconds = Math.floor(stats.microseconds);
      const each = calls === 0 ? 0 : microseconds / calls;
      const text =
        `calls=${calls},usec=${microseconds},usec_per_call=${each.toFixed(2)},` +
        `rejected_calls=${rejected},failed_calls=${failed}`;
      return [`cmdstat_${name}`, text] as const;
    });
}

export function errorstatsLines({ stats }: Services): InfoLines {
  return [...stats.errors].map(([code, count]) => [`errorstat_${code}`, `count=${count}`] as const);
}

export function latencystatsLines(services: Services): InfoLines {
  const percents = services.config.values.latencyTrackingInfoPercentiles;
  return services.commands.every.flatMap(({ name, stats }) => {
    const { histogram } = stats;
    if (histogram === null || histogram.total === 0) return [];
    const parts = percents.map(
      (percent) => `p${percent}=${histogram.percentile(percent).toFixed(3)}`,
    );
    return [[`latency_percentiles_usec_${name}`, parts.join(',')] as const];
  });
}
