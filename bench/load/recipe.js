/**
 * Recipes: how a data set is written, as commands whose words may hold placeholders. The same
 * recipe gives the same bytes on every server, so all of them hold the same data.
 *
 *     { command: ['HSET', 'hash:{c}'], item: ['field:{i}', 'value'], items: 8, commands: 1000 }
 *
 * writes a thousand hashes of eight fields:
 *
 *     {c}  number of the command, twelve digits        {i}    number of the item, plain
 *     {n}  number of the item, twelve digits           {r}    a scattered number below a million
 *     {lon} {lat}  a scattered place between 0 and 10 degrees east, 40 and 50 north
 *
 * Twelve digits are what redis-benchmark puts in the place of `__rand_int__`.
 */

/**
 * @typedef {object} Recipe
 * @property {string[]} command the words that begin each command
 * @property {string[]} [item] words that follow, for each item
 * @property {number} [items] items in a command, default 1
 * @property {number} [commands] default 1
 *
 * @typedef {string | ((command: number, item: number) => string)} Part
 */

const scatteredMax = 1_000_000;
const digits = 12;

/**
 * A number that looks random and is the same every time.
 * @type {(index: number) => number}
 */
function scattered(index) {
  let x = (index + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** @type {(index: number, from: number) => string} */
const degrees = (index, from) => (from + (scattered(index) / 2 ** 32) * 10).toFixed(6);

/** @type {(number: number) => string} */
const padded = (number) => String(number).padStart(digits, '0');

/** @type {Record<string, (command: number, item: number) => string>} */
const placeholders = {
  '{c}': (command) => padded(command),
  '{n}': (_, item) => padded(item),
  '{i}': (_, item) => String(item),
  '{r}': (_, item) => String(scattered(item) % scatteredMax),
  '{lon}': (_, item) => degrees(item, 0),
  '{lat}': (_, item) => degrees(~item, 40),
};

/** @type {(text: string) => string} */
const bulk = (text) => `$${text.length}\r\n${text}\r\n`;

/** @type {(word: string) => Part} */
function compileWord(word) {
  const found = /\{[a-z]+\}/.exec(word)?.[0] ?? '';
  const make = placeholders[found];
  if (make === undefined) return bulk(word);
  const [before = '', after = ''] = word.split(found);
  return (command, item) => bulk(before + make(command, item) + after);
}

/**
 * Words as few parts: what never changes is one text.
 * @type {(words: string[]) => Part[]}
 */
function compile(words) {
  /** @type {Part[]} */
  const parts = [];
  for (const part of words.map(compileWord)) {
    const last = parts.at(-1);
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
    else parts.push(part);
  }
  return parts;
}

/** @type {(parts: Part[], command: number, item: number) => string} */
function write(parts, command, item) {
  let text = '';
  for (const part of parts) text += typeof part === 'string' ? part : part(command, item);
  return text;
}

/**
 * A function that gives command number `index` as the bytes of a request. ASCII only.
 * @param {Recipe} recipe
 * @returns {(index: number) => string}
 */
export function requestWriter(recipe) {
  const { command, item = [] } = recipe;
  const items = item.length === 0 ? 0 : (recipe.items ?? 1);
  const head = compile(command);
  const tail = compile(item);
  const opening = `*${command.length + item.length * items}\r\n`;
  return (index) => {
    let text = opening + write(head, index, index);
    for (let i = 0; i < items; i++) text += write(tail, index, index * items + i);
    return text;
  };
}
