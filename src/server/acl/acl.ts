/**
 * Access control: the users, who may connect as whom, and what was refused.
 *
 * The user `default` is there always; a connection is its until it says AUTH. As long as no user is
 * limited in anything, commands are not checked at all (`isLimiting`), so that the everyday server
 * pays nothing.
 *
 * Users come from `user` lines of redis.conf or from the ACL file, never from both. Texts are
 * byte strings.
 */
import { readFileSync } from 'node:fs';
import type { Args } from '../../core/resp/args.ts';
import type { Client } from '../clients/client.ts';
import { replaceConfigFile } from '../config/conf-rewrite.ts';
import type { Config } from '../config/config.ts';
import { errorReason } from '../config/system-error.ts';
import type { Command } from '../dispatch/command.ts';
import type { CommandTable } from '../dispatch/command-table.ts';
import { AclLog } from './acl-log.ts';
import {
  ACL_DENIED_CHANNEL,
  ACL_DENIED_COMMAND,
  ACL_DENIED_KEY,
  ACL_OK,
  failure,
  UNKNOWN,
} from './acl-selector.ts';
import { joinSelectors, User } from './acl-user.ts';

export const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.';

const NO_CHANGE =
  'WARNING: ACL errors detected, no change to the previously active ACL rules was performed';

/** What access control needs of the server. */
export interface AclOwner {
  readonly clients: ReadonlyMap<number, Client>;
  closeClient(client: Client, how: 'after-reply' | 'now'): void;
}

export class AccessControl {
  readonly log: AclLog;
  /** Called when `isLimiting` may have changed. */
  onChange: () => void = () => {};
  private readonly users = new Map<string, User>();
  private readonly config: Config;
  private readonly table: CommandTable;
  private readonly owner: AclOwner;
  /** The last save that was asked for. */
  private saving: Promise<string | undefined> = Promise.resolve(undefined);

  constructor(config: Config, table: CommandTable, owner: AclOwner) {
    this.config = config;
    this.table = table;
    this.owner = owner;
    this.log = new AclLog(config);
    this.users.set('default', User.unlimited('default', table));
    this.setDefaultPassword(config.values.requirepass);
    config.onChange('requirepass', (password) => {
      this.setDefaultPassword(password);
      this.changed();
      return undefined;
    });
  }

  get defaultUser(): User {
    return this.users.get('default')!;
  }

  /** Whether any command of any user has to be checked. */
  get isLimiting(): boolean {
    for (const user of this.users.values()) if (!user.isUnrestricted) return true;
    return false;
  }

  /** Whether connections need no AUTH. */
  get isOpen(): boolean {
    return this.defaultUser.enabled && this.defaultUser.noPassword;
  }

  user(name: string): User | undefined {
    return this.users.get(name);
  }

  /** All names, in the order of their bytes. */
  names(): string[] {
    return [...this.users.keys()].sort();
  }

  /** All users as lines of an ACL file. */
  lines(): string[] {
    return this.names().map((name) => this.users.get(name)!.describe());
  }

  // ---------------------------------------------------------------- who may what

  /** The client becomes the user `default`, as at its start. */
  welcome(client: Client): void {
    client.user = this.defaultUser;
    this.setAuthenticated(client, this.isOpen);
  }

  /** AUTH, or whichever word asks for it: whether the client is the user from now on. */
  authenticate(client: Client, name: string, password: string, word: string): boolean {
    const user = this.users.get(name);
    if (user?.enabled !== true || !user.isPassword(password)) {
      const context = client.transaction === null ? 'toplevel' : 'multi';
      this.log.add('auth', context, word, name, client);
      return false;
    }
    client.user = user;
    this.setAuthenticated(client, true);
    return true;
  }

  private setAuthenticated(client: Client, yes: boolean): void {
    client.authenticated = yes;
    client.parser.authenticated = yes;
  }

  /** The error for a command that the client's user may not run, else null. */
  refusal(client: Client, command: Command, args: Args): string | null {
    const { user } = client;
    if (user === null) return null;
    const found = user.check(command, args);
    if (found === ACL_OK) return null;
    this.note(found, contextOf(client), command, args, client, user);
    return `NOPERM ${denial(found, command, user.name)}`;
  }

  /** The error for a queued command that the client's user may not run any more, else null. */
  lateRefusal(client: Client, command: Command, args: Args): string | null {
    const { user } = client;
    const found = user?.check(command, args) ?? ACL_OK;
    if (user === null || found === ACL_OK) return null;
    this.note(found, 'multi', command, args, client, user);
    return `${RULES_CHANGED} ${LATE_REASONS[found]}`;
  }

  /** Logs what has just been refused. */
  private note(
    found: number,
    context: string,
    command: Command,
    args: Args,
    client: Client,
    user: User,
  ): void {
    const object = found === ACL_DENIED_COMMAND ? command.name : args.text(failure.index);
    this.log.add(REASONS[found]!, context, object, user.name, client);
  }

  /** ACL DRYRUN: what would be refused, or undefined. */
  tryOut(user: User, command: Command, args: Args): string | undefined {
    const found = user.check(command, args);
    if (found === ACL_OK) return undefined;
    if (found === ACL_DENIED_COMMAND) return denial(found, command, user.name);
    const what = `'${args.text(failure.index)}' ${found === ACL_DENIED_KEY ? 'key' : 'channel'}`;
    return `User ${user.name} has no permissions to access the ${what}`;
  }

  // ---------------------------------------------------------------- changes

  /** ACL SETUSER, all rules or none: the text of an error, or undefined. */
  setUser(name: string, words: readonly string[]): string | undefined {
    const rules = joinSelectors(words);
    if ('open' in rules) {
      return `Unmatched parenthesis in acl selector starting at '${rules.open}'.`;
    }
    const known = this.users.get(name);
    const trial = known?.copy() ?? this.newUser(name);
    for (const rule of rules) {
      const error = this.apply(trial, rule);
      if (error !== undefined) return `Error in ACL SETUSER modifier '${rule}': ${error}`;
    }
    if (known === undefined) this.users.set(name, trial);
    else {
      known.become(trial);
      this.closeStrayed(known);
    }
    this.changed();
    return undefined;
  }

  /** ACL DELUSER of one: whether there was such a user. Its clients are disconnected. */
  deleteUser(name: string, asking: Client): boolean {
    const user = this.users.get(name);
    if (user === undefined) return false;
    this.users.delete(name);
    this.closeClientsOf(user, asking);
    this.changed();
    return true;
  }

  /**
   * One rule; what a user begins with, and goes back to with `reset`, is configured in part, and so
   * is what a selector begins with.
   */
  private apply(user: User, rule: string): string | undefined {
    const begun = rule.startsWith('(') && this.opensChannels ? `(&* ${rule.slice(1)}` : rule;
    const error = user.apply(begun, this.table);
    if (rule.toLowerCase() === 'reset') this.begin(user);
    return error;
  }

  private get opensChannels(): boolean {
    return this.config.values.aclPubsubDefault === 'allchannels';
  }

  private begin(user: User): User {
    if (this.opensChannels) user.apply('&*', this.table);
    return user;
  }

  private newUser(name: string): User {
    return this.begin(new User(name));
  }

  private setDefaultPassword(password: string): void {
    const user = this.defaultUser;
    user.apply('resetpass', this.table);
    const bytes = Buffer.from(password, 'utf8').toString('latin1');
    user.apply(bytes === '' ? 'nopass' : `>${bytes}`, this.table);
  }

  private closeClientsOf(user: User, asking: Client | null): void {
    for (const client of [...this.owner.clients.values()]) {
      if (client.user !== user) continue;
      client.user = this.defaultUser;
      this.setAuthenticated(client, false);
      this.owner.closeClient(client, client === asking ? 'after-reply' : 'now');
    }
  }

  /** Subscribers of channels that their user may not use any more are disconnected. */
  private closeStrayed(user: User): void {
    for (const client of [...this.owner.clients.values()]) {
      const subscribed = client.subscribed;
      if (client.user !== user || subscribed === null) continue;
      const lost = (names: Iterable<string>, patterns: boolean): boolean =>
        [...names].some((name) => !user.mayUseChannel(name, patterns));
      if (
        lost(subscribed.patterns, true) ||
        lost(subscribed.channels, false) ||
        lost(subscribed.shardChannels, false)
      ) {
        this.owner.closeClient(client, 'now');
      }
    }
  }

  private changed(): void {
    if (this.isOpen) {
      for (const client of this.owner.clients.values()) {
        if (client.user === this.defaultUser) this.setAuthenticated(client, true);
      }
    }
    this.onChange();
  }

  // ---------------------------------------------------------------- files

  /** Takes in the users of the configuration, at the start; throws an Error that names the line. */
  loadAtStart(): void {
    const { users, values } = this.config;
    if (values.aclfile !== '') {
      if (users.length > 0) {
        throw new Error(
          'Configuring Redis with users defined in redis.conf and at the same setting an ACL ' +
            'file path is invalid. This setup is very likely to lead to configuration errors ' +
            'and security holes, please define either an ACL file or declare users directly in ' +
            'your redis.conf, but not both.',
        );
      }
      const error = this.load(null);
      if (error !== undefined) throw new Error(error);
      return;
    }
    const seen = new Set<string>();
    for (const { words, text } of users) {
      const [, name = '', ...rules] = words;
      if (isBadName(name)) throw new Error(`Spaces not allowed in ACL usernames (in: ${text})`);
      if (seen.has(name)) {
        throw new Error(`Duplicate user '${name}' found in the configuration: ${text}`);
      }
      seen.add(name);
      if (name === 'default') this.apply(this.defaultUser, 'reset');
      const error = this.setUser(name, rules);
      if (error !== undefined) throw new Error(`${error} (in: ${text})`);
    }
  }

  /** Reads the ACL file, as `asking` said: all of it or, with the text of an error, nothing. */
  load(asking: Client | null): string | undefined {
    const { aclfile } = this.config.values;
    let text: string;
    try {
      text = readFileSync(this.config.path(aclfile), 'latin1');
    } catch (error) {
      return `Error loading ACLs, opening file '${aclfile}': ${errorReason(error)}`;
    }
    const fresh = new Map<string, User>();
    const errors: string[] = [];
    for (const [index, line] of text.split('\n').entries()) {
      const error = this.readLine(line, index + 1, fresh);
      if (error !== undefined) errors.push(error);
    }
    if (errors.length > 0) return errors.join('') + NO_CHANGE;
    this.replaceUsers(fresh, asking);
    return undefined;
  }

  /** The user of a line, put into `fresh`, or the text of errors; blank lines and comments pass. */
  private readLine(line: string, number: number, fresh: Map<string, User>): string | undefined {
    const where = `${this.config.values.aclfile}:${number}`;
    const [keyword, name, ...given] = line.trim().split(/ +/);
    if (keyword === undefined || keyword === '' || keyword.startsWith('#')) return undefined;
    if (keyword !== 'user' || name === undefined) {
      return `${where} should start with user keyword followed by the username. `;
    }
    if (isBadName(name)) return `'${where}: username '${name}' contains invalid characters. `;
    if (fresh.has(name)) return `WARNING: Duplicate user '${name}' found on line ${number}. `;
    const rules = joinSelectors(given);
    if ('open' in rules) return `${where}: Unmatched parenthesis in selector definition.`;
    const user = this.newUser(name);
    const errors = new Set<string>();
    for (const rule of rules) {
      const error = this.apply(user, rule);
      // Every unknown command is named; of other errors, which may cause more, the first.
      if (error === UNKNOWN)
        errors.add(`${where}: Error in applying operation '${rule}': ${error}. `);
      else if (error !== undefined && errors.size === 0) errors.add(`${where}: ${error}. `);
    }
    fresh.set(name, user);
    return errors.size === 0 ? undefined : [...errors].join('');
  }

  /** Users that stay keep their object, so that their clients stay connected. */
  private replaceUsers(fresh: ReadonlyMap<string, User>, asking: Client | null): void {
    for (const [name, user] of [...this.users]) {
      const after = fresh.get(name);
      if (after !== undefined) {
        user.become(after);
        this.closeStrayed(user);
      } else if (name === 'default') {
        user.become(User.unlimited('default', this.table));
      } else {
        this.users.delete(name);
        this.closeClientsOf(user, asking);
      }
    }
    for (const [name, user] of fresh) if (!this.users.has(name)) this.users.set(name, user);
    this.changed();
  }

  /** Writes the ACL file, behind whoever writes it; the text of an error, or undefined. */
  save(): Promise<string | undefined> {
    const path = this.config.path(this.config.values.aclfile);
    const text = `${this.lines().join('\n')}\n`;
    const turn = this.saving.then(() => replaceConfigFile(path, text));
    this.saving = turn.then(
      () => undefined,
      (error) => `There was an error trying to save the ACLs: ${errorReason(error)}`,
    );
    return this.saving;
  }
}

const REASONS: Readonly<Record<number, 'command' | 'key' | 'channel'>> = {
  [ACL_DENIED_COMMAND]: 'command',
  [ACL_DENIED_KEY]: 'key',
  [ACL_DENIED_CHANNEL]: 'channel',
};

const RULES_CHANGED =
  'NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC ' +
  'call. This command is no longer allowed for the following reason:';

const LATE_REASONS: Readonly<Record<number, string>> = {
  [ACL_DENIED_COMMAND]: 'no permission to execute the command or subcommand',
  [ACL_DENIED_KEY]: 'no permission to touch the specified keys',
  [ACL_DENIED_CHANNEL]: 'no permission to access one of the channels used as arguments',
};

function denial(found: number, command: Command, user: string): string {
  if (found === ACL_DENIED_COMMAND) {
    return `User ${user} has no permissions to run the '${command.name}' command`;
  }
  return `No permissions to access a ${found === ACL_DENIED_KEY ? 'key' : 'channel'}`;
}

function contextOf(client: Client): string {
  return client.transaction === null ? 'toplevel' : 'multi';
}

/** Names with spaces or null characters cannot be users. */
export function isBadName(name: string): boolean {
  return /[\s\0]/.test(name);
}
