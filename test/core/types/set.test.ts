/** Sets against a Set: three encodings, small limits, what conversions keep, nothing leaked. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Args } from '../../../src/core/resp/args.ts';
import {
  setAdd,
  setChange,
  setCreate,
  setHas,
  setLength,
  setRemove,
  setRemoveRef,
} from '../../../src/core/types/set.ts';
import { SetBuilder } from '../../../src/core/types/set-builder.ts';
import { setAddMany, setManyChange } from '../../../src/core/types/set-many.ts';
import { SetCursor, SetView } from '../../../src/core/types/set-view.ts';
import { ENC_PACKED_TABLE, encodingName, encodingOf } from '../../../src/core/value.ts';
import { bytesOf, element, Fixture, integer, textOf } from './samples.ts';

class Harness extends Fixture {
  readonly model = new Set<string>();
  readonly cursor = new SetCursor();

  add(text: string): void {
    const { db, key, keyspace } = this;
    const m = bytesOf(text);
    let address = this.find();
    if (address === 0) address = setCreate(keyspace, db, key, 0, key.length, m, 0, m.length, 5);
    address = setAdd(keyspace, db, address, m, 0, m.length);
    expect(setChange.happened).toBe(!this.model.has(text));
    expect(this.find()).toBe(address);
    this.model.add(text);
  }

  /** Adds members at once, with something in front of them. How many are new. */
  addMany(texts: readonly string[]): number {
    const { db, key, keyspace } = this;
    const args = new Args();
    args.push(key, 0, key.length);
    for (const text of texts) {
      args.push(bytesOf(`(${text})`), 1, text.length);
      this.model.add(text);
    }
    const [m, length] = [args.bytes[1]!, args.lengths[1]!];
    let address = this.find();
    if (address === 0) address = setCreate(keyspace, db, key, 0, key.length, m, 1, length, 5);
    address = setAddMany(keyspace, db, address, args, 1, args.count);
    expect(this.find()).toBe(address);
    return setManyChange.added;
  }

  remove(text: string): void {
    const address = this.find();
    if (address === 0) return;
    const m = bytesOf(text);
    const after = setRemove(this.keyspace, this.db, address, m, 0, m.length);
    expect(setChange.happened).toBe(this.model.delete(text));
    this.removed(after);
  }

  /** Takes out a member by chance, through its ref. */
  pop(): void {
    const address = this.find();
    if (address === 0) return;
    this.cursor.start(this.keyspace, address);
    this.cursor.show(this.cursor.pick(this.keyspace.random));
    const text = textOf(this.cursor.member);
    expect(this.model.delete(text)).toBe(true);
    this.removed(setRemoveRef(this.keyspace, this.db, address, this.cursor.ref));
  }

  private removed(address: number): void {
    expect(this.find()).toBe(address);
    if (this.model.size === 0) this.keyspace.remove(this.db, address);
  }

  get isPacked(): boolean {
    return encodingOf(this.keyspace.arena, this.find()) === ENC_PACKED_TABLE;
  }

  /** Bytes of a compact set. */
  get valueLength(): number {
    const isTable = this.encoding === 'hashtable' && !this.isPacked;
    return isTable ? 0 : this.keyspace.valueLength(this.find());
  }

  get encoding(): string {
    return encodingName(encodingOf(this.keyspace.arena, this.find()));
  }

  members(): string[] {
    this.cursor.start(this.keyspace, this.find());
    const members: string[] = [];
    while (this.cursor.next()) members.push(textOf(this.cursor.member));
    return members;
  }

  check(): void {
    const address = this.find();
    expect(address !== 0).toBe(this.model.size > 0);
    if (address === 0) return;
    expect(setLength(this.keyspace, address)).toBe(this.model.size);
    const members = this.members();
    expect(members).toHaveLength(this.model.size);
    expect(new Set(members)).toEqual(this.model);
    if (this.encoding === 'intset') expect(members).toEqual(numerically(members));
    for (const text of this.model) {
      const m = bytesOf(text);
      expect(setHas(this.keyspace, address, m, 0, m.length)).toBe(true);
    }
    expect(setHas(this.keyspace, address, bytesOf('absent'), 0, 6)).toBe(false);
    expect(setHas(this.keyspace, address, bytesOf('77777'), 0, 5)).toBe(false);
  }
}

function numerically(texts: readonly string[]): string[] {
  return [...texts].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
}

const limits = fc.record({
  setMaxIntsetEntries: fc.integer({ min: 0, max: 40 }),
  setMaxListpackEntries: fc.integer({ min: 0, max: 40 }),
  setMaxListpackValue: fc.nat(400),
});
const member = fc.oneof({ weight: 3, arbitrary: integer }, { weight: 1, arbitrary: element });
const step = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('add' as const), member) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), member) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('pop' as const), fc.constant('')) },
);

describe('sets', () => {
  test('behave like a set, whatever the limits', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), limits, (steps, some) => {
        const set = new Harness();
        Object.assign(set.keyspace.limits, some);
        const before = set.keyspace.arena.usedBytes;
        for (const [what, text] of steps) set[what](text);
        set.check();
        const address = set.find();
        if (address !== 0) set.keyspace.remove(set.db, address);
        set.drain();
        expect(set.keyspace.arena.usedBytes).toBe(before);
      }),
      { numRuns: 200 },
    );
  });

  test('that get many members at once are those that get them one by one', () => {
    const batches = fc.array(fc.array(member, { minLength: 1, maxLength: 60 }), { maxLength: 4 });
    fc.assert(
      fc.property(batches, limits, (many, some) => {
        const one = new Harness();
        const other = new Harness();
        Object.assign(one.keyspace.limits, some);
        Object.assign(other.keyspace.limits, some);
        for (const texts of many) {
          const before = one.model.size;
          for (const text of texts) one.add(text);
          expect(other.addMany(texts)).toBe(one.model.size - before);
          other.check();
          expect(other.encoding).toBe(one.encoding);
          expect(other.isPacked).toBe(one.isPacked);
          expect(other.valueLength).toBe(one.valueLength);
          if (one.encoding !== 'hashtable') expect(other.members()).toEqual(one.members());
        }
        if (other.find() !== 0) other.keyspace.remove(other.db, other.find());
        other.drain();
        expect(other.keyspace.arena.usedBytes).toBe(new Harness().keyspace.arena.usedBytes);
      }),
      { numRuns: 100 },
    );
  });

  test('built beside the keyspace are those built in it', () => {
    const builder = new SetBuilder();
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 80 }), limits, (members, some) => {
        const set = new Harness();
        Object.assign(set.keyspace.limits, some);
        const other = new Harness();
        Object.assign(other.keyspace.limits, some);
        builder.start(other.keyspace);
        for (const text of members) {
          const m = bytesOf(text);
          expect(builder.add(m, 0, m.length)).toBe(!set.model.has(text));
          set.add(text);
          other.model.add(text);
        }
        expect(builder.count).toBe(set.model.size);
        builder.store(other.db, other.key, 0, other.key.length, 0);
        other.check();
        expect(other.encoding).toBe(set.encoding);
        if (set.encoding !== 'hashtable') expect(other.members()).toEqual(set.members());
      }),
      { numRuns: 200 },
    );
  });

  test('built of whole sets and of members by their refs are those built of texts', () => {
    const texts = fc.array(member, { minLength: 1, maxLength: 40 });
    const builders = [new SetBuilder(), new SetBuilder(), new SetBuilder()] as const;
    const [byText, whole, byRef] = builders;
    const cursor = new SetCursor();
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 3 }), texts, limits, (many, asked, some) => {
        const { keyspace } = new Harness();
        const sets = many.map((members) => {
          const set = new SetBuilder();
          set.start(keyspace);
          for (const text of members) set.add(bytesOf(text), 0, text.length);
          return set;
        });
        Object.assign(keyspace.limits, some);
        for (const builder of builders) builder.start(keyspace);
        for (const { view } of sets) {
          whole.addAll(view);
          cursor.startView(view);
          while (cursor.step()) {
            byRef.addOf(view, cursor.ref);
            cursor.show(cursor.ref);
            const { bytes, length, offset } = cursor.member;
            byText.add(bytes, offset, length);
          }
        }
        expect(new Set(builders.map((one) => one.view.encoding)).size).toBe(1);
        expect(new Set(builders.map((one) => one.count)).size).toBe(1);
        for (const text of asked) {
          const m = bytesOf(text);
          const there = builders.map((one) => one.view.find(m, 0, m.length) !== 0);
          expect(new Set(there).size).toBe(1);
        }
        for (const { view } of sets) {
          cursor.startView(view);
          while (cursor.step()) {
            expect(byText.view.findOf(view, cursor.ref, cursor.member)).not.toBe(0);
          }
        }
        for (const one of [...builders, ...sets]) one.discard();
      }),
      { numRuns: 100 },
    );
  });

  test('a builder forgets members and keeps the encoding', () => {
    for (const texts of [
      ['1', '2', '3'],
      ['1', 'b', '3'],
      ['1', 'b', 'c'.repeat(65)],
    ]) {
      const set = new Harness();
      const builder = new SetBuilder();
      builder.start(set.keyspace);
      for (const text of texts) builder.add(bytesOf(text), 0, text.length);
      expect(builder.remove(bytesOf('9'), 0, 1)).toBe(false);
      for (const text of texts.slice(1)) {
        expect(builder.remove(bytesOf(text), 0, text.length)).toBe(true);
      }
      const encoding = encodingName(builder.view.encoding);
      builder.store(set.db, set.key, 0, set.key.length, 0);
      set.model.add('1');
      set.check();
      expect(set.encoding).toBe(encoding);
    }
  });

  test('a builder that is not stored gives everything back', () => {
    const { keyspace } = new Harness();
    keyspace.limits.setMaxListpackEntries = 2;
    const before = keyspace.arena.usedBytes;
    const builder = new SetBuilder();
    builder.start(keyspace);
    for (let i = 0; i < 1000; i++) builder.add(bytesOf(`m${i}`), 0, `m${i}`.length);
    expect(keyspace.arena.usedBytes).toBeGreaterThan(before);
    builder.discard();
    expect(keyspace.arena.usedBytes).toBe(before);
  });
});

describe('the encoding of a set', () => {
  const grown = (texts: readonly string[], change: Partial<Harness['keyspace']['limits']> = {}) => {
    const set = new Harness();
    Object.assign(set.keyspace.limits, change);
    for (const text of texts) set.add(text);
    set.check();
    return set;
  };
  const integers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

  test('is an intset up to the limit, then a table', () => {
    expect(grown(integers(512)).encoding).toBe('intset');
    expect(grown(integers(513)).encoding).toBe('hashtable');
    expect(grown(integers(3), { setMaxIntsetEntries: 2 }).encoding).toBe('hashtable');
  });

  test('is a listpack once a member is no integer, integers first', () => {
    const set = grown(['3', '1', '2', 'x', '0']);
    expect(set.encoding).toBe('listpack');
    expect(set.members()).toEqual(['1', '2', '3', 'x', '0']);
    expect(grown([...integers(127), 'x']).encoding).toBe('listpack');
    expect(grown([...integers(128), 'x']).encoding).toBe('hashtable');
  });

  test('is a listpack of up to 128 members of up to 64 bytes', () => {
    const texts = Array.from({ length: 129 }, (_, i) => `m${i}`);
    expect(grown(texts.slice(0, 128)).encoding).toBe('listpack');
    expect(grown(texts).encoding).toBe('hashtable');
    expect(grown(['a', 'b'.repeat(64)]).encoding).toBe('listpack');
    expect(grown(['a', 'b'.repeat(65)]).encoding).toBe('hashtable');
    expect(grown(['1000', 'a'], { setMaxListpackValue: 3 }).encoding).toBe('hashtable');
  });

  test('is packed as a table because of a long member, up to 16 and 2,048 bytes', () => {
    const long = (count: number, length: number) =>
      Array.from({ length: count }, (_, i) => `${i}`.padStart(length, 'm'));
    const packed = [grown(['a', ...long(1, 65)]), grown(['1', '2', ...long(14, 65)])];
    const tables = [
      grown(long(17, 65)),
      grown(long(2, 1100)),
      grown([...integers(16), 'x', ...long(1, 65)]),
    ];
    for (const set of [...packed, ...tables]) expect(set.encoding).toBe('hashtable');
    expect(packed.map((set) => set.isPacked)).toEqual([true, true]);
    expect(tables.map((set) => set.isPacked)).toEqual([false, false, false]);
    const [, set] = packed;
    for (const text of long(14, 65)) set!.remove(text);
    set!.add('3');
    expect(set!.isPacked).toBe(true);
    expect(set!.members()).toEqual(['1', '2', '3']);
    set!.check();
  });

  test('never changes back', () => {
    const set = grown(['1', 'a']);
    set.remove('a');
    expect(set.encoding).toBe('listpack');
    set.check();
  });

  test('starts as what the limits allow', () => {
    expect(grown(['1'], { setMaxIntsetEntries: 0 }).encoding).toBe('listpack');
    const none = { setMaxIntsetEntries: 0, setMaxListpackEntries: 0 };
    expect(grown(['1'], none).encoding).toBe('hashtable');
    expect(grown(['a'], none).encoding).toBe('hashtable');
  });
});

describe('a member by chance', () => {
  test('is any member alike, in every encoding', () => {
    const kinds = [
      Array.from({ length: 50 }, (_, i) => String(i)),
      Array.from({ length: 50 }, (_, i) => `m${i}`),
      Array.from({ length: 50 }, (_, i) => `${i}`.padStart(70, 'm')),
    ];
    const seen = kinds.map((texts) => {
      const set = new Harness();
      for (const text of texts) set.add(text);
      const view = new SetView();
      view.open(set.keyspace, set.find());
      const counts = new Map<number, number>();
      for (let i = 0; i < 25_000; i++) {
        const ref = view.pick(set.keyspace.random);
        counts.set(ref, (counts.get(ref) ?? 0) + 1);
      }
      const chi = [...counts.values()].reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
      expect(counts.size).toBe(50);
      // 49 degrees of freedom: above 90 once in 3,000 runs with another seed.
      expect(chi).toBeLessThan(90);
      return set.encoding;
    });
    expect(seen).toEqual(['intset', 'listpack', 'hashtable']);
  });
});
