/**
 * Declared ways in which two replies may differ and still mean the same: order that no server
 * promises, clocks, identities. Everything that declares none is compared byte for byte.
 */
import { splitReply } from '../support/resp-reader.ts';
import type { Comparator } from './step.ts';

export const exact: Comparator = { name: 'exact', same: (left, right) => left.equals(right) };

function sortedTexts(parts: readonly Buffer[], size: number): string[] {
  const texts: string[] = [];
  for (let i = 0; i < parts.length; i += size) {
    texts.push(Buffer.concat(parts.slice(i, i + size)).toString('latin1'));
  }
  return texts.sort();
}

function sameInAnyOrder(left: Buffer, right: Buffer, size: number): boolean {
  const a = splitReply(left);
  const b = splitReply(right);
  if (!a.head.equals(b.head) || a.children.length !== b.children.length) return false;
  const other = sortedTexts(b.children, size);
  return sortedTexts(a.children, size).every((text, i) => text === other[i]);
}

/** The same elements in any order (KEYS, SMEMBERS, ...). */
export const unordered: Comparator = {
  name: 'unordered',
  same: (left, right) => sameInAnyOrder(left, right, 1),
};

/** The same pairs in any order, flat or as a RESP3 map (HGETALL, CONFIG GET, ...). */
export const unorderedPairs: Comparator = {
  name: 'unordered pairs',
  same: (left, right) => sameInAnyOrder(left, right, 2),
};

function isNull(raw: Buffer): boolean {
  return /^(\$-1|\*-1|_)\r\n$/.test(raw.toString('latin1', 0, 6));
}

/** The same RESP type, both null or neither (RANDOMKEY, TIME, OBJECT REFCOUNT, ...). */
export const sameKind: Comparator = {
  name: 'same kind',
  same: (left, right) => isNull(left) === isNull(right) && left[0] === right[0],
};

/** Integers at most `tolerance` apart; negative ones are marks (-1, -2) and must be equal. */
export function within(tolerance: number): Comparator {
  return {
    name: `within ${tolerance}`,
    same: (left, right) => {
      const a = left.toString('latin1');
      const b = right.toString('latin1');
      if (!a.startsWith(':') || a.startsWith(':-') || b.startsWith(':-')) return a === b;
      return b.startsWith(':') && Math.abs(Number(a.slice(1)) - Number(b.slice(1))) <= tolerance;
    },
  };
}

/** The same text once every match of `pattern` is blanked; lengths of blobs are ignored. */
export function masking(pattern: RegExp): Comparator {
  const blank = (raw: Buffer) =>
    raw
      .toString('latin1')
      .replace(pattern, '?')
      .replace(/[$=]\d+\r\n/g, '$\r\n');
  return { name: `masking ${pattern.source}`, same: (left, right) => blank(left) === blank(right) };
}

/** A page of SCAN: whole scans hold the same elements; where they go on, any split is right. */
export function scanPage(itemsPerElement: 1 | 2): Comparator {
  return {
    name: 'scan page',
    same: (left, right) => {
      const a = splitReply(left).children;
      const b = splitReply(right).children;
      const done = '$1\r\n0\r\n';
      if (a.length !== 2 || b.length !== 2) return left.equals(right);
      if (`${a[0]}` !== done || `${b[0]}` !== done) return true;
      return sameInAnyOrder(a[1] ?? left, b[1] ?? right, itemsPerElement);
    },
  };
}

function sortedDeep(raw: Buffer): string {
  const { head, children } = splitReply(raw);
  return `${head.toString('latin1')}${children.map(sortedDeep).sort().join('')}`;
}

/** The same elements in any order on every level (COMMAND INFO lists subcommands at random). */
export const unorderedDeep: Comparator = {
  name: 'unordered on every level',
  same: (left, right) => sortedDeep(left) === sortedDeep(right),
};

const unorderedTypes = [2, 4];

/**
 * Equal DUMP payloads; of a set or a hash in its hashed form, which has no order, only type,
 * length and RDB version (the last bytes are the version and a sum over all of it).
 */
export const dumpedValue: Comparator = {
  name: 'dumped value',
  same: (left, right) => {
    const start = left.indexOf('\r\n') + 2;
    if (left.length !== right.length || left[start] !== right[start]) return false;
    const version = left.length - 12;
    return (
      unorderedTypes.includes(left[start] ?? 0) &&
      left.subarray(version, version + 2).equals(right.subarray(version, version + 2))
    );
  },
};
