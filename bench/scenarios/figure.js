/**
 * Figures: what scenarios give, one number a server, and how a scenario runs on all contenders one
 * after the other.
 */

/**
 * @typedef {import('../options.js').Options} Options
 * @typedef {import('../options.js').Contender} Contender
 *
 * A number that one server came to.
 * @typedef {object} Measure
 * @property {string} name
 * @property {'ms' | 'bytes' | '/s' | 'x'} unit
 * @property {number} value
 * @property {number} [limit] what the subject is to stay below
 * @property {object} [details] anything that belongs to it
 *
 * @typedef {object} Figure
 * @property {string} name
 * @property {Measure['unit']} unit of the values
 * @property {Record<string, number>} values by server
 * @property {number} [limit]
 * @property {Record<string, object>} details by server
 * @property {Record<string, string>} errors why a server has no value
 */

/** Servers of scenarios are not pinned: what runs beside the event loop may use the other core. */
export const unpinned = { core: null };

/** @type {(figure: Figure) => string} */
function line(figure) {
  const values = Object.entries(figure.values).map(([name, value]) => {
    return `${name} ${value}${figure.unit === '/s' ? '' : ' '}${figure.unit}`;
  });
  const errors = Object.entries(figure.errors).map(([name, text]) => {
    return `${name} no result: ${text}`;
  });
  return `${figure.name.padEnd(44)} ${[...values, ...errors].join('   ')}\n`;
}

/**
 * Measures of several servers, put together by name and printed.
 * @param {Map<string, Measure[] | Error>} measured by server
 * @param {string} title of the scenario, for one that gave nothing but errors
 * @returns {Figure[]}
 */
export function figuresOf(measured, title) {
  /** @type {Map<string, Figure>} */
  const figures = new Map();
  for (const [server, measures] of measured) {
    if (measures instanceof Error) continue;
    for (const { name, unit, value, limit, details } of measures) {
      const figure = figures.get(name) ?? { name, unit, values: {}, details: {}, errors: {} };
      figures.set(name, figure);
      figure.values[server] = value;
      if (limit !== undefined) figure.limit = limit;
      if (details !== undefined) figure.details[server] = details;
    }
  }
  if (figures.size === 0) {
    figures.set(title, { name: title, unit: 'x', values: {}, details: {}, errors: {} });
  }
  for (const [server, measures] of measured) {
    if (!(measures instanceof Error)) continue;
    for (const figure of figures.values()) figure.errors[server] = measures.message.slice(0, 160);
  }
  for (const figure of figures.values()) process.stdout.write(line(figure));
  return [...figures.values()];
}

/**
 * Runs one part of a scenario on each contender in turn; what fails on one has a reason there.
 * @param {Options} options
 * @param {string} title
 * @param {(contender: Contender) => Promise<Measure[]>} measureOne
 */
export async function onEach(options, title, measureOne) {
  /** @type {Map<string, Measure[] | Error>} */
  const measured = new Map();
  for (const contender of [options.subject, ...options.peers]) {
    const result = await measureOne(contender).catch((error) => error);
    measured.set(contender.name, result);
  }
  return figuresOf(measured, title);
}
