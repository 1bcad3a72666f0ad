/**
 * Quicklists against an array: limits of every kind, plain nodes, compressed nodes, splits and
 * merges, bytes counted exactly and nothing leaked.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EncodingLimits } from '../../../src/core/encoding-limits.ts';
import type { Releasable } from '../../../src/core/keyspace.ts';
import { Arena } from '../../../src/core/memory/arena.ts';
import { DirectoryPath } from '../../../src/core/struct/directory-path.ts';
import {
  lpBytes,
  lpCount,
  lpElement,
  lpFirst,
  lpGet,
  lpNext,
} from '../../../src/core/struct/listpack.ts';
import { lpValid } from '../../../src/core/struct/listpack-valid.ts';
import { Quicklist } from '../../../src/core/struct/quicklist.ts';
import { exceedsFill } from '../../../src/core/struct/quicklist-limits.ts';
import {
  NODE_COMPRESSED,
  NODE_PLAIN,
  NodeReader,
} from '../../../src/core/struct/quicklist-node.ts';
import { Random } from '../../support/random.ts';
import { bytesOf, element } from '../types/samples.ts';

type Settings = { fill: number; depth: number; threshold: number };

function limitsOf({ fill, depth, threshold }: Settings): EncodingLimits {
  const limits = new EncodingLimits();
  limits.listMaxListpackSize = fill;
  limits.listCompressDepth = depth;
  limits.listPackedThreshold = threshold;
  return limits;
}

class Harness {
  readonly arena = new Arena();
  readonly list: Quicklist;
  readonly model: string[] = [];
  /** A replaced element, or one put into half of a split node, may be larger than the limit. */
  mayExceed = false;
  private readonly path = new DirectoryPath();
  private readonly reader = new NodeReader();

  constructor(settings: Settings) {
    this.list = new Quicklist(this.arena, limitsOf(settings));
  }

  push(value: string, atHead: boolean): void {
    this.list.push(bytesOf(value), 0, value.length, atHead);
    if (atHead) this.model.unshift(value);
    else this.model.push(value);
  }

  insert(index: number, behind: boolean, value: string): void {
    // Not from the start of its buffer, so that offsets count.
    this.list.insert(index, behind, bytesOf(`__${value}`), 2, value.length);
    this.model.splice(behind ? index + 1 : index, 0, value);
    if (value.length > 100) this.mayExceed = true;
  }

  set(index: number, value: string): void {
    this.list.set(index, bytesOf(value), 0, value.length);
    this.model[index] = value;
    this.mayExceed = true;
  }

  delete(start: number, count: number): void {
    this.list.deleteRange(start, count);
    this.model.splice(start, count);
  }

  deleteEqual(value: string, most: number, fromTail: boolean): void {
    const found = this.list.deleteEqual(bytesOf(value), 0, value.length, most, fromTail);
    let left = most;
    const keep = (one: string): boolean => one !== value || left-- <= 0;
    const order = fromTail ? [...this.model].reverse() : [...this.model];
    const kept = order.filter(keep);
    expect(found).toBe(order.length - kept.length);
    this.model.splice(0, this.model.length, ...(fromTail ? kept.reverse() : kept));
  }

  /** All elements of the node that the path stands on. */
  private elementsOf(): string[] {
    const { path, reader } = this;
    reader.open(this.arena, path);
    const { bytes, base } = reader;
    if ((path.kind & NODE_PLAIN) !== 0) {
      return [Buffer.from(bytes.subarray(base, base + path.bytes)).toString('latin1')];
    }
    expect(lpValid(bytes, base, path.bytes, true)).toBe(true);
    expect(lpBytes(bytes, base)).toBe(path.bytes);
    expect(lpCount(bytes, base)).toBe(path.count);
    const found: string[] = [];
    for (let at = lpFirst(bytes, base); at !== 0; at = lpNext(bytes, base, at)) {
      lpGet(bytes, base, at);
      lpElement.asText();
      const { offset, length } = lpElement;
      found.push(Buffer.from(lpElement.bytes.subarray(offset, offset + length)).toString('latin1'));
    }
    return found;
  }

  check(): void {
    const { list, path } = this;
    const { directory } = list.nodes;
    expect(list.count).toBe(this.model.length);
    expect(list.memoryBytes()).toBe(this.arena.usedBytes);
    const found: string[] = [];
    let node = 0;
    for (let more = directory.first(path); more; more = directory.next(path), node++) {
      found.push(...this.elementsOf());
      expect(path.count).toBeGreaterThan(0);
      const isInside = node >= list.depth && node < list.nodeCount - list.depth;
      if (!isInside) expect(path.kind & NODE_COMPRESSED).toBe(0);
      if (path.kind === 0 && path.count > 1 && !this.mayExceed) {
        expect(exceedsFill(list.fill, path.bytes, path.count)).toBe(false);
      }
    }
    expect(found).toEqual(this.model);
  }
}

const settings = fc.record({
  fill: fc.constantFrom(1, 2, 3, 7, 128, 0, -1, -2),
  depth: fc.constantFrom(0, 0, 1, 2, 3),
  threshold: fc.constantFrom(1 << 30, 1 << 30, 20, 64, 200),
});

const place = fc.nat();
const flag = fc.boolean();
const step = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('push' as const), element, flag) },
  { weight: 5, arbitrary: fc.tuple(fc.constant('insert' as const), element, flag, place) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('set' as const), element, flag, place) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('delete' as const), element, flag, place, place) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('equal' as const), element, flag, place) },
);

describe('quicklists', () => {
  test('behave like an array, whatever the limits', () => {
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 120 }), (limits, steps) => {
        const h = new Harness(limits);
        for (const [kind, value, isSo, first = 0, second = 0] of steps) {
          const { length } = h.model;
          if (kind === 'push' || length === 0) h.push(value, isSo);
          else if (kind === 'insert') h.insert(first % length, isSo, value);
          else if (kind === 'set') h.set(first % length, value);
          else if (kind === 'equal') h.deleteEqual(value, (first % 4) + 1, isSo);
          else {
            const start = first % length;
            h.delete(start, 1 + (second % Math.min(9, length - start)));
          }
        }
        h.check();
        while (h.list.release(3));
        expect(h.arena.usedBytes).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  test('are compressed inside, and nowhere else, while they grow and shrink', () => {
    for (const depth of [1, 2, 5]) {
      const h = new Harness({ fill: -1, depth, threshold: 1 << 30 });
      const random = new Random(depth);
      for (let i = 0; i < 3000; i++) h.push(`a value that repeats itself ${i % 50}`, i % 3 === 0);
      h.check();
      expect(wrongNodes(h.list)).toBe(0);
      const plain = h.model.join('').length;
      expect(h.list.memoryBytes()).toBeLessThan(plain / 3 + 2 * depth * 5000);
      for (let i = 0; i < 200; i++) {
        const at = random.between(0, h.model.length - 1);
        if (i % 3 === 0) h.insert(at, random.chance(0.5), `another value ${i}`);
        else if (i % 3 === 1) h.set(at, `yet another value ${i}`);
        else h.delete(at, 1);
        expect(wrongNodes(h.list)).toBe(0);
      }
      h.check();
      while (h.model.length > 0) {
        h.delete(0, Math.min(h.model.length, 100));
        expect(wrongNodes(h.list)).toBe(0);
      }
      expect(h.arena.usedBytes).toBe(0);
    }
  });

  test('merge what a split left behind', () => {
    const h = new Harness({ fill: 4, depth: 0, threshold: 1 << 30 });
    for (let i = 0; i < 16; i++) h.push(`e${i}`, false);
    expect(h.list.nodeCount).toBe(4);
    // [e4 e5 | e6 e7] is split behind e5; the halves find no room, then they do.
    h.insert(5, true, 'x');
    h.check();
    expect(h.list.nodeCount).toBe(5);
    h.delete(10, 2);
    h.insert(2, false, 'y');
    h.check();
    expect(h.list.nodeCount).toBe(5);
  });

  test('are cut by whole leaves of the directory, whose memory is given back later', () => {
    const random = new Random(7);
    for (const fill of [1, 3, -1]) {
      const h = new Harness({ fill, depth: fill === 3 ? 1 : 0, threshold: 1 << 30 });
      const cut: Releasable[] = [];
      const later = { releaseLater: (value: Releasable) => void cut.push(value) };
      const take = (start: number, count: number): void => {
        h.list.deleteRange(start, count, later);
        h.model.splice(start, count);
        const found = h.list.nodes.directory;
        expect(found.elements).toBe(h.model.length);
        for (const value of cut.splice(0)) while (value.release(100));
        h.check();
      };
      for (let i = 0; i < 9000; i++) h.push(`element ${i}`, i % 5 === 0);
      take(0, 2500);
      take(h.model.length - 2000, 2000);
      while (h.model.length > 500) {
        const start = random.between(0, h.model.length - 200);
        take(start, random.between(65, Math.min(900, h.model.length - start)));
        for (let i = 0; i < 60; i++) h.push(`another ${i}`, i % 2 === 0);
      }
      take(0, h.model.length);
      expect(h.arena.usedBytes).toBe(0);
    }
  });

  test('are cut at once, and no memory is freed until it is asked for', () => {
    const h = new Harness({ fill: 1, depth: 0, threshold: 1 << 30 });
    for (let i = 0; i < 10_000; i++) h.push(`element ${i}`, false);
    const cut: Releasable[] = [];
    const before = h.list.memoryBytes();
    h.list.deleteRange(10, 9980, { releaseLater: (value) => void cut.push(value) });
    expect(h.list.count).toBe(20);
    expect(h.list.memoryBytes()).toBeLessThan(before / 100);
    expect(h.arena.usedBytes).toBeGreaterThan(before * 0.9);
    const [leaves] = cut;
    let slices = 0;
    while (leaves?.release(100)) slices++;
    expect(slices).toBeGreaterThan(90);
    expect(h.arena.usedBytes).toBe(h.list.memoryBytes());
  });

  test('copies share nothing', () => {
    const h = new Harness({ fill: -1, depth: 1, threshold: 300 });
    for (let i = 0; i < 600; i++) h.push(i % 40 === 0 ? 'z'.repeat(400) : `value ${i}`, false);
    const before = h.arena.usedBytes;
    const copy = h.list.clone();
    expect(h.arena.usedBytes).toBe(before + copy.memoryBytes());
    const { length } = h.model;
    h.delete(0, length);
    expect(copy.count).toBe(length);
    expect(h.arena.usedBytes).toBe(copy.memoryBytes());
    while (copy.release(1));
    expect(h.arena.usedBytes).toBe(0);
  });

  test('take a node of their own for each element past the packed threshold', () => {
    const h = new Harness({ fill: -2, depth: 0, threshold: 10 });
    for (const value of ['a', 'b', 'c', 'd']) h.push(value, false);
    h.insert(1, true, 'a large element');
    h.check();
    expect(h.list.nodeCount).toBe(3);
    h.set(2, 'another large element');
    expect(h.list.nodeCount).toBe(3);
    h.set(0, 'one more large element');
    h.check();
    expect(h.list.nodeCount).toBe(4);
    h.set(2, 'small');
    h.check();
    h.set(0, 'a');
    h.check();
  });

  test('find any of very many elements without walking from an end', () => {
    const h = new Harness({ fill: 1, depth: 0, threshold: 1 << 30 });
    const { list } = h;
    const count = 200_000;
    for (let i = 0; i < count; i++) list.push(bytesOf(String(i)), 0, String(i).length, false);
    expect(list.nodeCount).toBe(count);
    expect(list.nodes.directory.height).toBe(2);
    const path = new DirectoryPath();
    for (let i = 0; i < count; i += 997) {
      expect(list.nodes.directory.seek(path, i)).toBe(0);
      lpGet(h.arena.bytes(path.address), h.arena.byteOffset(path.address), 6);
      expect(lpElement.number).toBe(i);
    }
    // A block of 16 bytes and its share of the directory.
    expect(list.memoryBytes() / count).toBeLessThan(30);
    while (list.release(1000));
    expect(h.arena.usedBytes).toBe(0);
  });
});

/**
 * Nodes that ought to be compressed and are not, or the other way round; tiny ones do not count.
 */
function wrongNodes(list: Quicklist): number {
  const path = new DirectoryPath();
  const { directory } = list.nodes;
  let found = 0;
  let node = 0;
  for (let more = directory.first(path); more; more = directory.next(path), node++) {
    const isInside = node >= list.depth && node < list.nodeCount - list.depth;
    const isCompressed = (path.kind & NODE_COMPRESSED) !== 0;
    if (isInside !== isCompressed && path.bytes > 200) found++;
  }
  return found;
}
