/**
 * Hashes and sets: Cairn must answer as the real server does, byte for byte but for the order of
 * tables, in RESP2 and RESP3, with the limits as they are and with limits that are soon passed.
 */
import { describeRuns } from './describe-runs.ts';
import { expireFamily } from './families/expire.ts';
import { genericFamily } from './families/generic.ts';
import { hashFamily } from './families/hash.ts';
import { otherTypesFamily } from './families/other-types.ts';
import { setFamily } from './families/set.ts';
import { transactionFamily } from './families/transaction.ts';

const small = {
  'hash-max-listpack-entries': 6,
  'hash-max-listpack-value': 20,
  'set-max-intset-entries': 10,
};

const runs = [
  { name: 'a hash', families: [hashFamily], config: {} },
  { name: 'a hash with small limits', families: [hashFamily], config: small },
  { name: 'a set', families: [setFamily], config: {} },
  { name: 'a set with small limits', families: [setFamily], config: small },
  {
    name: 'hashes and sets among other commands',
    families: [
      hashFamily,
      setFamily,
      genericFamily,
      expireFamily,
      transactionFamily,
      otherTypesFamily,
    ],
    config: small,
  },
];

describeRuns('collections', runs);
