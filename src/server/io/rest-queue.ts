/**
 * Peers that rest, because what they sent took a while. They are read from again in the order in
 * which they came, as many in each turn as will keep the loop busy for TURN_MS:
 *
 *     resting   [ A 1.2 ms ][ B 1.3 ms ] [ C 0.9 ms ][ D 1.1 ms ] ...
 *                 ^ in the next turn       ^ in the one after
 *
 * All at once they would make one long turn, for which everybody waits who sends little. Measured
 * (50 clients that send 1000 SETs at a time, while a snapshot is written): 42 to 69 ms.
 */

/** Whoever rests. */
export interface Resting {
  /** How long what it sent last kept the loop busy, in milliseconds. */
  readonly tookMs: number;
  /** Called when it may go on. */
  rested(): void;
}

/** Less than what a slice of a snapshot, a collection of garbage and this may take together. */
const TURN_MS = 2;

const resting: Resting[] = [];

/** Has a peer go on when it is its turn: in the next turn of the loop, or in a later one. */
export function rest(peer: Resting): void {
  resting.push(peer);
  if (resting.length === 1) setImmediate(goOn);
}

function goOn(): void {
  let ms = 0;
  while (resting.length > 0 && ms < TURN_MS) {
    const peer = resting.shift()!;
    ms += peer.tookMs;
    peer.rested();
  }
  if (resting.length > 0) setImmediate(goOn);
}
