/** MurmurHash64A: against plain BigInt arithmetic, and by the registers of a real HyperLogLog. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmurHash, murmurHash64A } from '../../../src/core/text/hash-functions.ts';
import { Random } from '../../support/random.ts';
import { bytesOf, guarded, noOracle, useOracle } from './oracle.ts';

const M = 0xc6a4_a793_5bd1_e995n;
const REGISTERS = 16_384n;

function model(bytes: Uint8Array): bigint {
  const times = (a: bigint) => BigInt.asUintN(64, a * M);
  const word = (from: number, to: number) => {
    let value = 0n;
    for (let i = to - 1; i >= from; i--) value = (value << 8n) | BigInt(bytes[i]!);
    return value;
  };
  const whole = bytes.length - (bytes.length % 8);
  let h = 0xadc8_3b19n ^ times(BigInt(bytes.length));
  for (let at = 0; at < whole; at += 8) {
    let k = times(word(at, at + 8));
    k = times(k ^ (k >> 47n));
    h = times(h ^ k);
  }
  if (whole < bytes.length) h = times(h ^ word(whole, bytes.length));
  h = times(h ^ (h >> 47n));
  return h ^ (h >> 47n);
}

function hashed(text: string): bigint {
  const { buf, off, len } = guarded(text);
  murmurHash64A(buf, off, len);
  return (BigInt(murmurHash[1]!) << 32n) | BigInt(murmurHash[0]!);
}

describe('murmurHash64A', () => {
  it('agrees with the plain arithmetic at every length and offset', () => {
    const text = fc.uint8Array({ maxLength: 70 });
    fc.assert(
      fc.property(text, (bytes) => {
        expect(hashed(Buffer.from(bytes).toString('latin1'))).toBe(model(bytes));
      }),
    );
    for (let length = 0; length < 40; length++) {
      expect(hashed('\xff'.repeat(length))).toBe(model(bytesOf('\xff'.repeat(length))));
    }
  });
});

describe.skipIf(noOracle)('murmurHash64A against a real server', () => {
  const ask = useOracle();

  it('chooses the registers that Redis chooses', async () => {
    const random = new Random(0x4111);
    const elements = random.list(24, 24, () => random.bytes(random.between(0, 40)));
    const replies = await ask(
      elements.flatMap((element, i) => [
        ['PFADD', `h${i}`, element],
        ['PFDEBUG', 'GETREG', `h${i}`],
      ]),
    );
    for (const [i, element] of elements.entries()) {
      const registers = replies[2 * i + 1];
      if (!Array.isArray(registers)) throw new Error('no PFDEBUG reply');
      const hash = hashed(element);
      let rest = (hash / REGISTERS) | (1n << 50n);
      let count = 1;
      for (; (rest & 1n) === 0n; rest >>= 1n) count++;
      const index = Number(hash % REGISTERS);
      expect(registers[index]).toBe(count);
      expect(registers.filter((value) => value !== 0)).toHaveLength(1);
    }
  });
});
