/**
 * The proofs of durability at length: many rounds of kill -9, at any moment and at every system
 * call, of power loss and of snapshots under load, a dump of a million keys, a gigabyte through
 * `redis-cli --pipe`, collections of millions through a real server and back.
 *
 *   npm run crash                                  everything, 200 rounds
 *   npm run crash -- --rounds 2000 --seed 7        more of it, and other choices
 *   npm run crash -- --only kill --lanes 3         kill -9 alone, three servers side by side
 *
 * `--only` takes kill, failpoint, damage, calls, power, datasets, snapshot, dump, bulk or types.
 * The same seed makes the same choices; what happens also depends on the machine's timing. Wants
 * the real server and its tools for the last five, and about 5 GB of memory and of disk.
 * CRASH_TYPES=0.1 makes the collections of `types` a tenth as large.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const FILES = {
  kill: 'test/crash/kill.test.ts',
  failpoint: 'test/crash/failpoint.test.ts',
  damage: 'test/crash/damage.test.ts',
  calls: 'test/crash/server-calls.test.ts',
  power: 'test/crash/power-loss.test.ts',
  datasets: 'test/integration/persistence-redis.test.ts',
  snapshot: 'test/integration/snapshot-load.test.ts',
  dump: 'test/integration/big-dump.test.ts',
  bulk: 'test/integration/bulk.test.ts',
  types: 'test/integration/all-types.test.ts',
};

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    lanes: { type: 'string', default: '2' },
    only: { type: 'string' },
  },
});

const chosen = Object.entries(FILES).filter(([name]) => (values.only ?? name) === name);
if (chosen.length === 0) {
  process.stderr.write(`--only takes one of ${Object.keys(FILES).join(', ')}\n`);
  process.exit(1);
}
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write('--rounds takes a number from 1\n');
  process.exit(1);
}
process.stderr.write(`seed ${values.seed}, ${rounds} rounds\n`);
const result = spawnSync(
  'npx',
  ['vitest', 'run', '--no-file-parallelism', ...chosen.map(([, file]) => file)],
  {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: 'inherit',
    env: {
      ...process.env,
      CRASH_SEED: values.seed,
      CRASH_ROUNDS: String(rounds),
      CRASH_LANES: values.lanes,
      CRASH_POWER: String(Math.ceil(rounds / 4) * 4),
      CRASH_SNAPSHOTS: String(Math.ceil(rounds / 4)),
      CRASH_DATASETS: '20',
      CRASH_KEYS: '1000000',
      CRASH_PIPE_MB: '1000',
      CRASH_TYPES: process.env.CRASH_TYPES ?? '1',
    },
  },
);
process.exit(result.status ?? 1);
