/**
 * What Cairn is to come to beside its peer, and whether it does: CPU per command at pipeline 16
 * and memory of each type, at the median and at the worst.
 */
import { median, rounded } from './statistics.js';

/**
 * @typedef {import('./run.js').Results} Results
 *
 * @typedef {{ name: string, ratio: number }} Named
 *
 * @typedef {object} Verdict
 * @property {string} what
 * @property {number} median
 * @property {number} medianLimit
 * @property {Named} worst
 * @property {number} worstLimit
 * @property {boolean} met both limits are kept
 * @property {Named[]} above what is above the limit of the median, worst first
 */

export const pipelineJudged = 16;
export const cpuLimits = { median: 0.85, worst: 1.2 };
export const memoryLimits = { median: 0.75, worst: 1.0 };

/** @type {(what: string, all: Named[], limits: { median: number, worst: number }) => Verdict[]} */
function verdict(what, all, limits) {
  const sorted = all.toSorted((a, b) => b.ratio - a.ratio);
  const [worst] = sorted;
  if (worst === undefined) return [];
  const middle = rounded(median(all.map(({ ratio }) => ratio)));
  return [
    {
      what,
      median: middle,
      medianLimit: limits.median,
      worst,
      worstLimit: limits.worst,
      met: middle <= limits.median && worst.ratio <= limits.worst,
      above: sorted.filter(({ ratio }) => ratio > limits.median),
    },
  ];
}

/**
 * The verdicts against one peer; none about what was not measured.
 * @param {Results} results
 * @param {string} peer
 * @returns {Verdict[]}
 */
export function verdicts(results, peer) {
  const cpu = results.throughput.flatMap(({ name, pipeline, ratios }) => {
    const ratio = ratios[peer]?.cpu;
    return ratio === undefined || pipeline !== pipelineJudged ? [] : [{ name, ratio }];
  });
  const memory = results.memory.flatMap(({ name, ratios }) => {
    const ratio = ratios[peer]?.rss;
    return ratio === undefined ? [] : [{ name, ratio }];
  });
  return [
    ...verdict(`CPU per command at pipeline ${pipelineJudged}`, cpu, cpuLimits),
    ...verdict('memory', memory, memoryLimits),
  ];
}

/** @type {(verdict: Verdict, peer: string) => string} */
export function describe({ what, median, medianLimit, worst, worstLimit, above }, peer) {
  /** @type {(ratio: number, limit: number) => string} */
  const kept = (ratio, limit) =>
    `${ratio.toFixed(2)} of ${peer}'s (${
      ratio <= limit ? 'kept' : 'MISSED'
    }: at most ${limit.toFixed(2)})`;
  const list = above.map(({ name, ratio }) => `    ${ratio.toFixed(2)}  ${name}\n`);
  const lines = [
    `${what}: median ${kept(median, medianLimit)}, worst ${kept(worst.ratio, worstLimit)}\n`,
    ...(list.length === 0 ? [] : [`  above ${medianLimit.toFixed(2)}:\n`, ...list]),
  ];
  return lines.join('');
}

/**
 * What scenarios came to where there is a limit for it, a line each.
 * @param {Results} results
 * @param {string} subject
 */
export function describeLimits(results, subject) {
  return Object.values(results.scenarios)
    .flat()
    .map(({ name, unit, values, limit }) => {
      const value = values[subject];
      if (limit === undefined || value === undefined) return '';
      const kept = value <= limit ? 'kept' : 'MISSED';
      return `${name}: ${value} ${unit} (${kept}: at most ${limit} ${unit})\n`;
    })
    .join('');
}
