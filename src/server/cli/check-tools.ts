/**
 * `cairn check-rdb` and `cairn check-aof`: ask the checkers of src/persistence, and tell a person
 * what they found.
 */
import {
  type CheckVerdict,
  checkAof,
  describeCheck,
  repairAof,
} from '../../persistence/check-aof.ts';
import { checkRdbFile } from '../../persistence/check-rdb.ts';
import { errorText, realFileSystem } from '../../persistence/file-system.ts';
import type { AofCheck, RdbCheck } from './cairn-program.ts';

/** Prints the report of an RDB file; true when it is sound. */
export const checkRdbTool: RdbCheck = async ({ file, print }) => {
  print(`[offset 0] Checking RDB file ${file}\n`);
  try {
    const report = checkRdbFile(realFileSystem, file, Date.now());
    for (const line of report.lines) print(`${line}\n`);
    return report.ok;
  } catch (error) {
    print(`Cannot read ${file}: ${errorText(error)}\n`);
    return false;
  }
};

/** Prints what a start would find in an AOF, and cuts it when asked to and confirmed. */
export const checkAofTool: AofCheck = async (request) => {
  const { file, print, truncateToTimestamp } = request;
  let verdict: CheckVerdict;
  try {
    verdict = await checkAof(realFileSystem, file, {
      readRdb: async (path) => readBase(path),
      ...(truncateToTimestamp === undefined ? {} : { truncateToTimestamp }),
    });
  } catch (error) {
    print(`Cannot check ${file}: ${errorText(error)}\n`);
    return false;
  }
  for (const one of verdict.files) print(`${describeCheck(one)}\n`);
  const { plan } = verdict;
  if (plan.kind === 'none') {
    print(truncateToTimestamp === undefined ? 'AOF is valid\n' : 'Nothing lies after that time\n');
    return verdict.isValid;
  }
  if (plan.kind === 'impossible') {
    print(`It cannot be repaired by cutting: ${plan.reason}\n`);
    return false;
  }
  if (!request.fix && truncateToTimestamp === undefined) {
    print(
      `AOF is not valid. Use the --fix option to cut ${plan.path} to ${plan.cutBytes} bytes.\n`,
    );
    return false;
  }
  const question = `This will shrink ${plan.path} to ${plan.cutBytes} bytes. Continue? [y/N]: `;
  if (!(await request.confirm(question))) return false;
  const cut = await repairAof(realFileSystem, verdict);
  print(`Successfully truncated ${plan.path}: ${cut} bytes cut off\n`);
  return true;
};

function readBase(path: string): number {
  const report = checkRdbFile(realFileSystem, path, Date.now());
  if (!report.ok) throw new Error(report.error ?? 'the RDB is damaged');
  return report.offset;
}
