/**
 * LATENCY GRAPH: the samples of an event as bars of text, with the age of each one under it.
 *
 *     command - high 500 ms, low 100 ms (all time high 500 ms)
 *     ----------------------------------------------------------...
 *        #_
 *       _||
 *     _#|||
 *
 *     4321s
 *     mmm
 *
 * A row is three steps high: "_" one, "o" two, "#" three, "|" where a bar goes on upwards. At most
 * 80 bars stand side by side; more follow below.
 */
import type { LatencyEvent, LatencySample } from './latency-monitor.ts';

const COLUMNS = 80;
const ROWS = 4;
const STEPS = '_o#';

export function drawLatency(kind: string, event: LatencyEvent, nowSeconds: number): string {
  const values = event.samples.map((sample) => sample.ms);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const head = `${kind} - high ${high} ms, low ${low} ms (all time high ${event.maxMs} ms)`;
  const blocks: string[] = [];
  for (let at = 0; at < event.samples.length; at += COLUMNS) {
    blocks.push(drawBlock(event.samples.slice(at, at + COLUMNS), low, high, nowSeconds));
  }
  return `${head}\n${'-'.repeat(COLUMNS)}\n${blocks.join('\n')}`;
}

function drawBlock(
  samples: readonly LatencySample[],
  low: number,
  high: number,
  nowSeconds: number,
): string {
  const range = high === low ? 1 : high - low;
  const steps = STEPS.length * ROWS;
  const heights = samples.map(({ ms }) =>
    Math.min(steps - 1, Math.floor(((ms - low) * steps) / range)),
  );
  const labels = samples.map(({ time }) => age(nowSeconds - time));
  const lines: string[] = [];
  for (let row = 0; row < ROWS; row++) {
    const base = (ROWS - row - 1) * STEPS.length;
    lines.push(
      heights
        .map((height) => {
          const step = height - base;
          return step < 0 ? ' ' : (STEPS[step] ?? '|');
        })
        .join(''),
    );
  }
  lines.push(' '.repeat(samples.length));
  const depth = Math.max(...labels.map((label) => label.length));
  for (let i = 0; i < depth; i++) lines.push(labels.map((label) => label[i] ?? ' ').join(''));
  return lines.map((line) => `${line}\n`).join('');
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
