/**
 * The open ends of quicklists: whatever is pushed and popped, the nodes are byte for byte those of
 * a list whose ends are closed after every change; bytes are counted exactly; and what a snapshot
 * holds stays as it was.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EncodingLimits } from '../../../src/core/encoding-limits.ts';
import { Arena } from '../../../src/core/memory/arena.ts';
import { DirectoryPath } from '../../../src/core/struct/directory-path.ts';
import { lpElement, lpGet } from '../../../src/core/struct/listpack.ts';
import { lpValid } from '../../../src/core/struct/listpack-valid.ts';
import { Quicklist } from '../../../src/core/struct/quicklist.ts';
import { NODE_PLAIN, NodeReader } from '../../../src/core/struct/quicklist-node.ts';
import { ENTRY_WORDS } from '../../../src/core/struct/quicklist-nodes.ts';
import { bytesOf, element } from '../types/samples.ts';

const path = new DirectoryPath();
const reader = new NodeReader();

/** What the node that the path shows holds, and that it is a listpack if it should be one. */
function nodeShown(arena: Arena): string {
  reader.open(arena, path);
  const { base, bytes } = reader;
  const isPlain = (path.kind & NODE_PLAIN) !== 0;
  if (!isPlain) expect(lpValid(bytes, base, path.bytes, true)).toBe(true);
  const text = Buffer.from(bytes.subarray(base, base + path.bytes)).toString('latin1');
  return `${isPlain ? 'plain' : path.count}:${text}`;
}

class Side {
  readonly arena = new Arena();
  readonly list: Quicklist;
  private held: { entries: Uint32Array; nodes: string[]; left: number[] } | null = null;

  constructor(limits: EncodingLimits) {
    this.list = new Quicklist(this.arena, limits);
  }

  /** Takes out the element at one end, as a pop does; null when there is none. */
  pop(atHead: boolean): string | null {
    const { list } = this;
    if (list.count === 0) return null;
    const end = list.openEnd(atHead);
    if (end !== null) {
      const at = end.entryAt(atHead);
      lpGet(end.bytes, 0, at);
      lpElement.asText();
      const { bytes, length, offset } = lpElement;
      const text = Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
      list.nodes.ends.pop(end, at, atHead);
      return text;
    }
    list.deleteRange(atHead ? 0 : list.count - 1, 1);
    return '';
  }

  /** All nodes, byte for byte. */
  nodes(): string[] {
    const { directory } = this.list.nodes;
    const found: string[] = [];
    for (let more = directory.first(path); more; more = directory.next(path)) {
      found.push(nodeShown(this.arena));
    }
    return found;
  }

  hold(): void {
    if (this.held !== null) return;
    const left: number[] = [];
    const nodes = this.nodes();
    const entries = this.list.nodes.hold({ leave: (block) => void left.push(block) });
    this.held = { entries, nodes, left };
  }

  /** The snapshot is over: what it held is what the list was when it began. */
  letGo(): void {
    const { held } = this;
    if (held === null) return;
    this.held = null;
    const found: string[] = [];
    for (let at = 0; at < held.entries.length; at += ENTRY_WORDS) {
      path.read(held.entries, at);
      found.push(nodeShown(this.arena));
    }
    expect(found).toEqual(held.nodes);
    this.list.nodes.letGo();
    for (const block of held.left) this.arena.free(block);
  }

  get heldBytes(): number {
    let bytes = 0;
    for (const block of this.held?.left ?? []) bytes += this.arena.sizeOf(block);
    return bytes;
  }
}

const settings = fc.record({
  fill: fc.constantFrom(1, 2, 7, 128, -1, -2, -5),
  depth: fc.constantFrom(0, 0, 1, 2),
  threshold: fc.constantFrom(1 << 30, 1 << 30, 64),
});
const kind = fc.constantFrom('push', 'push', 'push', 'pop', 'pop', 'look', 'cut', 'hold', 'letGo');
const step = fc.record({
  kind,
  value: element,
  atHead: fc.boolean(),
  times: fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(200) }),
});

test('open ends leave the nodes that closed ones would', () => {
  fc.assert(
    fc.property(
      settings,
      fc.array(step, { maxLength: 60 }),
      ({ depth, fill, threshold }, steps) => {
        const limits = new EncodingLimits();
        limits.listMaxListpackSize = fill;
        limits.listCompressDepth = depth;
        limits.listPackedThreshold = threshold;
        const open = new Side(limits);
        const closed = new Side(limits);
        const model: string[] = [];
        for (const { atHead, kind, times, value } of steps) {
          for (let i = 0; i <= times; i++) {
            if (kind === 'push') {
              for (const { list } of [open, closed]) {
                list.push(bytesOf(value), 0, value.length, atHead);
              }
              if (atHead) model.unshift(value);
              else model.push(value);
            } else if (kind === 'pop') {
              const found = open.pop(atHead);
              const expected = (atHead ? model.shift() : model.pop()) ?? null;
              if (found !== '') expect(found).toBe(expected);
              closed.pop(atHead);
            } else if (kind === 'cut' && model.length > 2) {
              for (const { list } of [open, closed]) list.deleteRange(atHead ? 0 : 1, 2);
              model.splice(atHead ? 0 : 1, 2);
            }
            closed.list.nodes.directory.first(path);
          }
          expect(open.list.count).toBe(model.length);
          expect(open.list.nodeCount).toBe(closed.list.nodeCount);
          expect(open.list.memoryBytes() + open.heldBytes).toBe(open.arena.usedBytes);
          if (kind === 'hold') open.hold();
          if (kind === 'letGo') open.letGo();
          if (kind === 'look') expect(open.nodes()).toEqual(closed.nodes());
        }
        expect(open.nodes()).toEqual(closed.nodes());
        open.letGo();
        while (open.list.release(7));
        expect(open.arena.usedBytes).toBe(0);
      },
    ),
    { numRuns: 80, seed: 20260 },
  );
});

test('queues and stacks of one node and of many are pushed and popped in place', () => {
  for (const [pushHead, popHead] of [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ] as const) {
    const { arena, list } = new Side(new EncodingLimits());
    const side = { pushed: 0, popped: 0 };
    const push = (): void => {
      const text = `element ${side.pushed++}`;
      list.push(bytesOf(text), 0, text.length, pushHead);
    };
    for (let i = 0; i < 400; i++) push();
    let wrong = 0;
    for (let i = 0; i < 5000; i++) {
      push();
      if (i % 3 === 0) push();
      const end = list.openEnd(popHead);
      if (end === null) list.deleteRange(popHead ? 0 : list.count - 1, 1);
      else list.nodes.ends.pop(end, end.entryAt(popHead), popHead);
      side.popped++;
      if (list.count !== side.pushed - side.popped) wrong++;
    }
    expect(wrong).toBe(0);
    expect(list.nodes.ends.isBusy).toBe(true);
    expect(list.nodes.directory.elements).toBe(list.count);
    expect(list.nodes.ends.isBusy).toBe(false);
    expect(list.memoryBytes()).toBe(arena.usedBytes);
    // At most a third is room that was made ahead.
    expect(arena.usedBytes).toBeLessThan(1.5 * list.nodes.plainBytes());
  }
});
