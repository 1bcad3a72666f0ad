/**
 * What is in an RDB, counted: keys, bytes, elements and times to live, by type, encoding, database
 * and key prefix, and the biggest keys.
 *
 *     file bytes      what a key takes in the file: expiry, type, key and value, packed as they are
 *     logical bytes   its key and all its strings unpacked, a score counting as 8 bytes
 *     prefix          what stands before the separator (`:`) in a key, `depth` times; keys without
 *                     one are counted under their absence
 *
 * Memory does not grow with the file: at most `PREFIXES_MAX` prefixes are told apart, those that
 * come later are counted together, which the result says.
 */
import type { ByteView } from '../../core/value.ts';
import { rdbTypeName } from '../rdb/rdb-format.ts';
import type { RdbReader } from '../rdb/rdb-reader.ts';
import { type RdbEntry, type RdbKind, type RdbVisitor, RdbWalk, rdbKind } from '../rdb/rdb-walk.ts';
import { Biggest } from './biggest.ts';

const PREFIXES_MAX = 100_000;
const SCORE_BYTES = 8;

export interface RdbStatisticsOptions {
  readonly nowMs: number;
  readonly wants: (entry: RdbEntry) => boolean;
  /** How many keys and prefixes to list. */
  readonly top: number;
  /** What ends a prefix; one byte or more, a character for each. */
  readonly separator: string;
  /** The number of separators in a prefix. */
  readonly depth: number;
}

/** The counts of a group of keys. Times to live are of keys that are not expired. */
export class RdbGroup {
  keys = 0;
  fileBytes = 0;
  logicalBytes = 0;
  elements = 0;
  /** Keys with an expiry, and those of them whose time has come. */
  expires = 0;
  expired = 0;
  ttlMinMs = 0;
  ttlMaxMs = 0;
  ttlMeanMs = 0;
}

/** A key among the biggest. The name has a character for each byte. */
export interface RdbBigKey {
  readonly db: number;
  readonly key: string;
  readonly type: RdbKind;
  readonly encoding: string;
  readonly fileBytes: number;
  readonly logicalBytes: number;
  readonly elements: number;
  readonly expireAtMs: number | null;
}

export interface RdbStatistics {
  readonly version: number;
  readonly aux: Readonly<Record<string, string>>;
  readonly functions: number;
  /** Names of the modules that have data of their own beside the keys. */
  readonly modules: readonly string[];
  readonly total: RdbGroup;
  /** Keys by what is left of their time; `none` never expires. */
  readonly ttl: Readonly<Record<string, number>>;
  readonly types: ReadonlyMap<string, RdbGroup>;
  /** The groups by `type/encoding`. */
  readonly encodings: ReadonlyMap<string, RdbGroup>;
  readonly databases: ReadonlyMap<string, RdbGroup>;
  /** The prefixes with the most bytes in the file; latin1 names, '' for keys without a prefix. */
  readonly prefixes: ReadonlyMap<string, RdbGroup>;
  /** How many prefixes there are, and the keys of those beyond what is told apart. */
  readonly prefixCount: number;
  readonly prefixOverflowKeys: number;
  readonly biggestByFileBytes: readonly RdbBigKey[];
  readonly biggestByLogicalBytes: readonly RdbBigKey[];
  readonly biggestByElements: readonly RdbBigKey[];
}

const TTL_STEPS: readonly (readonly [name: string, ms: number])[] = [
  ['under a minute', 60_000],
  ['under an hour', 3_600_000],
  ['under a day', 86_400_000],
  ['under a week', 604_800_000],
  ['under 30 days', 2_592_000_000],
  ['longer', Number.POSITIVE_INFINITY],
];

/** Counts what a reader gives. Throws an `RdbError`. */
export function rdbStatistics(reader: RdbReader, options: RdbStatisticsOptions): RdbStatistics {
  const counter = new Counter(reader, options);
  const walk = new RdbWalk(reader, counter);
  walk.run();
  return counter.result(walk.version);
}

class Counter implements RdbVisitor {
  readonly #reader: RdbReader;
  readonly #options: RdbStatisticsOptions;
  readonly #aux: Record<string, string> = {};
  readonly #modules = new Set<string>();
  readonly #total = new RdbGroup();
  readonly #ttl = new Map<string, number>([
    ['none', 0],
    ['expired', 0],
    ...TTL_STEPS.map(([name]): [string, number] => [name, 0]),
  ]);
  readonly #types = new Map<string, RdbGroup>();
  readonly #encodings = new Map<string, RdbGroup>();
  readonly #databases = new Map<string, RdbGroup>();
  readonly #prefixes = new Map<string, RdbGroup>();
  readonly #byFile: Biggest<RdbBigKey>;
  readonly #byLogical: Biggest<RdbBigKey>;
  readonly #byElements: Biggest<RdbBigKey>;
  readonly #separator: Buffer;
  #functions = 0;
  #overflowKeys = 0;
  #logicalBytes = 0;

  constructor(reader: RdbReader, options: RdbStatisticsOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#separator = Buffer.from(options.separator, 'latin1');
    this.#byFile = new Biggest(options.top);
    this.#byLogical = new Biggest(options.top);
    this.#byElements = new Biggest(options.top);
  }

  aux(name: string, value: string): void {
    this.#aux[name] = value;
  }

  functionLibrary(): void {
    this.#functions++;
  }

  moduleAux(name: string): void {
    this.#modules.add(name);
  }

  entry(entry: RdbEntry): boolean {
    if (!this.#options.wants(entry)) return false;
    this.#logicalBytes = entry.keyLength;
    return true;
  }

  text(value: ByteView): void {
    this.#logicalBytes += value.length;
  }

  element(element: ByteView): void {
    this.#logicalBytes += element.length;
  }

  member(member: ByteView): void {
    this.#logicalBytes += member.length;
  }

  field(field: ByteView, value: ByteView): void {
    this.#logicalBytes += field.length + value.length;
  }

  scored(member: ByteView): void {
    this.#logicalBytes += member.length + SCORE_BYTES;
  }

  streamField(field: ByteView, value: ByteView): void {
    this.#logicalBytes += field.length + value.length;
  }

  modulePart(part: ByteView): void {
    this.#logicalBytes += part.length;
  }

  entryEnd(entry: RdbEntry, elements: number): void {
    const type = rdbKind(entry.type);
    const encoding = rdbTypeName(entry.type);
    const fileBytes = this.#reader.offset - entry.offset;
    const ttlMs = entry.hasExpiry ? entry.expiryMs - this.#options.nowMs : Number.NaN;
    const step = this.#ttlStep(ttlMs);
    this.#ttl.set(step, this.#ttl.get(step)! + 1);
    const groups = [
      this.#total,
      groupOf(this.#types, type),
      groupOf(this.#encodings, `${type}/${encoding}`),
      groupOf(this.#databases, String(entry.db)),
      this.#prefixOf(entry),
    ];
    for (const group of groups) {
      if (group !== null) addTo(group, fileBytes, this.#logicalBytes, elements, ttlMs);
    }
    const logicalBytes = this.#logicalBytes;
    const big = (): RdbBigKey => ({
      db: entry.db,
      key: Buffer.from(entry.keyBytes()).toString('latin1'),
      type,
      encoding,
      fileBytes,
      logicalBytes,
      elements,
      expireAtMs: entry.hasExpiry ? entry.expiryMs : null,
    });
    this.#byFile.offer(fileBytes, big);
    this.#byLogical.offer(logicalBytes, big);
    if (type !== 'string') this.#byElements.offer(elements, big);
  }

  result(version: number): RdbStatistics {
    const prefixes = [...this.#prefixes].sort(([, a], [, b]) => b.fileBytes - a.fileBytes);
    return {
      version,
      aux: this.#aux,
      functions: this.#functions,
      modules: [...this.#modules],
      total: this.#total,
      ttl: Object.fromEntries(this.#ttl),
      types: bySize(this.#types),
      encodings: bySize(this.#encodings),
      databases: this.#databases,
      prefixes: new Map(prefixes.slice(0, this.#options.top)),
      prefixCount: this.#prefixes.size,
      prefixOverflowKeys: this.#overflowKeys,
      biggestByFileBytes: this.#byFile.all(),
      biggestByLogicalBytes: this.#byLogical.all(),
      biggestByElements: this.#byElements.all(),
    };
  }

  #ttlStep(ttlMs: number): string {
    if (Number.isNaN(ttlMs)) return 'none';
    if (ttlMs <= 0) return 'expired';
    return TTL_STEPS.find(([, ms]) => ttlMs < ms)?.[0] ?? 'longer';
  }

  /** The group of the key's prefix; null when there are too many already. */
  #prefixOf(entry: RdbEntry): RdbGroup | null {
    const key = Buffer.from(entry.key.buffer, entry.key.byteOffset, entry.keyLength);
    const separator = this.#separator;
    let end = 0;
    for (let i = 0; i < this.#options.depth; i++) {
      const found = key.indexOf(separator, end);
      if (found < 0) break;
      end = found + separator.length;
    }
    const prefix = key.toString('latin1', 0, end);
    const group = this.#prefixes.get(prefix);
    if (group !== undefined) return group;
    if (this.#prefixes.size < PREFIXES_MAX) return groupOf(this.#prefixes, prefix);
    this.#overflowKeys++;
    return null;
  }
}

function groupOf(groups: Map<string, RdbGroup>, name: string): RdbGroup {
  let group = groups.get(name);
  if (group === undefined) {
    group = new RdbGroup();
    groups.set(name, group);
  }
  return group;
}

function addTo(
  group: RdbGroup,
  fileBytes: number,
  logicalBytes: number,
  elements: number,
  ttlMs: number,
): void {
  group.keys++;
  group.fileBytes += fileBytes;
  group.logicalBytes += logicalBytes;
  group.elements += elements;
  if (Number.isNaN(ttlMs)) return;
  group.expires++;
  if (ttlMs <= 0) {
    group.expired++;
    return;
  }
  const alive = group.expires - group.expired;
  group.ttlMinMs = alive === 1 ? ttlMs : Math.min(group.ttlMinMs, ttlMs);
  group.ttlMaxMs = Math.max(group.ttlMaxMs, ttlMs);
  group.ttlMeanMs += (ttlMs - group.ttlMeanMs) / alive;
}

function bySize(groups: ReadonlyMap<string, RdbGroup>): Map<string, RdbGroup> {
  return new Map([...groups].sort(([, a], [, b]) => b.fileBytes - a.fileBytes));
}
