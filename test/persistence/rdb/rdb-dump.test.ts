/** Payloads of DUMP: whoever has one keeps it, and one is restored whatever came before it. */
import { describe, expect, it } from 'vitest';
import { dumpPayload, PayloadRestorer } from '../../../src/persistence/rdb/rdb-dump.ts';
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

  it('are restored one after the other, also after damaged ones', () => {
    const keyspace = makeKeyspace();
    const db = keyspace.databases[0]!;
    const restorer = new PayloadRestorer(keyspace);
    const values = ['short', '12', 'x'.repeat(1000), 'y'.repeat(3_000_000)];
    const payloads = values.map((value) => {
      const address = put(keyspace, 0, 'k', value);
      const payload = dumpPayload(keyspace, address, 11, true);
      keyspace.remove(db, address);
      return payload;
    });
    const restored = (payload: Uint8Array, length: number, deep: boolean) => {
      const address = restorer.restore(db, latin1('r'), 0, 1, payload, 0, length, deep);
      if (typeof address !== 'number') return address.message;
      const again = Buffer.from(dumpPayload(keyspace, address, 11, true)).toString('hex');
      keyspace.remove(db, address);
      return again;
    };
    for (const deep of [false, false, true, false]) {
      for (const payload of payloads) {
        expect(restored(payload, payload.length, deep)).toBe(Buffer.from(payload).toString('hex'));
        expect(restored(payload, payload.length - 1, deep)).toMatch(/ends too early|damaged/);
        expect(db.dict.count).toBe(0);
      }
    }
  });
});
