/**
 * Sets of sets: what SINTER, SUNION, SDIFF and their kin compute.
 *
 *     intersection  the members of the smallest set that all others have, asked in the order of
 *                   their sizes, so that most members fail at the first question
 *     difference    either the members of the first set that no other has, the largest asked first;
 *                   or all members of the others are looked up in the first and what was found is
 *                   left out: whichever needs fewer look-ups
 *     union         built beside the keyspace
 *
 * The first two keep refs into one of the sets; a union is a set that is being built. Either knows
 * its size before a byte is answered. A key without a value is an empty set.
 */
import { entriesLimit } from '../../core/entries-limit.ts';
import type { SetBuilder } from '../../core/types/set-builder.ts';
import { SetCursor, SetView } from '../../core/types/set-view.ts';
import { TYPE_SET, typeOf } from '../../core/value.ts';
import type { Context } from '../dispatch/context.ts';
import { WRONG_TYPE } from '../dispatch/errors.ts';
import { RandomPicks } from './random-picks.ts';

/** A source: the address of its entry, 0 for a key without a value, and a view of its set. */
export interface Source {
  readonly address: number;
  readonly view: SetView;
}

/** Refs of the members that the last `intersect` or `subtract` kept. */
export const kept = new RandomPicks();

const cursor = new SetCursor();

/**
 * The sets in arguments `first` to `end`, or null when one is no set: then the error is answered.
 */
export function sourcesOf(c: Context, first: number, end: number): Source[] | null {
  const { arena } = c.keyspace;
  const sources: Source[] = [];
  for (let i = first; i < end; i++) {
    const address = c.lookupRead(i);
    if (address !== 0 && typeOf(arena, address) !== TYPE_SET) {
      c.reply.error(WRONG_TYPE);
      return null;
    }
    const view = new SetView();
    if (address !== 0) view.open(c.keyspace, address);
    sources.push({ address, view });
  }
  return sources;
}

/** Whether a view has the member of `walked` that the cursor went to. */
function hasMember(view: SetView, walked: SetView): boolean {
  return view.findOf(walked, cursor.ref, cursor.member) !== 0;
}

/** Keeps up to `limit` members that all sources have; the set that they are of, null for none. */
export function intersect(sources: readonly Source[], limit: number): SetView | null {
  kept.clear();
  if (sources.some((one) => one.address === 0)) return null;
  const sorted = [...sources].sort((a, b) => a.view.count - b.view.count);
  const smallest = sorted[0]!;
  const others = sorted.filter((one) => one.address !== smallest.address);
  cursor.startView(smallest.view);
  while (kept.count < limit && cursor.step()) {
    let everywhere = true;
    for (let i = 0; i < others.length && everywhere; i++) {
      everywhere = hasMember(others[i]!.view, smallest.view);
    }
    if (everywhere) kept.push(cursor.ref);
  }
  return smallest.view;
}

/** The sources of a difference: the first, and those of the others that hold anything. */
interface Difference {
  readonly first: Source;
  readonly others: Source[];
  /**
   * Whether fewer look-ups are needed when the members of the first are looked up in the others.
   */
  readonly byAsking: boolean;
  /** Members of the others, those that several have as often. */
  readonly theirs: number;
}

/** What a difference is made of; null when it is empty in any case. */
function differenceOf(sources: readonly Source[]): Difference | null {
  const first = sources[0]!;
  const others = sources.slice(1).filter((one) => one.address !== 0);
  if (first.address === 0 || others.some((one) => one.address === first.address)) return null;
  const size = first.view.count;
  const theirs = others.reduce((sum, one) => sum + one.view.count, 0);
  const byAsking = (size * (others.length + 1)) / 2 <= size + theirs;
  return { first, others, byAsking, theirs };
}

/** Keeps the members of the first source that no other has; the set that they are of. */
export function subtract(sources: readonly Source[]): SetView | null {
  kept.clear();
  const difference = differenceOf(sources);
  if (difference === null) return null;
  const { first, others, byAsking, theirs } = difference;
  if (byAsking || theirs > entriesLimit.max) subtractByAsking(first, others);
  else subtractByLeavingOut(first, others);
  return first.view;
}

/**
 * Builds the difference. Where members are left out of the first set its copy keeps the encoding
 * that it had with them, as a real server's does.
 */
export function subtractInto(c: Context, builder: SetBuilder, sources: readonly Source[]): void {
  builder.start(c.keyspace);
  const difference = differenceOf(sources);
  if (difference === null) return;
  const { first, others, byAsking } = difference;
  if (byAsking) {
    kept.clear();
    subtractByAsking(first, others);
    addKept(builder, first.view);
    return;
  }
  builder.addAll(first.view);
  for (const { view } of others) {
    cursor.startView(view);
    while (cursor.next()) {
      const { bytes, length, offset } = cursor.member;
      builder.remove(bytes, offset, length);
    }
  }
}

function subtractByAsking(first: Source, others: Source[]): void {
  others.sort((a, b) => b.view.count - a.view.count);
  cursor.startView(first.view);
  while (cursor.step()) {
    let elsewhere = false;
    for (let i = 0; i < others.length && !elsewhere; i++) {
      elsewhere = hasMember(others[i]!.view, first.view);
    }
    if (!elsewhere) kept.push(cursor.ref);
  }
}

function subtractByLeavingOut(first: Source, others: readonly Source[]): void {
  const out = new Set<number>();
  for (const { view } of others) {
    cursor.startView(view);
    while (cursor.step()) {
      const ref = first.view.findOf(view, cursor.ref, cursor.member);
      if (ref !== 0) out.add(ref);
    }
  }
  cursor.startView(first.view);
  while (cursor.step()) if (!out.has(cursor.ref)) kept.push(cursor.ref);
}

/** Builds the union of the sources. */
export function unite(c: Context, builder: SetBuilder, sources: readonly Source[]): void {
  builder.start(c.keyspace);
  for (const one of sources) if (one.address !== 0) builder.addAll(one.view);
}

/** Adds the members that were kept of a set. */
export function addKept(builder: SetBuilder, view: SetView): void {
  for (let i = 0; i < kept.count; i++) builder.addOf(view, kept.refs[i]!);
}
