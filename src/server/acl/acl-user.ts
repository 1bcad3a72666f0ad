/**
 * An ACL user: on or off, passwords as SHA-256 in hexadecimal, and selectors.
 *
 *     user alice on #9f86d0... ~cache:* resetchannels -@all +@read (~log:* resetchannels -@all
 *     +append)
 *          name  |  passwords  root selector                       further selectors
 *                on, off, nopass, skip-sanitize-payload
 */
import { createHash } from 'node:crypto';
import type { Args } from '../../core/resp/args.ts';
import type { Command } from '../dispatch/command.ts';
import type { CommandTable } from '../dispatch/command-table.ts';
import { ACL_OK, failure, Selector, SYNTAX } from './acl-selector.ts';

const BAD_HASH =
  'The password hash must be exactly 64 characters and contain only lowercase hexadecimal ' +
  'characters';
const NO_SUCH_PASSWORD = 'The password you are trying to remove from the user does not exist';

export class User {
  readonly name: string;
  enabled = false;
  /** Any password is right. */
  noPassword = false;
  /** Payloads of RESTORE need no deep look even where the configuration asks for one. */
  skipsSanitizing = false;
  private passwords: string[] = [];
  private root = new Selector();
  private further: Selector[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** The user that everything is allowed to, as `default` is at first. */
  static unlimited(name: string, table: CommandTable): User {
    const user = new User(name);
    for (const rule of ['on', 'nopass', '~*', '&*', '+@all']) user.apply(rule, table);
    return user;
  }

  /** A copy under the same name, to try rules on. */
  copy(): User {
    const copy = new User(this.name);
    copy.become(this);
    return copy;
  }

  /** Takes over everything but the name. */
  become(other: User): void {
    this.enabled = other.enabled;
    this.noPassword = other.noPassword;
    this.skipsSanitizing = other.skipsSanitizing;
    this.passwords = [...other.passwords];
    this.root = other.root.copy();
    this.further = other.further.map((one) => one.copy());
  }

  get isUnrestricted(): boolean {
    return this.root.isUnrestricted;
  }

  // ---------------------------------------------------------------- rules

  /** Applies one rule of ACL SETUSER; the reason when it is refused. */
  apply(rule: string, table: CommandTable): string | undefined {
    switch (rule.toLowerCase()) {
      case '':
        return undefined;
      case 'on':
      case 'off':
        this.enabled = rule.toLowerCase() === 'on';
        return undefined;
      case 'nopass':
      case 'resetpass':
        this.noPassword = rule.toLowerCase() === 'nopass';
        this.passwords = [];
        return undefined;
      case 'sanitize-payload':
      case 'skip-sanitize-payload':
        this.skipsSanitizing = rule.toLowerCase() === 'skip-sanitize-payload';
        return undefined;
      case 'clearselectors':
        this.further = [];
        return undefined;
      case 'reset':
        this.become(new User(this.name));
        return undefined;
    }
    if ('><#!'.includes(rule[0] ?? '')) return this.changePassword(rule);
    if (rule.startsWith('(')) return this.addSelector(rule, table);
    return this.root.apply(rule, table);
  }

  private changePassword(rule: string): string | undefined {
    const plain = rule[0] === '>' || rule[0] === '<';
    const hash = plain ? hashPassword(rule.slice(1)) : rule.slice(1);
    if (!/^[0-9a-f]{64}$/.test(hash)) return BAD_HASH;
    const known = this.passwords.includes(hash);
    if (rule[0] === '>' || rule[0] === '#') {
      if (!known) this.passwords.push(hash);
      this.noPassword = false;
      return undefined;
    }
    if (!known) return NO_SUCH_PASSWORD;
    this.passwords = this.passwords.filter((one) => one !== hash);
    return undefined;
  }

  private addSelector(rule: string, table: CommandTable): string | undefined {
    if (!rule.endsWith(')')) return SYNTAX;
    const selector = new Selector();
    for (const word of rule.slice(1, -1).trim().split(/\s+/)) {
      const error = word === '' ? undefined : selector.apply(word, table);
      if (error !== undefined) return error;
    }
    this.further.push(selector);
    return undefined;
  }

  // ---------------------------------------------------------------- checks

  /** Whether this is a right password, a byte string. */
  isPassword(password: string): boolean {
    return this.noPassword || this.passwords.includes(hashPassword(password));
  }

  /**
   * The first selector that lets the command pass decides; else the gravest refusal. See
   * acl-selector.ts.
   */
  check(command: Command, args: Args): number {
    if (this.root.isUnrestricted) return ACL_OK;
    let worst = ACL_OK;
    let index = 0;
    for (const selector of [this.root, ...this.further]) {
      const found = selector.check(command, args);
      if (found === ACL_OK) return ACL_OK;
      if (found > worst || (found === worst && failure.index > index)) {
        worst = found;
        index = failure.index;
      }
    }
    failure.index = index;
    return worst;
  }

  /** Whether the command may run and read whatever key there is: SORT derives keys from values. */
  mayReadAnyKey(command: Command, args: Args): boolean {
    return [this.root, ...this.further].some((one) => one.mayReadAnyKey(command, args));
  }

  mayUseChannel(channel: string, isPattern: boolean): boolean {
    return [this.root, ...this.further].some((one) => one.mayUseChannel(channel, isPattern));
  }

  // ---------------------------------------------------------------- descriptions

  flags(): string[] {
    const flags = [this.enabled ? 'on' : 'off'];
    if (this.noPassword) flags.push('nopass');
    flags.push(this.skipsSanitizing ? 'skip-sanitize-payload' : 'sanitize-payload');
    return flags;
  }

  get hashes(): readonly string[] {
    return this.passwords;
  }

  get rootSelector(): Selector {
    return this.root;
  }

  get furtherSelectors(): readonly Selector[] {
    return this.further;
  }

  /** The line that makes this user: as in an ACL file. */
  describe(): string {
    return [
      `user ${this.name}`,
      ...this.flags(),
      ...this.passwords.map((hash) => `#${hash}`),
      this.root.describe(),
      ...this.further.map((one) => `(${one.describe()})`),
    ].join(' ');
  }
}

function hashPassword(password: string): string {
  return createHash('sha256').update(Buffer.from(password, 'latin1')).digest('hex');
}

/**
 * Joins the words of a selector that spaces took apart, "(~a" "+get)"; gives the joined rules, or
 * the word at which a parenthesis that is never closed begins.
 */
export function joinSelectors(words: readonly string[]): string[] | { readonly open: string } {
  const rules: string[] = [];
  let first = -1;
  for (const [i, word] of words.entries()) {
    if (first >= 0) {
      if (!word.endsWith(')')) continue;
      rules.push(words.slice(first, i + 1).join(' '));
      first = -1;
    } else if (word.startsWith('(') && !word.endsWith(')')) first = i;
    else rules.push(word);
  }
  const open = words[first];
  return open === undefined ? rules : { open };
}
