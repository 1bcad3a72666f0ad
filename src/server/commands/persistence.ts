/**
 * SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE and SHUTDOWN.
 *
 * SAVE is a snapshot whose end its client waits for: unlike Redis's it does not stop the others.
 */
import {
  ADMIN,
  ALLOW_BUSY,
  type Command,
  command,
  FAST,
  LOADING,
  NO_ASYNC_LOADING,
  NO_MULTI,
  NOSCRIPT,
  STALE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import type { ShutdownRequest } from '../services.ts';

const SAVE_RUNS = 'ERR Background save already in progress';
const SAVE_STARTED = 'Background saving started';

function saveCommand(c: Context): void {
  const { services, client } = c;
  const { persistence } = services;
  if (persistence.isSaving) {
    c.reply.error(SAVE_RUNS);
    return;
  }
  if (!services.mayWait(client) || !persistence.beginSave(true)) {
    if (persistence.saveInPlace() === undefined) c.ok();
    else c.reply.error('ERR');
    return;
  }
  services.answerLater(client, persistence.saveEnding(), (error) => {
    if (error === undefined) client.reply.simple('OK');
    else client.reply.error(`ERR saving failed: ${error}`);
  });
}

function bgsaveCommand(c: Context): void {
  const { services, reply } = c;
  const { persistence } = services;
  const schedule = c.argc === 2 && c.is(1, 'schedule');
  // Inside a transaction it waits for the end, or the dump would hold half of it.
  const isInside = !services.mayWait(c.client);
  if (c.argc > 1 && !schedule) reply.error(SYNTAX_ERROR);
  else if (persistence.isSaving) reply.error(SAVE_RUNS);
  else if (!isInside && persistence.beginSave()) reply.simple(SAVE_STARTED);
  else if (schedule || isInside) {
    persistence.scheduleSave();
    reply.simple('Background saving scheduled');
  } else reply.error(BUSY_ELSEWHERE);
}

const BUSY_ELSEWHERE =
  "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in " +
  'order to schedule a BGSAVE whenever possible.';

function bgrewriteaofCommand(c: Context): void {
  const { client, services } = c;
  const { persistence } = services;
  const { answer = '', error, refusal } = persistence.requestRewrite(!services.mayWait(client));
  if (error !== undefined) c.reply.error(error);
  else if (refusal === undefined) c.reply.simple(answer);
  else {
    services.answerLater(client, refusal, (text) => {
      if (text === undefined) client.reply.simple(answer);
      else client.reply.error(text);
    });
  }
}

function lastsaveCommand(c: Context): void {
  c.reply.integer(c.services.persistence.lastSaveSeconds);
}

function shutdownCommand(c: Context): void {
  const request = shutdownRequest(c);
  const { services, client, reply } = c;
  if (request === undefined) {
    reply.error(SYNTAX_ERROR);
    return;
  }
  if (request === 'abort') {
    if (services.abortShutdown()) c.ok();
    else reply.error('ERR No shutdown in progress.');
    return;
  }
  if (!services.mayWait(client)) {
    reply.error('ERR Command not allowed inside a transaction or script');
    return;
  }
  services.answerLater(client, services.shutdown(request), (error) => {
    if (error !== undefined) client.reply.error('ERR Errors trying to SHUTDOWN. Check logs.');
  });
}

/** What the options ask for, undefined when they make no sense. */
function shutdownRequest(c: Context): ShutdownRequest | 'abort' | undefined {
  let save: boolean | undefined;
  let now = false;
  let force = false;
  let abort = false;
  for (let i = 1; i < c.argc; i++) {
    if (c.is(i, 'nosave') && save === undefined) save = false;
    else if (c.is(i, 'save') && save === undefined) save = true;
    else if (c.is(i, 'now')) now = true;
    else if (c.is(i, 'force')) force = true;
    else if (c.is(i, 'abort')) abort = true;
    else return undefined;
  }
  if (abort) return c.argc === 2 ? 'abort' : undefined;
  return { save, now, force };
}

export const persistenceCommands: readonly Command[] = [
  command(
    'save',
    'server',
    {
      arity: 1,
      flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
      since: '1.0.0',
      complexity: 'O(N) where N is the total number of keys in all databases',
      summary: 'Saves the dataset and answers when it is on disk.',
    },
    saveCommand,
  ),
  command(
    'bgsave',
    'server',
    {
      arity: -1,
      flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Saves the dataset in the background.',
      syntax: '[SCHEDULE@3.2.2]',
      history: [['3.2.2', 'Added the `SCHEDULE` option.']],
    },
    bgsaveCommand,
  ),
  command(
    'bgrewriteaof',
    'server',
    {
      arity: 1,
      flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Rewrites the append-only file in the background.',
    },
    bgrewriteaofCommand,
  ),
  command(
    'lastsave',
    'server',
    {
      arity: 1,
      flags: LOADING | STALE | FAST,
      acl: ['admin', 'dangerous'],
      tips: ['nondeterministic_output'],
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Tells when the dataset was last saved, in seconds since 1970.',
    },
    lastsaveCommand,
  ),
  command(
    'shutdown',
    'server',
    {
      arity: -1,
      flags: ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY,
      since: '1.0.0',
      complexity:
        'O(N) when saving, where N is the total number of keys in all databases when saving ' +
        'data, otherwise O(1)',
      summary: 'Saves as configured or asked for, and ends the server.',
      syntax: '[save-selector=(NOSAVE|SAVE)] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]',
      history: [['7.0.0', 'Added the `NOW`, `FORCE` and `ABORT` modifiers.']],
    },
    shutdownCommand,
  ),
];
