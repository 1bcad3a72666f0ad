/**
 * ACL, what users could do and could not: DRYRUN and LOG.
 */
import { Args } from '../../core/resp/args.ts';
import { formatDouble17 } from '../../core/text/double.ts';
import { ADMIN, ANYTIME, type Command, command } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { wrongArity, wrongSubcommand } from '../dispatch/errors.ts';

const LOG_SHOWN = 10;

function dryrunCommand(c: Context): void {
  const { reply, services } = c;
  const { access } = services.desk;
  const user = access.user(c.args.text(2));
  if (user === undefined) {
    reply.error(`ERR User '${c.args.text(2)}' not found`);
    return;
  }
  const words = new Args();
  for (let i = 3; i < c.argc; i++) {
    words.push(c.args.bytes[i]!, c.args.offsets[i]!, c.args.lengths[i]!);
  }
  const parent = services.commands.find(words, 0);
  const inner =
    parent?.subcommands !== undefined && words.count > 1
      ? services.commands.child(parent, words.text(1))
      : parent;
  if (inner === null || inner === undefined) {
    reply.error(`ERR Command '${words.text(0)}' not found`);
  } else if (inner.arity > 0 ? inner.arity !== words.count : words.count < -inner.arity) {
    reply.error(wrongArity(inner.name));
  } else {
    const refusal = access.tryOut(user, inner, words);
    if (refusal === undefined) c.ok();
    else reply.bulkText(refusal);
  }
}

function logCommand(c: Context): void {
  const { reply } = c;
  const { log } = c.services.desk.access;
  if (c.argc > 3) {
    reply.error(wrongSubcommand('ACL', c.args.text(1)));
    return;
  }
  if (c.argc === 3 && c.is(2, 'reset')) {
    log.clear();
    c.ok();
    return;
  }
  const count = c.argc === 3 ? c.integer(2) : LOG_SHOWN;
  if (Number.isNaN(count)) return;
  const shown = log.entries.slice(0, Math.max(0, count));
  const now = Date.now();
  reply.array(shown.length);
  for (const entry of shown) {
    reply.map(10);
    reply.bulkText('count');
    reply.integer(entry.count);
    for (const field of ['reason', 'context', 'object', 'username'] as const) {
      reply.bulkText(field);
      reply.bulkText(entry[field]);
    }
    reply.bulkText('age-seconds');
    reply.doubleText(formatDouble17((now - entry.createdMs) / 1000));
    reply.bulkText('client-info');
    reply.bulkText(entry.clientInfo);
    reply.bulkText('entry-id');
    reply.integer(entry.id);
    reply.bulkText('timestamp-created');
    reply.integer(entry.createdMs);
    reply.bulkText('timestamp-last-updated');
    reply.integer(entry.updatedMs);
  }
}

export const aclCheckCommands: readonly Command[] = [
  command(
    'acl|dryrun',
    'server',
    {
      arity: -4,
      flags: ADMIN | ANYTIME,
      since: '7.0.0',
      complexity: 'O(1).',
      syntax: 'username command [arg]...',
      summary: 'Says whether a user could run a command.',
    },
    dryrunCommand,
  ),
  command(
    'acl|log',
    'server',
    {
      arity: -2,
      flags: ADMIN | ANYTIME,
      since: '6.0.0',
      complexity: 'O(N) with N being the number of entries shown.',
      history: [['7.2.0', 'Shows numbers of entries, and when they came and were seen last.']],
      syntax: '[operation=(count:integer|RESET)]',
      summary: 'Returns what was refused lately.',
    },
    logCommand,
  ),
];
