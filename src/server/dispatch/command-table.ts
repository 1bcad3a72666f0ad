/**
 * The command table of one server: from the bytes of a name to the command, without a string and
 * whatever the case.
 *
 * An open-addressing table, keyed by a small hash of the folded name. Specifications are shared by
 * all servers of a process; the table copies each, so that figures and renamed names are the
 * server's own.
 */
import type { Args } from '../../core/resp/args.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { ConfigFileError, type Directive } from '../config/conf-file.ts';
import { type Command, CommandStats } from './command.ts';

const SLOTS = 1024;
const MASK = SLOTS - 1;

/**
 * Commands of Redis that this server lacks, with their subcommands: a `rename-command` line or an
 * ACL rule that names one is accepted and does nothing.
 */
const ABSENT: ReadonlyMap<string, readonly string[]> = new Map([
  ...['eval', 'eval_ro', 'evalsha', 'evalsha_ro', 'fcall', 'fcall_ro'].map(
    (name): [string, readonly string[]] => [name, []],
  ),
  ['function', ['delete', 'dump', 'flush', 'help', 'kill', 'list', 'load', 'restore', 'stats']],
  ['script', ['debug', 'exists', 'flush', 'help', 'kill', 'load']],
]);

export class CommandTable {
  /** All commands in the order in which they were added. */
  readonly all: Command[] = [];
  private readonly slots: (Command | null)[] = new Array<Command | null>(SLOTS).fill(null);
  /** The command that `find` found last: often the next one too. */
  private last: Command | null = null;
  private readonly children = new Map<Command, Map<string, Command>>();
  private withSubcommands: readonly Command[] | null = null;
  /** What the configuration took out. */
  private readonly removed: Command[] = [];

  constructor(commands: readonly Command[]) {
    for (const one of commands) this.add(own(one));
  }

  /** The command that argument `i` names, or null. */
  find(args: Args, i: number): Command | null {
    const bytes = args.bytes[i]!;
    const from = args.offsets[i]!;
    const length = args.lengths[i]!;
    const { last } = this;
    if (last !== null && sameName(last.nameBytes, bytes, from, length)) return last;
    const found = this.at(bytes, from, length);
    if (found !== null) this.last = found;
    return found;
  }

  private at(bytes: Uint8Array, from: number, length: number): Command | null {
    let slot = hashName(bytes, from, length) & MASK;
    for (;;) {
      const found = this.slots[slot]!;
      if (found === null || sameName(found.nameBytes, bytes, from, length)) return found;
      slot = (slot + 1) & MASK;
    }
  }

  /** The subcommand of `parent` with this name, in any case. */
  child(parent: Command, name: string): Command | undefined {
    return this.children.get(parent)?.get(name.toLowerCase());
  }

  /** The command with this name, whatever it was renamed to; "config|get" names a subcommand. */
  byName(name: string): Command | undefined {
    return this.search(name, (first) => this.all.find((one) => one.name === first));
  }

  /** The command that clients call so; "config|get" names a subcommand. */
  byCalledName(name: string): Command | undefined {
    return this.search(name, (first) => {
      return this.at(latin1Bytes(first), 0, first.length) ?? undefined;
    });
  }

  /** Whether the command is missing here: Redis has it, or the configuration took it out. */
  isGone(name: string): boolean {
    const wasRemoved = (first: string): Command | undefined => {
      return this.removed.find((one) => one.name === first);
    };
    if (this.search(name, wasRemoved) !== undefined) return true;
    const [first = '', second, ...rest] = name.toLowerCase().split('|');
    const subcommands = ABSENT.get(first);
    if (subcommands === undefined || rest.length > 0) return false;
    return second === undefined || subcommands.includes(second);
  }

  private search(
    name: string,
    findFirst: (first: string) => Command | undefined,
  ): Command | undefined {
    const [first = '', second, ...rest] = name.toLowerCase().split('|');
    if (rest.length > 0) return undefined;
    const parent = findFirst(first);
    return second === undefined || parent === undefined ? parent : this.child(parent, second);
  }

  /**
   * Gives a command another name, or takes it out ("rename-command" in the configuration); the
   * reason when that is refused. What was renamed goes by its new name, which may be the old one.
   */
  rename(from: string, to: string): string | undefined {
    const wanted = from.toLowerCase();
    const index = this.all.findIndex((one) => calledName(one) === wanted);
    const old = this.all[index];
    if (old === undefined) {
      return ABSENT.has(wanted) ? undefined : 'No such command in rename-command';
    }
    const name = to.toLowerCase();
    if (this.all.some((one) => one !== old && calledName(one) === name)) {
      return 'Target command name already exists';
    }
    this.all.splice(index, 1);
    this.last = null;
    this.withSubcommands = null;
    this.slots.fill(null);
    for (const one of this.all) this.place(one);
    if (name === '') {
      this.removed.push(old);
      return undefined;
    }
    const renamed = { ...old, nameBytes: new TextEncoder().encode(name) };
    this.add(renamed);
    return undefined;
  }

  private add(one: Command): void {
    this.all.push(one);
    this.withSubcommands = null;
    this.place(one);
    if (one.subcommands === undefined) return;
    const names = new Map<string, Command>();
    for (const sub of one.subcommands) names.set(sub.name.slice(one.name.length + 1), own(sub));
    this.children.set(one, names);
  }

  private place(one: Command): void {
    let slot = hashName(one.nameBytes, 0, one.nameBytes.length) & MASK;
    while (this.slots[slot] !== null) slot = (slot + 1) & MASK;
    this.slots[slot] = one;
  }

  /** All commands, subcommands behind their parents. */
  get every(): readonly Command[] {
    this.withSubcommands ??= this.all.flatMap((one) => [one, ...this.childrenOf(one)]);
    return this.withSubcommands;
  }

  /** The subcommands of `parent`, in their order. */
  childrenOf(parent: Command): Command[] {
    return [...(this.children.get(parent)?.values() ?? [])];
  }
}

/** Carries out the lines of the configuration; throws at one that is refused. */
export function renameCommands(table: CommandTable, lines: readonly Directive[]): void {
  for (const line of lines) {
    const error = table.rename(line.words[1] ?? '', line.words[2] ?? '');
    if (error !== undefined) throw new ConfigFileError(error, line);
  }
}

/** What clients call it. */
function calledName(one: Command): string {
  return new TextDecoder().decode(one.nameBytes);
}

/**
 * A copy with figures of its own. All copies have the same fields in the same order, whether a
 * specification has them or not: dispatch reads commands of one shape only (measured: 50 ns a
 * command less than with a shape for each set of traits).
 */
function own(one: Command): Command {
  return {
    name: one.name,
    handler: one.handler,
    stats: new CommandStats(),
    nameBytes: one.nameBytes,
    arity: one.arity,
    flags: one.flags,
    isConstant: one.isConstant,
    subcommands: one.subcommands,
    group: one.group,
    keys: one.keys,
    acl: one.acl,
    tips: one.tips,
    since: one.since,
    complexity: one.complexity,
    summary: one.summary,
    syntax: one.syntax,
    history: one.history,
    deprecated: one.deprecated,
    internal: one.internal,
    keysOf: one.keysOf,
  };
}

function hashName(bytes: Uint8Array, from: number, length: number): number {
  let hash = length;
  for (let i = from; i < from + length; i++) hash = (hash * 31 + (bytes[i]! | 32)) | 0;
  return (hash ^ (hash >>> 10)) >>> 0;
}

function sameName(name: Uint8Array, bytes: Uint8Array, from: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) {
    let c = bytes[from + i]!;
    if (c >= 65 && c <= 90) c += 32;
    if (c !== name[i]) return false;
  }
  return true;
}
