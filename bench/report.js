/** What the results look like: the chart of ratios and the table of all figures. */
import { drawRatios } from './chart.js';
import { drawTable } from './table.js';
import { pipelineJudged } from './targets.js';

/**
 * @typedef {import('./run.js').Results} Results
 * @typedef {import('./options.js').Options} Options
 * @typedef {import('./scenarios/figure.js').Figure} Figure
 * @typedef {import('./chart.js').Group} Group
 * @typedef {import('./table.js').Section} Section
 * @typedef {import('./table.js').Cell} Cell
 */

/**
 * Things by a key, in the order of their first.
 * @template T
 * @param {T[]} list
 * @param {(one: T) => string} keyOf
 * @returns {Map<string, T[]>}
 */
function grouped(list, keyOf) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const one of list) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

/** @type {(name: string, pipeline: number) => string} */
const title = (name, pipeline) => (pipeline === 1 ? `${name}, no pipeline` : name);

/**
 * CPU per command and memory of each type, against one peer.
 * @param {Results} results
 * @param {string} peer
 * @returns {Group[]}
 */
function groupsOf(results, peer) {
  const judged = results.throughput.filter(({ pipeline }) => pipeline === pipelineJudged);
  const single = results.throughput.filter(({ pipeline }) => pipeline !== pipelineJudged);
  const cpu = [
    ...grouped(judged, ({ group }) => `${group}: CPU a command`),
    .../** @type {const} */ ([['no pipeline: CPU a command', single]]),
  ].map(([name, list]) => {
    const bars = list.map((one) => ({ label: one.name, ratio: one.ratios[peer]?.cpu }));
    return { title: name, bars };
  });
  const memory = results.memory.map((one) => ({ label: one.name, ratio: one.ratios[peer]?.rss }));
  return [...cpu, { title: 'memory', bars: memory }].map(({ title: name, bars }) => {
    const known = bars.flatMap(({ label, ratio }) => (ratio === undefined ? [] : { label, ratio }));
    return { title: name, bars: known };
  });
}

/** @type {(results: Results, options: Options) => string} */
export function ratiosChart(results, options) {
  const [first] = options.peers;
  const peer = first?.name ?? '';
  const name = `${options.subject.name}, where ${peer} is 1.0 (shorter is better)`;
  return drawRatios(name, groupsOf(results, peer));
}

/** @type {(ratio: number | undefined) => Cell} */
function ratioCell(ratio) {
  if (ratio === undefined) return { text: '-' };
  return { text: ratio.toFixed(2), kind: ratio <= 1 ? 'better' : 'worse' };
}

/** @type {(value: number | undefined, digits: number) => Cell} */
const numberCell = (value, digits) => ({ text: value === undefined ? '-' : value.toFixed(digits) });

/**
 * @param {Results} results
 * @param {string[]} servers the subject first
 * @returns {Section[]}
 */
function commandSections(results, servers) {
  const peers = servers.slice(1);
  return [...grouped(results.throughput, ({ group }) => group)].map(([name, list]) => ({
    title: name,
    columns: [...servers.map((each) => `${each}, us`), ...peers.flatMap(() => ['CPU', 'rate'])],
    rows: list.map((one) => ({
      label: title(one.name, one.pipeline),
      cells: [
        ...servers.map((each) => numberCell(one.medians[each]?.cpuUs, 2)),
        ...peers.flatMap((each) => [
          ratioCell(one.ratios[each]?.cpu),
          numberCell(one.ratios[each]?.throughput, 2),
        ]),
      ],
    })),
  }));
}

/**
 * @param {Results} results
 * @param {string[]} servers the subject first
 * @returns {Section}
 */
function memorySection(results, servers) {
  const peers = servers.slice(1);
  return {
    title: 'memory, growth of RSS',
    columns: [...servers.map((each) => `${each}, bytes`), ...peers.map(() => 'ratio')],
    rows: results.memory.map((one) => ({
      label: `${one.name}: ${one.unit === 'key' ? 'a key' : 'an element'}`,
      cells: [
        ...servers.map((each) => numberCell(one.bytes[each]?.rss, 1)),
        ...peers.map((each) => ratioCell(one.ratios[each]?.rss)),
      ],
    })),
  };
}

/** @type {(name: string, figures: Figure[], servers: string[]) => Section} */
function scenarioSection(name, figures, servers) {
  return {
    title: name,
    columns: [...servers, 'unit'],
    rows: figures.map((figure) => ({
      label: figure.name,
      cells: [
        ...servers.map((each) => ({ text: String(figure.values[each] ?? '-') })),
        { text: figure.unit },
      ],
    })),
  };
}

/** @type {(results: Results, options: Options) => string} */
export function typesTable(results, options) {
  const servers = [options.subject, ...options.peers].map(({ name }) => name);
  const scenarios = Object.entries(results.scenarios).map(([name, figures]) => {
    return scenarioSection(name, figures, servers);
  });
  return drawTable(`${servers.join(' beside ')}`, [
    ...commandSections(results, servers),
    memorySection(results, servers),
    ...scenarios,
  ]);
}
