/** Every command of the server, family by family. */
import type { Command } from '../dispatch/command.ts';
import { aclCommands } from './acl.ts';
import { bitfieldCommands } from './bitfield.ts';
import { bitmapCommands } from './bitmap.ts';
import { clientCommands } from './client.ts';
import { clusterCommands } from './cluster.ts';
import { commandCommands } from './command-introspection.ts';
import { configCommands } from './config.ts';
import { connectionCommands } from './connection.ts';
import { databaseCommands } from './database.ts';
import { debugCommands } from './debug.ts';
import { dumpCommands } from './dump.ts';
import { expireCommands } from './expire.ts';
import { geoCommands } from './geo.ts';
import { geoRadiusCommands } from './geo-radius.ts';
import { geoSearchCommands } from './geo-search.ts';
import { hashCommands } from './hash.ts';
import { hashAllCommands } from './hash-all.ts';
import { hashCounterCommands } from './hash-counter.ts';
import { hyperloglogCommands } from './hyperloglog.ts';
import { infoCommands } from './info.ts';
import { keysCommands } from './keys.ts';
import { latencyCommands } from './latency.ts';
import { listBlockingCommands } from './list-blocking.ts';
import { listPopCommands } from './list-pop.ts';
import { listPushCommands } from './list-push.ts';
import { listRangeCommands } from './list-range.ts';
import { lolwutCommands } from './lolwut.ts';
import { memoryCommands } from './memory.ts';
import { migrateCommands } from './migrate.ts';
import { moduleCommands } from './module.ts';
import { monitorCommands } from './monitor.ts';
import { objectCommands } from './object.ts';
import { persistenceCommands } from './persistence.ts';
import { pubsubCommands } from './pubsub.ts';
import { replicationCommands } from './replication.ts';
import { scanCommands } from './scan.ts';
import { setCommands } from './set.ts';
import { setCombineCommands } from './set-combine.ts';
import { setRandomCommands } from './set-random.ts';
import { slowlogCommands } from './slowlog.ts';
import { sortCommands } from './sort.ts';
import { streamCommands } from './stream.ts';
import { streamClaimCommands } from './stream-claim.ts';
import { streamGroupCommands } from './stream-group.ts';
import { streamInfoCommands } from './stream-info.ts';
import { streamPendingCommands } from './stream-pending.ts';
import { streamReadCommands } from './stream-read.ts';
import { streamSetidCommands } from './stream-setid.ts';
import { stringCounterCommands } from './string-counter.ts';
import { stringGetCommands } from './string-get.ts';
import { stringLcsCommands } from './string-lcs.ts';
import { stringRangeCommands } from './string-range.ts';
import { stringSetCommands } from './string-set.ts';
import { timeCommands } from './time.ts';
import { transactionCommands } from './transaction.ts';
import { waitCommands } from './wait.ts';
import { zsetCommands } from './zset.ts';
import { zsetBlockingCommands } from './zset-blocking.ts';
import { zsetCombineCommands } from './zset-combine.ts';
import { zsetPopCommands } from './zset-pop.ts';
import { zsetRandomCommands } from './zset-random.ts';
import { zsetRangeCommands } from './zset-range.ts';
import { zsetRangeChangeCommands } from './zset-range-change.ts';

export const ALL_COMMANDS: readonly Command[] = [
  ...stringCounterCommands,
  ...stringGetCommands,
  ...stringLcsCommands,
  ...stringRangeCommands,
  ...stringSetCommands,
  ...listPushCommands,
  ...listPopCommands,
  ...listRangeCommands,
  ...listBlockingCommands,
  ...bitfieldCommands,
  ...bitmapCommands,
  ...hashCommands,
  ...hashAllCommands,
  ...hashCounterCommands,
  ...setCommands,
  ...setCombineCommands,
  ...setRandomCommands,
  ...zsetCommands,
  ...zsetBlockingCommands,
  ...zsetCombineCommands,
  ...zsetPopCommands,
  ...zsetRandomCommands,
  ...zsetRangeCommands,
  ...zsetRangeChangeCommands,
  ...hyperloglogCommands,
  ...geoCommands,
  ...geoRadiusCommands,
  ...geoSearchCommands,
  ...streamCommands,
  ...streamClaimCommands,
  ...streamGroupCommands,
  ...streamInfoCommands,
  ...streamPendingCommands,
  ...streamReadCommands,
  ...streamSetidCommands,
  ...connectionCommands,
  ...clientCommands,
  ...databaseCommands,
  ...dumpCommands,
  ...expireCommands,
  ...keysCommands,
  ...objectCommands,
  ...scanCommands,
  ...sortCommands,
  ...transactionCommands,
  ...debugCommands,
  ...memoryCommands,
  ...persistenceCommands,
  ...replicationCommands,
  ...waitCommands,
  ...clusterCommands,
  ...configCommands,
  ...latencyCommands,
  ...lolwutCommands,
  ...migrateCommands,
  ...moduleCommands,
  ...monitorCommands,
  ...pubsubCommands,
  ...slowlogCommands,
  ...timeCommands,
  ...commandCommands,
  ...infoCommands,
  ...aclCommands,
];
