/**
 * Damaged dumps: cut at every byte, every byte changed. Never a crash, never a hang, always
 * noticed.
 */
import { describe, expect, it } from 'vitest';
import { Crc64 } from '../../../src/persistence/crc64.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { checkRdb } from '../../../src/persistence/tools/check-rdb.ts';
import { bodyOf, FORMS, rdbString } from './rdb-forms.ts';
import {
  fileReader,
  latin1,
  loaded,
  loadInto,
  makeKeyspace,
  NOW_MS,
  put,
  saved,
} from './rdb-support.ts';

const VERSIONS = [5, 9, 10, 11, 12, 80];
const HEAD_BITS = 12 * 8;
const STEP_BITS = 97;

function smallDump(checksum: boolean): Uint8Array {
  const keyspace = makeKeyspace();
  put(keyspace, 0, 'plain', 'value');
  put(keyspace, 0, 'number', '12345');
  put(keyspace, 0, 'wide number', '123456789012345');
  put(keyspace, 0, 'compressed', 'abc'.repeat(60));
  put(keyspace, 2, '77', 'expires', NOW_MS + 1000);
  put(keyspace, 15, 'k'.repeat(70), '');
  return saved(keyspace, { checksum, functions: [latin1('#!lua name=x\n')] });
}

/** What a load makes of it: the error's name, or `fine`. */
function verdict(load: () => unknown): string {
  try {
    load();
    return 'fine';
  } catch (error) {
    expect(error).toBeInstanceOf(RdbError);
    return 'refused';
  }
}

function fedWhole(bytes: Uint8Array): void {
  const reader = RdbReader.fed();
  reader.feed(bytes);
  reader.endOfFeed();
  const load = loadInto(makeKeyspace(), reader, { expired: 'keep' });
  if (!load.step(1000, () => 0)) throw new Error('neither loaded nor refused');
}

describe('a damaged dump', () => {
  const dump = smallDump(true);

  it('is whole to begin with', () => {
    expect(verdict(() => loaded(fileReader(dump)))).toBe('fine');
    expect(checkRdb(fileReader(dump), NOW_MS)).toMatchObject({ ok: true, keys: 6, expires: 1 });
  });

  it('is refused wherever it is cut', () => {
    for (let length = 0; length < dump.length; length++) {
      const cut = dump.subarray(0, length);
      expect(
        verdict(() => loaded(fileReader(cut))),
        `cut at ${length}`,
      ).toBe('refused');
      expect(
        verdict(() => fedWhole(cut)),
        `fed, cut at ${length}`,
      ).toBe('refused');
      const report = checkRdb(fileReader(cut), NOW_MS);
      expect(report.ok).toBe(false);
      expect(report.offset).toBeLessThanOrEqual(length);
    }
  });

  it('is refused whichever byte is changed', () => {
    for (let at = 0; at < dump.length; at++) {
      for (const change of [0x01, 0x80, 0xff, 0x40]) {
        const changed = dump.slice();
        changed[at]! ^= change;
        const name = `byte ${at} changed by ${change}`;
        expect(
          verdict(() => loaded(fileReader(changed))),
          name,
        ).toBe('refused');
        expect(checkRdb(fileReader(changed), NOW_MS).ok, name).toBe(false);
      }
    }
  });

  it('without a checksum is loaded or refused, and never more than that', () => {
    const bare = smallDump(false);
    let fine = 0;
    for (let at = 0; at < bare.length; at++) {
      for (let value = 0; value < 256; value += 23) {
        const changed = bare.slice();
        changed[at] = value;
        if (verdict(() => loaded(fileReader(changed), { checksum: false })) === 'fine') fine++;
        checkRdb(fileReader(changed), NOW_MS);
      }
    }
    expect(fine).toBeGreaterThan(50);
  });

  it('with a wrong checksum loads when nobody looks', () => {
    const changed = dump.slice();
    changed[changed.length - 1]! ^= 1;
    expect(() => loaded(fileReader(changed))).toThrow(/checksum is wrong/);
    expect(loaded(fileReader(changed), { checksum: false }).load.keys).toBe(6);
  });

  it('of any form of a value and any version is refused whichever bit is flipped', () => {
    // Some bits of each, others of each version; all of the header and of the first key's head.
    let flips = 0;
    const options = { keyspace: makeKeyspace(), duplicates: 'replace' } as const;
    for (const [i, form] of FORMS.entries()) {
      // All versions with the first form, then each form with one of them.
      for (const [j, version] of VERSIONS.entries()) {
        if (i > 0 && j !== i % VERSIONS.length) continue;
        const entry = [Buffer.from([form.type]), rdbString(latin1('k')), bodyOf(form.segments)];
        const magic = version === 80 ? 'VALKEY080' : `REDIS${String(version).padStart(4, '0')}`;
        const bytes = summed(Buffer.concat([latin1(magic), ...entry, Buffer.from([0xff])]));
        expect(verdict(() => loaded(fileReader(bytes), options))).toBe('fine');
        for (let bit = 0; bit < bytes.length * 8; bit += bit < HEAD_BITS ? 1 : STEP_BITS) {
          const at = (bit + i * 5 + j) % (bytes.length * 8);
          const changed = bytes.slice();
          changed[at >>> 3]! ^= 1 << (at & 7);
          const name = `${form.name} in version ${version}, bit ${at}`;
          expect(
            verdict(() => loaded(fileReader(changed))),
            name,
          ).toBe('refused');
          flips++;
        }
      }
    }
    expect(flips).toBeGreaterThan(3000);
  });
});

function summed(bytes: Uint8Array): Uint8Array {
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  const whole = new Uint8Array(bytes.length + 8);
  whole.set(bytes);
  crc.writeTo(whole, bytes.length);
  return whole;
}
