/** CRC64: the published check value, every split, every alignment, every flipped bit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Crc64 } from '../../src/persistence/crc64.ts';

/** The definition, bit by bit. */
function slowCrc64(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
    }
  }
  return crc;
}

function crcOf(bytes: Uint8Array): bigint {
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  return crc.toBigInt();
}

describe('Crc64', () => {
  it('gives the published check values', () => {
    expect(crcOf(Buffer.from('123456789'))).toBe(0xe9c6d914c4b8d9can);
    expect(crcOf(new Uint8Array(0))).toBe(0n);
    const text = `This is a test of the emergency broadcast system.${'x'.repeat(2000)}`;
    expect(crcOf(Buffer.from(text))).toBe(slowCrc64(Buffer.from(text)));
  });

  it('equals the definition for any bytes at any alignment', () => {
    const arb = fc.tuple(fc.uint8Array({ maxLength: 3000 }), fc.nat({ max: 9 }));
    fc.assert(
      fc.property(arb, ([bytes, shift]) => {
        const holder = new Uint8Array(bytes.length + shift + 3).fill(0xaa);
        holder.set(bytes, shift);
        const crc = new Crc64();
        crc.update(holder, shift, bytes.length);
        expect(crc.toBigInt()).toBe(slowCrc64(bytes));
      }),
      { numRuns: 60 },
    );
  });

  it('takes its input in any pieces', () => {
    const arb = fc.tuple(fc.uint8Array({ maxLength: 6000 }), fc.array(fc.nat({ max: 2500 })));
    fc.assert(
      fc.property(arb, ([bytes, cuts]) => {
        const crc = new Crc64();
        let at = 0;
        for (const cut of cuts) {
          const len = Math.min(cut, bytes.length - at);
          crc.update(bytes, at, len);
          at += len;
        }
        crc.update(bytes, at, bytes.length - at);
        expect(crc.toBigInt()).toBe(crcOf(bytes));
      }),
      { numRuns: 60 },
    );
  });

  it('writes and compares the little-endian trailer', () => {
    const crc = new Crc64();
    crc.update(Buffer.from('123456789'), 0, 9);
    const out = new Uint8Array(10);
    crc.writeTo(out, 1);
    expect(Buffer.from(out).toString('hex')).toBe('00cad9b8c414d9c6e900');
    expect(crc.equalsAt(out, 1)).toBe(true);
    out[8] = out[8]! ^ 1;
    expect(crc.equalsAt(out, 1)).toBe(false);
    crc.reset();
    expect(crc.toBigInt()).toBe(0n);
  });

  it('notices every single flipped bit', () => {
    const bytes = Buffer.from('a turn of an append-only file, some two hundred bits long');
    const sum = crcOf(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
      expect(crcOf(bytes)).not.toBe(sum);
      bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
    }
  });
});
