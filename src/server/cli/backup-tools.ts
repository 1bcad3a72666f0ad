/** `cairn backup` and `cairn restore`: take a copy of a running server, and make a folder of it. */
import { resolve } from 'node:path';
import type { Moment } from '../../persistence/aof/aof-moment.ts';
import { SocketHold } from '../../persistence/aof/folder-hold.ts';
import { errorCode, realFileSystem } from '../../persistence/file-system.ts';
import { checkAof } from '../../persistence/tools/check-aof.ts';
import { checkRdbFile } from '../../persistence/tools/check-rdb.ts';
import { Lz4File, loadLz4 } from '../../persistence/tools/lz4-file.ts';
import { restoreBackup } from '../../persistence/tools/restore-backup.ts';
import { type RestoreMomentResult, restoreMoment } from '../../persistence/tools/restore-moment.ts';
import { takeBackup } from '../../replication/backup.ts';
import { untilSignalled } from './giving-up.ts';
import { counted, shownBytes } from './tool-format.ts';
import {
  EXIT_OK,
  EXIT_TROUBLE,
  printJson,
  type Tool,
  type ToolIo,
  tellTrouble,
} from './tool-io.ts';
import { streamRefusal } from './tool-source.ts';
import { targetPath } from './tool-target.ts';

export interface BackupRequest {
  readonly file: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly timeoutSeconds: number;
  readonly lz4: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
}

export interface RestoreRequest {
  readonly from: string;
  readonly to: string;
  /** To rebuild an AOF folder as of a moment; undefined to restore a backup. */
  readonly moment: Moment | undefined;
  readonly as: 'both' | 'rdb' | 'aof';
  readonly dbFilename: string;
  readonly appendDirName: string;
  readonly appendFilename: string;
  readonly force: boolean;
  readonly json: boolean;
}

export const backupTool: Tool<BackupRequest> = async (request, io) => {
  const { file, json, lz4 } = request;
  try {
    if (request.user !== '' && request.password === '') {
      throw new Error('a user needs a password; any will do for one that has nopass');
    }
    const makeEncoder = lz4 ? loadLz4() : null;
    const path = targetPath(file);
    const taken = await untilSignalled(({ signal }) =>
      takeBackup({
        fs: realFileSystem,
        path,
        pid: process.pid,
        host: request.host,
        port: request.port,
        user: request.user,
        password: request.password,
        timeoutMs: request.timeoutSeconds * 1000,
        onProgress: io.progress(`receiving from ${request.host}:${request.port}`),
        log: (level, text) => {
          if (request.verbose || level === 'warning') io.warn(`${text}\n`);
        },
        signal,
        ...(makeEncoder === null ? {} : { wrap: (plain) => new Lz4File(plain, makeEncoder) }),
      }),
    );
    const { fileBytes, isChecked, isEmpty, position, rdbBytes, wasStreamed } = taken;
    const result = { ok: true, file, lz4, rdbBytes, fileBytes, isChecked, isEmpty, wasStreamed };
    if (json) printJson(io, { ...result, position });
    else {
      const packed = lz4 ? `, ${shownBytes(fileBytes)} as LZ4` : '';
      io.print(`${file}: ${shownBytes(rdbBytes)}${packed}, ${checksumText(isChecked)}\n`);
      if (position !== null) io.print(`stream ${position.id}, offset ${position.offset}\n`);
      if (isEmpty) io.print('the server holds no keys\n');
    }
    return EXIT_OK;
  } catch (error) {
    return tellTrouble(io, nobodyThere(errorCode(error), request) ?? error, json);
  }
};

/** What it means that a connection failed with a code, as far as it can be mended. */
function nobodyThere(code: string, { host, port }: BackupRequest): string | undefined {
  if (code === 'ECONNREFUSED') {
    return `no server listens at ${host}:${port}: --host and --port say where it is`;
  }
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? `the host ${host} is not known` : undefined;
}

function checksumText(isChecked: boolean): string {
  return isChecked ? 'checksum right' : 'without a checksum (rdbchecksum no on the server)';
}

export const restoreTool: Tool<RestoreRequest> = async (request, io) => {
  const { json, moment } = request;
  try {
    if (moment === undefined) return await fromBackup(request, io);
    return await toMoment(request, moment, io);
  } catch (error) {
    return tellTrouble(io, error, json);
  }
};

const holdOf = (io: ToolIo): SocketHold => new SocketHold((text) => io.warn(`${text}\n`));

async function fromBackup(request: RestoreRequest, io: ToolIo): Promise<number> {
  const { appendDirName, appendFilename, as, dbFilename, from, json, to } = request;
  const refusal = streamRefusal(from);
  if (refusal !== undefined) throw new Error(`${from}: ${refusal}`);
  const result = await untilSignalled(({ rest }) =>
    restoreBackup({
      rest,
      fs: realFileSystem,
      from,
      place: { dir: resolve(to), appendDirName, appendFilename },
      dbFilename,
      as,
      hold: holdOf(io),
      force: request.force,
      nowMs: Date.now(),
      progress: (doing) => io.progress(`${doing} ${from}`),
    }),
  );
  if (json) printJson(io, { ok: true, from, to, ...result });
  else {
    const { files, keys, rdbBytes } = result;
    io.print(`${counted(keys, 'key')}, ${shownBytes(rdbBytes)}, checked:\n`);
    for (const file of files) io.print(`  ${file}\n`);
  }
  return EXIT_OK;
}

async function toMoment(request: RestoreRequest, moment: Moment, io: ToolIo): Promise<number> {
  const { appendDirName, force, from, json, to } = request;
  const result = await untilSignalled(({ rest }) =>
    restoreMoment({
      rest,
      fs: realFileSystem,
      from: resolve(from),
      to: resolve(to),
      appendDirName,
      moment,
      hold: holdOf(io),
      force,
      progress: (doing) => io.progress(doing),
    }),
  );
  const verdict = await checkAof(realFileSystem, result.manifest, {
    readRdb: async (path) => {
      const report = checkRdbFile(realFileSystem, path, Date.now());
      if (!report.ok) throw new Error(report.error ?? 'the RDB is damaged');
      return report.offset;
    },
  });
  if (json) printJson(io, { ok: verdict.isValid, from, to, ...result });
  else tellMoment(result, io);
  if (verdict.isValid) return EXIT_OK;
  io.warn(`cairn: what was restored is not valid: ${verdict.files.at(-1)?.report.reason}\n`);
  return EXIT_TROUBLE;
}

function tellMoment(result: RestoreMomentResult, io: ToolIo): void {
  const { lastSecond, nextSecond, position } = result;
  io.print(`restored ${counted(result.keptCommands, 'command')} behind the base:\n`);
  for (const { bytes, name } of result.files) io.print(`  ${name}  ${shownBytes(bytes)}\n`);
  if (lastSecond !== null) io.print(`last time told: ${shownTime(lastSecond)}\n`);
  if (position !== null) io.print(`up to offset ${position.offset} of stream ${position.id}\n`);
  if (result.leftOutBytes === 0) io.print('nothing was left out\n');
  else {
    const from = nextSecond === null ? '' : `, from ${shownTime(nextSecond)} on`;
    const commands = counted(result.leftOutCommands, 'command');
    io.print(`left out: ${commands}, ${shownBytes(result.leftOutBytes)}${from}, of\n`);
    for (const path of result.leftOutFiles) io.print(`  ${path}\n`);
  }
  if (result.trouble !== '') io.print(`not all of that could be read: ${result.trouble}\n`);
  io.print(`start a server on it with appendonly yes (${result.manifest})\n`);
}

function shownTime(second: number): string {
  return `${second} (${new Date(second * 1000).toISOString().replace('.000', '')})`;
}
