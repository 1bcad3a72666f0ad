/** Nodes of streams, sound and damaged: the walk of a block against the walk of a longer node. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { stagedText } from '../../../src/core/struct/block-stage.ts';
import {
  LP_EMPTY_BYTES,
  lpBytes,
  lpInit,
  lpPut,
  lpPutEnd,
} from '../../../src/core/struct/listpack.ts';
import { lzfCompress } from '../../../src/core/struct/lzf.ts';
import { unpackStaged } from '../../../src/core/struct/lzf-machine.ts';
import { StreamId } from '../../../src/core/struct/stream-id.ts';
import { countElements } from '../../../src/core/struct/stream-machine.ts';
import { countLongNode, nodeInOrder, nodeValid } from '../../../src/core/struct/stream-valid.ts';

const ROOM = 60_000;

/** A listpack of these texts; those of integers become integers. */
function listpackOf(texts: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(ROOM);
  lpInit(bytes, 0);
  let at = LP_EMPTY_BYTES - 1;
  for (const text of texts) at = lpPut(bytes, at, Buffer.from(text, 'latin1'), 0, text.length);
  lpPutEnd(bytes, 0, at, texts.length);
  return bytes.slice(0, lpBytes(bytes, 0));
}

const integer = fc.oneof(
  fc.bigInt(0n, 127n),
  fc.bigInt(-4096n, 4095n),
  fc.bigInt(-(1n << 23n), 1n << 23n),
  fc.bigInt(-(1n << 40n), 1n << 40n),
);
const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.nat(400).map((n) => 'x'.repeat(n)),
  fc.constantFrom(4095, 4096, 17_000).map((n) => 'y'.repeat(n)),
  integer.map(String),
);
const entry = fc.record({
  deleted: fc.boolean(),
  same: fc.boolean(),
  ms: integer,
  seq: integer,
  pairs: fc.array(text, { minLength: 2, maxLength: 6 }),
});

const node = fc
  .tuple(fc.array(text, { minLength: 1, maxLength: 3 }), fc.array(entry))
  .map(([fields, entries]) => {
    const gone = entries.filter(({ deleted }) => deleted).length;
    const texts = [`${entries.length - gone}`, `${gone}`, `${fields.length}`, ...fields, '0'];
    for (const { deleted, same, ms, seq, pairs } of entries) {
      const own = pairs.slice(0, pairs.length & ~1);
      const data = same ? fields.map((field) => `${field}!`) : [`${own.length / 2}`, ...own];
      const flags = (deleted ? 1 : 0) + (same ? 2 : 0);
      texts.push(`${flags}`, `${ms}`, `${seq}`, ...data, `${data.length + 3}`);
    }
    return texts;
  });

describe('a node of a stream from outside', () => {
  it('is taken when it is sound, whatever its elements, and not without an entry', () => {
    fc.assert(
      fc.property(node, (texts) => {
        if (texts.join('').length > ROOM / 2) return;
        const bytes = listpackOf(texts);
        expect(nodeValid(bytes, 0, bytes.length)).toBe(texts[0] !== '0' || texts[1] !== '0');
      }),
      { numRuns: 200 },
    );
  });

  it('is judged as a block as it is when it is long', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 });
    let sound = 0;
    let damaged = 0;
    fc.assert(
      fc.property(node, damage, (texts, changes) => {
        if (texts.join('').length > ROOM / 2) return;
        const bytes = listpackOf(texts);
        const end = bytes.length - 1;
        for (const [at, value] of changes) bytes[6 + (at % (end - 6))] = value;
        const count = countElements(bytes, 0, bytes.length);
        expect(count).toBe(countLongNode(bytes, 0, end));
        if (count < 0) damaged++;
        else sound++;
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(sound, damaged)).toBeGreaterThan(100);
  });

  it('is judged where it was unpacked as anywhere else', () => {
    const same = ['2', '0', '1', 'field', '0', '2', '1', '0', 'a'.repeat(60), '4'];
    const sound = listpackOf([...same, '2', '2', '0', 'a'.repeat(60), '4']);
    const damaged = listpackOf([...same, '2', '2', '0', 'a'.repeat(60), '5']);
    expect(sound.length).toBe(damaged.length);
    for (const bytes of [sound, damaged, sound]) {
      const packed = new Uint8Array(ROOM);
      const { length } = bytes;
      const size = lzfCompress(bytes, 0, length, packed, 0, ROOM);
      expect(unpackStaged(packed, 0, size, length)).toBe(true);
      expect(nodeValid(stagedText(length), 0, length)).toBe(bytes === sound);
      expect(nodeValid(bytes, 0, length)).toBe(bytes === sound);
    }
  });
});

/** An element: its encoding and data, and behind it how long they are. */
function elementOf(body: readonly number[]): number[] {
  const { length } = body;
  const low7 = (shift: number): number => (length >> shift) & 127;
  if (length < 128) return [...body, length];
  if (length < 1 << 14) return [...body, low7(7), low7(0) | 128];
  return [...body, low7(14), low7(7) | 128, low7(0) | 128];
}

/** A node of these elements, however they are encoded. */
function nodeOf(elements: readonly (readonly number[])[]): Uint8Array {
  const body = elements.flat();
  const length = body.length + 7;
  const size = [length & 255, (length >> 8) & 255, length >> 16, 0];
  return Uint8Array.of(...size, elements.length & 255, elements.length >> 8, ...body, 0xff);
}

/** What both walks say, which must be the same. */
function judged(bytes: Uint8Array): number {
  const count = countElements(bytes, 0, bytes.length);
  expect(count).toBe(countLongNode(bytes, 0, bytes.length - 1));
  return count;
}

const small = (value: number): number[] => [value, 1];

function wide(kind: number, value: bigint): number[] {
  const size = { 241: 2, 242: 3, 243: 4, 244: 8 }[kind]!;
  const bytes = Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
  return elementOf([kind, ...bytes]);
}

function bits13(value: number): number[] {
  return elementOf([0xc0 | ((value >> 8) & 31), value & 255]);
}

function textOf(length: number): number[] {
  const data = Array.from({ length }, () => 0x78);
  if (length < 64) return elementOf([0x80 | length, ...data]);
  if (length < 4096) return elementOf([0xe0 | (length >> 8), length & 255, ...data]);
  return elementOf([0xf0, length & 255, length >> 8, 0, 0, ...data]);
}

const text32 = (data: readonly number[]): number[] => {
  return elementOf([0xf0, data.length & 255, data.length >> 8, 0, 0, ...data]);
};

/** An entry with fields of its own: these, of which there is an even number. */
const ownEntry = (data: readonly (readonly number[])[]): number[][] => [
  ...[small(0), small(0), small(0), small(data.length / 2)],
  ...data.map((one) => [...one]),
  small(data.length + 4),
];

/** Every encoding, with the integers at its ends and those that are 1, 2 and 3. */
const ELEMENTS: readonly number[][] = [
  ...[0, 1, 2, 3, 127].map(small),
  ...[0, 1, 2, 3, 4095, -1, -4096].map(bits13),
  ...[1n, 2n, 3n, 32_767n, -1n, -32_768n, -32_767n, -32_766n].map((n) => wide(0xf1, n)),
  ...[1n, 2n, 3n, (1n << 23n) - 1n, -1n, -(1n << 23n), 1n - (1n << 23n)].map((n) => wide(0xf2, n)),
  ...[1n, 2n, 3n, (1n << 30n) - 1n, 1n << 30n, (1n << 30n) + 1n].map((n) => wide(0xf3, n)),
  ...[-1n, 1n - (1n << 31n), (1n << 31n) - 1n].map((n) => wide(0xf3, n)),
  ...[1n, 2n, 3n, (1n << 30n) - 1n, 1n << 30n].map((n) => wide(0xf4, n)),
  // In 32 bits they would be what stands in some places.
  ...[0n, 1n, 2n, 3n, 4n].map((n) => wide(0xf4, (1n << 32n) + n)),
  ...[-1n, 1n - (1n << 63n), (1n << 63n) - 1n].map((n) => wide(0xf4, n)),
  ...[0, 1, 63].map(textOf),
  ...[elementOf([0xe0, 0]), elementOf([0xe0, 1, 0x31]), textOf(300)],
  ...[text32([]), text32([0x31]), text32([1, 2, 3])],
  ...[0xf5, 0xf6, 0xfe, 0xff].map((kind) => elementOf([kind, ...Array(kind - 0xef).fill(0)])),
];

describe('a node of a stream from outside, element by element', () => {
  it('is judged as a block as it is when it is long, whatever stands in each place', () => {
    const sound = [
      ...[small(2), small(1), small(1), textOf(5), small(0)],
      ...[small(2), small(0), small(1), textOf(3), small(4)],
      ...[small(3), small(0), small(2), textOf(3), small(4)],
      ...ownEntry([textOf(2), small(9)]),
    ];
    expect(judged(nodeOf(sound))).toBe(sound.length);
    let taken = 0;
    for (const i of sound.keys()) {
      for (const element of ELEMENTS) {
        const bytes = nodeOf([...sound.slice(0, i), element, ...sound.slice(i + 1)]);
        const count = judged(bytes);
        if (count < 0) continue;
        taken++;
        expect(count).toBe(sound.length);
      }
    }
    expect(taken).toBeGreaterThan(400);
  });

  const LENGTHS = [0, 62, 63, 64, 124, 125, 126, 127, 4095, 4096, 16_377, 16_378, 16_379, 16_380];

  it.each(LENGTHS)('is taken with a text of %i bytes, and not with a wrong length behind', (n) => {
    const before = [small(1), small(0), small(1)];
    const behind = [small(0), small(2), small(0), small(0), textOf(1), small(4)];
    const element = textOf(n);
    const node = [...before, element, ...behind];
    const bytes = nodeOf(node);
    expect(nodeValid(bytes, 0, bytes.length)).toBe(true);
    expect(judged(bytes)).toBe(node.length);
    const end = 6 + before.flat().length + element.length;
    const body = n + (n < 64 ? 1 : n < 4096 ? 2 : 5);
    for (let at = end - element.length + body; at < end; at++) {
      for (const bit of [1, 64, 128]) {
        bytes[at]! ^= bit;
        expect(judged(bytes)).toBe(-1);
        bytes[at]! ^= bit;
      }
    }
  });

  it('is refused where a length leads around the memory, back into what was passed', () => {
    // The second text says a length of nearly 4 GiB, and in the first stands what is looked for
    // five bytes before it: how long it is, and a text that reaches behind it.
    const first = [0x84, 0x7f, 0xff, 0xfb, 0x86, 5];
    const around = [0xf0, 0xf6, 0xff, 0xff, 0xff];
    // Read so, these are three of the four texts of an entry.
    const entry = [...[0, 0, 0, 2].map(small), first, [...around, 7], small(0), small(8)];
    const bytes = nodeOf([...[1, 0, 1, 0, 0].map(small), ...entry]);
    expect(judged(bytes)).toBe(-1);
    expect(nodeValid(bytes, 0, bytes.length)).toBe(false);
  });

  it('is refused when it counts its elements wrong, unless it leaves that open', () => {
    const node = [small(1), small(0), small(1), textOf(1), small(0)];
    const bytes = nodeOf([...node, small(2), small(0), small(0), textOf(1), small(4)]);
    for (const [count, isTaken] of [
      [10, true],
      [0xffff, true],
      [9, false],
      [0, false],
    ] as const) {
      bytes.set([count & 255, count >> 8], 4);
      expect(nodeValid(bytes, 0, bytes.length)).toBe(isTaken);
    }
  });

  it('is refused with a wrong head, end or element, and also where its count is open', () => {
    const node = [small(1), small(0), small(1), textOf(1), small(0)];
    const sound = nodeOf([...node, small(2), small(0), small(0), textOf(1), small(4)]);
    const { length } = sound;
    for (const [at, value] of [
      [0, length + 1],
      [3, 1],
      [length - 1, 0],
      [length - 2, 2],
    ] as const) {
      for (const count of [10, 0xffff]) {
        const bytes = sound.slice();
        bytes.set([count & 255, count >> 8], 4);
        expect(nodeValid(bytes, 0, length)).toBe(true);
        bytes[at] = value;
        expect(nodeValid(bytes, 0, length)).toBe(false);
      }
    }
    expect(nodeValid(sound, 0, length - 1)).toBe(false);
    expect(nodeValid(sound, 0, 0)).toBe(false);
  });
});

type Id = readonly [ms: number, seq: number];

describe('the entries of a node', () => {
  const master = new StreamId().set(0, 5, 0, 3);

  /** Whether entries come in order that are so far behind the node's first id. */
  function inOrder(...entries: readonly Id[]): boolean {
    const head = [small(entries.length), small(0), small(1), textOf(1), small(0)];
    const all = entries.flatMap(([ms, seq]) => {
      return [small(2), bits13(ms), bits13(seq), textOf(1), small(4)];
    });
    return nodeInOrder(nodeOf([...head, ...all]), 0, master, last);
  }
  const last = new StreamId();
  beforeEach(() => void last.set(0, 5, 0, 2));

  it('come in order, which goes on in the next node', () => {
    expect(inOrder([0, 0], [0, 1], [1, -3], [1, -2])).toBe(true);
    expect([last.msLow, last.seqLow]).toEqual([6, 1]);
    expect(inOrder([1, -1])).toBe(true);
    expect(inOrder([1, -1])).toBe(false);
  });

  it.each<[string, Id, Id]>([
    ['the same twice', [0, 0], [0, 0]],
    ['one before the last', [2, 0], [1, 9]],
    ['one before the first id', [-1, 9], [1, 0]],
  ])('are refused: %s', (_what, first, second) => {
    last.clear();
    expect(inOrder(first, second)).toBe(false);
  });
});
