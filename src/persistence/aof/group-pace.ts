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
 * On a slow disk, where an fsync takes longer than all of them need to come back, holding gives
 * nearly twice the throughput, and each client waits for one fsync instead of two. On a fast one
 * the halves would be better off, since the server works for one while the other is written, but
 * only where a core is free for the disk's work: an fsync sleeps and wakes several times, and where
 * all cores are busy with the server and its clients each waking waits for its turn on one. Held
 * groups are fewer trips to the thread pool (measured, 50 clients that SET, two cores, a disk of
 * 0.2 ms an fsync: 6 % less CPU a command and 6 % more commands). So on a machine of few cores a
 * group is held on every disk, and on others where fsyncs take longer than `HIDDEN_MS` for each
 * reply that waited: until three of four wait again, and for a bounded time, the length of one
 * fsync or what so many clients need to come back.
 *
 * Where they are not back in time (they think, or wait for something else) holding stops, for one
 * group at first, then for two, four and so on, so futile waits become ever rarer.
 */
import { availableParallelism } from 'node:os';
import type { AofDiskOptions } from './aof-options.ts';

/** Twice what the server and a client on the same machine need for one command. */
const RETURN_MS = 0.04;
/** Below this for each reply, an fsync is shorter than what it can be hidden behind. */
const HIDDEN_MS = 0.008;
/** With fewer replies than this there is nothing to gain. */
const REPLIES_MIN = 4;
const HOLD_MS_MAX = 10;
const SKIP_MAX = 1024;

/**
 * Whether the disk's work finds a core while the server, its clients and the kernel's work on their
 * sockets are busy.
 */
export const HAS_SPARE_CORES = availableParallelism() >= 4;

/** What a pace needs to know. */
export type GroupPaceOptions = Pick<AofDiskOptions, 'waitingReplies' | 'nowMs'>;

export class GroupPace {
  readonly #options: GroupPaceOptions;
  readonly #hasSpareCores: boolean;
  readonly #start: () => void;
  /** How long a group is on its way, smoothed. */
  #groupMs: number;
  /** Replies that must wait before the next group starts; 0: nothing is held. */
  #target: number;
  /** When the hold is over at the latest. A timer is too coarse for fast disks: turns look, too. */
  #untilMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** Groups not to be held, and how many there will be after the next failure. */
  #skip: number;
  #skipNext: number;

  /** `start` is called when a hold ends because its time is over. */
  constructor(options: GroupPaceOptions, hasSpareCores: boolean, start: () => void) {
    this.#options = options;
    this.#hasSpareCores = hasSpareCores;
    this.#start = start;
    this.#groupMs = 0;
    this.#target = 0;
    this.#untilMs = 0;
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
    const waiting = this.#options.waitingReplies();
    if (waiting < REPLIES_MIN) return false;
    if (this.#hasSpareCores && this.#groupMs < waiting * HIDDEN_MS) return false;
    if (this.#skip > 0) {
      this.#skip--;
      return false;
    }
    const holdMs = Math.min(HOLD_MS_MAX, Math.max(this.#groupMs, waiting * RETURN_MS));
    this.#target = Math.ceil((waiting * 3) / 4);
    this.#untilMs = this.#options.nowMs() + holdMs;
    this.#timer = setTimeout(this.#expire, Math.ceil(holdMs));
    return true;
  }

  /** Whether turns that were just queued had better wait. */
  get isHolding(): boolean {
    if (this.#target === 0) return false;
    if (this.#options.waitingReplies() >= this.#target) this.#skipNext = 1;
    else if (this.#options.nowMs() < this.#untilMs) return true;
    else this.#skipSome();
    this.release();
    return false;
  }

  /** A group begins, for whatever reason: nothing is held any more. */
  release(): void {
    if (this.#target === 0) return;
    this.#target = 0;
    clearTimeout(this.#timer);
  }

  #skipSome(): void {
    this.#skip = this.#skipNext;
    this.#skipNext = Math.min(SKIP_MAX, this.#skipNext * 2);
  }

  readonly #expire = (): void => {
    this.#target = 0;
    this.#skipSome();
    this.#start();
  };
}
