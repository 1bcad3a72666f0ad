/** `cairn rdb ...`: the tools for RDB files, on the library of src/persistence. */
import { basename } from 'node:path';
import { ByteOutput, type ByteSink } from '../../persistence/byte-output.ts';
import { CommandWriter } from '../../persistence/command-writer.ts';
import { type OpenFile, realFileSystem } from '../../persistence/file-system.ts';
import { RdbCommands } from '../../persistence/rdb/rdb-commands.ts';
import type { RdbWriteVersion } from '../../persistence/rdb/rdb-encoder.ts';
import { RdbError } from '../../persistence/rdb/rdb-error.ts';
import { RdbFile } from '../../persistence/rdb/rdb-file.ts';
import { RdbReader } from '../../persistence/rdb/rdb-reader.ts';
import { FileSource } from '../../persistence/rdb/rdb-source.ts';
import { type RdbEntry, RdbWalk, rdbKind } from '../../persistence/rdb/rdb-walk.ts';
import { convertRdb } from '../../persistence/tools/rdb-convert.ts';
import { diffRdb, type RdbDifference } from '../../persistence/tools/rdb-diff.ts';
import { JsonExport, jsonOfBytes } from '../../persistence/tools/rdb-export-json.ts';
import { passesFilter, type RdbFilter } from '../../persistence/tools/rdb-filter.ts';
import { rdbStatistics } from '../../persistence/tools/rdb-statistics.ts';
import { troubleText } from '../config/system-error.ts';
import { untilSignalled } from './giving-up.ts';
import { printStatistics, statisticsJson } from './rdb-stats-text.ts';
import { counted, shownBytes, shownKey } from './tool-format.ts';
import {
  EXIT_NO,
  EXIT_OK,
  EXIT_TROUBLE,
  printJson,
  type Tool,
  type ToolIo,
  tellTrouble,
} from './tool-io.ts';
import { refuseNoFile } from './tool-source.ts';
import { isSameFile, targetPath } from './tool-target.ts';

export interface StatsRequest extends RdbFilter {
  readonly file: string;
  readonly top: number;
  readonly separator: string;
  readonly depth: number;
  readonly json: boolean;
}

export interface ExportRequest extends RdbFilter {
  readonly file: string;
  readonly format: 'json' | 'resp';
  /** The file to write, undefined for standard output. */
  readonly output: string | undefined;
  /** RESP: delete each key first. */
  readonly replace: boolean;
  /** Leave out the values of modules, which have no form here. */
  readonly skipModules: boolean;
  readonly json: boolean;
}

export interface DiffRequest extends RdbFilter {
  readonly a: string;
  readonly b: string;
  readonly ignoreTtl: boolean;
  readonly json: boolean;
}

export interface ConvertRequest {
  readonly from: string;
  readonly to: string;
  readonly version: RdbWriteVersion;
  readonly json: boolean;
}

/** Begins to read the file at `path` from its start. */
type Opener = (path: string, doing: string) => RdbReader;

/** Lets `work` read RDB files, one after the other, and says in which one an error is. */
async function reading<T>(io: ToolIo, work: (open: Opener) => T | Promise<T>): Promise<T> {
  const files: OpenFile[] = [];
  let current = '';
  try {
    return await work((path, doing) => {
      current = path;
      refuseNoFile(path);
      const file = realFileSystem.openSync(path, 'read');
      files.push(file);
      return RdbReader.over(new FileSource(file, io.progress(`${doing} ${basename(path)}`)));
    });
  } catch (error) {
    if (!(error instanceof RdbError)) throw error;
    throw new Error(`${current}: ${error.message}`, { cause: error });
  } finally {
    for (const file of files) file.closeSync();
  }
}

export const statsTool: Tool<StatsRequest> = async (request, io) => {
  try {
    const statistics = await reading(io, (open) =>
      rdbStatistics(open(request.file, 'reading'), {
        nowMs: Date.now(),
        wants: (entry) => passesFilter(entry, request),
        top: request.top,
        separator: request.separator,
        depth: request.depth,
      }),
    );
    if (request.json) printJson(io, statisticsJson(request.file, statistics));
    else printStatistics(io, request.file, statistics);
    return EXIT_OK;
  } catch (error) {
    return tellTrouble(io, error, request.json);
  }
};

export const exportTool: Tool<ExportRequest> = async (request, io) => {
  const { json, output, format } = request;
  let file: RdbFile | undefined;
  try {
    let keys = 0;
    let modules = 0;
    const target = output === undefined ? undefined : exportFile(request.file, output);
    file = target;
    const out = new ByteOutput((bytes, length) => {
      if (target === undefined) io.write(bytes, length);
      else target.write(bytes, length);
    });
    const sink: ByteSink = (bytes, length) => out.write(bytes, 0, length);
    const wants = (entry: RdbEntry): boolean => {
      if (!passesFilter(entry, request)) return false;
      if (rdbKind(entry.type) === 'module') {
        if (!request.skipModules) throw moduleRefusal(entry);
        modules++;
        return false;
      }
      keys++;
      return true;
    };
    const visitor =
      format === 'json'
        ? new JsonExport(out, wants)
        : new RdbCommands(new CommandWriter(sink), { wants, replace: request.replace });
    await reading(io, (open) => {
      const walk = new RdbWalk(open(request.file, 'exporting'), visitor);
      // Without a file of its own a signal may end it anywhere.
      return target === undefined
        ? walk.run()
        : untilSignalled(({ rest }) => walk.runResting(rest));
    });
    out.flush();
    target?.finish();
    const told = {
      ok: true,
      file: request.file,
      format,
      keys,
      modulesLeftOut: modules,
      bytes: out.bytes,
    };
    if (json && output !== undefined) printJson(io, told);
    else if (json) io.warn(`${JSON.stringify(told)}\n`);
    else if (output !== undefined) io.print(`${counted(keys, 'key')}, ${shownBytes(out.bytes)}\n`);
    if (modules > 0 && !json) io.warn(`cairn: left out ${counted(modules, 'key')} of modules\n`);
    return EXIT_OK;
  } catch (error) {
    file?.discard();
    if (!json || output !== undefined) return tellTrouble(io, error, json);
    io.warn(`${JSON.stringify({ ok: false, error: troubleText(error) })}\n`);
    return EXIT_TROUBLE;
  }
};

function exportFile(from: string, output: string): RdbFile {
  const path = targetPath(output);
  if (isSameFile(from, path)) throw new Error(`${output} is the dump itself`);
  return new RdbFile(realFileSystem, path, process.pid, true);
}

function moduleRefusal(entry: RdbEntry): Error {
  const key = shownKey(entry.keyBytes());
  return new Error(
    `the key ${key} of database ${entry.db} is a module's, which cannot be exported; ` +
      '--skip-modules leaves such keys out',
  );
}

export const diffTool: Tool<DiffRequest> = async (request, io) => {
  const { a, b, json } = request;
  try {
    refuseNoFile(b);
    const result = await reading(io, (open) =>
      diffRdb(
        () => open(a, 'reading'),
        () => open(b, 'reading'),
        {
          wants: (entry) => passesFilter(entry, request),
          ignoreTtl: request.ignoreTtl,
          found: (difference) => tellDifference(io, difference, json),
        },
      ),
    );
    if (json) printJson(io, { ...result, a, b });
    else {
      const { keysA, keysB, onlyInA, onlyInB, ttls, values } = result;
      if (result.functionsDiffer) io.print('the libraries of functions differ\n');
      io.print(
        `${counted(keysA, 'key')} in A, ${counted(keysB, 'key')} in B: ${onlyInA} only in A, ` +
          `${onlyInB} only in B, ${values} with another value, ${ttls} with another expiry\n`,
      );
    }
    return result.isSame ? EXIT_OK : EXIT_NO;
  } catch (error) {
    return tellTrouble(io, error, json);
  }
};

const KIND_TEXT = {
  'only-in-a': 'only in A',
  'only-in-b': 'only in B',
  value: 'value differs',
  ttl: 'expiry differs',
  'value-and-ttl': 'value and expiry differ',
} as const;

function tellDifference(io: ToolIo, difference: RdbDifference, json: boolean): void {
  const { db, expireAtMs, key, kind, type } = difference;
  if (json) {
    const name = jsonOfBytes(Buffer.from(key.buffer, key.byteOffset, key.length));
    const times = expireAtMs === undefined ? '' : `,"expireAtMs":${JSON.stringify(expireAtMs)}`;
    io.print(`{"difference":"${kind}","db":${db},"key":${name},"type":"${type}"${times}}\n`);
    return;
  }
  const times = expireAtMs?.map((ms) => (ms === null ? 'none' : new Date(ms).toISOString()));
  const expiry = kind.includes('ttl') && times !== undefined ? ` (${times.join(' and ')})` : '';
  io.print(`${KIND_TEXT[kind]}: db ${db} ${type} ${shownKey(key)}${expiry}\n`);
}

export const convertTool: Tool<ConvertRequest> = async (request, io) => {
  const { from, json, to, version } = request;
  try {
    const path = targetPath(to);
    const result = await untilSignalled(({ rest }) =>
      reading(io, (open) => {
        const target = { fs: realFileSystem, path, pid: process.pid, version, rest };
        return convertRdb(open(from, 'converting'), target);
      }),
    );
    if (json) printJson(io, { ok: true, from, to, version, ...result });
    else {
      const { bytes, emptyKeysLeftOut, fromVersion, functionsLeftOut, keys } = result;
      io.print(
        `${counted(keys, 'key')} from version ${fromVersion} to ${version}, ${shownBytes(bytes)}\n`,
      );
      if (functionsLeftOut > 0) {
        const libraries = counted(
          functionsLeftOut,
          'library of functions',
          'libraries of functions',
        );
        io.print(`left out: ${libraries}, for which version 9 has no place\n`);
      }
      if (emptyKeysLeftOut > 0)
        io.print(`left out: ${counted(emptyKeysLeftOut, 'key')} without elements\n`);
    }
    return EXIT_OK;
  } catch (error) {
    return tellTrouble(io, error, json);
  }
};
