/** Nodes of streams, sound and damaged: the walk of a block against the walk of a longer node. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
import { countElements } from '../../../src/core/struct/stream-machine.ts';
import { countLongNode, nodeValid } from '../../../src/core/struct/stream-valid.ts';

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
