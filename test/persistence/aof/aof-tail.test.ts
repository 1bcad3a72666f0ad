/** The end of the stream that a load gives to who wants it: which bytes, and when none. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AofTailSink } from '../../../src/persistence/aof/aof-tail.ts';
import { command, emptyRdb, load, PLACE, turn } from '../../support/aof-samples.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

const FOLDER = `${PLACE.dir}/${PLACE.appendDirName}`;
const ID = 'ab'.repeat(20);

const position = (kind: 'p' | 'r', offset: number): Buffer =>
  Buffer.from(`#RP:${kind}:${ID}:${offset}:0\r\n`);

/** Keeps all that it is given; `from` is where that begins, -1 while nothing was given. */
class Kept implements AofTailSink {
  from = -1;
  readonly #pieces: Buffer[] = [];
  readonly wanted: number;

  constructor(wanted: number) {
    this.wanted = wanted;
  }

  begin(streamOffset: number): void {
    this.from = streamOffset;
  }

  take(bytes: Uint8Array, from: number, length: number): void {
    this.#pieces.push(Buffer.from(bytes.subarray(from, from + length)));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

/** Loads increments of these contents. */
async function tailOf(wanted: number, ...increments: Buffer[]) {
  const fs = new FaultyFileSystem();
  const lines = increments.map((bytes, i) => {
    fs.put(`${FOLDER}/a.${i + 1}.incr.aof`, bytes);
    return `file a.${i + 1}.incr.aof seq ${i + 1} type i\n`;
  });
  fs.put(`${FOLDER}/a.1.base.rdb`, emptyRdb());
  lines.unshift('file a.1.base.rdb seq 1 type b\n');
  fs.put(`${FOLDER}/a.manifest`, Buffer.from(lines.join('')));
  const kept = new Kept(wanted);
  const { report, log } = await load(fs, { tail: kept });
  return { kept, report, log };
}

const set = (i: number, size = 3): Buffer => command('SET', `key:${i}`, '#'.repeat(size));

describe('the tail', () => {
  it('is what stands behind the last position line, without lines', async () => {
    const parts = [turn(set(1)), turn(set(2)), position('p', 900), turn(set(3), 1_700_000_000)];
    const { kept, report } = await tailOf(
      1 << 20,
      Buffer.concat([...parts, turn(Buffer.concat([set(4), set(5)])), set(6)]),
    );
    expect(kept.from).toBe(900);
    expect(kept.bytes).toEqual(Buffer.concat([3, 4, 5, 6].map((i) => set(i))));
    expect(report.position?.offset).toBe(900 + kept.bytes.length);
  });

  it('has transactions as they came, and values that look like lines', async () => {
    const body = [command('MULTI'), set(1), command('SET', 'a', '\r\n#CK:'), command('EXEC')];
    const text = Buffer.concat([position('p', 5), turn(Buffer.concat([...body, set(2)]))]);
    const { kept } = await tailOf(1, text);
    expect(kept.bytes.subarray(-set(2).length)).toEqual(set(2));
    expect(Buffer.concat([...body, set(2)]).subarray(kept.from - 5)).toEqual(kept.bytes);
  });

  it('goes on in a file without a line, and ends where that was cut', async () => {
    const torn = turn(Buffer.concat([set(2), set(3)])).subarray(0, -1);
    const { kept, report } = await tailOf(
      1 << 20,
      Buffer.concat([position('p', 900), turn(set(1))]),
      Buffer.from(torn),
    );
    expect(kept.from).toBe(900 + set(1).length);
    expect(kept.bytes).toEqual(set(2));
    expect(report.position?.offset).toBe(kept.from + kept.bytes.length);
  });

  it.each([
    ['no position is known', Buffer.concat([turn(set(1))])],
    ['the words are those of a replica', Buffer.concat([position('r', 9), turn(set(1))])],
    [
      'the place was lost',
      Buffer.concat([position('p', 9), turn(set(1)), Buffer.from('#RP:-\r\n')]),
    ],
    ['nothing follows', Buffer.concat([turn(set(1)), position('p', 9)])],
  ])('is nothing where %s', async (_why, bytes) => {
    expect((await tailOf(1 << 20, bytes)).kept.from).toBe(-1);
  });

  it('is as long as is wanted or all there is, and not much longer', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 200_000 }), async (all, wanted) => {
        const turns = all.map((size, i) => Buffer.concat([set(i, size), set(i, 1)]));
        const stream = Buffer.concat(turns);
        const file = Buffer.concat([position('p', 70), ...turns.map((one) => turn(one))]);
        const { kept } = await tailOf(wanted, file);
        const { bytes, from } = kept;
        expect(from + bytes.length).toBe(70 + stream.length);
        expect(bytes.equals(stream.subarray(from - 70))).toBe(true);
        expect(bytes.length).toBeGreaterThanOrEqual(Math.min(wanted, stream.length));
        expect(bytes.length).toBeLessThan(2 * wanted + 7000);
      }),
      { numRuns: 60 },
    );
  });

  it('has values that are larger than what is read at once', async () => {
    const big = [set(1, 700_000), set(2, 10), set(3, 300_000)];
    const file = Buffer.concat([position('p', 0), ...big.map((one) => turn(one))]);
    const { kept } = await tailOf(1 << 20, file);
    expect(kept.bytes.equals(Buffer.concat(big))).toBe(true);
  });
});
