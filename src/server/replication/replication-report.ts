/**
 * What INFO replication and ROLE tell.
 */
import type { Reply } from '../../core/resp/reply.ts';
import type { Replica } from '../../replication/replica.ts';
import type { ReplicationService } from './replication.ts';

/** A line of INFO: its name and its value. */
export type InfoField = readonly [name: string, value: string | number];

/** The section "Replication", in Redis's order. */
export function replicationFields(replication: ReplicationService, nowMs: number): InfoField[] {
  const { primary, failover, differences } = replication;
  const { history, backlog, replicas } = primary;
  const { values } = replication.config;
  const fields: InfoField[] = [['role', replication.isReplica ? 'slave' : 'master']];
  fields.push(...followerFields(replication, nowMs), ['connected_slaves', replicas.size]);
  if (values.minReplicasToWrite > 0 && values.minReplicasMaxLag > 0) {
    fields.push(['min_slaves_good_slaves', primary.goodReplicas(nowMs)]);
  }
  let index = 0;
  for (const replica of replicas) {
    fields.push([`slave${index++}`, describeReplica(replica, nowMs)]);
  }
  fields.push(
    ['master_failover_state', failover.state],
    ['master_replid', history.id],
    ['master_replid2', history.secondId],
    ['master_repl_offset', history.offset],
    ['second_repl_offset', history.secondOffset],
    ['repl_backlog_active', backlog === null ? 0 : 1],
    ['repl_backlog_size', values.replBacklogSize],
    ['repl_backlog_first_byte_offset', backlog === null ? 0 : backlog.start + 1],
    ['repl_backlog_histlen', backlog === null ? 0 : backlog.length],
  );
  // Whoever is promoted has them still.
  if (differences.count > 0) {
    fields.push(
      ['slave_failed_commands', differences.count],
      ['slave_first_failed_offset', differences.firstOffset],
    );
  }
  return fields;
}

function followerFields(replication: ReplicationService, nowMs: number): InfoField[] {
  const { follower, config, primary } = replication;
  if (follower === null) return [];
  const { link } = follower;
  const { values } = config;
  const { offset } = primary.history;
  const since = (ms: number): number => Math.max(0, Math.floor((nowMs - ms) / 1000));
  const fields: InfoField[] = [
    ['master_host', link.host],
    ['master_port', link.port],
    ['master_link_status', follower.isConnected ? 'up' : 'down'],
    ['master_last_io_seconds_ago', follower.isConnected ? since(link.lastIoMs) : -1],
    ['master_sync_in_progress', link.state === 'sync' ? 1 : 0],
    ['slave_read_repl_offset', offset + link.unappliedBytes],
    ['slave_repl_offset', offset],
  ];
  if (link.state === 'sync') {
    const { receivedBytes, totalBytes } = link.receiver;
    const percent = totalBytes === 0 ? 0 : (receivedBytes / totalBytes) * 100;
    fields.push(
      ['master_sync_total_bytes', totalBytes],
      ['master_sync_read_bytes', receivedBytes],
      ['master_sync_left_bytes', totalBytes - receivedBytes],
      ['master_sync_perc', percent.toFixed(2)],
      ['master_sync_last_io_seconds_ago', since(link.lastIoMs)],
    );
  }
  if (!follower.isConnected) {
    const down = link.downSinceMs === 0 ? -1 : since(link.downSinceMs);
    fields.push(['master_link_down_since_seconds', down]);
  }
  fields.push(
    ['slave_priority', values.replicaPriority],
    ['slave_read_only', values.replicaReadOnly ? 1 : 0],
    ['replica_announced', values.replicaAnnounced ? 1 : 0],
  );
  return fields;
}

function describeReplica(replica: Replica, nowMs: number): string {
  const { address, listeningPort, ackOffset } = replica;
  const lag = replica.state === 'online' ? replica.lagSeconds(nowMs) : 0;
  const state = STATES[replica.state];
  return `ip=${address},port=${listeningPort},state=${state},offset=${ackOffset},lag=${lag}`;
}

const STATES = {
  none: 'none',
  waiting: 'wait_bgsave',
  snapshot: 'wait_bgsave',
  'sending-file': 'send_bulk',
  online: 'online',
} as const;

/** The answer of ROLE. */
export function replyRole(replication: ReplicationService, reply: Reply): void {
  const { follower, primary } = replication;
  if (follower !== null) {
    const { link, isConnected } = follower;
    reply.array(5);
    reply.bulkText('slave');
    reply.bulkText(link.host);
    reply.integer(link.port);
    reply.bulkText(link.state);
    reply.integer(isConnected ? primary.history.offset : -1);
    return;
  }
  const online = [...primary.replicas].filter((replica) => replica.state === 'online');
  reply.array(3);
  reply.bulkText('master');
  reply.integer(primary.history.offset);
  reply.array(online.length);
  for (const replica of online) {
    reply.array(3);
    reply.bulkText(replica.address);
    reply.bulkText(String(replica.listeningPort));
    reply.bulkText(String(replica.ackOffset));
  }
}
