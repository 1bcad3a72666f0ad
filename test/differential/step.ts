/**
 * The vocabulary of the differential test: what one step is, how a family of commands describes
 * the steps that it can make, and what it may ask while it makes them.
 *
 *   family ---has---> generators ---make---> drafts ---placed on a connection---> steps
 *
 * A step is plain data apart from its comparator, so a sequence can be cut, run again and printed.
 */
import type { Random, Weighted } from '../support/random.ts';

/** Decides whether two replies (exact bytes, neither an error) mean the same. */
export type Comparator = {
  readonly name: string;
  readonly same: (left: Buffer, right: Buffer) => boolean;
};

/** A cursor loop: run until the cursor is 0 again, compare what all pages gave together. */
type CursorLoop = {
  /** Index of the cursor in the arguments. */
  readonly cursorAt: number;
  /** How many items make one element: 1 for SCAN and SSCAN, 2 for HSCAN and ZSCAN. */
  readonly itemsPerElement: 1 | 2;
};

/** A command that a generator wants run. Strings are latin1 bytes. */
export type Draft = {
  readonly args: readonly string[];
  /** Default: byte for byte. Errors are always compared byte for byte. */
  readonly compare?: Comparator;
  readonly loop?: CursorLoop;
  /** The server closes the connection after this reply. */
  readonly closes?: true;
};

/** A draft on the connection that sends it. */
export type Step = Draft & { readonly connection: 0 | 1 };

/** What generators may use. */
export type Context = {
  readonly random: Random;
  readonly protocol: 2 | 3;
  /** Drafts of any generator of any family in play, save those marked `alone`. */
  readonly anything: () => Draft[];
};

export type Generator = Weighted & {
  readonly name: string;
  readonly make: (context: Context) => Draft | Draft[];
  /** False: never damage these arguments at random, since damaged ones would do harm. */
  readonly mangle?: false;
  /** True: not inside a generated transaction. */
  readonly alone?: true;
};

/** A family of commands. */
export type Family = {
  readonly name: string;
  /** Run on both servers before every sequence, so that no sequence depends on an earlier one. */
  readonly setup?: readonly (readonly string[])[];
  readonly generators: readonly Generator[];
};
