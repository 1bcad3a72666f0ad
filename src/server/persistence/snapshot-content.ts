/**
 * What the configuration makes of a snapshot: the form of a dump, what it says of itself, and
 * whether the base of an AOF is a dump or commands.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { CommandBase } from '../../persistence/command-writer.ts';
import type { RdbContent } from '../../persistence/snapshot/snapshot-now.ts';
import type { Config } from '../config/config.ts';
import { CAIRN_VERSION, REDIS_VERSION } from '../config/version.ts';
import { usageKind } from './dataset-loader.ts';

/** What goes into a dump beside the keys; `aux` are the fields of replication. */
export function snapshotContent(
  config: Config,
  keyspace: Keyspace,
  functions: readonly Uint8Array[],
  aofBase: boolean,
  aux: Readonly<Record<string, string>>,
): RdbContent {
  const { values } = config;
  return {
    version: Number(values.rdbSaveVersion) as RdbContent['version'],
    usage: usageKind(values.maxmemoryPolicy),
    compress: values.rdbcompression,
    checksum: values.rdbchecksum,
    aux: {
      'redis-ver': REDIS_VERSION,
      'redis-bits': '64',
      ctime: `${Math.floor(Date.now() / 1000)}`,
      'used-mem': `${keyspace.arena.usedBytes}`,
      ...aux,
      'aof-base': aofBase ? '1' : '0',
      'cairn-ver': CAIRN_VERSION,
    },
    functions,
  };
}

/** How a base of commands is written; undefined where it is to be an RDB. */
export function commandBase(config: Config): CommandBase | undefined {
  const { aofUseRdbPreamble, aofChecksum, aofTimestampEnabled } = config.values;
  if (aofUseRdbPreamble) return undefined;
  const timeSeconds = aofTimestampEnabled ? Math.floor(Date.now() / 1000) : -1;
  return { checksum: aofChecksum, timeSeconds };
}
