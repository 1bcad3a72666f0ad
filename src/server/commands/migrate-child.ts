/**
 * The child process of a MIGRATE within a transaction: a request on its input, what has come of it
 * on its output.
 */
import { readFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import {
  type MigrateRequest,
  migrate,
  targetOf,
  whenTargetStands,
} from '../migration/migrate-talk.ts';

const request = deserialize(readFileSync(0)) as MigrateRequest;
const outcome = await migrate(
  {
    take: (host, port, timeoutMs) => whenTargetStands(targetOf(host, port), timeoutMs),
    give: (_host, _port, { reader }) => reader.close('all is said'),
  },
  request,
);
process.stdout.write(serialize(outcome));
