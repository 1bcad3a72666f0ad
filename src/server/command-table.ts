/**
 * The command table of one server: from the bytes of a name to the command, without a string and
 * whatever the case.
 *
 * An open-addressing table, keyed by a small hash of the folded name. Specifications are shared by
 * all servers of a process; the table copies each, so that figures and renamed names are the
 * server's own.
 */
import type { Args } from '../core/resp/args.ts';
import { type Command, CommandStats } from './command.ts';

const SLOTS = 1024;
const MASK = SLOTS - 1;

export class CommandTable {
  /** All commands in the order in which they were added. */
  readonly all: Command[] = [];
  private readonly slots: (Command | null)[] = new Array<Command | null>(SLOTS).fill(null);
  /** The command that `find` found last: often the next one too. */
  private last: Command | null = null;
  private readonly children = new Map<Command, Map<string, Command>>();

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
    let slot = hashName(bytes, from, length) & MASK;
    for (;;) {
      const found = this.slots[slot]!;
      if (found === null) return null;
      if (sameName(found.nameBytes, bytes, from, length)) {
        this.last = found;
        return found;
      }
      slot = (slot + 1) & MASK;
    }
  }

  /** The subcommand of `parent` with this name, in any case. */
  child(parent: Command, name: string): Command | undefined {
    return this.children.get(parent)?.get(name.toLowerCase());
  }

  /** The command with this name; "config|get" names a subcommand. */
  byName(name: string): Command | undefined {
    const [first, second, ...rest] = name.toLowerCase().split('|');
    if (rest.length > 0) return undefined;
    const parent = this.all.find((one) => one.name === first);
    return second === undefined || parent === undefined ? parent : this.child(parent, second);
  }

  /** Gives a command another name, or takes it out ("rename-command" in the configuration). */
  rename(from: string, to: string): boolean {
    const index = this.all.findIndex((one) => one.name === from.toLowerCase());
    const old = this.all[index];
    if (old === undefined) return false;
    this.all.splice(index, 1);
    this.last = null;
    this.slots.fill(null);
    for (const one of this.all) this.place(one);
    if (to === '') return true;
    const name = to.toLowerCase();
    const renamed = { ...old, nameBytes: new TextEncoder().encode(name) };
    this.add(renamed);
    return true;
  }

  private add(one: Command): void {
    this.all.push(one);
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

  /** The subcommands of `parent`, in their order. */
  childrenOf(parent: Command): Command[] {
    return [...(this.children.get(parent)?.values() ?? [])];
  }
}

function own(one: Command): Command {
  return { ...one, stats: new CommandStats() };
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
