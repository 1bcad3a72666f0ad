/**
 * `cairn check-rdb` and `cairn check-aof`: ask the checkers of src/persistence, and tell a person
 * or a machine what they found. Exit codes are those of redis-check-rdb and redis-check-aof.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { SocketHold } from '../../persistence/aof/folder-hold.ts';
import { realFileSystem } from '../../persistence/file-system.ts';
import {
  type CheckVerdict,
  checkAof,
  describeCheck,
  repairAof,
} from '../../persistence/tools/check-aof.ts';
import { checkRdbFile } from '../../persistence/tools/check-rdb.ts';
import { errorReason, troubleText } from '../config/system-error.ts';
import type { CheckAofRequest, CheckRdbRequest } from './check-commands.ts';
import { EXIT_NO, EXIT_OK, printJson, type Tool, type ToolIo, tellTrouble } from './tool-io.ts';
import { streamRefusal } from './tool-source.ts';

/** Prints the report of an RDB file. */
export const checkRdbTool: Tool<CheckRdbRequest> = async ({ file, json }, io) => {
  if (!json) io.print(`[offset 0] Checking RDB file ${file}\n`);
  try {
    const refusal = streamRefusal(file);
    if (refusal !== undefined) throw new Error(refusal);
    const progress = io.progress(`checking ${basename(file)}`);
    const { lines, ...report } = checkRdbFile(realFileSystem, file, Date.now(), progress);
    if (json) printJson(io, { file, ...report });
    else for (const line of lines) io.print(`${line}\n`);
    return report.ok ? EXIT_OK : EXIT_NO;
  } catch (error) {
    return tellTrouble(io, `cannot read ${file}: ${errorReason(error)}`, json, EXIT_NO);
  }
};

/** Prints what a start would find in an AOF, and cuts it when asked to and confirmed. */
export const checkAofTool: Tool<CheckAofRequest> = async (request, io) => {
  const { file, json } = request;
  const hold = new SocketHold((text) => io.warn(`${text}\n`));
  try {
    await keepToOneself(request, hold);
    const verdict = await lookThrough(request, io);
    if (!json) for (const one of verdict.files) io.print(`${describeCheck(one)}\n`);
    const action = await act(request, verdict, io);
    if (json) {
      const { files, ...rest } = verdict;
      const told = files.map(({ report, role }) => ({ role, ...report }));
      printJson(io, { ok: action.ok, file, ...rest, files: told, cutBytes: action.cutBytes });
    }
    return action.ok ? EXIT_OK : EXIT_NO;
  } catch (error) {
    const text = troubleText(error);
    const what = text.startsWith(`${file}: `) ? text : `${file}: ${text}`;
    return tellTrouble(io, `cannot check ${what}`, json, EXIT_NO);
  } finally {
    hold.letGo();
  }
};

/** Before a file is cut: no server has its folder, nor gets it meanwhile. */
async function keepToOneself(request: CheckAofRequest, hold: SocketHold): Promise<void> {
  const { file, fix, truncateToTimestamp } = request;
  if (!fix && truncateToTimestamp === undefined) return;
  if (realFileSystem.statSync(file)?.kind === 'file') await hold.take(dirname(realpathSync(file)));
}

async function lookThrough(request: CheckAofRequest, io: ToolIo): Promise<CheckVerdict> {
  const { file, truncateToTimestamp } = request;
  if (realFileSystem.statSync(file)?.kind === 'folder') {
    throw new Error('it is a folder: name the manifest in it');
  }
  const refusal = streamRefusal(file);
  if (refusal !== undefined) throw new Error(refusal);
  let shown = '';
  let progress = io.progress('');
  return checkAof(realFileSystem, file, {
    readRdb: async (path) => {
      const doing = io.progress(`checking ${basename(path)}`);
      const report = checkRdbFile(realFileSystem, path, Date.now(), doing);
      if (!report.ok) throw new Error(report.error ?? 'the RDB is damaged');
      return report.offset;
    },
    onProgress: (path, doneBytes, totalBytes) => {
      if (path !== shown) progress = io.progress(`checking ${basename(path)}`);
      shown = path;
      progress(doneBytes, totalBytes);
    },
    ...(truncateToTimestamp === undefined ? {} : { truncateToTimestamp }),
  });
}

interface Action {
  /** Whether all is sound now. */
  readonly ok: boolean;
  /** Bytes that were cut off. */
  readonly cutBytes: number;
}

const NOT_DONE: Action = { ok: false, cutBytes: 0 };

async function act(request: CheckAofRequest, verdict: CheckVerdict, io: ToolIo): Promise<Action> {
  const { fix, json, truncateToTimestamp, yes } = request;
  const { isValid, plan, timeCount } = verdict;
  const say = (text: string): void => {
    if (!json) io.print(text);
  };
  if (plan.kind === 'none') {
    if (truncateToTimestamp === undefined) say('AOF is valid\n');
    else if (timeCount > 0) say('Nothing lies after that time: nothing was cut\n');
    else say('No line tells the time (aof-timestamp-enabled was no): nothing was cut\n');
    return { ok: isValid, cutBytes: 0 };
  }
  if (plan.kind === 'impossible') {
    say(`It cannot be repaired by cutting: ${plan.reason}\n`);
    return NOT_DONE;
  }
  const isTimed = truncateToTimestamp !== undefined;
  if (!fix && !isTimed) {
    const to = `${plan.path} to ${plan.keptBytes} bytes`;
    say(`AOF is not valid. Use the --fix option to cut ${to}.\n`);
    return NOT_DONE;
  }
  const question = `This will shrink ${plan.path} to ${plan.keptBytes} bytes. Continue? [y/N]: `;
  if (!isTimed && !yes && !(await io.confirm(question))) return NOT_DONE;
  const cutBytes = await repairAof(realFileSystem, verdict);
  say(`Successfully truncated ${plan.path}: ${cutBytes} bytes cut off\n`);
  return { ok: true, cutBytes };
}
