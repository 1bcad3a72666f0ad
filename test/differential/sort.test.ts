/**
 * SORT: Cairn must answer as the real server does, down to the order in which a partial sort leaves
 * elements of equal weight.
 */
import { describeRuns } from './describe-runs.ts';
import { sortFamily } from './families/sort.ts';
import { transactionFamily } from './families/transaction.ts';

// The real server makes every zset large that it sorts: here all are so from the start.
const config = { 'zset-max-listpack-entries': 0 };

const runs = [
  { name: 'alone', families: [sortFamily], config },
  { name: 'in transactions', families: [sortFamily, transactionFamily], config },
];

describeRuns('SORT', runs);
