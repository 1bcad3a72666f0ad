/**
 * How long a client waits, for a key or for its replicas: until a moment of the steady clock, or
 * for ever. Timers take at most some 24 days; a longer wait is armed again.
 */
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface LimitedWait {
  /** When the wait ends, by the clock of `performance`; 0 is for ever. */
  readonly untilMs: number;
  timer: NodeJS.Timeout | null;
}

/** The moment at which a wait that begins now ends; a timeout of 0 is for ever. */
export function waitUntil(timeoutMs: number): number {
  return timeoutMs === 0 ? 0 : performance.now() + timeoutMs;
}

/** Calls `onTime` when time is up. */
export function armWait(wait: LimitedWait, onTime: () => void): void {
  if (wait.untilMs === 0) return;
  const left = Math.max(0, wait.untilMs - performance.now());
  const ring = (): void => {
    if (performance.now() < wait.untilMs) armWait(wait, onTime);
    else onTime();
  };
  wait.timer = setTimeout(ring, Math.min(left, TIMER_MAX_MS));
}

export function disarmWait({ timer }: LimitedWait): void {
  if (timer !== null) clearTimeout(timer);
}

/** How many of the waits are limited. */
export function limitedCount(waits: Iterable<LimitedWait>): number {
  let count = 0;
  for (const { untilMs } of waits) if (untilMs > 0) count++;
  return count;
}
