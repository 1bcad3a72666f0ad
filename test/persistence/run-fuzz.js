/**
 * Damage to RDB files and payloads at length (rdb-fuzz.test.ts), in three parts: payloads with and
 * without sanitize-dump-payload, and files.
 *
 *   npm run fuzz                                   100,000 cases
 *   npm run fuzz -- --cases 1000000 --seed 7       more of them, and others
 *
 * The same seed makes the same cases.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const PARTS = 3;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const cases = Number(values.cases);
if (!Number.isInteger(cases) || cases < 1) {
  process.stderr.write('--cases takes a number from 1\n');
  process.exit(1);
}
process.stderr.write(`seed ${values.seed}, ${cases} cases\n`);
const result = spawnSync('npx', ['vitest', 'run', 'test/persistence/rdb/rdb-fuzz.test.ts'], {
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  stdio: 'inherit',
  env: {
    ...process.env,
    RDB_FUZZ_SEED: values.seed,
    RDB_FUZZ_CASES: String(Math.ceil(cases / PARTS)),
  },
});
process.exit(result.status ?? 1);
