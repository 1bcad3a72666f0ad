/**
 * Keeps a keyspace's limits of compact encodings as the configuration has them.
 *
 * The keyspace has an object of its own, since every change of a collection reads it.
 */
import type { EncodingLimits } from '../core/encoding-limits.ts';
import type { Config } from './config/config.ts';

const LIMITS = [
  ['hash-max-listpack-entries', 'hashMaxListpackEntries'],
  ['hash-max-listpack-value', 'hashMaxListpackValue'],
  ['list-max-listpack-size', 'listMaxListpackSize'],
  ['list-compress-depth', 'listCompressDepth'],
  ['set-max-intset-entries', 'setMaxIntsetEntries'],
  ['set-max-listpack-entries', 'setMaxListpackEntries'],
  ['set-max-listpack-value', 'setMaxListpackValue'],
  ['zset-max-listpack-entries', 'zsetMaxListpackEntries'],
  ['zset-max-listpack-value', 'zsetMaxListpackValue'],
  ['stream-node-max-bytes', 'streamNodeMaxBytes'],
  ['stream-node-max-entries', 'streamNodeMaxEntries'],
] as const;

/** Copies the limits now and after each change. */
export function followEncodingLimits(config: Config, limits: EncodingLimits): void {
  for (const [directive, limit] of LIMITS) {
    limits[limit] = config.values[limit];
    config.onChange(directive, (value) => {
      limits[limit] = value;
      return undefined;
    });
  }
}
