/**
 * A selector of an ACL user: one set of commands, keys and channels that go together. A user has a
 * root selector, and may have further ones in parentheses; a command passes when any of them lets
 * it.
 *
 *     +@all -@dangerous +config|get   commands, in the order in which they were said
 *     ~cache:* %R~shared:*            keys; %R~ for reading only, %W~ for writing only
 *     &news.*                         channels
 *
 * Rules are byte strings (one character a byte).
 */
import type { Args } from '../../core/resp/args.ts';
import { globMatch } from '../../core/text/glob.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { type Command, NO_AUTH } from '../dispatch/command.ts';
import type { CommandTable } from '../dispatch/command-table.ts';
import { findKeys, mayHaveKeys } from '../dispatch/key-extraction.ts';
import { CATEGORIES, isInCategory } from './acl-categories.ts';

/** What a check found, the gravest last: a higher one tells a client more about how far it came. */
export const ACL_OK = 0;
export const ACL_DENIED_COMMAND = 1;
export const ACL_DENIED_KEY = 2;
export const ACL_DENIED_CHANNEL = 4;

/** Why a rule is refused. */
export const SYNTAX = 'Syntax error';
export const UNKNOWN = 'Unknown command or category name in ACL';
const NO_SUB_FIRST = 'Allowing first-arg of a subcommand is not supported';
const ALL_KEYS_ALREADY =
  "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have " +
  "any effect. Try 'resetkeys' to start with an empty list of patterns";
const ALL_CHANNELS_ALREADY =
  "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not " +
  "have any effect. Try 'resetchannels' to start with an empty list of channels";

interface KeyPattern {
  readonly pattern: Uint8Array;
  readonly text: string;
  read: boolean;
  write: boolean;
}

/** A command's channels: where they begin, and whether they are patterns themselves. */
interface ChannelArguments {
  readonly from: number;
  readonly single?: true;
  readonly patterns?: true;
}

const CHANNELS: Readonly<Record<string, ChannelArguments>> = {
  publish: { from: 1, single: true },
  spublish: { from: 1, single: true },
  subscribe: { from: 1 },
  ssubscribe: { from: 1 },
  psubscribe: { from: 1, patterns: true },
};

/** Where a check failed: the argument. */
export const failure = { index: 0 };

export class Selector {
  allKeys = false;
  allChannels = false;
  /** Every command, also those that are added later. */
  allCommands = false;
  private base: '+@all' | '-@all' = '-@all';
  private rules: string[] = [];
  private commands = new Set<string>();
  private firstArgs = new Map<string, Set<string>>();
  private keys: KeyPattern[] = [];
  private channels: string[] = [];

  /** A selector that lets everything pass. */
  get isUnrestricted(): boolean {
    return this.allKeys && this.allChannels && this.allCommands;
  }

  copy(): Selector {
    const copy = new Selector();
    copy.allKeys = this.allKeys;
    copy.allChannels = this.allChannels;
    copy.allCommands = this.allCommands;
    copy.base = this.base;
    copy.rules = [...this.rules];
    copy.commands = new Set(this.commands);
    copy.firstArgs = new Map([...this.firstArgs].map(([name, words]) => [name, new Set(words)]));
    copy.keys = this.keys.map((one) => ({ ...one }));
    copy.channels = [...this.channels];
    return copy;
  }

  // ---------------------------------------------------------------- rules

  /** Applies one rule; the reason when it is refused. */
  apply(rule: string, table: CommandTable): string | undefined {
    const word = rule.toLowerCase();
    if (word === 'allkeys' || rule === '~*') return this.setKeys(true);
    if (word === 'resetkeys') return this.setKeys(false);
    if (word === 'allchannels' || rule === '&*') return this.setChannels(true);
    if (word === 'resetchannels') return this.setChannels(false);
    if (word === 'allcommands' || word === '+@all') return this.setCommands('+@all', table);
    if (word === 'nocommands' || word === '-@all') return this.setCommands('-@all', table);
    switch (rule[0]) {
      case '~':
        return this.addKey(rule.slice(1), true, true);
      case '%':
        return this.addKeyWithRights(rule);
      case '&':
        return this.addChannel(rule.slice(1));
      case '+':
      case '-':
        if (rule[1] === '@') return this.changeCategory(word.slice(2), rule[0] === '+', table);
        return rule[0] === '+'
          ? this.allow(rule.slice(1), table)
          : this.forbid(rule.slice(1), table);
      default:
        return SYNTAX;
    }
  }

  private setKeys(all: boolean): undefined {
    this.allKeys = all;
    this.keys = [];
  }

  private setChannels(all: boolean): undefined {
    this.allChannels = all;
    this.channels = [];
  }

  private setCommands(base: '+@all' | '-@all', table: CommandTable): undefined {
    this.base = base;
    this.rules = [];
    this.firstArgs.clear();
    this.commands.clear();
    this.allCommands = base === '+@all';
    if (this.allCommands) for (const one of table.all) this.mark(one, true, table);
  }

  private addKeyWithRights(rule: string): string | undefined {
    if (this.allKeys) return ALL_KEYS_ALREADY;
    const rights = /^%([RrWw]+)(?:~|$)/.exec(rule)?.[1]?.toLowerCase();
    if (rights === undefined || new Set(rights).size !== rights.length) return SYNTAX;
    return this.addKey(rule.slice(rights.length + 2), rights.includes('r'), rights.includes('w'));
  }

  private addKey(text: string, read: boolean, write: boolean): string | undefined {
    if (this.allKeys) return ALL_KEYS_ALREADY;
    if (hasSpaces(text)) return SYNTAX;
    const known = this.keys.find((one) => one.text === text);
    if (known === undefined) {
      this.keys.push({ pattern: latin1Bytes(text), text, read, write });
    } else {
      known.read ||= read;
      known.write ||= write;
    }
    return undefined;
  }

  private addChannel(text: string): string | undefined {
    if (this.allChannels) return ALL_CHANNELS_ALREADY;
    if (hasSpaces(text)) return SYNTAX;
    if (!this.channels.includes(text)) this.channels.push(text);
    return undefined;
  }

  private allow(name: string, table: CommandTable): string | undefined {
    const bar = name.lastIndexOf('|');
    if (bar >= 0) {
      const parent = table.byName(name.slice(0, bar));
      const first = name.slice(bar + 1);
      if (parent === undefined) return this.change(name, true, table);
      if (parent.name.includes('|')) return NO_SUB_FIRST;
      if (first === '') return SYNTAX;
      if (parent.subcommands === undefined) {
        const words = this.firstArgs.get(parent.name) ?? new Set();
        this.firstArgs.set(parent.name, words.add(first.toLowerCase()));
        this.addRule(name, true);
        return undefined;
      }
    }
    return this.change(name, true, table);
  }

  private forbid(name: string, table: CommandTable): string | undefined {
    return this.change(name, false, table);
  }

  private change(name: string, allowed: boolean, table: CommandTable): string | undefined {
    const command = table.byName(name);
    if (command !== undefined) this.mark(command, allowed, table);
    else if (!table.isGone(name)) return UNKNOWN;
    this.addRule(name, allowed);
    return undefined;
  }

  private changeCategory(name: string, allowed: boolean, table: CommandTable): string | undefined {
    if (!CATEGORIES.some((category) => category === name)) return UNKNOWN;
    this.addRule(`@${name}`, allowed);
    for (const one of table.all) {
      if (isInCategory(one, name)) this.mark(one, allowed, table);
      else {
        for (const sub of table.childrenOf(one)) {
          if (isInCategory(sub, name)) this.mark(sub, allowed, table);
        }
      }
    }
    return undefined;
  }

  /** Allows or forbids a command with its subcommands. */
  private mark(command: Command, allowed: boolean, table: CommandTable): void {
    if (!allowed) this.allCommands = false;
    this.firstArgs.delete(command.name);
    for (const { name } of [command, ...table.childrenOf(command)]) {
      if (allowed) this.commands.add(name);
      else this.commands.delete(name);
    }
  }

  /** Notes a rule in place of those that it overrides. */
  private addRule(name: string, allowed: boolean): void {
    const word = name.toLowerCase();
    this.rules = this.rules.filter((rule) => {
      const said = rule.slice(1);
      return said !== word && !said.startsWith(`${word}|`);
    });
    this.rules.push(`${allowed ? '+' : '-'}${word}`);
  }

  // ---------------------------------------------------------------- descriptions

  describeCommands(): string {
    return [this.base, ...this.rules].join(' ');
  }

  describeKeys(): string {
    if (this.allKeys) return '~*';
    return this.keys
      .map(({ text, read, write }) => `${read && write ? '' : read ? '%R' : '%W'}~${text}`)
      .join(' ');
  }

  describeChannels(): string {
    return this.allChannels ? '&*' : this.channels.map((text) => `&${text}`).join(' ');
  }

  /** The rules of the selector as ACL LIST shows them. */
  describe(): string {
    const keys = this.describeKeys();
    const channels = this.describeChannels();
    return [
      ...(keys === '' ? [] : [keys]),
      ...(this.allChannels ? [] : ['resetchannels']),
      ...(channels === '' ? [] : [channels]),
      this.describeCommands(),
    ].join(' ');
  }

  // ---------------------------------------------------------------- checks

  /** Whether the command may run; where it may not, `failure.index` has the argument. */
  check(command: Command, args: Args): number {
    failure.index = 0;
    if (!this.mayRun(command, args)) return ACL_DENIED_COMMAND;
    if (!this.allKeys && mayHaveKeys(command)) {
      for (const key of findKeys(command, args) ?? []) {
        if (this.mayUseKey(args, key.index, key.flags)) continue;
        failure.index = key.index;
        return ACL_DENIED_KEY;
      }
    }
    return this.allChannels ? ACL_OK : this.checkChannels(command, args);
  }

  /** Whether the command may run and read whatever key there is, also such as it does not name. */
  mayReadAnyKey(command: Command, args: Args): boolean {
    const all = this.allKeys || this.keys.some((one) => one.read && one.text === '*');
    return all && this.check(command, args) === ACL_OK;
  }

  private mayRun(command: Command, args: Args): boolean {
    if (this.allCommands || (command.flags & NO_AUTH) !== 0) return true;
    if (this.commands.has(command.name)) return true;
    const words = this.firstArgs.get(command.name);
    return words !== undefined && args.count > 1 && words.has(args.text(1).toLowerCase());
  }

  private mayUseKey(args: Args, index: number, flags: readonly string[]): boolean {
    const read = flags.includes('access');
    const write = ['insert', 'delete', 'update'].some((flag) => flags.includes(flag));
    const bytes = args.bytes[index]!;
    const from = args.offsets[index]!;
    const length = args.lengths[index]!;
    return this.keys.some(
      (one) =>
        (!read || one.read) &&
        (!write || one.write) &&
        globMatch(one.pattern, 0, one.pattern.length, bytes, from, length, false),
    );
  }

  private checkChannels(command: Command, args: Args): number {
    const where = CHANNELS[command.name];
    if (where === undefined) return ACL_OK;
    const end = where.single === true ? where.from + 1 : args.count;
    for (let i = where.from; i < end; i++) {
      if (this.mayUseChannel(args.text(i), where.patterns === true)) continue;
      failure.index = i;
      return ACL_DENIED_CHANNEL;
    }
    return ACL_OK;
  }

  /** A pattern must have been allowed word for word. */
  mayUseChannel(channel: string, isPattern: boolean): boolean {
    if (this.allChannels) return true;
    if (isPattern) return this.channels.includes(channel);
    const bytes = latin1Bytes(channel);
    return this.channels.some((text) => {
      const pattern = latin1Bytes(text);
      return globMatch(pattern, 0, pattern.length, bytes, 0, bytes.length, false);
    });
  }
}

function hasSpaces(text: string): boolean {
  return /[\s\0]/.test(text);
}
