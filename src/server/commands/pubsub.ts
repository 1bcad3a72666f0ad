/**
 * The commands of publish and subscribe. What they tell a client about its subscriptions are not
 * replies but messages of their own, one for each name: pushes in RESP3.
 */
import { entriesLimit } from '../../core/entries-limit.ts';
import { globMatch } from '../../core/text/glob.ts';
import { latin1Bytes, textLimit } from '../../core/text/latin1.ts';
import type { SubscriptionKind } from '../clients/pubsub.ts';
import {
  type Command,
  command,
  FAST,
  keyAt,
  keysFrom,
  LOADING,
  MAY_REPLICATE,
  NOSCRIPT,
  PUBSUB,
  STALE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { tooMany, wrongSubcommand } from '../dispatch/errors.ts';
import { helpSubcommand, replyOwnHelp } from './help.ts';

/** Adds the arguments to the client's subscriptions of a kind. */
function subscribe(c: Context, kind: SubscriptionKind, word: string): void {
  const { pubsub } = c.services.desk;
  if (pubsub.size(kind) + c.argc - 1 > entriesLimit.max) {
    c.reply.error(tooMany('subscriptions'));
    return;
  }
  for (let i = 1; i < c.argc; i++) {
    pubsub.subscribe(c.client, kind, c.args.text(i));
    confirm(c, kind, word, c.args.text(i));
  }
}

/** SUBSCRIBE and PSUBSCRIBE are let into a transaction, as they have always been; this one not. */
function ssubscribeCommand(c: Context): void {
  if (c.services.mayWait(c.client)) subscribe(c, 'shardChannels', 'ssubscribe');
  else c.reply.error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
}

/** Takes the arguments away, or all subscriptions of the kind when there are none. */
function unsubscribe(c: Context, kind: SubscriptionKind, word: string): void {
  const { pubsub } = c.services.desk;
  const names = c.argc === 1 ? [...(c.client.subscribed?.[kind] ?? [])] : [];
  for (let i = 1; i < c.argc; i++) names.push(c.args.text(i));
  for (const name of names) {
    pubsub.unsubscribe(c.client, kind, name);
    confirm(c, kind, word, name);
  }
  if (names.length === 0) confirm(c, kind, word, null);
}

function confirm(c: Context, kind: SubscriptionKind, word: string, name: string | null): void {
  const { client, reply } = c;
  client.beginPush();
  reply.push(3);
  reply.bulkText(word);
  if (name === null) reply.null();
  else reply.bulkText(name);
  reply.integer(c.services.desk.pubsub.count(client, kind));
  client.endPush();
}

/** Refuses a message that cannot be told, with its channel, as one text. */
function isTooLong(c: Context): boolean {
  const { lengths } = c.args;
  if (lengths[1]! + lengths[2]! <= textLimit.bytesMax) return false;
  c.reply.error(`ERR channel and message are longer than ${textLimit.bytesMax} bytes`);
  return true;
}

/** A message goes to the replicas as well; the AOF has no use for it. */
function publishCommand(c: Context): void {
  if (isTooLong(c)) return;
  const { pubsub } = c.services.desk;
  const heard = pubsub.isHeard ? pubsub.publish(c.args.text(1), c.args.text(2)) : 0;
  c.propagator.forReplicas(c.db.id, c.args);
  c.reply.integer(heard);
}

function spublishCommand(c: Context): void {
  if (isTooLong(c)) return;
  const heard = c.services.desk.pubsub.publishShard(c.args.text(1), c.args.text(2));
  c.propagator.forReplicas(c.db.id, c.args);
  c.reply.integer(heard);
}

function names(c: Context, kind: SubscriptionKind): void {
  if (c.argc > 3) {
    c.reply.error(wrongSubcommand('PUBSUB', c.args.text(1)));
    return;
  }
  let found = [...c.services.desk.pubsub.names(kind)];
  if (c.argc === 3) {
    const pattern = c.args.copy(2);
    found = found.filter((name) => {
      const bytes = latin1Bytes(name);
      return globMatch(pattern, 0, pattern.length, bytes, 0, bytes.length, false);
    });
  }
  c.reply.array(found.length);
  for (const name of found) c.reply.bulkText(name);
}

function counts(c: Context, kind: SubscriptionKind): void {
  c.reply.array((c.argc - 2) * 2);
  for (let i = 2; i < c.argc; i++) {
    const name = c.args.text(i);
    c.reply.bulkText(name);
    c.reply.integer(c.services.desk.pubsub.listeners(kind, name));
  }
}

const pubsubSubcommands: readonly Command[] = [
  command(
    'pubsub|channels',
    'pubsub',
    {
      arity: -2,
      flags: PUBSUB | LOADING | STALE,
      since: '2.8.0',
      complexity: 'O(N) with N the number of channels that somebody listens to',
      syntax: '[pattern:pattern]',
      summary: 'Lists the channels that somebody listens to.',
    },
    (c) => names(c, 'channels'),
  ),
  command(
    'pubsub|numpat',
    'pubsub',
    {
      arity: 2,
      flags: PUBSUB | LOADING | STALE,
      since: '2.8.0',
      complexity: 'O(1)',
      summary: 'Counts the patterns that somebody listens to.',
    },
    (c) => c.reply.integer(c.services.desk.pubsub.size('patterns')),
  ),
  command(
    'pubsub|numsub',
    'pubsub',
    {
      arity: -2,
      flags: PUBSUB | LOADING | STALE,
      since: '2.8.0',
      complexity: 'O(N) for the NUMSUB subcommand, where N is the number of requested channels',
      syntax: '[channel]...',
      summary: 'Counts who listens to each channel.',
    },
    (c) => counts(c, 'channels'),
  ),
  command(
    'pubsub|shardchannels',
    'pubsub',
    {
      arity: -2,
      flags: PUBSUB | LOADING | STALE,
      since: '7.0.0',
      complexity: 'O(N) with N the number of shard channels that somebody listens to',
      syntax: '[pattern:pattern]',
      summary: 'Lists the shard channels that somebody listens to.',
    },
    (c) => names(c, 'shardChannels'),
  ),
  command(
    'pubsub|shardnumsub',
    'pubsub',
    {
      arity: -2,
      flags: PUBSUB | LOADING | STALE,
      since: '7.0.0',
      complexity:
        'O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels',
      syntax: '[shardchannel]...',
      summary: 'Counts who listens to each shard channel.',
    },
    (c) => counts(c, 'shardChannels'),
  ),
  helpSubcommand('pubsub', 'pubsub', { since: '6.2.0' }),
];

export const pubsubCommands: readonly Command[] = [
  command(
    'publish',
    'pubsub',
    {
      arity: 3,
      flags: MAY_REPLICATE | PUBSUB | LOADING | STALE | FAST,
      since: '2.0.0',
      complexity: 'O(N+M) with N who listen to the channel, and M all patterns',
      syntax: 'channel message',
      summary: 'Sends a message to who listens to the channel.',
    },
    publishCommand,
  ),
  command(
    'subscribe',
    'pubsub',
    {
      arity: -2,
      flags: PUBSUB | NOSCRIPT | LOADING | STALE,
      since: '2.0.0',
      complexity: 'O(N) where N is the number of channels to subscribe to.',
      syntax: 'channel...',
      summary: 'Listens to channels.',
    },
    (c) => subscribe(c, 'channels', 'subscribe'),
  ),
  command(
    'unsubscribe',
    'pubsub',
    {
      arity: -1,
      flags: PUBSUB | NOSCRIPT | LOADING | STALE,
      since: '2.0.0',
      complexity: 'O(N) where N is the number of clients already subscribed to a channel.',
      syntax: '[channel]...',
      summary: 'Stops listening to channels.',
    },
    (c) => unsubscribe(c, 'channels', 'unsubscribe'),
  ),
  command(
    'psubscribe',
    'pubsub',
    {
      arity: -2,
      flags: PUBSUB | NOSCRIPT | LOADING | STALE,
      since: '2.0.0',
      complexity: 'O(N) where N is the number of patterns the client is already subscribed to.',
      syntax: 'pattern:pattern...',
      summary: 'Listens to all channels whose names match patterns.',
    },
    (c) => subscribe(c, 'patterns', 'psubscribe'),
  ),
  command(
    'punsubscribe',
    'pubsub',
    {
      arity: -1,
      flags: PUBSUB | NOSCRIPT | LOADING | STALE,
      since: '2.0.0',
      complexity: 'O(N+M) with N the patterns of the client, and M all patterns',
      syntax: '[pattern:pattern]...',
      summary: 'Stops listening to patterns.',
    },
    (c) => unsubscribe(c, 'patterns', 'punsubscribe'),
  ),
  command(
    'spublish',
    'pubsub',
    {
      arity: 3,
      flags: MAY_REPLICATE | PUBSUB | LOADING | STALE | FAST,
      keys: [keyAt(1, 'not_key')],
      since: '7.0.0',
      complexity:
        'O(N) where N is the number of clients subscribed to the receiving shard channel.',
      syntax: 'shardchannel message',
      summary: 'Sends a message to who listens to the shard channel.',
    },
    spublishCommand,
  ),
  command(
    'ssubscribe',
    'pubsub',
    {
      arity: -2,
      flags: PUBSUB | NOSCRIPT | LOADING | STALE,
      keys: [keysFrom(1, -1, 1, 'not_key')],
      since: '7.0.0',
      complexity: 'O(N) where N is the number of shard channels to subscribe to.',
      syntax: 'shardchannel...',
      summary: 'Listens to shard channels.',
    },
    ssubscribeCommand,
  ),
  command(
    'sunsubscribe',
    'pubsub',
    {
      arity: -1,
      flags: PUBSUB | NOSCRIPT | LOADING | STALE,
      keys: [keysFrom(1, -1, 1, 'not_key')],
      since: '7.0.0',
      complexity: 'O(N) where N is the number of clients already subscribed to a shard channel.',
      syntax: '[shardchannel]...',
      summary: 'Stops listening to shard channels.',
    },
    (c) => unsubscribe(c, 'shardChannels', 'sunsubscribe'),
  ),
  command(
    'pubsub',
    'pubsub',
    {
      arity: -2,
      flags: 0,
      since: '2.8.0',
      complexity: 'Depends on subcommand.',
      summary: 'About publish and subscribe.',
      subcommands: pubsubSubcommands,
    },
    replyOwnHelp,
  ),
];
