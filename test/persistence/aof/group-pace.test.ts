/** When a group is held: on slow disks, while clients come back, and ever more rarely in vain. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GroupPace } from '../../../src/persistence/aof/group-pace.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A pace whose disk takes `ms` for each group, as it has found by now. */
function paceOf(ms: number, waiting: number, hasSpareCores = true) {
  const state = { waiting, starts: 0, nowMs: 0 };
  const options = { waitingReplies: () => state.waiting, nowMs: () => state.nowMs };
  const pace = new GroupPace(options, hasSpareCores, () => void state.starts++);
  state.waiting = 0;
  for (let i = 0; i < 100; i++) pace.groupDone(ms);
  state.waiting = waiting;
  return { pace, state };
}

describe('GroupPace', () => {
  it('with cores to spare, never holds on a disk faster than the clients', () => {
    const { pace } = paceOf(0.3, 50);
    expect(pace.groupDone(0.3)).toBe(false);
    expect(pace.isHolding).toBe(false);
    expect(paceOf(0.5, 50).pace.groupDone(0.5)).toBe(true);
    expect(paceOf(0.05, 50).pace.groupDone(2)).toBe(false);
  });

  it('holds on any disk with few cores', () => {
    const { pace, state } = paceOf(0.05, 50, false);
    expect(pace.groupDone(0.05)).toBe(true);
    state.waiting = 37;
    expect(pace.isHolding).toBe(true);
  });

  it('never holds for few clients', () => {
    expect(paceOf(20, 3, true).pace.groupDone(20)).toBe(false);
    expect(paceOf(20, 3, false).pace.groupDone(20)).toBe(false);
  });

  it('holds on a slow one until three of four are back', () => {
    const { pace, state } = paceOf(4, 48);
    expect(pace.groupDone(4)).toBe(true);
    state.waiting = 35;
    expect(pace.isHolding).toBe(true);
    state.waiting = 36;
    expect(pace.isHolding).toBe(false);
    vi.advanceTimersByTime(1000);
    expect(state.starts).toBe(0);
  });

  it('starts after the length of an fsync, ten milliseconds at most', () => {
    for (const [ms, limit] of [
      [4, 4],
      [300, 10],
    ] as const) {
      const { pace, state } = paceOf(ms, 8);
      expect(pace.groupDone(ms)).toBe(true);
      vi.advanceTimersByTime(limit - 1);
      expect(state.starts).toBe(0);
      vi.advanceTimersByTime(1);
      expect(state.starts).toBe(1);
      state.waiting = 1;
      expect(pace.isHolding).toBe(false);
    }
  });

  it('is ended by a turn that finds its time over, before the timer does', () => {
    const { pace, state } = paceOf(0.05, 8, false);
    expect(pace.groupDone(0.05)).toBe(true);
    state.waiting = 1;
    state.nowMs = 0.31;
    expect(pace.isHolding).toBe(true);
    state.nowMs = 0.33;
    expect(pace.isHolding).toBe(false);
    vi.advanceTimersByTime(100);
    expect(state.starts).toBe(0);
    state.waiting = 8;
    expect(pace.groupDone(0.05)).toBe(false);
    expect(pace.groupDone(0.05)).toBe(true);
  });

  it('waits in vain ever more rarely, until clients are back in time', () => {
    const { pace, state } = paceOf(4, 8);
    const holds: number[] = [];
    for (let group = 0; group < 5000; group++) {
      if (!pace.groupDone(4)) continue;
      holds.push(group);
      vi.advanceTimersByTime(10);
    }
    expect(holds.slice(0, 6)).toEqual([0, 2, 5, 10, 19, 36]);
    expect(holds.at(-1)! - holds.at(-2)!).toBe(1025);
    expect(state.starts).toBe(holds.length);
    while (!pace.groupDone(4));
    expect(pace.isHolding).toBe(false);
    expect(pace.groupDone(4)).toBe(true);
    vi.advanceTimersByTime(10);
    expect([pace.groupDone(4), pace.groupDone(4)]).toEqual([false, true]);
  });

  it('forgets the hold when a group begins for another reason', () => {
    const { pace, state } = paceOf(4, 8);
    expect(pace.groupDone(4)).toBe(true);
    pace.release();
    state.waiting = 1;
    expect(pace.isHolding).toBe(false);
    state.waiting = 8;
    vi.advanceTimersByTime(100);
    expect(state.starts).toBe(0);
    expect(pace.groupDone(4)).toBe(true);
  });
});
