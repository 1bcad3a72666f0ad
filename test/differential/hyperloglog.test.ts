/**
 * HyperLogLogs: Cairn must keep the bytes of the real server and give its estimates, with the usual
 * limit of the sparse form and with one that is soon passed.
 */
import { describeRuns } from './describe-runs.ts';
import { hyperloglogFamily } from './families/hyperloglog.ts';
import { transactionFamily } from './families/transaction.ts';

const runs = [
  { name: 'alone', families: [hyperloglogFamily], config: {} },
  {
    name: 'with a small limit, in transactions',
    families: [hyperloglogFamily, transactionFamily],
    config: { 'hll-sparse-max-bytes': 60 },
  },
];

describeRuns('HyperLogLogs', runs);
