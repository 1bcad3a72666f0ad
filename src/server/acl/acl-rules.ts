/**
 * Rules as they are put to a user. What a user begins with, and goes back to with `reset`, is
 * configured in part (`acl-pubsub-default`), and so is what a further selector begins with.
 */
import type { Config } from '../config/config.ts';
import type { CommandTable } from '../dispatch/command-table.ts';
import { User } from './acl-user.ts';

export class AclRules {
  private readonly config: Config;
  private readonly table: CommandTable;

  constructor(config: Config, table: CommandTable) {
    this.config = config;
    this.table = table;
  }

  newUser(name: string): User {
    return this.begin(new User(name));
  }

  /** The user that everything is allowed to, as `default` is at first. */
  unlimitedUser(name: string): User {
    return User.unlimited(name, this.table);
  }

  /** Puts one rule to a user: the text of an error, or undefined. */
  apply(user: User, rule: string): string | undefined {
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
}

/** Names with spaces or null characters cannot be users. */
export function isBadName(name: string): boolean {
  return /[\s\0]/.test(name);
}
