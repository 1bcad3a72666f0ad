/**
 * When the RDB of a full sync may be the base of this server's AOF as it came, without a rewrite.
 *
 *     the AOF is on, and its bases are RDBs (aof-use-rdb-preamble)
 *     its version is one that we would write ourselves: an older server may load this folder
 *     it has a checksum, unless ours are without (rdbchecksum)
 *     what it says of its place in the stream, if it does, is what the primary has told
 *
 * Otherwise a rewrite makes a base, and until that ends a restart finds the dataset before.
 */
import { positionOfAux } from '../../persistence/aof/aof-position.ts';
import type { DatasetPosition, ReceivedDataset } from '../../replication/payload.ts';
import type { ConfigValues } from '../config/parameters.ts';

/** Whether it may, by what is known before it is loaded. */
export function mayBeBase(
  values: Pick<ConfigValues, 'appendonly' | 'aofUseRdbPreamble' | 'rdbSaveVersion' | 'rdbchecksum'>,
  { version, isChecked }: Pick<ReceivedDataset, 'version' | 'isChecked'>,
): boolean {
  const { appendonly, aofUseRdbPreamble, rdbSaveVersion, rdbchecksum } = values;
  const isSafe = isChecked || !rdbchecksum;
  return appendonly && aofUseRdbPreamble && isSafe && version <= rdbSaveVersion;
}

/** Whether an RDB with these AUX fields tells no other place in the stream. */
export function tellsNoOther(aux: ReadonlyMap<string, string>, position: DatasetPosition): boolean {
  const told = positionOfAux(aux);
  return told === null || (told.id === position?.id && told.offset === position.offset);
}
