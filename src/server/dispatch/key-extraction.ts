/**
 * Which arguments of a command are keys, and what it does to them: for ACL rules, client-side
 * caching and COMMAND GETKEYS. Found by the key specifications, or by the command's own `keysOf`
 * where these cannot tell.
 *
 *     begin    index 1                  argument 1
 *              keyword STREAMS from 1   the argument behind that word
 *     range    last -1 step 1           up to the last argument
 *              count at 0               as many as that argument says
 *
 * A search from a negative position runs backwards from the end.
 */
import type { Args } from '../../core/resp/args.ts';
import { parseInteger } from '../../core/text/integer.ts';
import type { Command, KeyBegin, KeySpec } from './command.ts';

/** A key of a command: which argument, and the flags of its specification (RO, RW, access, ...). */
export interface FoundKey {
  readonly index: number;
  readonly flags: readonly string[];
}

/** Flags of a key that is found by `keysOf` when no specification tells. */
const UNTOLD = ['RW', 'access', 'update'];
/** Flags that speak of the specification and not of the key. */
const LOOSE = ['incomplete', 'variable_flags'];

/** Whether the command can have keys at all. */
export function mayHaveKeys(command: Command): boolean {
  return command.keysOf !== undefined || (command.keys ?? []).some(isOfKeys);
}

function isOfKeys(spec: KeySpec): boolean {
  return !spec.flags.includes('not_key');
}

/** The keys among the arguments; undefined when they are not what the command needs. */
export function findKeys(command: Command, args: Args): FoundKey[] | undefined {
  const specs = command.keys ?? [];
  const found: FoundKey[] = [];
  for (const spec of specs) {
    if (!isOfKeys(spec)) continue;
    const first = spec.flags.includes('incomplete') ? undefined : beginOf(spec.begin, args);
    if (first === -1) continue;
    const indexes = first === undefined ? undefined : rangeOf(spec, args, first);
    if (indexes === undefined) return keysByCommand(command, args, specs);
    const flags = narrowed(command, spec, args);
    for (const index of indexes) found.push({ index, flags });
  }
  return found;
}

/**
 * What `keysOf` says; a key that a specification knows has its flags, another those of the last
 * one.
 */
function keysByCommand(
  command: Command,
  args: Args,
  specs: readonly KeySpec[],
): FoundKey[] | undefined {
  const indexes = command.keysOf?.(args);
  if (indexes === undefined) return undefined;
  const known = new Map<number, readonly string[]>();
  for (const spec of specs) {
    const first = beginOf(spec.begin, args) ?? -1;
    if (first < 0) continue;
    for (const index of rangeOf(spec, args, first) ?? []) known.set(index, spec.flags);
  }
  const last = specs.at(-1)?.flags ?? UNTOLD;
  const plain = (flags: readonly string[]) => flags.filter((flag) => !LOOSE.includes(flag));
  return indexes.map((index) => ({ index, flags: plain(known.get(index) ?? last) }));
}

/** Index of the first key, -1 when the keyword is not there, undefined when nobody can tell. */
function beginOf(begin: KeyBegin, args: Args): number | undefined {
  if (begin.kind === 'unknown') return undefined;
  if (begin.kind === 'index') return begin.index;
  const { from } = begin;
  const word = begin.keyword.toLowerCase();
  const step = from > 0 ? 1 : -1;
  const start = from > 0 ? from : args.count + from;
  const end = from > 0 ? args.count - 1 : 0;
  for (let i = start; i !== end; i += step) {
    if (i >= args.count || i < 0) break;
    if (args.is(i, word)) return i + 1;
  }
  return -1;
}

function rangeOf(spec: KeySpec, args: Args, first: number): number[] | undefined {
  const { range } = spec;
  let from = first;
  let to: number;
  if (range.kind === 'unknown') return undefined;
  if (range.kind === 'range') {
    to = range.last >= 0 ? first + range.last : args.count + range.last;
    if (range.last < 0 && range.limit > 1) {
      to = first + Math.floor((args.count - first) / range.limit) + range.last;
    }
  } else {
    const at = first + range.at;
    if (at >= args.count) return undefined;
    const count = parseInteger(args.bytes[at]!, args.offsets[at]!, args.lengths[at]!);
    if (!(count >= 0)) return undefined;
    from = first + range.first;
    to = from + (count - 1) * range.step;
  }
  if (to < from || from < 0 || to >= args.count) return undefined;
  const indexes: number[] = [];
  for (let i = from; i <= to; i += range.step) indexes.push(i);
  return indexes;
}

/** SET reads only with GET, BITFIELD writes only with a write: what `variable_flags` stands for. */
function narrowed(command: Command, spec: KeySpec, args: Args): readonly string[] {
  if (!spec.flags.includes('variable_flags')) return spec.flags;
  if (command.name === 'set' && !setReads(args)) return ['OW', 'update'];
  if (command.name === 'bitfield' && bitfieldReadsOnly(args)) return ['RO', 'access'];
  return spec.flags.filter((flag) => flag !== 'variable_flags');
}

function setReads(args: Args): boolean {
  for (let i = 3; i < args.count; i++) if (args.is(i, 'get')) return true;
  return false;
}

/** Only GETs, and as many words as they take: what is not understood may write. */
function bitfieldReadsOnly(args: Args): boolean {
  let i = 2;
  while (i < args.count) {
    const following = args.count - i - 1;
    if (args.is(i, 'get') && following >= 2) i += 3;
    else if (args.is(i, 'overflow') && following >= 1) i += 2;
    else return false;
  }
  return true;
}
