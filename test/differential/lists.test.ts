/**
 * Lists: Cairn must answer as the real server does, byte for byte, in RESP2 and RESP3, with nodes
 * of every kind of limit, so that lists become quicklists, are split, merged and compressed, and
 * become listpacks again.
 */
import { describeRuns } from './describe-runs.ts';
import { expireFamily } from './families/expire.ts';
import { genericFamily } from './families/generic.ts';
import { listFamily } from './families/list.ts';
import { otherTypesFamily } from './families/other-types.ts';
import { transactionFamily } from './families/transaction.ts';

const runs = [
  { name: 'as they come', families: [listFamily], config: {} },
  {
    name: 'in nodes of few elements, compressed',
    families: [listFamily],
    config: { 'list-max-listpack-size': 3, 'list-compress-depth': 1 },
  },
  {
    name: 'in small nodes, compressed further inside',
    families: [listFamily],
    config: { 'list-max-listpack-size': -1, 'list-compress-depth': 2 },
  },
  {
    name: 'among other commands',
    families: [listFamily, genericFamily, expireFamily, transactionFamily, otherTypesFamily],
    config: { 'list-max-listpack-size': 6 },
  },
];

describeRuns('lists', runs);
