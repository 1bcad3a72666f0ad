/**
 * The geo commands: Cairn must answer as the real server does, to the last digit and in the same
 * order, with small zsets and large ones, and leave the same data behind.
 */
import { describeRuns } from './describe-runs.ts';
import { geoFamily } from './families/geo.ts';

const families = [geoFamily];

const runs = [
  { name: 'with the usual limits', families, config: {} },
  {
    name: 'with small zsets of up to 1,000 points',
    families,
    config: { 'zset-max-listpack-entries': 1000 },
  },
  { name: 'with large zsets alone', families, config: { 'zset-max-listpack-entries': 0 } },
];

describeRuns('the geo commands', runs, 2500);
