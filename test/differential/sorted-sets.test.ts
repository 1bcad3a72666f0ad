/**
 * Sorted sets: Cairn must answer as the real server does, byte for byte but for the digits of
 * doubles, in RESP2 and RESP3, with the limits as they are and with limits that are soon passed, so
 * that small zsets become large ones.
 */
import { describeRuns } from './describe-runs.ts';
import { expireFamily } from './families/expire.ts';
import { genericFamily } from './families/generic.ts';
import { otherTypesFamily } from './families/other-types.ts';
import { transactionFamily } from './families/transaction.ts';
import { zsetFamily } from './families/zset.ts';
import { zsetCombineFamily } from './families/zset-combine.ts';
import { zsetPopFamily } from './families/zset-pop.ts';
import { zsetRangeFamily } from './families/zset-range.ts';

const small = { 'zset-max-listpack-entries': 6, 'zset-max-listpack-value': 20 };
const zsets = [zsetFamily, zsetRangeFamily, zsetCombineFamily, zsetPopFamily];

const runs = [
  { name: 'members', families: [zsetFamily], config: {} },
  { name: 'members with small limits', families: [zsetFamily], config: small },
  { name: 'ranges', families: [zsetRangeFamily], config: {} },
  { name: 'ranges with small limits', families: [zsetRangeFamily], config: small },
  { name: 'combinations', families: [zsetCombineFamily], config: {} },
  { name: 'combinations with small limits', families: [zsetCombineFamily], config: small },
  { name: 'pops', families: [zsetPopFamily], config: {} },
  { name: 'pops with small limits', families: [zsetPopFamily], config: small },
  {
    name: 'all among other commands',
    families: [...zsets, genericFamily, expireFamily, transactionFamily, otherTypesFamily],
    config: small,
  },
];

describeRuns('sorted sets', runs);
