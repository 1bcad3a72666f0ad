/**
 * The ACL file (`aclfile`): a line for each user, as `User.describe` gives it.
 *
 *     # comments and blank lines pass
 *     user default on nopass sanitize-payload ~* &* +@all
 *     user alice on #9f86d0... ~cache:* resetchannels -@all +@read
 *
 * It is read as a whole or not at all, and every line that is wrong is named. It is written by
 * rename, one writer behind the other. Texts are byte strings.
 */
import { readFileSync } from 'node:fs';
import { replaceConfigFile } from '../config/conf-rewrite.ts';
import type { Config } from '../config/config.ts';
import { errorReason } from '../config/system-error.ts';
import { type AclRules, isBadName } from './acl-rules.ts';
import { UNKNOWN } from './acl-selector.ts';
import { joinSelectors, type User } from './acl-user.ts';

const NO_CHANGE =
  'WARNING: ACL errors detected, no change to the previously active ACL rules was performed';

export class AclFile {
  private readonly config: Config;
  private readonly rules: AclRules;
  /** The last save that was asked for. */
  private saving: Promise<string | undefined> = Promise.resolve(undefined);

  constructor(config: Config, rules: AclRules) {
    this.config = config;
    this.rules = rules;
  }

  /** The users of the file, by name, or the text of what is wrong with it. */
  read(): ReadonlyMap<string, User> | string {
    const { aclfile } = this.config.values;
    let text: string;
    try {
      text = readFileSync(this.config.path(aclfile), 'latin1');
    } catch (error) {
      return `Error loading ACLs, opening file '${aclfile}': ${errorReason(error)}`;
    }
    const users = new Map<string, User>();
    const errors: string[] = [];
    for (const [index, line] of text.split('\n').entries()) {
      const error = this.readLine(line, index + 1, users);
      if (error !== undefined) errors.push(error);
    }
    return errors.length > 0 ? errors.join('') + NO_CHANGE : users;
  }

  /** The user of a line, put into `users`, or the text of errors; blank lines and comments pass. */
  private readLine(line: string, number: number, users: Map<string, User>): string | undefined {
    const where = `${this.config.values.aclfile}:${number}`;
    const [keyword, name, ...given] = line.trim().split(/ +/);
    if (keyword === undefined || keyword === '' || keyword.startsWith('#')) return undefined;
    if (keyword !== 'user' || name === undefined) {
      return `${where} should start with user keyword followed by the username. `;
    }
    if (isBadName(name)) return `'${where}: username '${name}' contains invalid characters. `;
    if (users.has(name)) return `WARNING: Duplicate user '${name}' found on line ${number}. `;
    const rules = joinSelectors(given);
    if ('open' in rules) return `${where}: Unmatched parenthesis in selector definition.`;
    const user = this.rules.newUser(name);
    const errors = new Set<string>();
    for (const rule of rules) {
      const error = this.rules.apply(user, rule);
      // Every unknown command is named; of other errors, which may cause more, the first.
      if (error === UNKNOWN)
        errors.add(`${where}: Error in applying operation '${rule}': ${error}. `);
      else if (error !== undefined && errors.size === 0) errors.add(`${where}: ${error}. `);
    }
    users.set(name, user);
    return errors.size === 0 ? undefined : [...errors].join('');
  }

  /** Writes the file, behind whoever writes it; the text of an error, or undefined. */
  save(lines: readonly string[]): Promise<string | undefined> {
    const path = this.config.path(this.config.values.aclfile);
    const text = `${lines.join('\n')}\n`;
    const turn = this.saving.then(() => replaceConfigFile(path, text));
    this.saving = turn.then(
      () => undefined,
      (error) => `There was an error trying to save the ACLs: ${errorReason(error)}`,
    );
    return this.saving;
  }
}
