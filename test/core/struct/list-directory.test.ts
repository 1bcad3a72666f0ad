/** The directory of quicklists against an array: seeks, walks, inserts and removals anywhere. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { DirectoryPath } from '../../../src/core/struct/directory-path.ts';
import { ListDirectory } from '../../../src/core/struct/list-directory.ts';
import { Random } from '../../support/random.ts';

type Entry = { address: number; count: number; kind: number; bytes: number };

class Model {
  readonly arena = new Arena();
  readonly directory = new ListDirectory(this.arena);
  readonly path = new DirectoryPath();
  readonly entries: Entry[] = [];
  private serial = 0;

  fresh(count: number): Entry {
    const n = ++this.serial;
    return { address: n, count, kind: n & 3, bytes: n * 10 };
  }

  startOf(at: number): number {
    return this.entries.slice(0, at).reduce((sum, { count }) => sum + count, 0);
  }

  /** Goes to the entry `at` by one of its elements. */
  go(at: number): void {
    const { count } = this.entries[at]!;
    const index = this.startOf(at) + ((at * 7) % count);
    expect(this.directory.seek(this.path, index)).toBe((at * 7) % count);
    this.shows(at);
  }

  shows(at: number): void {
    const { address, count, kind, bytes } = this.path;
    expect({ address, count, kind, bytes }).toEqual(this.entries[at]);
  }

  insert(at: number, behind: boolean, count: number): void {
    const { directory, entries, path } = this;
    const one = this.fresh(count);
    const { address, kind, bytes } = one;
    if (entries.length === 0) directory.push(path, true, address, count, kind, bytes);
    else {
      this.go(at);
      directory.insert(path, behind, address, count, kind, bytes);
    }
    const place = entries.length === 0 ? 0 : at + (behind ? 1 : 0);
    entries.splice(place, 0, one);
    this.shows(place);
    this.walksFrom(place);
  }

  push(atEnd: boolean, count: number): void {
    const one = this.fresh(count);
    const { address, kind, bytes } = one;
    this.directory.push(this.path, atEnd, address, count, kind, bytes);
    if (atEnd) this.entries.push(one);
    else this.entries.unshift(one);
    this.shows(atEnd ? this.entries.length - 1 : 0);
  }

  /** The path that a change left behind is good to walk on. */
  private walksFrom(at: number): void {
    if (at + 1 < this.entries.length) {
      expect(this.directory.next(this.path)).toBe(true);
      this.shows(at + 1);
      expect(this.directory.prev(this.path)).toBe(true);
      this.shows(at);
    }
  }

  remove(at: number): void {
    this.go(at);
    this.directory.remove(this.path);
    this.entries.splice(at, 1);
  }

  put(at: number, count: number): void {
    this.go(at);
    const one = this.fresh(count);
    this.directory.put(this.path, one.address, count, one.kind, one.bytes);
    this.entries[at] = one;
    this.shows(at);
  }

  check(): void {
    const { directory, entries, path, arena } = this;
    expect(directory.nodes).toBe(entries.length);
    expect(directory.elements).toBe(this.startOf(entries.length));
    expect(directory.blockBytes).toBe(arena.usedBytes);
    expect(directory.first(path)).toBe(entries.length > 0);
    for (let i = 0; i < entries.length; i++) {
      this.shows(i);
      expect(directory.next(path)).toBe(i + 1 < entries.length);
    }
    expect(directory.last(path)).toBe(entries.length > 0);
    for (let i = entries.length - 1; i >= 0; i--) {
      this.shows(i);
      expect(directory.prev(path)).toBe(i > 0);
    }
    let index = 0;
    for (const [i, { count }] of entries.entries()) {
      for (const offset of [0, count - 1]) {
        expect(directory.seek(path, index + offset)).toBe(offset);
        this.shows(i);
      }
      index += count;
    }
  }
}

describe('the directory of a quicklist', () => {
  test('keeps nodes in order, whatever is inserted and removed', () => {
    const seeds = fc.record({ seed: fc.nat(), steps: fc.integer({ min: 1, max: 900 }) });
    fc.assert(
      fc.property(seeds, ({ seed, steps }) => {
        const random = new Random(seed);
        const model = new Model();
        let growing = true;
        for (let i = 0; i < steps; i++) {
          const { length } = model.entries;
          if (random.chance(0.01)) growing = !growing;
          const at = length === 0 ? 0 : random.between(0, length - 1);
          const count = random.between(1, random.chance(0.1) ? 1_000_000 : 5);
          const dice = random.next();
          if (length === 0 || (growing ? dice < 0.55 : dice < 0.2)) {
            model.insert(at, random.chance(0.5), count);
          } else if (dice < 0.7) model.remove(at);
          else if (dice < 0.9) model.push(random.chance(0.5), count);
          else model.put(at, count);
        }
        model.check();
        while (model.entries.length > 0) {
          model.remove(random.between(0, model.entries.length - 1));
          if (random.chance(0.02)) model.check();
        }
        model.check();
        expect(model.arena.usedBytes).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  test('grows and empties at both ends with full blocks', () => {
    const count = 20_000;
    for (const atEnd of [true, false]) {
      const model = new Model();
      for (let i = 0; i < count; i++) model.push(atEnd, 1);
      expect(model.directory.height).toBe(2);
      expect(model.directory.blockBytes).toBeLessThan(count * 12 * 1.1);
      const { directory, path } = model;
      for (let i = 0; i < count; i++) {
        if (atEnd) directory.first(path);
        else directory.last(path);
        expect(path.address).toBe(i + 1);
        directory.remove(path);
      }
      expect(model.arena.usedBytes).toBe(0);
    }
  });

  test('stays small under inserts before one node', () => {
    const model = new Model();
    for (let i = 0; i < 200; i++) model.push(true, 1);
    for (let i = 0; i < 3000; i++) model.insert(100 + i, false, 1);
    model.check();
    expect(model.directory.blockBytes).toBeLessThan(model.entries.length * 12 * 2.5);
  });
});
