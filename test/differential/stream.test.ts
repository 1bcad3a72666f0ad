/**
 * Streams: Cairn must answer as the real server does, byte for byte, in RESP2 and RESP3, with nodes
 * as they are and with nodes that are soon full.
 */
import { describeRuns } from './describe-runs.ts';
import { expireFamily } from './families/expire.ts';
import { genericFamily } from './families/generic.ts';
import { streamFamily } from './families/stream.ts';
import { transactionFamily } from './families/transaction.ts';

const small = { 'stream-node-max-entries': 3 };
const others = [genericFamily, expireFamily, transactionFamily];

const runs = [
  { name: 'a stream', families: [streamFamily], config: {} },
  { name: 'a stream of small nodes', families: [streamFamily], config: small },
  { name: 'streams among other commands', families: [streamFamily, ...others], config: small },
];

describeRuns('streams', runs);
