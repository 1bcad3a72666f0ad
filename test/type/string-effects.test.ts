/** What the string and bitmap commands propagate and which events they raise, as a real server. */
import { describe, expect, it } from 'vitest';
import { effectsInside, expectEffects, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';

const lines = linesOf(`
  SET k v
  SET k v EX 100
  SET k v PX 200000 NX
  SET k v PX 200000 XX GET
  SET k w KEEPTTL
  set k w get xx GET
  SET k v EXAT 4102444800
  SET k v PXAT 4102444800123
  SET k v PXAT 9223372036854775807
  SET k v EXAT 9223372036854775
  SET k v NX
  SET k v NX GET
  SET fresh v GET NX
  SET fresh v EX 0
  SETNX n v
  SETNX n v
  SETEX k 100 v
  PSETEX fresh2 200000 v
  GETSET k w
  GETSET fresh3 w
  GETEX k
  GETEX k EX 100
  GETEX k PX 200000
  GETEX k EXAT 4102444800
  GETEX k PXAT 9223372036854775807
  GETEX k PERSIST
  GETEX k PERSIST
  GETEX nothing EX 100
  GETEX k PXAT 1
  GETDEL n
  GETDEL n
  GET nothing
  MGET nothing fresh nothing
  STRLEN nothing
  MSET a 1 b 2 a 3 c 4
  MSETNX a 1 d 2
  MSETNX d 1 e 2
  INCR i
  DECR i
  INCRBY i 5
  DECRBY i 5
  INCRBY i 9223372036854775807
  INCR i
  INCRBYFLOAT f 1.5
  INCRBYFLOAT f 1e3
  SET f 1 EX 100
  INCRBYFLOAT f 1.5
  APPEND app x
  APPEND app ""
  SETRANGE r 2 ab
  SETRANGE r 0 ""
  SETRANGE nothing 0 ""
  GETRANGE nothing 0 1
  SUBSTR nothing 0 1
  LCS nothing a
  LCS a b
  SETBIT bit 7 1
  SETBIT bit 7 1
  SETBIT bit 100 0
  SETBIT bit 99 0
  GETBIT nothing 1
  BITCOUNT nothing
  BITPOS nothing 1
  BITOP OR bit2 bit nothing
  BITOP NOT bit bit
  BITOP OR bit2 nothing
  BITOP OR bit2 nothing
  BITFIELD bit GET u8 0
  BITFIELD nothing GET u8 0
  BITFIELD bit SET u8 0 1 INCRBY u8 0 1 GET u8 0
  BITFIELD bit SET u8 0 2
  BITFIELD bit3 SET u8 0 0 SET u8 0 0
  BITFIELD bit3 OVERFLOW FAIL SET u8 0 256
  BITFIELD_RO nothing GET u8 0
`);

describe('effects of string and bitmap commands', () => {
  it.skipIf(requireRedisServer() === null)('are those of a real server', async () => {
    await expectEffects(lines, { propagated: 30, events: 40 });
  });

  it('write a string that grew though every change failed', () => {
    // A real server keeps this to itself, and its replicas and its own AOF never hear of the key.
    const { propagated, events } = effectsInside([
      'BITFIELD k OVERFLOW FAIL SET u8 0 256',
      'BITFIELD k OVERFLOW FAIL SET u8 0 256',
    ]);
    expect(propagated).toEqual(['BITFIELD k OVERFLOW FAIL SET u8 0 256']);
    expect(events).toEqual(['new k']);
  });

  it('propagate UNLINK where expired values are freed lazily', () => {
    const late = ['SET k v', 'GETEX k PXAT 1'];
    expect(effectsInside(late).propagated).toEqual(['SET k v', 'DEL k']);
    const lazy = effectsInside(late, { 'lazyfree-lazy-expire': true });
    expect(lazy.propagated).toEqual(['SET k v', 'UNLINK k']);
  });
});
