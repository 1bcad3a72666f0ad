/**
 * The configuration as the feeding end of replication reads it.
 */
import type { PrimarySettings } from '../../replication/primary.ts';
import type { Config } from '../config/config.ts';

export function primarySettings({ values }: Config): PrimarySettings {
  const limit = values.clientOutputBufferLimit.replica;
  // A limit below the backlog would close those whom a partial sync has just been granted.
  const least = (bytes: number): number =>
    bytes === 0 ? 0 : Math.max(bytes, values.replBacklogSize);
  return {
    diskless: values.replDisklessSync,
    delaySeconds: values.replDisklessSyncDelay,
    replicasMax: values.replDisklessSyncMaxReplicas,
    timeoutMs: values.replTimeout * 1000,
    bufferLimit: {
      hardBytes: least(limit.hardBytes),
      softBytes: least(limit.softBytes),
      softSeconds: limit.softSeconds,
    },
    backlogBytes: values.replBacklogSize,
    backlogTtlSeconds: values.replBacklogTtl,
    lagSecondsMax: values.minReplicasMaxLag,
  };
}
