/**
 * Damage to RDB files and payloads at length (rdb-fuzz.test.ts), in three parts: payloads with and
 * without sanitize-dump-payload, and files.
 */
import { readCount, readOptions, runTests } from '../support/long-run.js';

const PARTS = 3;

const usage = `npm run fuzz -- [options]

  --cases N    damaged payloads and files, default 100000
  --seed N     the same seed makes the same cases
  --help       this text
`;

const values = readOptions(usage, { cases: '100000', seed: `${Date.now() % 1_000_000}` });
const cases = readCount(values, 'cases');
const { seed = '' } = values;
process.stderr.write(`seed ${seed}, ${cases} cases\n`);
runTests(['test/persistence/rdb/rdb-fuzz.test.ts'], {
  RDB_FUZZ_SEED: seed,
  RDB_FUZZ_CASES: `${Math.ceil(cases / PARTS)}`,
});
