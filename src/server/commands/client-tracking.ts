/**
 * CLIENT, for caches of clients: TRACKING, TRACKINGINFO, CACHING, GETREDIR. See tracking.ts.
 */
import type { TrackingMode, TrackingState } from '../clients/tracking.ts';
import { ANYTIME, type Command, command } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';

const OTHER_MODE =
  'mode before disabling tracking for this client, and then re-enabling it with a different mode.';
const OTHER_BCAST =
  "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then " +
  're-enabling it with a different mode.';
const NOT_TRACKING =
  'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or ' +
  'OPTOUT mode enabled';

interface Options {
  redirect: number;
  bcast: boolean;
  optin: boolean;
  optout: boolean;
  noLoop: boolean;
  readonly prefixes: string[];
}

function trackingCommand(c: Context): void {
  const options = readOptions(c);
  if (options === undefined) return;
  const { tracking } = c.services.desk;
  if (c.is(2, 'off')) {
    tracking.stop(c.client);
    c.ok();
    return;
  }
  if (!c.is(2, 'on')) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  const error = conflict(options, c.client.tracking);
  if (error !== undefined) {
    c.reply.error(error);
    return;
  }
  const old = c.client.tracking;
  const { bcast, optin, optout, noLoop, redirect } = options;
  const mode: TrackingMode = bcast ? 'broadcast' : optin ? 'optin' : optout ? 'optout' : 'default';
  const given = bcast && options.prefixes.length === 0 ? [''] : options.prefixes;
  const prefixes = [...new Set([...(old?.prefixes ?? []), ...given])].sort();
  const prefixBytes = prefixes.reduce((sum, one) => sum + one.length, 0);
  const state = { mode, noLoop, redirect, prefixes, prefixBytes };
  tracking.start(c.client, { ...state, caching: old?.caching === true, isBroken: false });
  c.ok();
}

/** The options from argument 3 on; undefined when an error has been answered. */
function readOptions(c: Context): Options | undefined {
  const { args, reply } = c;
  const base = { redirect: 0, bcast: false, optin: false, optout: false, noLoop: false };
  const options: Options = { ...base, prefixes: [] };
  for (let i = 3; i < c.argc; i++) {
    const more = i + 1 < c.argc;
    if (c.is(i, 'redirect') && more) {
      if (options.redirect !== 0) {
        reply.error('ERR A client can only redirect to a single other client');
        return undefined;
      }
      options.redirect = c.integer(++i);
      if (Number.isNaN(options.redirect)) return undefined;
      if (!c.services.clients.has(options.redirect)) {
        reply.error('ERR The client ID you want redirect to does not exist');
        return undefined;
      }
    } else if (c.is(i, 'bcast')) options.bcast = true;
    else if (c.is(i, 'optin')) options.optin = true;
    else if (c.is(i, 'optout')) options.optout = true;
    else if (c.is(i, 'noloop')) options.noLoop = true;
    else if (c.is(i, 'prefix') && more) options.prefixes.push(args.text(++i));
    else {
      reply.error(SYNTAX_ERROR);
      return undefined;
    }
  }
  return options;
}

/** Why these options cannot stand together, or with what the client has said before. */
function conflict(options: Options, old: TrackingState | null): string | undefined {
  const { bcast, optin, optout, prefixes } = options;
  if (!bcast && prefixes.length > 0) return 'ERR PREFIX option requires BCAST mode to be enabled';
  if (old !== null && (old.mode === 'broadcast') !== bcast) return OTHER_BCAST;
  if (bcast && (optin || optout)) return 'ERR OPTIN and OPTOUT are not compatible with BCAST';
  if (optin && optout) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if ((optin && old?.mode === 'optout') || (optout && old?.mode === 'optin')) {
    return `ERR You can't switch OPTIN/OPTOUT ${OTHER_MODE}`;
  }
  return bcast ? overlap(prefixes, old?.prefixes ?? []) : undefined;
}

/** A key must not match two prefixes of one client. */
function overlap(prefixes: readonly string[], old: readonly string[]): string | undefined {
  const collide = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);
  const text = 'Prefixes for a single client must not overlap.';
  for (const [i, prefix] of prefixes.entries()) {
    const known = old.find((one) => collide(one, prefix));
    if (known !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with an existing prefix '${known}'. ${text}`;
    }
    const other = prefixes.slice(i + 1).find((one) => collide(one, prefix));
    if (other !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with another provided prefix '${other}'. ${text}`;
    }
  }
  return undefined;
}

function cachingCommand(c: Context): void {
  const state = c.client.tracking;
  if (state === null) {
    c.reply.error(NOT_TRACKING);
    return;
  }
  const yes = c.is(2, 'yes');
  if (!yes && !c.is(2, 'no')) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  if (state.mode !== (yes ? 'optin' : 'optout')) {
    const [word, mode] = yes ? ['YES', 'OPTIN'] : ['NO', 'OPTOUT'];
    const only = `is only valid when tracking is enabled in ${mode} mode.`;
    c.reply.error(`ERR CLIENT CACHING ${word} ${only}`);
    return;
  }
  state.caching = true;
  c.ok();
}

function getredirCommand(c: Context): void {
  c.reply.integer(c.client.tracking === null ? -1 : c.client.tracking.redirect);
}

function trackinginfoCommand(c: Context): void {
  const { client, reply } = c;
  const state = client.tracking;
  const flags = flagsOf(state);
  reply.map(3);
  reply.bulkText('flags');
  reply.set(flags.length);
  for (const flag of flags) reply.bulkText(flag);
  reply.bulkText('redirect');
  reply.integer(state === null ? -1 : state.redirect);
  reply.bulkText('prefixes');
  const prefixes = state?.prefixes ?? [];
  reply.array(prefixes.length);
  for (const prefix of prefixes) reply.bulkText(prefix);
}

function flagsOf(state: TrackingState | null): string[] {
  if (state === null) return ['off'];
  const { mode, noLoop, caching, isBroken } = state;
  const flags = ['on'];
  if (mode === 'broadcast') flags.push('bcast');
  if (mode === 'optin') flags.push('optin', ...(caching ? ['caching-yes'] : []));
  if (mode === 'optout') flags.push('optout', ...(caching ? ['caching-no'] : []));
  if (noLoop) flags.push('noloop');
  if (isBroken) flags.push('broken_redirect');
  return flags;
}

export const clientTrackingCommands: readonly Command[] = [
  command(
    'client|caching',
    'connection',
    {
      arity: 3,
      flags: ANYTIME,
      acl: ['connection'],
      since: '6.0.0',
      complexity: 'O(1)',
      syntax: 'mode=(YES|NO)',
      summary: 'Says whether the keys of the next command are tracked.',
    },
    cachingCommand,
  ),
  command(
    'client|getredir',
    'connection',
    {
      arity: 2,
      flags: ANYTIME,
      acl: ['connection'],
      since: '6.0.0',
      complexity: 'O(1)',
      summary: 'Returns the client that is told of changed keys.',
    },
    getredirCommand,
  ),
  command(
    'client|tracking',
    'connection',
    {
      arity: -3,
      flags: ANYTIME,
      acl: ['connection'],
      since: '6.0.0',
      complexity: 'O(1). Some options may introduce additional complexity.',
      syntax:
        'status=(ON|OFF) [REDIRECT client-id:integer] [PREFIX... prefix] ' +
        '[BCAST] [OPTIN] [OPTOUT] [NOLOOP]',
      summary: 'Tells the client of changes to keys that it has read.',
    },
    trackingCommand,
  ),
  command(
    'client|trackinginfo',
    'connection',
    {
      arity: 2,
      flags: ANYTIME,
      acl: ['connection'],
      since: '6.2.0',
      complexity: 'O(1)',
      summary: 'Tells how the connection tracks keys.',
    },
    trackinginfoCommand,
  ),
];
