/**
 * MEMORY DOCTOR: looks at the figures of memory and says in words what stands out.
 */
import type { Services } from '../services.ts';

const MIB = 1 << 20;
/** Below this there is nothing to be learned from ratios. */
const SMALL_BYTES = 5 * MIB;
const PEAK_RATIO = 1.5;
const SLACK_RATIO = 1.4;
const SLACK_BYTES = 10 * MIB;
const CLIENT_BYTES = 200 * 1024;
const REPLICA_BYTES = 10 * MIB;

/** The report of a server. */
export function diagnose(services: Services): string {
  const { clients, memory } = services;
  const used = memory.usedBytes;
  if (used < SMALL_BYTES) {
    return 'Less than 5 MB are in use: too little to say anything. Come back with more data.\n';
  }
  const findings: string[] = [];
  const { arena } = services.keyspace;
  if (memory.peakBytes / used > PEAK_RATIO) {
    findings.push(
      `Peak: at some time ${memory.peakBytes} bytes were in use, now ${used}. Chunks that became ` +
        'empty have gone back to the system; those that hold a few blocks remain.',
    );
  }
  const slack = arena.reservedBytes - arena.usedBytes;
  if (slack > SLACK_BYTES && arena.reservedBytes / arena.usedBytes > SLACK_RATIO) {
    findings.push(
      `Slack: the arena holds ${arena.reservedBytes} bytes for ${arena.usedBytes} in use. ` +
        'New data will fill the room; a restart gives it back.',
    );
  }
  const replicas = [...clients.values()].filter((client) => client.isReplica).length;
  const others = clients.size - replicas;
  if (others > 0 && memory.bytesOf('clients.normal') / others > CLIENT_BYTES) {
    findings.push(
      'Clients: their buffers are large, 200 kB a client and more. Look for clients that do not ' +
        'read their replies (CLIENT LIST, omem), and see client-output-buffer-limit.',
    );
  }
  if (replicas > 0 && memory.bytesOf('clients.slaves') / replicas > REPLICA_BYTES) {
    findings.push(
      'Replicas: their buffers are large, 10 MB a replica and more. The link to a replica is ' +
        'slow or broken; see client-output-buffer-limit replica.',
    );
  }
  if (findings.length === 0) return 'Nothing stands out: memory is used as it should be.\n';
  return `${findings.map((finding) => `* ${finding}`).join('\n\n')}\n`;
}
