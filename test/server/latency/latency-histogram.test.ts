/**
 * The histogram of latencies against a plain list of numbers, and its levels against those of a
 * real server's LATENCY HISTOGRAM.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawLatency } from '../../../src/server/latency/latency-graph.ts';
import { LatencyHistogram } from '../../../src/server/latency/latency-histogram.ts';
import { LatencyEvent } from '../../../src/server/latency/latency-monitor.ts';

const microseconds = fc.oneof(
  fc.double({ min: 0, max: 2, noNaN: true }),
  fc.double({ min: 0, max: 5000, noNaN: true }),
  fc.double({ min: 0, max: 3_000_000, noNaN: true }),
);

describe('the latency histogram', () => {
  it('knows percentiles to one part in a hundred', () => {
    fc.assert(
      fc.property(fc.array(microseconds, { minLength: 1 }), (values) => {
        const histogram = new LatencyHistogram();
        for (const value of values) histogram.record(value, 1);
        const sorted = values.map((value) => Math.min(value, 1_000_000)).sort((a, b) => a - b);
        for (const percent of [0, 50, 90, 99, 99.9, 100]) {
          const rank = Math.max(1, Math.floor((percent / 100) * sorted.length + 0.5));
          const exact = sorted[rank - 1] ?? 0;
          const found = histogram.percentile(percent);
          expect(found).toBeGreaterThanOrEqual(exact - 0.001);
          expect(found).toBeLessThanOrEqual(exact * 1.01 + 0.001);
        }
        const levels = histogram.cumulative();
        expect(levels.at(-1)?.[1]).toBe(values.length);
        const counts = levels.map(([, count]) => count);
        expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
      }),
    );
  });

  it('has the levels that Redis shows', () => {
    const histogram = new LatencyHistogram();
    for (const value of [0.5, 1.5, 3, 7, 15, 30, 60, 120, 250, 500, 1000, 2000, 4000, 8000]) {
      histogram.record(value, 1);
    }
    histogram.record(5_000_000, 1);
    const levels = histogram.cumulative().map(([level]) => level);
    expect(levels.slice(0, 14)).toEqual([
      ...[1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227, 8454],
    ]);
    histogram.reset();
    expect(histogram.cumulative()).toEqual([]);
  });
});

describe('LATENCY GRAPH', () => {
  it('draws bars with their ages', () => {
    const event = new LatencyEvent();
    for (const [ago, ms] of [
      [100_000, 100],
      [7200, 250],
      [130, 400],
      [5, 500],
      [5, 300],
    ] as const) {
      event.add(1_000_000 - ago, ms);
    }
    expect(drawLatency('command', event, 1_000_000).split('\n')).toEqual([
      'command - high 500 ms, low 100 ms (all time high 500 ms)',
      '-'.repeat(80),
      '  _#',
      '  ||',
      ' o||',
      '_|||',
      '    ',
      '1225',
      'dhms',
      '',
    ]);
  });
});
