/**
 * SCAN's promise: whoever is there from the first call to the last is seen, whatever else comes and
 * goes.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InsideServer } from '../support/inside.ts';
import type { ReplyValue } from '../support/resp-reader.ts';

let inside: InsideServer;
beforeAll(async () => {
  inside = await InsideServer.open();
});
afterAll(() => inside.close());
beforeEach(() => {
  inside.run('FLUSHALL');
});

function page(reply: ReplyValue): { cursor: string; keys: string[] } {
  const [cursor, keys] = Array.isArray(reply) ? reply : [];
  return { cursor: String(cursor), keys: (Array.isArray(keys) ? keys : []).map(String) };
}

/** All keys that a scan gives, with `between` run after each call. */
function scan(between: (call: number) => void, ...options: (string | number)[]): string[] {
  const seen: string[] = [];
  let cursor = '0';
  let call = 0;
  do {
    const got = page(inside.run('SCAN', cursor, ...options));
    seen.push(...got.keys);
    cursor = got.cursor;
    between(call++);
  } while (cursor !== '0');
  return seen;
}

describe('SCAN', () => {
  it('sees every key that stays, while the table grows and shrinks', () => {
    const plan = fc.record({
      stays: fc.integer({ min: 0, max: 300 }),
      before: fc.integer({ min: 0, max: 1500 }),
      steps: fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 1, maxLength: 12 }),
      count: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(plan, ({ stays, before, steps, count }) => {
        inside.run('FLUSHALL');
        for (let i = 0; i < stays; i++) inside.run('SET', `stays:${i}`, i);
        if (before > 0) inside.run('DEBUG', 'POPULATE', before, 'other');
        let next = before;
        let first = 0;
        const seen = new Set(
          scan(
            (call) => {
              const step = steps[call] ?? 0;
              for (let i = 0; i < step; i++) inside.run('SET', `other:${next++}`, 'v');
              for (let i = 0; i > step && first < next; i--) inside.run('DEL', `other:${first++}`);
            },
            'COUNT',
            count,
          ),
        );
        for (let i = 0; i < stays; i++) expect(seen.has(`stays:${i}`)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('sees each key once when nothing changes, about COUNT at a time', () => {
    inside.run('DEBUG', 'POPULATE', 1000);
    let calls = 0;
    const seen = scan(() => calls++, 'COUNT', 100);
    expect(seen).toHaveLength(1000);
    expect(new Set(seen).size).toBe(1000);
    expect(calls).toBeGreaterThanOrEqual(7);
    expect(calls).toBeLessThanOrEqual(11);
  });

  it('picks by pattern and type from what it visits', () => {
    inside.run('DEBUG', 'POPULATE', 500);
    inside.run('SADD', 'set:1', 'a');
    inside.run('HSET', 'hash:1', 'a', 'b');
    const nothing = (): void => {};
    expect(scan(nothing, 'TYPE', 'set')).toEqual(['set:1']);
    expect(scan(nothing, 'MATCH', '*:1', 'TYPE', 'hash')).toEqual(['hash:1']);
    expect(scan(nothing, 'MATCH', 'key:1?').sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `key:1${i}`),
    );
    expect(scan(nothing, 'MATCH', 'x*')).toEqual([]);
  });

  it('goes on from any cursor, and takes one of another table', () => {
    inside.run('DEBUG', 'POPULATE', 100);
    for (const cursor of ['1', '12345', '4294967296', '18446744073709551615']) {
      expect(page(inside.run('SCAN', cursor, 'COUNT', 1000)).cursor).toBe('0');
    }
  });

  it('gives KEYS and RANDOMKEY the same keys', () => {
    inside.run('DEBUG', 'POPULATE', 300);
    const keys = inside.run('KEYS', '*');
    expect(Array.isArray(keys) && [...keys].sort()).toEqual(scan(() => {}).sort());
    const picked = new Set(Array.from({ length: 3000 }, () => inside.run('RANDOMKEY')));
    expect(picked.size).toBeGreaterThan(290);
  });
});
