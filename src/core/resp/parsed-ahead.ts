/**
 * Commands that were parsed ahead of being run, of one connection or of several, so that what they
 * will look for can be brought into the cache together (core/key-ahead.ts).
 *
 *     [ SET k1 v ][ GET k2 ][ GET k3 ] ...            reads, borrowed
 *     ^ args[0]   ^ args[1] ^ args[2]
 *     starts[0]   starts[1] starts[2]
 */
import { Args } from './args.ts';

/** Commands parsed ahead at most: as many cache misses as a core has under way at once. */
export const AHEAD_MAX = 16;

export class ParsedAhead {
  count = 0;
  readonly args: readonly Args[] = Array.from({ length: AHEAD_MAX }, () => new Args());
  /** Where each command begins in its parser's input. */
  readonly starts = new Int32Array(AHEAD_MAX);
}
