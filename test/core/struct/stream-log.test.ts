/** The log of a stream against a plain list, and that it gives back all memory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { Args } from '../../../src/core/resp/args.ts';
import { lpBytes } from '../../../src/core/struct/listpack.ts';
import { StreamCursor } from '../../../src/core/struct/stream-cursor.ts';
import { StreamId } from '../../../src/core/struct/stream-id.ts';
import { StreamLog } from '../../../src/core/struct/stream-log.ts';
import { streamTrim } from '../../../src/core/struct/stream-trim.ts';
import { nodeValid } from '../../../src/core/struct/stream-valid.ts';

type Entry = { readonly id: bigint; readonly words: readonly string[] };

const LOW = (1n << 64n) - 1n;
const idOf = (value: bigint): StreamId => new StreamId().setBig(value >> 64n, value & LOW);
const argsOf = (words: readonly string[]): Args => {
  const args = new Args();
  args.setTo(words.map((word) => Buffer.from(word, 'latin1')));
  return args;
};

function entriesOf(log: StreamLog, from: bigint, to: bigint, reverse: boolean): string[] {
  const cursor = new StreamCursor();
  const found: string[] = [];
  const shown = ({ bytes, offset, length }: typeof cursor.field): string =>
    Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
  cursor.start(log, idOf(from), idOf(to), reverse);
  while (cursor.next()) {
    const words: string[] = [];
    while (cursor.nextField()) words.push(shown(cursor.field), shown(cursor.value));
    found.push(`${cursor.id} ${words.join(',')}`);
  }
  return found;
}

const shownEntry = ({ id, words }: Entry): string => `${idOf(id)} ${words.join(',')}`;

function checkNodes(log: StreamLog): void {
  for (let i = 0; i < log.nodeCount; i++) {
    const block = log.nodeBlock(i);
    const bytes = log.arena.bytes(block);
    const base = log.arena.byteOffset(block);
    expect(nodeValid(bytes, base, lpBytes(bytes, base))).toBe(true);
    expect(lpBytes(bytes, base)).toBeLessThanOrEqual(log.arena.sizeOf(block));
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    gap: fc.oneof(fc.bigInt(1n, 5n), fc.bigInt(1n, 1n << 70n)),
    words: fc.constantFrom(['f', '1'], ['f', 'text'], ['g', '-5', 'h', ''], ['f', 'x'.repeat(300)]),
  }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('trim' as const), keep: fc.nat(40) }),
);

describe('the log of a stream', () => {
  it('holds what a list holds', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120 }),
        fc.constantFrom(3, 10, 100),
        (steps, most) => {
          const arena = new Arena();
          const log = new StreamLog(arena);
          let model: Entry[] = [];
          let last = 0n;
          for (const one of steps) {
            if (one.kind === 'add') {
              last += one.gap;
              const pairs = one.words.length / 2;
              expect(log.append(idOf(last), argsOf(one.words), 0, pairs, 4096, most)).toBe(true);
              model.push({ id: last, words: one.words });
            } else if (one.kind === 'trim') {
              const limits = { approximate: false, limit: 0, minId: new StreamId() };
              streamTrim(log, { byLength: true, maxLength: one.keep, ...limits });
              model = model.slice(Math.max(model.length - one.keep, 0));
            } else if (model.length > 0) {
              const [gone] = model.splice(one.at % model.length, 1);
              expect(log.remove(idOf(gone!.id))).toBe(true);
              expect(log.remove(idOf(gone!.id))).toBe(false);
            }
          }
          checkNodes(log);
          expect(log.length).toBe(model.length);
          const whole = model.map(shownEntry);
          expect(entriesOf(log, 0n, (1n << 128n) - 1n, false)).toEqual(whole);
          expect(entriesOf(log, 0n, (1n << 128n) - 1n, true)).toEqual([...whole].reverse());
          const [from, to] = [model[1]?.id ?? 0n, model.at(-2)?.id ?? 0n];
          const part = model.filter(({ id }) => id >= from && id <= to).map(shownEntry);
          expect(entriesOf(log, from, to, false)).toEqual(part);
          const copy = log.clone();
          expect(entriesOf(copy, 0n, (1n << 128n) - 1n, false)).toEqual(whole);
          expect(log.memoryBytes() + copy.memoryBytes()).toBe(arena.usedBytes);
          while (copy.release(2)) expect(arena.usedBytes).toBeGreaterThan(0);
          while (log.release(2)) expect(arena.usedBytes).toBeGreaterThan(0);
          expect(arena.usedBytes).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('writes no byte behind the block of a node', () => {
    const lengths = [
      0, 1, 2, 5, 10, 19, 20, 62, 63, 64, 65, 122, 130, 4093, 4095, 4096, 4097, 70_000,
    ];
    const words = lengths.flatMap((length) => [
      'x'.repeat(length),
      '9'.repeat(Math.min(length, 20)),
    ]);
    const lists = [
      words,
      ...words.map((word) => ['f', word]),
      ...words.map((word) => [word, '-1']),
    ];
    for (const gap of [1n, 1n << 31n, 1n << 63n, (1n << 119n) + (1n << 54n)]) {
      const arena = new Arena();
      const log = new StreamLog(arena);
      let last = 0n;
      for (let i = 0; i < 250; i++) {
        const list = lists[i % lists.length]!;
        last += gap;
        log.append(idOf(last), argsOf(list), 0, list.length / 2, i < 50 ? 0 : 1, 0);
        if (i % 25 === 0) checkNodes(log);
      }
      checkNodes(log);
      expect(log.nodeCount).toBe(201);
      const little = new StreamLog(arena);
      for (let i = 0n; i < 300n; i++) {
        little.append(idOf(i * gap + 1n), argsOf([i % 2n === 0n ? 'f' : 'g', '']), 0, 1, 0, 0);
        checkNodes(little);
      }
    }
  });

  it('keeps pending entries in order, each with one consumer', () => {
    const ids = fc.array(fc.tuple(fc.nat(400), fc.nat(3)), { maxLength: 900 });
    fc.assert(
      fc.property(ids, (steps) => {
        const arena = new Arena();
        const log = new StreamLog(arena);
        const group = log.addGroup('g', new StreamId(), 0)!;
        const consumers = ['a', 'b', 'c'].map((name) => group.addConsumer(name, 0));
        const model = new Map<number, number>();
        for (const [seq, owner] of steps) {
          const id = idOf(BigInt(seq));
          const there = group.pending.find(id);
          expect(there !== 0).toBe(model.has(seq));
          if (owner === 3) expect(group.removePending(id)).toBe(model.delete(seq));
          else {
            if (there === 0) group.addPending(id, consumers[owner]!, 5, 1);
            else group.movePending(there, consumers[owner]!);
            model.set(seq, owner);
          }
        }
        const sorted = [...model.keys()].sort((x, y) => x - y);
        for (const [i, list] of [group.pending, ...consumers.map((c) => c.pending)].entries()) {
          const want = sorted.filter((seq) => i === 0 || model.get(seq) === i - 1);
          const found: number[] = [];
          for (let at = list.first(); at !== 0; at = list.next()) {
            found.push(arena.words(at)[arena.wordOffset(at) + 3]!);
          }
          expect(found).toEqual(want);
          expect(list.size).toBe(want.length);
        }
        const copy = log.clone();
        expect(log.memoryBytes() + copy.memoryBytes()).toBe(arena.usedBytes);
        group.removeConsumer(consumers[1]!);
        expect(group.pending.size).toBe(sorted.filter((seq) => model.get(seq) !== 1).length);
        expect(arena.besideBytes).toBeGreaterThan(0);
        while (log.release(10));
        while (copy.release(10));
        expect(arena.besideBytes).toBe(0);
        expect(arena.usedBytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
