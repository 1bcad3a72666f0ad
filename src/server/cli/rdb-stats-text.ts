/** What `cairn rdb stats` prints: tables for people, one object for machines. */
import { jsonOfBytes } from '../../persistence/tools/rdb-export-json.ts';
import type { RdbBigKey, RdbGroup, RdbStatistics } from '../../persistence/tools/rdb-statistics.ts';
import { counted, shownBytes, shownCount, shownKey, shownTable, shownTtl } from './tool-format.ts';
import type { ToolIo } from './tool-io.ts';

const LIBRARIES = ['library of functions', 'libraries of functions'] as const;
const GROUP_HEAD = ['keys', 'in file', 'logical', 'elements', 'expiring', 'mean TTL'] as const;

/** Which server wrote the file. Cairn says which Redis it is compatible with as well. */
function writerOf(aux: RdbStatistics['aux']): string {
  const name = ['Cairn', 'Valkey', 'Redis'].find((one) => `${one.toLowerCase()}-ver` in aux);
  return name === undefined ? 'an unknown server' : `${name} ${aux[`${name.toLowerCase()}-ver`]}`;
}

export function printStatistics(io: ToolIo, file: string, statistics: RdbStatistics): void {
  const { aux, functions, modules, prefixCount, prefixOverflowKeys, total } = statistics;
  io.print(`${file}: RDB version ${statistics.version} of ${writerOf(aux)}\n`);
  const extras = [counted(total.keys, 'key'), `${shownBytes(total.fileBytes)} in the file`];
  extras.push(`${shownBytes(total.logicalBytes)} unpacked`);
  if (functions > 0) extras.push(counted(functions, ...LIBRARIES));
  if (modules.length > 0) extras.push(`data of the modules ${modules.join(', ')}`);
  io.print(`${extras.join(', ')}\n`);
  printGroups(io, 'type', statistics.types);
  printGroups(io, 'encoding', statistics.encodings);
  printGroups(io, 'database', statistics.databases);
  printGroups(io, 'prefix', statistics.prefixes, prefixName);
  if (prefixCount > statistics.prefixes.size) {
    io.print(`  (the largest of ${shownCount(prefixCount)} prefixes)\n`);
  }
  if (prefixOverflowKeys > 0) {
    io.print(`  (${shownCount(prefixOverflowKeys)} keys have still other prefixes)\n`);
  }
  const steps = Object.entries(statistics.ttl).map(([name, keys]) => [name, shownCount(keys)]);
  io.print(`\n${shownTable(['time to live', 'keys'], steps)}`);
  printKeys(io, 'biggest in the file', statistics.biggestByFileBytes);
  printKeys(io, 'biggest unpacked', statistics.biggestByLogicalBytes);
  printKeys(io, 'most elements', statistics.biggestByElements);
}

function prefixName(name: string): string {
  return name === '' ? '(none)' : keyCell(name);
}

/** A key longer than this is cut in a table: every row is as wide as the longest. */
const CELL_KEY_BYTES = 200;

function keyCell(latin1: string): string {
  const key = Buffer.from(latin1.slice(0, CELL_KEY_BYTES + 1), 'latin1');
  if (key.length <= CELL_KEY_BYTES) return shownKey(key);
  let end = CELL_KEY_BYTES;
  // Not within a character of UTF-8, of which at most three bytes follow the first.
  while (end > CELL_KEY_BYTES - 3 && (key[end]! & 0xc0) === 0x80) end--;
  return `${shownKey(key.subarray(0, end))}... (${shownCount(latin1.length)} bytes)`;
}

function printGroups(
  io: ToolIo,
  title: string,
  groups: ReadonlyMap<string, RdbGroup>,
  shown: (name: string) => string = (name) => name,
): void {
  if (groups.size === 0) return;
  const rows = [...groups].map(([name, group]) => [
    shown(name),
    shownCount(group.keys),
    shownBytes(group.fileBytes),
    shownBytes(group.logicalBytes),
    shownCount(group.elements),
    shownCount(group.expires),
    group.ttlMaxMs > 0 ? shownTtl(group.ttlMeanMs) : '-',
  ]);
  io.print(`\n${shownTable([title, ...GROUP_HEAD], rows)}`);
}

function printKeys(io: ToolIo, title: string, keys: readonly RdbBigKey[]): void {
  if (keys.length === 0) return;
  const rows = keys.map((key) => [
    keyCell(key.key),
    String(key.db),
    `${key.type}/${key.encoding}`,
    shownBytes(key.fileBytes),
    shownBytes(key.logicalBytes),
    shownCount(key.elements),
  ]);
  const head = [title, 'db', 'type/encoding', 'in file', 'logical', 'elements'];
  io.print(`\n${shownTable(head, rows)}`);
}

/** The statistics as one object. Names that are no UTF-8 are {"base64":...}, as in an export. */
export function statisticsJson(file: string, statistics: RdbStatistics): unknown {
  const named = (groups: ReadonlyMap<string, RdbGroup>, name: string) =>
    [...groups].map(([value, group]) => ({ [name]: bytesName(value), ...group }));
  const keys = (list: readonly RdbBigKey[]) =>
    list.map((key) => ({ ...key, key: bytesName(key.key) }));
  const { biggestByElements, biggestByFileBytes, biggestByLogicalBytes, ...rest } = statistics;
  return {
    ok: true,
    file,
    ...rest,
    types: named(rest.types, 'type'),
    encodings: named(rest.encodings, 'encoding'),
    databases: named(rest.databases, 'db'),
    prefixes: named(rest.prefixes, 'prefix'),
    biggestByFileBytes: keys(biggestByFileBytes),
    biggestByLogicalBytes: keys(biggestByLogicalBytes),
    biggestByElements: keys(biggestByElements),
  };
}

function bytesName(latin1: string): unknown {
  return JSON.parse(jsonOfBytes(Buffer.from(latin1, 'latin1')));
}
