/**
 * How an entry remembers its use, in 24 bits, as Redis does.
 *
 *     LRU   seconds since 1970, modulo 2^24 (194 days)
 *     LFU   minutes since 1970, modulo 2^16 (45 days), << 8 | a logarithmic counter of 0 to 255
 *
 * The LFU counter of a new key is 5, grows with probability 1 / ((counter - 5) * factor + 1), and
 * loses one for every `decayMinutes` minutes without use.
 */

/** The LFU counter of a key that was just made. */
export const LFU_INITIAL = 5;

/** Seconds since the use that `usage` notes, as of `clock` (LRU). */
export function lruIdleSeconds(usage: number, clock: number): number {
  return clock >= usage ? clock - usage : clock + 0xffffff - usage;
}

function minutesOf(nowMs: number): number {
  return Math.floor(nowMs / 60_000) & 0xffff;
}

/** The 24 bits for a key whose counter is `counter` now. */
export function lfuWord(nowMs: number, counter: number): number {
  return (minutesOf(nowMs) << 8) | counter;
}

/** The counter in `usage` less what the time since then took from it. */
export function lfuDecayed(usage: number, nowMs: number, decayMinutes: number): number {
  const counter = usage & 0xff;
  if (decayMinutes === 0) return counter;
  const then = usage >>> 8;
  const now = minutesOf(nowMs);
  const passed = now >= then ? now - then : 0xffff - then + now;
  const periods = Math.floor(passed / decayMinutes);
  return periods > counter ? 0 : counter - periods;
}

/** The counter after one more use. */
export function lfuGrown(counter: number, logFactor: number, random: () => number): number {
  if (counter === 255) return 255;
  const base = counter > LFU_INITIAL ? counter - LFU_INITIAL : 0;
  return random() / 0x1_0000_0000 < 1 / (base * logFactor + 1) ? counter + 1 : counter;
}
