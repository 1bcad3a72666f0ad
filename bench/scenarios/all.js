/** The scenarios by the names that `--only` takes. */
import { measureAppend } from './append.js';
import { measureConversion } from './conversion.js';
import { measureDeletion } from './deletion.js';
import { measureFiles } from './files.js';
import { measureHuge } from './huge.js';
import { measureKeys } from './keys.js';
import { measurePeak } from './peak.js';
import { measureRewrite } from './rewrite.js';

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} about
 * @property {(options: import('../options.js').Options) =>
 *   Promise<import('./figure.js').Figure[]>} measure
 */

/** @type {Scenario[]} */
export const scenarios = [
  { name: 'keys', about: 'bytes a key, stalls of BGSAVE under writes', measure: measureKeys },
  { name: 'files', about: 'saving and loading keys and collections', measure: measureFiles },
  { name: 'append', about: 'SETs under each appendfsync policy', measure: measureAppend },
  { name: 'rewrite', about: 'an AOF rewrite under writes', measure: measureRewrite },
  { name: 'peak', about: 'memory while saving and rewriting all keys', measure: measurePeak },
  { name: 'deletion', about: 'stalls while a zset or all keys go', measure: measureDeletion },
  { name: 'conversion', about: 'stalls while encodings change', measure: measureConversion },
  { name: 'huge', about: 'stalls while huge collections are saved', measure: measureHuge },
];
