/**
 * Keeps a keyspace's limits of compact encodings as the configuration has them.
 *
 * The keyspace has an object of its own, since every change of a collection reads it.
 */
import type { EncodingLimits } from '../../core/encoding-limits.ts';
import type { Config } from '../config/config.ts';
import { ConversionWarmUp } from './warm-up.ts';

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

/** Listpacks of more entries than this take noticeably long to convert at first. */
const ENTRIES_QUICK_MAX = 1024;

/** Copies the limits now and after each change. */
export function followEncodingLimits(config: Config, limits: EncodingLimits): void {
  const warmUp = new ConversionWarmUp();
  for (const [directive, limit] of LIMITS) {
    limits[limit] = config.values[limit];
    config.onChange(directive, (value) => {
      limits[limit] = value;
      if (allowsMany(limits)) warmUp.begin();
      return undefined;
    });
  }
  if (allowsMany(limits)) warmUp.begin();
}

function allowsMany(limits: EncodingLimits): boolean {
  const { hashMaxListpackEntries, setMaxListpackEntries, zsetMaxListpackEntries } = limits;
  const most = Math.max(hashMaxListpackEntries, setMaxListpackEntries, zsetMaxListpackEntries);
  return most > ENTRIES_QUICK_MAX;
}
