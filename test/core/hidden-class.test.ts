/**
 * What every command meets keeps the hidden class that it was made with. When one changes, V8
 * throws away the code that was compiled for it: at the first command what a load and the rehearsed
 * save had compiled, and at a conversion all that looks for keys.
 */
import { describe, expect, test } from 'vitest';
import { stringSet } from '../../src/core/types/string.ts';
import { haveOneHiddenClass } from '../support/hidden-class.ts';
import { bytesOf, Fixture } from './types/samples.ts';

const KEYS = 20_000;

/** A keyspace as a server has it when clients come. */
function fresh(): Fixture {
  const fixture = new Fixture();
  fixture.keyspace.nowMs = 1_700_000_000_123;
  return fixture;
}

function keysOf({ keyspace, db }: Fixture, each: (key: Buffer, existing: number) => void): void {
  for (let i = 0; i < KEYS; i++) {
    const key = bytesOf(`key:${i}`);
    each(key, keyspace.lookupWrite(db, key, 0, key.length));
  }
}

// Once changed, it is that of all that come later: the first test to change one fails.
describe('the hidden class', () => {
  test('is told apart', () => {
    expect(haveOneHiddenClass({ a: 1 }, { a: 2 })).toBe(true);
    expect(haveOneHiddenClass({ a: 1 }, { b: 1 })).toBe(false);
  });

  test('of a dict stays when it is made large before its entries come', () => {
    const [used, unused] = [fresh(), fresh()];
    used.db.dict.reserve(KEYS);
    expect(haveOneHiddenClass(used.db.dict, unused.db.dict)).toBe(true);
  });

  test('of a keyspace and its dict stays while keys are set, read and removed', () => {
    const [used, unused] = [fresh(), fresh()];
    const { keyspace, db } = used;
    keysOf(used, (key, existing) => {
      stringSet(keyspace, db, key, 0, key.length, existing, key, 0, key.length, false);
      expect(keyspace.lookupRead(db, key, 0, key.length)).not.toBe(0);
    });
    keysOf(used, (key) => keyspace.removeKey(db, key, 0, key.length));
    expect(db.dict.count).toBe(0);
    expect(haveOneHiddenClass(keyspace, unused.keyspace)).toBe(true);
    expect(haveOneHiddenClass(db.dict, unused.db.dict)).toBe(true);
  });
});
