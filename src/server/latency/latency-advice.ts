/**
 * LATENCY DOCTOR: what the latency monitor has seen, in words, with what can be done about it.
 */
import type { LatencyMonitor } from './latency-monitor.ts';

/** What the advice depends on. */
export interface LatencySettings {
  readonly latencyMonitorThreshold: number;
  readonly appendfsync: string;
  readonly slowlogLogSlowerThan: number;
}

export function adviseOnLatency(
  monitor: LatencyMonitor,
  settings: LatencySettings,
  nowMs: number,
): string {
  const threshold = settings.latencyMonitorThreshold;
  if (monitor.events.size === 0) {
    return threshold === 0
      ? 'Nothing is recorded: latency monitoring is off. Switch it on with "CONFIG SET ' +
          'latency-monitor-threshold <milliseconds>", at what would be too long for your clients.\n'
      : `No event took ${threshold} ms or longer since monitoring began.\n`;
  }
  const lines = [`Events that took ${threshold} ms or longer:`, ''];
  for (const [kind, { samples, maxMs }] of monitor.events) {
    const times = samples.map((sample) => sample.ms);
    const average = times.reduce((sum, ms) => sum + ms, 0) / times.length;
    const last = samples.at(-1);
    const ago = Math.max(0, Math.floor(nowMs / 1000 - (last?.time ?? 0)));
    lines.push(
      `${kind}: ${samples.length} samples, ${average.toFixed(0)} ms on average, ` +
        `${maxMs} ms at worst, the last one ${ago} seconds ago.`,
    );
    lines.push(`  ${adviceFor(kind, settings)}`);
  }
  return `${lines.join('\n')}\n`;
}

function adviceFor(kind: string, settings: LatencySettings): string {
  if (kind === 'command' || kind === 'fast-command') {
    return settings.slowlogLogSlowerThan < 0
      ? 'Switch the slow log on (CONFIG SET slowlog-log-slower-than 1000) to see which commands.'
      : 'SLOWLOG GET shows the commands. Avoid those that go over very many elements at once.';
  }
  if (kind.startsWith('aof-')) {
    return settings.appendfsync === 'always'
      ? 'The disk is slow for "appendfsync always": use a faster one, or everysec.'
      : 'The disk is busy: look for other programs that write to it.';
  }
  if (kind.startsWith('expire') || kind.startsWith('evict')) {
    return 'Very many keys go at the same moment: spread their times to live.';
  }
  return 'Look at the log around these times.';
}
