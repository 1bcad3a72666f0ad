/** Large intsets that become tables in steps: whole at every moment, and nothing leaked. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HashTable } from '../../../src/core/types/hash-table.ts';
import {
  setAdd,
  setChange,
  setCreate,
  setHas,
  setLength,
  setRemove,
} from '../../../src/core/types/set.ts';
import { SetCursor } from '../../../src/core/types/set-view.ts';
import { encodingName, encodingOf } from '../../../src/core/value.ts';
import { bytesOf, Fixture, textOf } from './samples.ts';

const COUNT = 3000;
/** Apart, so that there are integers between them; some of eight bytes. */
const apart = 3;
const wide = ['-9223372036854775808', '9223372036854775807', '9007199254740993'];

class Converted extends Fixture {
  readonly model = new Set<string>();
  readonly emptyBytes = this.keyspace.arena.usedBytes;

  constructor(some: readonly string[]) {
    super();
    this.keyspace.limits.setMaxIntsetEntries = COUNT + some.length;
    const first = bytesOf('0');
    setCreate(this.keyspace, this.db, this.key, 0, this.key.length, first, 0, 1, 0);
    for (let i = 0; i < COUNT; i++) this.add(String(i * apart));
    for (const text of some) this.add(text);
    expect(this.encoding).toBe('intset');
    this.add('word');
    expect(this.encoding).toBe('hashtable');
    expect(this.keyspace.hasSettling).toBe(true);
  }

  get encoding(): string {
    return encodingName(encodingOf(this.keyspace.arena, this.find()));
  }

  get table(): HashTable {
    return this.keyspace.largeOf(this.find()) as HashTable;
  }

  add(text: string): void {
    const m = bytesOf(text);
    setAdd(this.keyspace, this.db, this.find(), m, 0, m.length);
    expect(setChange.happened).toBe(!this.model.has(text));
    this.model.add(text);
  }

  remove(text: string): void {
    const m = bytesOf(text);
    setRemove(this.keyspace, this.db, this.find(), m, 0, m.length);
    expect(setChange.happened).toBe(this.model.delete(text));
  }

  look(text: string): void {
    const m = bytesOf(text);
    expect(setHas(this.keyspace, this.find(), m, 0, m.length)).toBe(this.model.has(text));
  }

  slice(): void {
    this.keyspace.settleSlice(64);
  }

  /** Settles all that waits, and how many slices that took. */
  settle(): number {
    let slices = 1;
    while (this.keyspace.settleSlice(64)) slices++;
    return slices;
  }

  check(): void {
    expect(setLength(this.keyspace, this.find())).toBe(this.model.size);
    const cursor = new SetCursor();
    cursor.start(this.keyspace, this.find());
    const members: string[] = [];
    while (cursor.next()) members.push(textOf(cursor.member));
    expect(members).toHaveLength(this.model.size);
    expect(new Set(members)).toEqual(this.model);
    for (const text of this.model) this.look(text);
  }

  /** The key goes, and with it all of its memory. */
  end(): void {
    this.keyspace.remove(this.db, this.find());
    this.drain();
    expect(this.keyspace.arena.usedBytes).toBe(this.emptyBytes);
    this.keyspace.settleSlice(64);
    expect(this.keyspace.hasSettling).toBe(false);
  }
}

const member = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -3, max: COUNT * apart }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('01', '-0', '', 'word', ...wide) },
);
const step = fc.tuple(fc.constantFrom('add' as const, 'remove', 'look', 'slice'), member);

describe('a large intset that becomes a table', () => {
  test('is a whole set before, while and after its integers come in', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), fc.subarray(wide), (steps, some) => {
        const set = new Converted(some);
        for (const [what, text] of steps) {
          set[what](text);
          expect(setLength(set.keyspace, set.find())).toBe(set.model.size);
        }
        set.settle();
        expect(set.table.memoryBytes()).toBe(set.table.dict.overheadBytes + set.table.entryBytes);
        set.check();
        set.end();
      }),
      { numRuns: 8 },
    );
  });

  test('is settled by whoever walks over it', () => {
    const set = new Converted(wide);
    set.slice();
    set.remove('300');
    set.check();
    expect(set.settle()).toBe(1);
    set.check();
    set.end();
  });

  test('settles in many slices', () => {
    const set = new Converted([]);
    expect(set.settle()).toBeGreaterThan(COUNT / 64);
    set.end();
  });

  test('gives everything back when it goes before it is settled', () => {
    const set = new Converted(wide);
    for (let i = 0; i < 20; i++) set.slice();
    set.look('9');
    set.end();
  });

  test('can be copied', () => {
    const set = new Converted(wide);
    set.slice();
    const copy = set.table.clone();
    expect(copy.count).toBe(set.model.size);
    while (copy.release(64));
    set.check();
    set.end();
  });

  test('has memory that is counted at every moment', () => {
    const set = new Converted([]);
    const own = (): number => set.keyspace.arena.usedBytes - set.table.memoryBytes();
    const before = own();
    for (let i = 0; i < 30; i++) set.slice();
    expect(own()).toBe(before);
    set.look('2997');
    set.remove('6000');
    expect(own()).toBe(before);
    set.end();
  });
});
