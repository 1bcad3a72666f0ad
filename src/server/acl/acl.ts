/**
 * Access control: the users, who may connect as whom, and what was refused.
 *
 * The user `default` is there always; a connection is its until it says AUTH. As long as no user is
 * limited in anything, commands are not checked at all (`isLimiting`), so that the everyday server
 * pays nothing.
 *
 * Users come from `user` lines of redis.conf or from the ACL file (acl-file.ts), never from both.
 * Texts are byte strings. A user that changes keeps its object, so its clients are its clients
 * still; those who may not have what they have any more are disconnected.
 */
import type { Args } from '../../core/resp/args.ts';
import type { Client } from '../clients/client.ts';
import type { Config } from '../config/config.ts';
import type { Command } from '../dispatch/command.ts';
import type { CommandTable } from '../dispatch/command-table.ts';
import { AclFile } from './acl-file.ts';
import { AclLog } from './acl-log.ts';
import { dryRunRefusal, lateRefusalError, logEntry, refusalError } from './acl-refusal.ts';
import { AclRules, isBadName } from './acl-rules.ts';
import { ACL_OK } from './acl-selector.ts';
import { joinSelectors, type User } from './acl-user.ts';

export const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.';

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
  private readonly rules: AclRules;
  private readonly file: AclFile;
  private readonly owner: AclOwner;

  constructor(config: Config, table: CommandTable, owner: AclOwner) {
    this.config = config;
    this.rules = new AclRules(config, table);
    this.file = new AclFile(config, this.rules);
    this.owner = owner;
    this.log = new AclLog(config);
    this.users.set('default', this.rules.unlimitedUser('default'));
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
      this.log.add('auth', contextOf(client), word, name, client);
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
    return refusalError(found, command, user.name);
  }

  /** The error for a queued command that the client's user may not run any more, else null. */
  lateRefusal(client: Client, command: Command, args: Args): string | null {
    const { user } = client;
    const found = user?.check(command, args) ?? ACL_OK;
    if (user === null || found === ACL_OK) return null;
    this.note(found, 'multi', command, args, client, user);
    return lateRefusalError(found);
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
    const [reason, object] = logEntry(found, command, args);
    this.log.add(reason, context, object, user.name, client);
  }

  /** ACL DRYRUN: what would be refused, or undefined. */
  tryOut(user: User, command: Command, args: Args): string | undefined {
    const found = user.check(command, args);
    return found === ACL_OK ? undefined : dryRunRefusal(found, command, args, user.name);
  }

  // ---------------------------------------------------------------- changes

  /** ACL SETUSER, all rules or none: the text of an error, or undefined. */
  setUser(name: string, words: readonly string[]): string | undefined {
    const rules = joinSelectors(words);
    if ('open' in rules) {
      return `Unmatched parenthesis in acl selector starting at '${rules.open}'.`;
    }
    const known = this.users.get(name);
    const trial = known?.copy() ?? this.rules.newUser(name);
    for (const rule of rules) {
      const error = this.rules.apply(trial, rule);
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

  private setDefaultPassword(password: string): void {
    const user = this.defaultUser;
    this.rules.apply(user, 'resetpass');
    const bytes = Buffer.from(password, 'utf8').toString('latin1');
    this.rules.apply(user, bytes === '' ? 'nopass' : `>${bytes}`);
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

  // ---------------------------------------------------------------- load and save

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
      if (name === 'default') this.rules.apply(this.defaultUser, 'reset');
      const error = this.setUser(name, rules);
      if (error !== undefined) throw new Error(`${error} (in: ${text})`);
    }
  }

  /** Reads the ACL file, as `asking` said: all of it or, with the text of an error, nothing. */
  load(asking: Client | null): string | undefined {
    const users = this.file.read();
    if (typeof users === 'string') return users;
    this.replaceUsers(users, asking);
    return undefined;
  }

  /** Users that stay keep their object, so that their clients stay connected. */
  private replaceUsers(fresh: ReadonlyMap<string, User>, asking: Client | null): void {
    for (const [name, user] of [...this.users]) {
      const after = fresh.get(name);
      if (after !== undefined) {
        user.become(after);
        this.closeStrayed(user);
      } else if (name === 'default') {
        user.become(this.rules.unlimitedUser('default'));
      } else {
        this.users.delete(name);
        this.closeClientsOf(user, asking);
      }
    }
    for (const [name, user] of fresh) if (!this.users.has(name)) this.users.set(name, user);
    this.changed();
  }

  /** Writes the ACL file; the text of an error, or undefined. */
  save(): Promise<string | undefined> {
    return this.file.save(this.lines());
  }
}

function contextOf(client: Client): string {
  return client.transaction === null ? 'toplevel' : 'multi';
}
