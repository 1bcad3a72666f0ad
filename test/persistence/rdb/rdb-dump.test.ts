/** Payloads of DUMP: whoever has one keeps it, whatever else is dumped. */
import { describe, expect, it } from 'vitest';
import { dumpPayload } from '../../../src/persistence/rdb/rdb-dump.ts';
import { latin1, makeKeyspace, put } from './rdb-support.ts';

describe('payloads of DUMP', () => {
  it('stay as they are when others are made', () => {
    const keyspace = makeKeyspace();
    const db = keyspace.databases[0]!;
    const dump = (key: string, compress: boolean) =>
      dumpPayload(keyspace, keyspace.peek(db, latin1(key), 0, key.length), 10, compress);
    const values = { a: 'short', b: 'x'.repeat(1000), c: 'y'.repeat(600_000) };
    for (const [key, value] of Object.entries(values)) put(keyspace, 0, key, value);

    const made = Object.keys(values).flatMap((key) => [dump(key, true), dump(key, false)]);
    const before = made.map((one) => Buffer.from(one).toString('hex'));
    const again = Object.keys(values).flatMap((key) => [dump(key, true), dump(key, false)]);

    expect(made.map((one) => Buffer.from(one).toString('hex'))).toEqual(before);
    expect(again.map((one) => Buffer.from(one).toString('hex'))).toEqual(before);
    expect(made.map((one) => one.length)).toEqual([17, 17, 33, 1013, 6844, 600_016]);
  });
});
