/**
 * Publish and subscribe: who listens to which channel, pattern or shard channel, and how a
 * message reaches them.
 *
 *     channels        news.it  -> { A, B }        an exact name
 *     patterns        news.*   -> { C }           globs, tried one after the other
 *     shardChannels   orders   -> { D }           a name space of their own
 *
 * A message is encoded once, whatever the number of subscribers and of patterns that match; RESP2
 * and RESP3 differ in the first byte only:
 *
 *     *3 or >3   $7 message              $7 news.it   $5 hello
 *     *4 or >4   $8 pmessage   $6 news.*   $7 news.it   $5 hello
 *                \--- kept with the pattern ---/  \--- the same for all ---/
 *
 * Names are byte strings (one character a byte). Publishing where nobody listens allocates nothing.
 * A message to the RESP3 client that is just running a command comes after that command's reply, so
 * it never lands inside of one.
 */
import { globMatch } from '../../core/text/glob.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { NOTIFY_KEYEVENT, NOTIFY_KEYSPACE } from '../dispatch/notify-classes.ts';
import type { Client } from './client.ts';

/** What one client listens to; never all empty. */
export interface Subscriptions {
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
  readonly shardChannels: Set<string>;
  /** Bytes of all these names; a pattern is held twice. */
  nameBytes: number;
}

/** The three kinds of subscriptions. */
export type SubscriptionKind = 'channels' | 'patterns' | 'shardChannels';

/** Who listens to a name. */
interface Listeners {
  readonly clients: Set<Client>;
  /** What their messages begin with; of a pattern it ends with the pattern and a line end. */
  readonly head: Uint8Array;
}

type Table = Map<string, Listeners>;

/** What publishing needs of the server. */
export interface PubSubOwner {
  /** Replies of the client are to be sent. */
  listClient(client: Client): void;
  /** Whether the client is the one that is running a command. */
  isExecuting(client: Client): boolean;
  /** Calls `task` after the command that runs now. */
  afterThis(task: () => void): void;
}

export class PubSub {
  /** Called when the first subscriber came or the last one went. */
  onChange: () => void = () => {};
  /** Clients that subscribe to anything. */
  subscribers = 0;
  /** The classes of `notify-keyspace-events`. */
  eventClasses = 0;
  private readonly tables: Record<SubscriptionKind, Table> = {
    channels: new Map(),
    patterns: new Map(),
    shardChannels: new Map(),
  };
  private readonly owner: PubSubOwner;

  constructor(owner: PubSubOwner) {
    this.owner = owner;
  }

  // ---------------------------------------------------------------- subscribing

  /** Adds a subscription, if the client has it not yet. */
  subscribe(client: Client, kind: SubscriptionKind, name: string): void {
    if (client.subscribed === null) {
      client.subscribed = {
        channels: new Set(),
        patterns: new Set(),
        shardChannels: new Set(),
        nameBytes: 0,
      };
      if (this.subscribers++ === 0) this.onChange();
    }
    const { subscribed } = client;
    if (subscribed[kind].has(name)) return;
    subscribed[kind].add(name);
    subscribed.nameBytes += bytesOf(kind, name);
    const listeners = this.tables[kind].get(name);
    if (listeners !== undefined) listeners.clients.add(client);
    else this.tables[kind].set(name, { clients: new Set([client]), head: headOf(kind, name) });
  }

  /** Takes a subscription away; false when the client had it not. */
  unsubscribe(client: Client, kind: SubscriptionKind, name: string): boolean {
    const { subscribed } = client;
    if (subscribed?.[kind].delete(name) !== true) return false;
    subscribed.nameBytes -= bytesOf(kind, name);
    const listeners = this.tables[kind].get(name);
    listeners?.clients.delete(client);
    if (listeners?.clients.size === 0) this.tables[kind].delete(name);
    const left =
      subscribed.channels.size + subscribed.patterns.size + subscribed.shardChannels.size;
    if (left === 0) {
      client.subscribed = null;
      if (--this.subscribers === 0) this.onChange();
    }
    return true;
  }

  /** The client listens to nothing any more. */
  leave(client: Client): void {
    const { subscribed } = client;
    if (subscribed === null) return;
    for (const kind of ['channels', 'patterns', 'shardChannels'] as const) {
      for (const name of [...subscribed[kind]]) this.unsubscribe(client, kind, name);
    }
  }

  /** The number that confirmations show: shard channels count apart. */
  count(client: Client, kind: SubscriptionKind): number {
    const { subscribed } = client;
    if (subscribed === null) return 0;
    return kind === 'shardChannels'
      ? subscribed.shardChannels.size
      : subscribed.channels.size + subscribed.patterns.size;
  }

  /** Names that somebody listens to. */
  names(kind: SubscriptionKind): IterableIterator<string> {
    return this.tables[kind].keys();
  }

  /** How many names of a kind somebody listens to. */
  size(kind: SubscriptionKind): number {
    return this.tables[kind].size;
  }

  /** How many clients listen to a name. */
  listeners(kind: SubscriptionKind, name: string): number {
    return this.tables[kind].get(name)?.clients.size ?? 0;
  }

  // ---------------------------------------------------------------- publishing

  /** Whether a message on an ordinary channel can reach anybody. */
  get isHeard(): boolean {
    return this.tables.channels.size > 0 || this.tables.patterns.size > 0;
  }

  /**
   * Sends a message to who listens to the channel or to a pattern that matches it; how many got
   * it.
   */
  publish(channel: string, message: string): number {
    let receivers = this.tell(this.tables.channels.get(channel), channel, message);
    if (this.tables.patterns.size === 0) return receivers;
    const name = latin1Bytes(channel);
    let body: Uint8Array | null = null;
    for (const [{ length }, { clients, head }] of this.tables.patterns) {
      const at = head.length - LINE_END - length;
      if (!globMatch(head, at, length, name, 0, name.length, false)) continue;
      body ??= encode([channel, message]);
      for (const client of clients) this.deliver(client, 4, head, body);
      receivers += clients.size;
    }
    return receivers;
  }

  /** Sends a message to who listens to a shard channel; how many got it. */
  publishShard(channel: string, message: string): number {
    return this.tell(this.tables.shardChannels.get(channel), channel, message);
  }

  private tell(listeners: Listeners | undefined, channel: string, message: string): number {
    if (listeners === undefined) return 0;
    const { clients, head } = listeners;
    const body = encode([channel, message]);
    for (const client of clients) this.deliver(client, 3, head, body);
    return clients.size;
  }

  /** Publishes a keyspace event: the event on the key's channel, the key on the event's channel. */
  notify(db: number, key: string, event: string): void {
    if (!this.isHeard) return;
    if ((this.eventClasses & NOTIFY_KEYSPACE) !== 0) {
      this.publish(`__keyspace@${db}__:${key}`, event);
    }
    if ((this.eventClasses & NOTIFY_KEYEVENT) !== 0) {
      this.publish(`__keyevent@${db}__:${event}`, key);
    }
  }

  private deliver(client: Client, words: number, head: Uint8Array, body: Uint8Array): void {
    if (this.owner.isExecuting(client)) {
      this.owner.afterThis(() => this.write(client, words, head, body));
    } else {
      this.write(client, words, head, body);
    }
  }

  private write(client: Client, words: number, head: Uint8Array, body: Uint8Array): void {
    if (client.closed) return;
    client.beginPush();
    client.reply.push(words);
    client.reply.raw(head);
    client.reply.raw(body);
    client.endPush();
    this.owner.listClient(client);
  }
}

/** What the tables keep of a name: a pattern stands in its head as well. */
function bytesOf(kind: SubscriptionKind, name: string): number {
  return kind === 'patterns' ? 2 * name.length : name.length;
}

const LINE_END = 2;
const MESSAGE = encode(['message']);
const SMESSAGE = encode(['smessage']);

function headOf(kind: SubscriptionKind, name: string): Uint8Array {
  if (kind === 'patterns') return encode(['pmessage', name]);
  return kind === 'channels' ? MESSAGE : SMESSAGE;
}

/** Words as bulk strings. */
function encode(words: readonly string[]): Uint8Array {
  return latin1Bytes(words.map((word) => `$${word.length}\r\n${word}\r\n`).join(''));
}
