/** What the tests of the type APIs share: a keyspace, byte strings on the edges, views as text. */
import fc from 'fast-check';
import type { Database } from '../../../src/core/database.ts';
import { Keyspace } from '../../../src/core/keyspace.ts';
import type { ByteView } from '../../../src/core/value.ts';
import { Random } from '../../support/random.ts';

/** A keyspace with a fixed seed, its first database, and a key. */
export class Fixture {
  readonly random = new Random(1);
  readonly keyspace = new Keyspace({
    databases: 2,
    seed: { seed0: 0x12345678, seed1: 0x9abcdef0 },
    random: () => Math.floor(this.random.next() * 2 ** 32),
    events: { expired: () => {} },
  });
  readonly db: Database = this.keyspace.databases[0]!;
  readonly key = Buffer.from('the key');

  /** Address of the key, 0 when there is none. */
  find(): number {
    return this.keyspace.lookupWrite(this.db, this.key, 0, this.key.length);
  }

  /** Frees everything that waits to be freed. */
  drain(): void {
    while (this.keyspace.freeSlice(16));
  }
}

export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

export function textOf(view: ByteView): string {
  const { bytes, offset, length } = view;
  return Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
}

const edges = [
  ...['', '0', '-1', '127', '128', '4095', '-4096', '32767', '-32769', '8388608', '2147483648'],
  ...['9007199254740993', '-9223372036854775808', '9223372036854775807', '9223372036854775808'],
  ...['01', '-0', '+1', ' 1', 'a', 'b', '\xff\x00', 'x'.repeat(20), 'y'.repeat(21)],
];
const long = ['p'.repeat(63), 'q'.repeat(64), 'r'.repeat(65), 's'.repeat(300), 't'.repeat(9000)];

/** Integers of all widths, texts that only look like ones, short and long strings. */
export const element = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }).map(String) },
  { weight: 3, arbitrary: fc.constantFrom(...edges) },
  { weight: 1, arbitrary: fc.constantFrom(...long) },
);

export const integer = fc.oneof(
  fc.integer({ min: -40, max: 40 }).map(String),
  fc.constantFrom(...edges.filter((text) => /^(0|-?[1-9]\d*)$/.test(text) && text.length < 19)),
  fc.constantFrom('-9223372036854775808', '9223372036854775807'),
);
