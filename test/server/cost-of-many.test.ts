/**
 * What there may be very many of costs the same each, however many there are: nothing goes through
 * all of them, or moves them all, for the sake of one, and no Set or Map gets more than V8 allows.
 */
import { afterEach, expect, it, vi } from 'vitest';
import { entriesLimit } from '../../src/core/entries-limit.ts';
import { InsideServer } from '../support/inside.ts';

const MANY = 3000;

const { max } = entriesLimit;

afterEach(() => {
  vi.restoreAllMocks();
  entriesLimit.max = max;
});

/** The longest array for which a method of arrays is called while `task` runs. */
function longestArray(method: 'shift' | 'indexOf', task: () => void): number {
  const original = Array.prototype[method] as (...args: unknown[]) => unknown;
  let longest = 0;
  vi.spyOn(Array.prototype, method).mockImplementation(function (
    this: unknown[],
    ...args: unknown[]
  ) {
    longest = Math.max(longest, this.length);
    return original.apply(this, args) as never;
  });
  task();
  return longest;
}

it('large values that wait to be freed', async () => {
  const inside = await InsideServer.open({ 'set-max-intset-entries': 1 });
  const { keyspace, lazyFree } = inside.server;
  const usedBytes = keyspace.arena.usedBytes;
  inside.run('SADD', 'set', ...Array.from({ length: 70 }, (_, i) => i));
  for (let i = 1; i < MANY; i++) inside.run('COPY', 'set', `set${i}`);
  inside.run('FLUSHALL', 'ASYNC');
  const longest = longestArray('shift', () => lazyFree.drain());
  expect([keyspace.hasDoomed, keyspace.arena.usedBytes]).toEqual([false, usedBytes]);
  expect(longest).toBeLessThan(MANY / 2);
  await inside.close();
});

it('consumers of a group', async () => {
  const inside = await InsideServer.open();
  inside.run('XGROUP', 'CREATE', 'stream', 'group', '$', 'MKSTREAM');
  const create = (name: string): unknown => {
    return inside.run('XGROUP', 'CREATECONSUMER', 'stream', 'group', name);
  };
  const longest = longestArray('indexOf', () => {
    for (let i = 0; i < MANY; i++) create(`consumer${i}`);
  });
  expect(longest).toBeLessThan(MANY / 2);
  await inside.close();
});

it('keys that are tracked, where there are as many as there may be', async () => {
  const inside = await InsideServer.open({ 'tracking-table-max-keys': 10 });
  const { tracking } = inside.server.desk;
  inside.run('HELLO', 3);
  inside.run('CLIENT', 'TRACKING', 'ON');
  const looks = vi.spyOn(Map.prototype, 'keys');
  for (let i = 0; i < MANY; i++) inside.run('GET', `key${i}`);
  expect(tracking.keyCount).toBe(10);
  // A look for the oldest key passes all that were deleted.
  expect(looks.mock.calls.length).toBeLessThan(MANY / 2);
  await inside.close();
});

it('keys that are tracked, where there is no limit but that of a Map', async () => {
  const inside = await InsideServer.open({ 'tracking-table-max-keys': 0 });
  entriesLimit.max = 10;
  inside.run('HELLO', 3);
  inside.run('CLIENT', 'TRACKING', 'ON');
  for (let i = 0; i < 30; i++) inside.run('GET', `key${i}`);
  expect(inside.server.desk.tracking.keyCount).toBe(10);
  await inside.close();
});

it('keys that are tracked for one client each', async () => {
  const inside = await InsideServer.open();
  const { tracking } = inside.server.desk;
  inside.run('HELLO', 3);
  inside.run('CLIENT', 'TRACKING', 'ON');
  const adds = vi.spyOn(Set.prototype, 'add');
  for (let i = 0; i < MANY; i++) inside.run('GET', `key${i}`);
  // A Set for each reader would take more than all else that a key needs.
  expect(adds.mock.calls.length).toBeLessThan(MANY / 2);
  expect([tracking.keyCount, tracking.itemCount]).toEqual([MANY, MANY]);
  for (let i = 0; i < MANY; i++) inside.run('SET', `key${i}`, 'value');
  expect([tracking.itemCount, tracking.memoryBytes]).toEqual([0, 0]);
  await inside.close();
});

it.each([
  ['SRANDMEMBER', 'set', '200'],
  ['SDIFF', 'set', 'one', 'two', 'three'],
  ['ZDIFF', '4', 'zset', 'zone', 'ztwo', 'zthree'],
])('elements that %s remembers', async (...words) => {
  const inside = await InsideServer.open();
  const names = Array.from({ length: 1000 }, (_, i) => `member${i}`);
  inside.run('SADD', 'set', ...names);
  inside.run('ZADD', 'zset', ...names.flatMap((name) => [1, name]));
  for (const [i, key] of ['one', 'two', 'three'].entries()) {
    inside.run('SADD', key, ...names.slice(i * 20, i * 20 + 30));
    inside.run('ZADD', `z${key}`, ...names.slice(i * 20, i * 20 + 30).flatMap((name) => [1, name]));
  }
  const sortedReply = (): string[] => {
    const reply = inside.run(...words);
    return (Array.isArray(reply) ? reply : []).map(String).sort();
  };
  const before = sortedReply();
  entriesLimit.max = 20;
  let largest = 0;
  const { add } = Set.prototype;
  vi.spyOn(Set.prototype, 'add').mockImplementation(function (this: Set<unknown>, value: unknown) {
    largest = Math.max(largest, this.size + 1);
    return add.call(this, value);
  });
  const after = sortedReply();
  expect(largest).toBeLessThan(20);
  if (words[0] === 'SRANDMEMBER') expect(new Set(after).size).toBe(200);
  else expect([after, after.length]).toEqual([before, 930]);
  await inside.close();
});

it('names that COMMAND INFO is asked for', async () => {
  const inside = await InsideServer.open();
  const decodes = vi.spyOn(TextDecoder.prototype, 'decode');
  const reply = inside.run('COMMAND', 'INFO', 'GET', 'nothing', 'config|GET', 'get|nothing');
  const found = (Array.isArray(reply) ? reply : []).map((one) =>
    Array.isArray(one) ? one[0] : one,
  );
  expect(found.map(String)).toEqual(['get', 'null', 'config|get', 'null']);
  // No other command's name is made a text to be compared with.
  expect(decodes).not.toHaveBeenCalled();
  await inside.close();
});

it.each([
  ['SUBSCRIBE', 'UNSUBSCRIBE'],
  ['PSUBSCRIBE', 'PUNSUBSCRIBE'],
  ['SSUBSCRIBE', 'SUNSUBSCRIBE'],
])('names that %s takes and %s lets go at once', async (subscribe, unsubscribe) => {
  const inside = await InsideServer.open();
  inside.run('HELLO', 3);
  // All of them as arguments of one function would not fit on the stack.
  for (let from = 0; from < 150_000; from += MANY) {
    inside.run(subscribe, ...Array.from({ length: MANY }, (_, i) => `name${from + i}`));
  }
  inside.run(unsubscribe);
  expect(inside.server.desk.pubsub.subscribers).toBe(0);
  await inside.close();
});
