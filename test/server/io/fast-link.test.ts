/** A fast link over a handle that the test drives: how much of a turn one peer may take. */
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fastLink } from '../../../src/server/io/fast-link.ts';
import { type Link, READ_BYTES } from '../../../src/server/io/link.ts';

interface BindingProcess {
  binding?: (name: string) => { streamBaseState: Int32Array; kReadBytesOrError: number };
}

const stream = (process as BindingProcess).binding?.('stream_wrap');
if (stream === undefined) throw new Error('this Node does not show its streams');
/** Where a handle says how much it has read. */
const { streamBaseState, kReadBytesOrError } = stream;

class FakeHandle {
  isReading = false;
  onread = (): void => {};

  readStart(): number {
    this.isReading = true;
    return 0;
  }
  readStop(): number {
    this.isReading = false;
    return 0;
  }
  useUserBuffer(): void {}
  writeBuffer(): number {
    return 0;
  }
  writev(): number {
    return 0;
  }
  close(): void {
    this.isReading = false;
  }

  /** Reads as Node does: up to 32 times, while the buffer comes full and reading goes on. */
  poll(bytes: number): number {
    let left = bytes;
    for (let i = 0; i < 32 && left > 0 && this.isReading; i++) {
      const count = Math.min(left, READ_BYTES);
      streamBaseState[kReadBytesOrError] = count;
      left -= count;
      this.onread();
    }
    return left;
  }
}

let nowMs = 0;

beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A link whose owner takes a millisecond for each read. */
function linked(onRead: (bytes: number) => void, workMs = 1): { handle: FakeHandle; link: Link } {
  const handle = new FakeHandle();
  const link = fastLink(Object.assign(new Socket(), { _handle: handle }), {
    onRead: (_bytes, from, to) => {
      nowMs += workMs;
      onRead(to - from);
    },
    onSent: () => {},
    onClosed: () => {},
  });
  if (link === null) throw new Error('no fast link here');
  return { handle, link };
}

test('a peer that has sent much is read from once a turn', async () => {
  const reads: number[] = [];
  const { handle } = linked((bytes) => reads.push(bytes));
  let left = READ_BYTES * 3 + 10;
  for (let turns = 1; turns <= 4; turns++) {
    left = handle.poll(left);
    expect(reads.length).toBe(turns);
    await turn();
    expect(handle.isReading).toBe(true);
  }
  expect(reads).toEqual([READ_BYTES, READ_BYTES, READ_BYTES, 10]);
});

test('of many that have sent much some go on each turn, in their order', async () => {
  const peers = Array.from({ length: 5 }, () => linked(() => {}));
  const isReading = (): boolean[] => peers.map(({ handle }) => handle.isReading);
  for (const { handle } of peers) expect(handle.poll(READ_BYTES / 2)).toBe(0);
  expect(isReading()).toEqual([false, false, false, false, false]);
  await turn();
  expect(isReading()).toEqual([true, true, false, false, false]);
  peers[0]?.handle.poll(READ_BYTES);
  await turn();
  expect(isReading()).toEqual([false, true, true, true, false]);
  await turn();
  expect(isReading()).toEqual([true, true, true, true, true]);
});

test('a long value comes without a rest', () => {
  let bytes = 0;
  const { handle } = linked((count) => {
    bytes += count;
  }, 0.01);
  expect(handle.poll(READ_BYTES * 20)).toBe(0);
  expect(bytes).toBe(READ_BYTES * 20);
});

test('one that has sent little is read from again in the same turn', () => {
  const { handle } = linked(() => {});
  expect(handle.poll(10)).toBe(0);
  expect(handle.isReading).toBe(true);
});

test('whoever was paused meanwhile stays so, until it is resumed', async () => {
  const { handle, link } = linked(() => {});
  handle.poll(READ_BYTES);
  link.pause();
  await turn();
  expect(handle.isReading).toBe(false);
  link.resume();
  expect(handle.isReading).toBe(true);
  handle.poll(READ_BYTES);
  link.pause();
  link.resume();
  expect(handle.isReading).toBe(false);
  await turn();
  expect(handle.isReading).toBe(true);
});

test('paused by what it read, it does not come back by itself', async () => {
  const { handle, link } = linked(() => link.pause());
  handle.poll(READ_BYTES);
  await turn();
  expect(handle.isReading).toBe(false);
});

test('one that is closed meanwhile is left alone', async () => {
  const { handle, link } = linked(() => {});
  handle.poll(READ_BYTES);
  link.destroy();
  await turn();
  expect(handle.isReading).toBe(false);
});
