/**
 * What a command is: its specification, beside its handler in `commands/<family>.ts`.
 *
 *     command('getrange', 'string', {
 *       arity: 4, flags: READONLY, keys: [keyAt(1, 'RO', 'access')], acl: ['string'],
 *       since: '2.4.0', complexity: 'O(N) with N the bytes returned',
 *       summary: 'Returns a part of a string.', syntax: 'key:key start:integer end:integer',
 *     }, getrangeCommand)
 *
 * Dispatch, COMMAND, ACL categories, key extraction and the documentation all derive from it. Names
 * are lower case; a subcommand's is "config|get". An arity counts the name; negative means "at
 * least".
 */
import type { LatencyHistogram } from '../latency/latency-histogram.ts';
import type { Context } from './context.ts';

export const WRITE = 1 << 0;
export const READONLY = 1 << 1;
export const DENYOOM = 1 << 2;
export const ADMIN = 1 << 3;
export const PUBSUB = 1 << 4;
export const NOSCRIPT = 1 << 5;
export const BLOCKING = 1 << 6;
export const LOADING = 1 << 7;
export const STALE = 1 << 8;
export const SKIP_MONITOR = 1 << 9;
export const SKIP_SLOWLOG = 1 << 10;
export const ASKING = 1 << 11;
export const FAST = 1 << 12;
export const NO_AUTH = 1 << 13;
/** The command may change what replicas must be told of, though it has no WRITE; not shown. */
export const MAY_REPLICATE = 1 << 14;
export const NO_ASYNC_LOADING = 1 << 15;
export const NO_MULTI = 1 << 16;
export const MOVABLE_KEYS = 1 << 17;
export const ALLOW_BUSY = 1 << 18;
export const NO_MANDATORY_KEYS = 1 << 19;
/** Works on keys it does not name (FLUSHALL, SCAN): its effects are not one transaction. */
export const TOUCHES_ARBITRARY_KEYS = 1 << 20;

/** The command runs only where the configuration lets it: enable-debug-command. */
export const PROTECTED = 1 << 21;

/**
 * The command runs while a dataset is being loaded and while a replica is stale, but not in
 * scripts.
 */
export const ANYTIME = NOSCRIPT | LOADING | STALE;

/** Names of the flags as COMMAND INFO shows them, in Redis's order of bits. */
export const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [WRITE, 'write'],
  [READONLY, 'readonly'],
  [DENYOOM, 'denyoom'],
  [ADMIN, 'admin'],
  [PUBSUB, 'pubsub'],
  [NOSCRIPT, 'noscript'],
  [BLOCKING, 'blocking'],
  [LOADING, 'loading'],
  [STALE, 'stale'],
  [SKIP_MONITOR, 'skip_monitor'],
  [SKIP_SLOWLOG, 'skip_slowlog'],
  [ASKING, 'asking'],
  [FAST, 'fast'],
  [NO_AUTH, 'no_auth'],
  [NO_ASYNC_LOADING, 'no_async_loading'],
  [NO_MULTI, 'no_multi'],
  [MOVABLE_KEYS, 'movablekeys'],
  [ALLOW_BUSY, 'allow_busy'],
  [NO_MANDATORY_KEYS, 'no_mandatory_keys'],
];

/** Where a key specification begins to look. */
export type KeyBegin =
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'keyword'; readonly keyword: string; readonly from: number }
  | { readonly kind: 'unknown' };

/** Which arguments from there on are keys. */
export type KeyRange =
  | { readonly kind: 'range'; readonly last: number; readonly step: number; readonly limit: number }
  | { readonly kind: 'count'; readonly at: number; readonly first: number; readonly step: number }
  | { readonly kind: 'unknown' };

export interface KeySpec {
  readonly begin: KeyBegin;
  readonly range: KeyRange;
  /**
   * Flags as COMMAND INFO shows them: RO, RW, OW or RM, then access, insert, update, delete, ...
   */
  readonly flags: readonly string[];
  readonly notes?: string;
}

export interface CommandTraits {
  readonly arity: number;
  readonly flags: number;
  readonly keys?: readonly KeySpec[] | undefined;
  /** ACL categories besides those that follow from the flags. */
  readonly acl?: readonly string[] | undefined;
  readonly tips?: readonly string[] | undefined;
  readonly since: string;
  readonly complexity?: string | undefined;
  /**
   * Set where the command costs the same here however large the data is, whatever `complexity`
   * says.
   */
  readonly isConstantHere?: true | undefined;
  readonly summary: string;
  /** The arguments after the name, in the notation of command-syntax.ts. */
  readonly syntax?: string | undefined;
  readonly subcommands?: readonly Command[] | undefined;
  /** [version, what changed], oldest first. */
  readonly history?: readonly (readonly [string, string])[] | undefined;
  readonly deprecated?: { readonly since: string; readonly replacedBy: string } | undefined;
  /** Set where only servers use the command among themselves: COMMAND DOCS says so. */
  readonly internal?: true | undefined;
  /** Finds the keys where the key specifications cannot: argument indexes of keys. */
  readonly keysOf?: ((args: KeyArgs) => number[] | undefined) | undefined;
}

/** Arguments as key extraction sees them. */
export interface KeyArgs {
  readonly count: number;
  text(i: number): string;
  is(i: number, word: string): boolean;
}

export type Handler = (c: Context) => void;

export interface Command extends CommandTraits {
  readonly name: string;
  readonly group: string;
  readonly handler: Handler;
  /** Its name as bytes, lower case: what dispatch compares. */
  readonly nameBytes: Uint8Array;
  readonly stats: CommandStats;
  /** Whether it costs the same however large the data is. */
  readonly isConstant: boolean;
}

/** Figures of one command, as INFO commandstats shows them. Each server counts in its own table. */
export class CommandStats {
  calls = 0;
  microseconds = 0;
  rejected = 0;
  failed = 0;
  /**
   * The histogram of its latencies; null before the first call, and while `latency-tracking` is
   * off.
   */
  histogram: LatencyHistogram | null = null;

  /** Sets all figures back, for CONFIG RESETSTAT. */
  reset(): void {
    this.calls = 0;
    this.microseconds = 0;
    this.rejected = 0;
    this.failed = 0;
    this.histogram = null;
  }
}

/** A command's specification beside its handler. */
export function command(
  name: string,
  group: string,
  traits: CommandTraits,
  handler: Handler,
): Command {
  const nameBytes = new TextEncoder().encode(name.slice(name.indexOf('|') + 1));
  const isQuick = (traits.flags & FAST) !== 0 || traits.complexity?.startsWith('O(1)') === true;
  const isConstant = isQuick || traits.isConstantHere === true;
  return { ...traits, name, group, handler, nameBytes, stats: new CommandStats(), isConstant };
}

/** The key at argument `index`. `flags` as in KeySpec. */
export function keyAt(index: number, ...flags: string[]): KeySpec {
  return {
    begin: { kind: 'index', index },
    range: { kind: 'range', last: 0, step: 1, limit: 0 },
    flags,
  };
}

/**
 * Keys from argument `index` up to `last` arguments from there (-1: the last one), every `step`.
 */
export function keysFrom(index: number, last: number, step: number, ...flags: string[]): KeySpec {
  return {
    begin: { kind: 'index', index },
    range: { kind: 'range', last, step, limit: 0 },
    flags,
  };
}

/** Keys whose number stands at argument `index`. */
export function keysCounted(index: number, ...flags: string[]): KeySpec {
  return {
    begin: { kind: 'index', index },
    range: { kind: 'count', at: 0, first: 1, step: 1 },
    flags,
  };
}

/** Commands that run at once between MULTI and EXEC. */
export function runsInMulti(command: Command): boolean {
  switch (command.name) {
    case 'exec':
    case 'discard':
    case 'multi':
    case 'watch':
    case 'quit':
    case 'reset':
      return true;
    default:
      return false;
  }
}
