/**
 * Groups of a dict: the same sets of hashes while the table grows and shrinks; and room made ahead.
 */
import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { Dict } from '../../../src/core/struct/dict.ts';
import { entryHead } from '../../../src/core/struct/entry.ts';

const arena = new Arena();

function fill(dict: Dict, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const address = arena.alloc(12);
    const words = arena.words(address);
    const at = arena.wordOffset(address);
    words[at] = entryHead(4, 2, 0);
    words[at + 2] = i;
    dict.insert(address, dict.hashOf(address));
  }
}

function remove(dict: Dict, from: number, to: number): void {
  const key = new Uint8Array(4);
  for (let i = from; i < to; i++) {
    new DataView(key.buffer).setUint32(0, i, true);
    expect(dict.find(key, 0, 4)).not.toBe(0);
    dict.removeFound();
  }
}

/** Every entry by its group, found group by group. */
function groups(dict: Dict, bits: number): number[][] {
  return Array.from({ length: 2 ** bits }, (_, group) => {
    const out: number[] = [];
    const count = dict.groupInto(group, bits, out);
    return out.slice(0, count).sort();
  });
}

/** The same, by looking at every entry. */
function expected(dict: Dict, bits: number): number[][] {
  const all: number[][] = Array.from({ length: 2 ** bits }, () => []);
  let cursor = 0;
  do {
    cursor = dict.collect(cursor);
    for (const address of dict.collected.slice(0, dict.collectedCount)) {
      all[(dict.hashOf(address) & (2 ** bits - 1)) >>> 0]!.push(address);
    }
  } while (cursor !== 0);
  return all.map((group) => group.sort());
}

describe('the groups of a dict', () => {
  it('hold each entry once, however the table has changed since they were counted', () => {
    for (const start of [0, 1, 100, 1000, 5000]) {
      const dict = new Dict(arena, { seed0: 3, seed1: 4 });
      fill(dict, 0, start);
      const bits = dict.groupBits;
      let count = start;
      for (const next of [start + 7, start * 2 + 50, start * 9 + 500, 600, 80, 10, 0, 3000]) {
        if (next > count) fill(dict, count, next);
        else remove(dict, next, count);
        count = next;
        const found = groups(dict, bits);
        expect(found).toEqual(expected(dict, bits));
        expect(found.flat()).toHaveLength(count);
      }
    }
  });
});

describe('a reserved dict', () => {
  it('has its size before its entries come, and keeps those it has', () => {
    const dict = new Dict(arena, { seed0: 3, seed1: 4 });
    fill(dict, 0, 50);
    dict.reserve(100_000);
    const { bucketCount } = dict;
    expect(bucketCount).toBe(Math.ceil(100_000 / 6.5));
    fill(dict, 50, 100_000);
    expect(dict.bucketCount).toBe(bucketCount);
    dict.reserve(10);
    expect(dict.bucketCount).toBe(bucketCount);
    remove(dict, 0, 100_000);
    expect(dict.count).toBe(0);
  });
});
