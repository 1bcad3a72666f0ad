/** The table of large hashes and sets: wide lengths, values in place, copies, freeing in slices. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { ElementView } from '../../../src/core/types/element-view.ts';
import { HashTable } from '../../../src/core/types/hash-table.ts';
import { TableCursor } from '../../../src/core/types/table-cursor.ts';
import { bytesOf, textOf } from './samples.ts';

const SEED = { seed0: 7, seed1: 11 };
const view = new ElementView();

function makeTable(): HashTable {
  const arena = new Arena();
  return new HashTable(arena, SEED);
}

function set(table: HashTable, field: string, value: string): boolean {
  const [f, v] = [bytesOf(field), bytesOf(value)];
  return table.set(f, 0, f.length, v, 0, v.length);
}

function contents(table: HashTable): Map<string, string> {
  const cursor = new TableCursor();
  cursor.start(table);
  const found = new Map<string, string>();
  for (let at = cursor.next(); at !== 0; at = cursor.next()) {
    table.showField(at, view);
    const field = textOf(view);
    table.showValue(at, view);
    expect(found.has(field)).toBe(false);
    found.set(field, textOf(view));
  }
  return found;
}

/** Lengths around those that need a word of their own, and blocks of every kind. */
const size = fc.oneof(
  fc.nat(40),
  fc.constantFrom(8190, 8191, 8192, 65_534, 65_535, 65_536, 200_000),
);

describe('a hash table', () => {
  test('keeps fields and values of any length', () => {
    const entry = fc.tuple(fc.nat(5), size, size);
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
        const table = makeTable();
        const model = new Map<string, string>();
        for (const [name, fieldSize, valueSize] of entries) {
          const field = String(name).repeat(fieldSize);
          const value = String(9 - name).repeat(valueSize);
          expect(set(table, field, value)).toBe(!model.has(field));
          model.set(field, value);
        }
        expect(contents(table)).toEqual(model);
        expect(table.memoryBytes()).toBe(table.arena.usedBytes);
      }),
      { numRuns: 60 },
    );
  });

  test('changes a value of the same size where it stands', () => {
    const table = makeTable();
    set(table, 'field', 'one');
    const at = table.find(bytesOf('field'), 0, 5);
    set(table, 'field', 'two');
    expect(table.find(bytesOf('field'), 0, 5)).toBe(at);
    expect(contents(table)).toEqual(new Map([['field', 'two']]));
  });

  test('removes fields by name and by entry', () => {
    const table = makeTable();
    for (let i = 0; i < 500; i++) set(table, `f${i}`, `v${i}`);
    for (let i = 0; i < 500; i += 2) {
      const f = bytesOf(`f${i}`);
      if (i % 4 === 0) expect(table.remove(f, 0, f.length)).toBe(true);
      else table.removeEntry(table.find(f, 0, f.length));
      expect(table.remove(f, 0, f.length)).toBe(false);
    }
    expect(table.count).toBe(250);
    expect([...contents(table).keys()].every((field) => Number(field.slice(1)) % 2 === 1)).toBe(
      true,
    );
    expect(table.memoryBytes()).toBe(table.arena.usedBytes);
  });

  test('adds members once', () => {
    const table = makeTable();
    expect(table.add(bytesOf('m'), 0, 1)).toBe(true);
    expect(table.add(bytesOf('m'), 0, 1)).toBe(false);
    expect(contents(table)).toEqual(new Map([['m', '']]));
  });

  test('makes a copy that shares nothing', () => {
    const table = makeTable();
    for (let i = 0; i < 300; i++) set(table, `f${i}`, 'v'.repeat(i * 40));
    const copy = table.clone();
    expect(contents(copy)).toEqual(contents(table));
    expect(copy.memoryBytes() + table.memoryBytes()).toBe(table.arena.usedBytes);
    set(copy, 'f1', 'changed');
    expect(contents(table).get('f1')).toBe('v'.repeat(40));
    while (table.release(10));
    expect(contents(copy).size).toBe(300);
    expect(copy.memoryBytes()).toBe(copy.arena.usedBytes);
  });

  test('is freed in slices', () => {
    const table = makeTable();
    for (let i = 0; i < 5000; i++) set(table, `f${i}`, 'value');
    let slices = 1;
    while (table.release(100)) slices++;
    expect(slices).toBeGreaterThan(40);
    expect(table.arena.usedBytes).toBe(0);
  });

  test('lets two walks run at once', () => {
    const table = makeTable();
    for (let i = 0; i < 200; i++) set(table, `f${i}`, '');
    const outer = new TableCursor();
    const inner = new TableCursor();
    outer.start(table);
    let steps = 0;
    for (let at = outer.next(); at !== 0; at = outer.next()) {
      inner.start(table);
      for (let i = 0; i < 7; i++) inner.next();
      steps++;
    }
    expect(steps).toBe(200);
  });

  test('takes half of what a field takes elsewhere', () => {
    const table = makeTable();
    for (let i = 0; i < 20_000; i++) {
      set(table, `field:${String(i).padStart(10, '0')}`, 'sixteen bytes...');
    }
    expect(table.memoryBytes() / table.count).toBeLessThan(54);
  });
});
