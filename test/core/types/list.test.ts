/**
 * Lists against an array: both encodings, the way to and fro between them, walks, nothing leaked.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LargeValue } from '../../../src/core/keyspace.ts';
import { Quicklist } from '../../../src/core/struct/quicklist.ts';
import {
  listChange,
  listCreate,
  listDelete,
  listDeleteEqual,
  listGrow,
  listInsert,
  listLength,
  listPush,
  listQuicklist,
  listSet,
  listShrink,
  listStore,
} from '../../../src/core/types/list.ts';
import { ListCursor } from '../../../src/core/types/list-cursor.ts';
import { ENC_LISTPACK, ENC_QUICKLIST, encodingOf } from '../../../src/core/value.ts';
import { bytesOf, element, Fixture, textOf } from './samples.ts';

class Harness extends Fixture {
  readonly model: string[] = [];
  readonly cursor = new ListCursor();

  configure(fill: number, depth: number, threshold: number): void {
    const { limits } = this.keyspace;
    limits.listMaxListpackSize = fill;
    limits.listCompressDepth = depth;
    limits.listPackedThreshold = threshold;
  }

  push(values: readonly string[], atHead: boolean): void {
    const { db, key, keyspace } = this;
    const bytes = values.join('').length;
    let address = this.find();
    if (address === 0) {
      address = listCreate(keyspace, db, key, 0, key.length, bytes, values.length);
    } else address = listGrow(keyspace, db, address, bytes, values.length);
    for (const value of values) {
      address = listPush(keyspace, db, address, bytesOf(value), 0, value.length, atHead);
      if (atHead) this.model.unshift(value);
      else this.model.push(value);
    }
    expect(this.find()).toBe(address);
  }

  insert(index: number, behind: boolean, value: string): void {
    const { db, keyspace } = this;
    const { length } = value;
    const grown = listGrow(keyspace, db, this.find(), length, 1);
    const bytes = bytesOf(`_${value}`);
    const address = listInsert(keyspace, db, grown, index, behind, bytes, 1, length);
    expect(this.find()).toBe(address);
    this.model.splice(behind ? index + 1 : index, 0, value);
  }

  set(index: number, value: string): void {
    const { db, keyspace } = this;
    const grown = listGrow(keyspace, db, this.find(), value.length, 1);
    const address = listSet(keyspace, db, grown, index, bytesOf(value), 0, value.length);
    expect(listShrink(keyspace, db, address)).toBe(this.find());
    this.model[index] = value;
  }

  delete(start: number, count: number): void {
    this.model.splice(start, count);
    this.settle(listDelete(this.keyspace, this.db, this.find(), start, count));
  }

  deleteEqual(value: string, most: number, fromTail: boolean): void {
    const { db, keyspace, model } = this;
    const bytes = bytesOf(value);
    const at = this.find();
    const address = listDeleteEqual(keyspace, db, at, bytes, 0, bytes.length, most, fromTail);
    for (let left = listChange.count; left > 0; left--) {
      model.splice(fromTail ? model.lastIndexOf(value) : model.indexOf(value), 1);
    }
    if (listChange.count < most) expect(model).not.toContain(value);
    this.settle(address);
  }

  private settle(address: number): void {
    if (this.model.length === 0) this.keyspace.remove(this.db, address);
    else expect(listShrink(this.keyspace, this.db, address)).toBe(this.find());
  }

  walk(from: number, forward: boolean): string[] {
    const found: string[] = [];
    this.cursor.start(this.keyspace, this.find(), from, forward);
    while (this.cursor.next()) found.push(textOf(this.cursor.element));
    return found;
  }

  get encoding(): number {
    return encodingOf(this.keyspace.arena, this.find());
  }

  check(): void {
    const address = this.find();
    const { model } = this;
    expect(address !== 0).toBe(model.length > 0);
    if (address === 0) return;
    expect(listLength(this.keyspace, address)).toBe(model.length);
    expect(this.walk(0, true)).toEqual(model);
    expect(this.walk(model.length - 1, false)).toEqual([...model].reverse());
    const middle = model.length >>> 1;
    expect(this.walk(middle, true)).toEqual(model.slice(middle));
    expect(this.walk(middle, false)).toEqual(model.slice(0, middle + 1).reverse());
    expect(this.walk(model.length, true)).toEqual([]);
    expect(this.walk(-1, false)).toEqual([]);
  }
}

const place = fc.nat();
const flag = fc.boolean();
const values = fc.array(element, { minLength: 1, maxLength: 5 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('push' as const), values, flag) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('insert' as const), values, flag, place) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('set' as const), values, flag, place) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('delete' as const), values, flag, place, place) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('equal' as const), values, flag, place) },
);
const settings = fc.tuple(
  fc.constantFrom(0, 1, 2, 3, 6, 128, -1, -2, -5),
  fc.constantFrom(0, 0, 1, 2),
  fc.constantFrom(1 << 30, 20, 100),
);

describe('lists', () => {
  test('behave like an array, whatever the limits', () => {
    let conversions = 0;
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 80 }), (limits, steps) => {
        const h = new Harness();
        const { keyspace } = h;
        const empty = keyspace.arena.usedBytes;
        h.configure(...limits);
        let before = 0;
        for (const [kind, some, isSo, first = 0, second = 0] of steps) {
          const { length } = h.model;
          const value = some[0] ?? '';
          if (kind === 'push' || length === 0) h.push(some, isSo);
          else if (kind === 'insert') h.insert(first % length, isSo, value);
          else if (kind === 'set') h.set(first % length, value);
          else if (kind === 'equal') h.deleteEqual(value, (first % 4) + 1, isSo);
          else h.delete(first % length, 1 + (second % (length - (first % length))));
          if (h.find() === 0) continue;
          if (before !== 0 && before !== h.encoding) conversions++;
          before = h.encoding;
        }
        h.check();
        if (h.find() !== 0) keyspace.remove(h.db, h.find());
        h.drain();
        expect(keyspace.arena.usedBytes).toBe(empty);
      }),
      { numRuns: 300 },
    );
    expect(conversions).toBeGreaterThan(30);
  });

  test('become a quicklist past the limit, and a listpack again at half of it', () => {
    const h = new Harness();
    h.configure(4, 0, 1 << 30);
    h.push(['a', 'b', 'c', 'd'], false);
    expect(h.encoding).toBe(ENC_LISTPACK);
    h.push(['e'], false);
    expect(h.encoding).toBe(ENC_QUICKLIST);
    h.delete(4, 1);
    expect(h.encoding).toBe(ENC_QUICKLIST);
    h.delete(3, 1);
    expect(h.encoding).toBe(ENC_QUICKLIST);
    h.delete(2, 1);
    expect(h.encoding).toBe(ENC_LISTPACK);
    h.configure(-1, 0, 1 << 30);
    h.push(['x'.repeat(4070)], false);
    expect(h.encoding).toBe(ENC_LISTPACK);
    h.push(['y'], true);
    expect(h.encoding).toBe(ENC_LISTPACK);
    h.push(['z'.repeat(20)], true);
    expect(h.encoding).toBe(ENC_QUICKLIST);
    h.check();
  });

  test('keep their expiry when they change their encoding', () => {
    const h = new Harness();
    h.keyspace.nowMs = 1000;
    h.configure(2, 0, 1 << 30);
    h.push(['a', 'b'], false);
    h.keyspace.setExpiry(h.db, h.find(), 5000);
    h.push(['c', 'd'], false);
    expect(h.encoding).toBe(ENC_QUICKLIST);
    expect(h.keyspace.expiryOf(h.db, h.find())).toBe(5000);
    h.delete(1, 3);
    expect(h.encoding).toBe(ENC_LISTPACK);
    expect(h.keyspace.expiryOf(h.db, h.find())).toBe(5000);
  });

  test('that were made beside the keyspace take the encoding of their size', () => {
    for (const [count, encoding] of [
      [4, ENC_LISTPACK],
      [5, ENC_QUICKLIST],
    ] as const) {
      const h = new Harness();
      h.configure(4, 0, 1 << 30);
      const { arena, limits } = h.keyspace;
      const list = new Quicklist(arena, limits);
      for (let i = 0; i < count; i++) list.push(bytesOf(`e${i}`), 0, 2, false);
      const at = listStore(h.keyspace, h.db, h.key, 0, h.key.length, list);
      expect(encodingOf(arena, at)).toBe(encoding);
      expect(h.walk(0, true)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4'].slice(0, count));
      expect((listQuicklist(h.keyspace, at) as LargeValue | null) === list).toBe(count > 4);
    }
  });

  test('take far less memory than one block an element', () => {
    const h = new Harness();
    const empty = h.keyspace.arena.usedBytes;
    const count = 100_000;
    for (let i = 0; i < count; i += 100) {
      h.push(
        Array.from({ length: 100 }, (_, k) => `element ${i + k}`),
        false,
      );
    }
    // An element of 13 bytes has two bytes of frame; blocks and directory take a twentieth more.
    expect((h.keyspace.arena.usedBytes - empty) / count).toBeLessThan(15 * 1.05);
    expect(h.walk(count - 2, true)).toEqual([`element ${count - 2}`, `element ${count - 1}`]);
  });
});
