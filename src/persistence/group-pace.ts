/**
 * When the next group of turns goes to the disk under `always`: at once, or a moment later and
 * fuller.
 *
 * Clients whose replies were just released will write again in a moment. If the next group starts
 * at once, it carries only the others, and the clients fall into two halves that wait for each
 * other's fsync:
 *
 *   at once   |--fsync A--|--fsync B--|--fsync A--|      half of the clients with each
 *   held      |--fsync A and B--|..|--fsync A and B--|   all of them; .. they come back
 *
 * On a fast disk the halves are better off: while one is written, the server works for the other.
 * On a slow one, where an fsync takes longer than all of them need to come back, holding gives
 * nearly twice the throughput, and each client waits for one fsync instead of two. Between the two
 * it is still fewer turns and fewer fsyncs, so less CPU, for the same commands (measured, 50
 * clients that SET, fsyncs of about a millisecond, on a busy machine: 18 to 22 us a command where
 * groups were held, 28 where none was). So a group is held when fsyncs take longer than
 * `RETURN_MS` for each reply that waited, until seven of eight wait again, and for the length of
 * one fsync at most.
 *
 * Where they are not back in time (they think, or wait for something else) holding stops, for one
 * group at first, then for two, four and so on: the wait in vain becomes ever rarer.
 */

/** Half of what the server needs for a client to come back: its read, its command, its write. */
const RETURN_MS = 0.008;
/** With fewer replies than this there is nothing to gain. */
const REPLIES_MIN = 4;
const HOLD_MS_MAX = 10;
const SKIP_MAX = 1024;

export class GroupPace {
  readonly #waitingReplies: () => number;
  readonly #start: () => void;
  /** How long a group is on its way, smoothed. */
  #groupMs: number;
  /** Replies that must wait before the next group starts; 0: nothing is held. */
  #target: number;
  #timer: NodeJS.Timeout | undefined;
  /** Groups not to be held, and how many there will be after the next failure. */
  #skip: number;
  #skipNext: number;

  /** `waitingReplies` tells how many wait for the disk now; `start` is called when a hold ends. */
  constructor(waitingReplies: () => number, start: () => void) {
    this.#waitingReplies = waitingReplies;
    this.#start = start;
    this.#groupMs = 0;
    this.#target = 0;
    this.#timer = undefined;
    this.#skip = 0;
    this.#skipNext = 1;
  }

  /**
   * A group is durable, `ms` after it began; its replies still wait. Returns whether the next one
   * is to be held: until `isHolding` says no, or `start` is called.
   */
  groupDone(ms: number): boolean {
    this.#groupMs += (ms - this.#groupMs) / 8;
    const waiting = this.#waitingReplies();
    if (waiting < REPLIES_MIN || this.#groupMs < waiting * RETURN_MS) return false;
    if (this.#skip > 0) {
      this.#skip--;
      return false;
    }
    this.#target = Math.ceil((waiting * 7) / 8);
    this.#timer = setTimeout(this.#expire, Math.min(HOLD_MS_MAX, Math.ceil(this.#groupMs)));
    return true;
  }

  /** Whether turns that were just queued had better wait. */
  get isHolding(): boolean {
    if (this.#target === 0) return false;
    if (this.#waitingReplies() < this.#target) return true;
    this.#skipNext = 1;
    this.release();
    return false;
  }

  /** A group begins, for whatever reason: nothing is held any more. */
  release(): void {
    if (this.#target === 0) return;
    this.#target = 0;
    clearTimeout(this.#timer);
  }

  readonly #expire = (): void => {
    this.#target = 0;
    this.#skip = this.#skipNext;
    this.#skipNext = Math.min(SKIP_MAX, this.#skipNext * 2);
    this.#start();
  };
}
