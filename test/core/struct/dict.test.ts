/** The dict against a Map: find, insert, remove, SCAN's guarantee, fair picks, draining. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { Dict } from '../../../src/core/struct/dict.ts';
import { entryHead, entryKeyLength, entryKeyOffset } from '../../../src/core/struct/entry.ts';

const SEED = { seed0: 0x12345678, seed1: 0x9abcdef0 };

function makeEntry(arena: Arena, key: Uint8Array): number {
  const address = arena.alloc(4 + key.length);
  arena.words(address)[arena.wordOffset(address)] = entryHead(key.length, 1, 0);
  arena.bytes(address).set(key, entryKeyOffset(arena, address));
  return address;
}

function keyText(arena: Arena, address: number): string {
  const from = entryKeyOffset(arena, address);
  const bytes = arena.bytes(address).subarray(from, from + entryKeyLength(arena, address));
  return Buffer.from(bytes).toString('latin1');
}

class Harness {
  readonly arena = new Arena();
  readonly dict = new Dict(this.arena, SEED);
  readonly model = new Map<string, number>();

  add(text: string): void {
    const key = Buffer.from(text, 'latin1');
    if (this.dict.find(key, 0, key.length) !== 0) return;
    const address = makeEntry(this.arena, key);
    this.dict.insert(address, this.dict.hash(key, 0, key.length));
    this.model.set(text, address);
  }

  remove(text: string): void {
    const key = Buffer.from(text, 'latin1');
    const address = this.dict.find(key, 0, key.length);
    expect(address).toBe(this.model.get(text) ?? 0);
    if (address === 0) return;
    this.dict.removeFound();
    this.arena.free(address);
    this.model.delete(text);
  }

  check(): void {
    expect(this.dict.count).toBe(this.model.size);
    for (const [text, address] of this.model) {
      const key = Buffer.from(text, 'latin1');
      expect(this.dict.find(key, 0, key.length)).toBe(address);
    }
  }

  scanAll(): Set<string> {
    const seen = new Set<string>();
    let cursor = 0;
    do {
      cursor = this.dict.collect(cursor);
      for (let i = 0; i < this.dict.collectedCount; i++) {
        seen.add(keyText(this.arena, this.dict.collected[i]!));
      }
    } while (cursor !== 0);
    return seen;
  }
}

describe('dict', () => {
  test('agrees with a Map over random inserts and removals', () => {
    const operation = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 400 }));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 1500 }), (operations) => {
        const h = new Harness();
        for (const [add, n] of operations) {
          if (add) h.add(`key:${n}`);
          else h.remove(`key:${n}`);
        }
        h.check();
        expect(h.scanAll()).toEqual(new Set(h.model.keys()));
      }),
      { numRuns: 60 },
    );
  });

  test('grows to many buckets and shrinks back, and gives all memory back', () => {
    const h = new Harness();
    const before = h.arena.usedBytes;
    const largest = 60_000;
    for (let i = 0; i < largest; i++) h.add(`k${i}`);
    h.check();
    expect(h.dict.bucketCount).toBeGreaterThan(largest / 7);
    for (let i = 0; i < largest; i++) h.remove(`k${i}`);
    expect(h.dict.count).toBe(0);
    expect(h.dict.bucketCount).toBe(1);
    expect(h.arena.usedBytes).toBeLessThanOrEqual(before + 64);
  });

  test('a scan sees whoever stays, while the table grows and shrinks between its steps', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 2 })), (moves) => {
        const h = new Harness();
        const stay: string[] = [];
        for (let i = 0; i < 300; i++) {
          h.add(`stay${i}`);
          stay.push(`stay${i}`);
        }
        const seen = new Set<string>();
        let cursor = 0;
        let extra = 0;
        let steps = 0;
        do {
          cursor = h.dict.collect(cursor);
          for (let i = 0; i < h.dict.collectedCount; i++) {
            seen.add(keyText(h.arena, h.dict.collected[i]!));
          }
          const move = moves.next().value;
          if (move === 0) for (let i = 0; i < 200; i++) h.add(`extra${extra++}`);
          if (move === 1) for (let i = 0; i < 400 && extra > 0; i++) h.remove(`extra${--extra}`);
        } while (cursor !== 0 && steps++ < 100_000);
        expect(stay.every((one) => seen.has(one))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('takes keys of any length: empty, around 64 KiB, and longer than a block', () => {
    const h = new Harness();
    for (const length of [0, 1, 3, 4, 5, 65_534]) h.add('x'.repeat(length));
    h.check();
  });

  /** Picks 400 times as many entries as there are: by how much they are unlike fair picks. */
  function chiSquareOf(h: Harness): number {
    let state = 88172645;
    const random = (): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    };
    const counts = new Map<number, number>();
    const expected = 400;
    for (let i = 0; i < expected * h.model.size; i++) {
      const address = h.dict.randomEntry(random);
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
    let chiSquare = 0;
    for (const address of h.model.values()) {
      chiSquare += ((counts.get(address) ?? 0) - expected) ** 2 / expected;
    }
    return chiSquare;
  }

  test('random picks are fair', () => {
    const h = new Harness();
    for (let i = 0; i < 500; i++) h.add(`k${i}`);
    // 499 degrees of freedom: above 610 once in 2,000 tries of a fair pick, and the seed is fixed.
    expect(chiSquareOf(h)).toBeLessThan(610);
  });

  test('random picks are fair where what SCAN showed first was removed, and afterwards', () => {
    const h = new Harness();
    for (let i = 0; i < 10_000; i++) h.add(`k${i}`);
    for (const text of h.scanAll()) if (h.model.size > 250) h.remove(text);
    // 249 degrees of freedom: above 330 once in 2,000 tries.
    expect(chiSquareOf(h)).toBeLessThan(330);
    for (let i = 0; i < 250; i++) h.add(`further${i}`);
    expect(chiSquareOf(h)).toBeLessThan(610);
  });

  test('draining hands out every entry once and frees the table', () => {
    const h = new Harness();
    for (let i = 0; i < 5000; i++) h.add(`k${i}`);
    const seen = new Set<number>();
    let more = true;
    while (more) {
      more = h.dict.drain(64);
      for (let i = 0; i < h.dict.collectedCount; i++) seen.add(h.dict.collected[i]!);
    }
    expect(seen).toEqual(new Set(h.model.values()));
    for (const address of seen) h.arena.free(address);
    expect(h.arena.usedBytes).toBe(0);
  });
});
