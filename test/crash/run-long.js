/**
 * The proofs of durability at length: many rounds of kill -9, at any moment and at every system
 * call, of power loss and of snapshots under load, a dump of a million keys, a gigabyte through
 * `redis-cli --pipe`, collections of millions through a real server and back.
 */
import { readCount, readOptions, refuse, runTests } from '../support/long-run.js';

/** @type {Record<string, string>} */
const FILES = {
  kill: 'test/crash/kill.test.ts',
  failpoint: 'test/crash/failpoint.test.ts',
  damage: 'test/crash/damage.test.ts',
  calls: 'test/crash/server-calls.test.ts',
  sync: 'test/crash/full-sync.test.ts',
  power: 'test/crash/power-loss.test.ts',
  datasets: 'test/integration/persistence-redis.test.ts',
  snapshot: 'test/integration/snapshot-load.test.ts',
  dump: 'test/integration/big-dump.test.ts',
  bulk: 'test/integration/bulk.test.ts',
  types: 'test/integration/all-types.test.ts',
};
const NAMES = Object.keys(FILES).join(', ');

const usage = `npm run crash -- [options]

  --rounds N     so many rounds, default 200
  --seed N       the same seed makes the same choices; what happens also depends on the timing
  --lanes N      servers that are killed side by side, default 2
  --only NAME    one of ${NAMES}
  --help         this text

The last five want the real server and its tools, and about 5 GB of memory and of disk.
CRASH_TYPES=0.1 in the environment makes the collections of types a tenth as large.

Examples:
  npm run crash                                  everything
  npm run crash -- --rounds 2000 --seed 7        more of it, and other choices
  npm run crash -- --only kill --lanes 3         kill -9 alone, three servers side by side
`;

const values = readOptions(usage, {
  rounds: '200',
  seed: `${Date.now() % 1_000_000}`,
  lanes: '2',
  only: '',
});
const rounds = readCount(values, 'rounds');
const { lanes = '', only = '', seed = '' } = values;
const chosen = only === '' ? Object.values(FILES) : [FILES[only]];
const files = chosen.filter((file) => file !== undefined);
if (files.length === 0) refuse(`--only takes one of ${NAMES}`);
process.stderr.write(`seed ${seed}, ${rounds} rounds\n`);
runTests(files, {
  CRASH_SEED: seed,
  CRASH_ROUNDS: `${rounds}`,
  CRASH_LANES: lanes,
  CRASH_POWER: `${Math.ceil(rounds / 4) * 4}`,
  CRASH_SNAPSHOTS: `${Math.ceil(rounds / 4)}`,
  CRASH_DATASETS: '20',
  CRASH_KEYS: '1000000',
  CRASH_PIPE_MB: '1000',
  CRASH_TYPES: process.env.CRASH_TYPES ?? '1',
});
