/**
 * What is said of a command that was refused: to the client, to whoever tries it with ACL DRYRUN,
 * and in the ACL log.
 *
 * Where a key or a channel was refused, `failure` says which of the arguments it is, until the next
 * command is checked.
 */
import type { Args } from '../../core/resp/args.ts';
import type { Command } from '../dispatch/command.ts';
import { ACL_DENIED_CHANNEL, ACL_DENIED_COMMAND, ACL_DENIED_KEY, failure } from './acl-selector.ts';

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

/** The error for a command; `found` is what its check gave. */
export function refusalError(found: number, command: Command, user: string): string {
  return `NOPERM ${denial(found, command, user)}`;
}

/** The error for a command that was queued when it was still allowed. */
export function lateRefusalError(found: number): string {
  return `${RULES_CHANGED} ${LATE_REASONS[found]}`;
}

/** What ACL DRYRUN answers; it names the key or the channel. */
export function dryRunRefusal(found: number, command: Command, args: Args, user: string): string {
  if (found === ACL_DENIED_COMMAND) return denial(found, command, user);
  const what = `'${args.text(failure.index)}' ${found === ACL_DENIED_KEY ? 'key' : 'channel'}`;
  return `User ${user} has no permissions to access the ${what}`;
}

/** What the ACL log keeps of it: the reason, and the command, key or channel. */
export function logEntry(
  found: number,
  command: Command,
  args: Args,
): readonly [reason: 'command' | 'key' | 'channel', object: string] {
  const object = found === ACL_DENIED_COMMAND ? command.name : args.text(failure.index);
  return [REASONS[found]!, object];
}

function denial(found: number, command: Command, user: string): string {
  if (found === ACL_DENIED_COMMAND) {
    return `User ${user} has no permissions to run the '${command.name}' command`;
  }
  return `No permissions to access a ${found === ACL_DENIED_KEY ? 'key' : 'channel'}`;
}
