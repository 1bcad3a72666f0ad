/**
 * Client-side caching: the server remembers who read which key and says when it changes.
 *
 *     default     every key that the client reads is noted with it; a change tells it once, and
 *                 is then forgotten, also when the client has tracked nothing in between
 *     optin       only keys read right after CLIENT CACHING YES
 *     optout      not those read right after CLIENT CACHING NO
 *     broadcast   nothing is noted: changes of all keys that begin with one of the client's
 *                 prefixes are told, those of one turn together
 *
 * The news goes to the client itself as a RESP3 push, or to the client that it redirects to; in
 * RESP2 that one must be subscribed to `__redis__:invalidate`. Keys are byte strings, whatever
 * their database. The table of keys is bounded by `tracking-table-max-keys`: past it, keys are
 * forgotten and their readers told as if they had changed. While nobody tracks or has left keys in
 * it, a change costs two comparisons.
 */
import { entriesLimit } from '../../core/entries-limit.ts';
import type { Args } from '../../core/resp/args.ts';
import { type Command, READONLY } from '../dispatch/command.ts';
import { findKeys } from '../dispatch/key-extraction.ts';
import { type Client, WAIT_WORK } from './client.ts';

export type TrackingMode = 'default' | 'optin' | 'optout' | 'broadcast';

/** What one client has asked for. */
export interface TrackingState {
  readonly mode: TrackingMode;
  /** Whether the client is not told of its own changes (NOLOOP). */
  readonly noLoop: boolean;
  /** The client that gets the news, 0 for itself. */
  readonly redirect: number;
  /** The prefixes of broadcast mode. */
  readonly prefixes: readonly string[];
  /** Bytes of all prefixes together. */
  readonly prefixBytes: number;
  /** Whether CLIENT CACHING was said for the next command. */
  caching: boolean;
  /** Whether the client that it redirects to has gone. */
  isBroken: boolean;
}

/** The clients that are told of keys with one prefix. */
interface Audience {
  readonly clients: Set<Client>;
  /** Changes of this turn, with who alone made them. */
  readonly changes: Map<string, Client | null>;
}

/** What tracking needs of the server. */
export interface TrackingOwner {
  readonly clients: ReadonlyMap<number, Client>;
  readonly config: { readonly values: { readonly trackingTableMaxKeys: number } };
  listClient(client: Client): void;
  afterThis(task: () => void): void;
  /** Makes sure that this turn has an end, at which `broadcast` is called. */
  scheduleTurn(): void;
  /** The client whose command runs, if any. */
  executing(): Client | null;
}

const CHANNEL = '__redis__:invalidate';

/**
 * What a remembered key takes beside its name, roughly, a Set of its readers where it has several,
 * and each of these (measured: 49 to 62 a key, 152 a Set of two).
 */
const KEY_BYTES = 64;
const SET_BYTES = 96;
const READER_BYTES = 28;
/**
 * So many old keys are looked for at once: what was deleted from a Map stays in front of its first
 * key until it is made anew (measured: up to 0.5 ms a look among a million keys).
 */
const OLDEST_MAX = 1024;
/** What the table takes for a prefix that is asked for. */
const AUDIENCE_BYTES = 320;

export class Tracking {
  /** Set while a key goes by itself: that is told in spite of NOLOOP. */
  isNobodysDoing = false;
  /** Clients that track. */
  private readonly trackers = new Set<Client>();
  /** The id of the client that read a key, by key; a Set where there are several. */
  private readonly readers = new Map<string, number | Set<number>>();
  /** Keys that were read long ago, the next to be forgotten last; some may be gone by now. */
  private readonly oldest: string[] = [];
  /** Bytes of the names of the keys that were read, and the readers of all of them together. */
  private keyBytes = 0;
  private items = 0;
  /** How many keys have several readers. */
  private sets = 0;
  /** The clients in broadcast mode, by the prefix that they ask for. */
  private readonly audiences = new Map<string, Audience>();
  /** Whether a database has been emptied, and nobody was told yet. */
  private emptied = false;
  /**
   * The clients that are to be told of it once their own command, which may have done it, is
   * answered.
   */
  private readonly putOff = new Set<Client>();
  private readonly owner: TrackingOwner;

  constructor(owner: TrackingOwner) {
    this.owner = owner;
  }

  /** Whether anybody wants to hear of changes, or may again of what was read before. */
  get isActive(): boolean {
    return this.trackers.size > 0 || this.readers.size > 0;
  }

  /** Figures for INFO. */
  get clientCount(): number {
    return this.trackers.size;
  }

  get keyCount(): number {
    return this.readers.size;
  }

  get itemCount(): number {
    return this.items;
  }

  /** Bytes of the tables of keys and prefixes; what clients asked for is counted with them. */
  get memoryBytes(): number {
    const { audiences, items, keyBytes, readers, sets } = this;
    const inSets = items - (readers.size - sets);
    const setsBytes = sets * SET_BYTES + inSets * READER_BYTES;
    return readers.size * KEY_BYTES + keyBytes + setsBytes + audiences.size * AUDIENCE_BYTES;
  }

  get prefixCount(): number {
    return this.audiences.size;
  }

  /** CLIENT TRACKING ON, also for one that tracks already, whose prefixes are still among these. */
  start(client: Client, state: TrackingState): void {
    client.tracking = state;
    this.trackers.add(client);
    for (const prefix of state.prefixes) {
      const audience = this.audiences.get(prefix);
      if (audience !== undefined) audience.clients.add(client);
      else this.audiences.set(prefix, { clients: new Set([client]), changes: new Map() });
    }
  }

  /** Ends tracking: CLIENT TRACKING OFF, or the end of a connection. */
  stop(client: Client): void {
    if (client.tracking === null) return;
    for (const prefix of client.tracking.prefixes) {
      const audience = this.audiences.get(prefix);
      audience?.clients.delete(client);
      if (audience?.clients.size === 0) this.audiences.delete(prefix);
    }
    client.tracking = null;
    this.trackers.delete(client);
    this.putOff.delete(client);
  }

  /**
   * A tracking client has run a command: notes the keys that it read. `whole`: not a part of
   * EXEC.
   */
  ran(client: Client, command: Command, args: Args, whole: boolean): void {
    const state = client.tracking;
    if (state === null) return;
    if ((command.flags & READONLY) !== 0 && command.acl?.includes('scripting') !== true) {
      if (wantsKeys(state)) this.remember(client, command, args);
    }
    if (whole) this.endCaching(client, command);
  }

  /** What CLIENT CACHING said was of this command, also when it was refused. */
  endCaching({ tracking, transaction }: Client, command: Command | null): void {
    if (tracking === null || transaction !== null) return;
    if (command?.name.startsWith('client|') !== true) tracking.caching = false;
  }

  private remember(client: Client, command: Command, args: Args): void {
    for (const { index } of findKeys(command, args) ?? []) {
      this.noteReader(args.text(index), client.id);
    }
    this.limit(this.owner.config.values.trackingTableMaxKeys);
  }

  private noteReader(key: string, id: number): void {
    const ids = this.readers.get(key);
    if (ids === undefined) {
      this.readers.set(key, id);
      this.keyBytes += key.length;
    } else if (typeof ids === 'number') {
      if (ids === id) return;
      this.readers.set(key, new Set([ids, id]));
      this.sets++;
    } else {
      if (ids.has(id)) return;
      ids.add(id);
    }
    this.items++;
  }

  /** Forgets keys until at most `asked` are left, 0 for as many as there may be. */
  limit(asked: number): void {
    const { max: most } = entriesLimit;
    const max = asked > 0 && asked < most ? asked : most;
    while (this.readers.size > max) {
      const next = this.oldest.pop();
      if (next === undefined) this.lookForOldest();
      else if (this.readers.has(next)) this.tellReaders(next, false);
    }
  }

  private lookForOldest(): void {
    for (const key of this.readers.keys()) {
      if (this.oldest.push(key) === OLDEST_MAX) break;
    }
    this.oldest.reverse();
  }

  // ---------------------------------------------------------------- changes

  /** Tells who read the key that it has changed or gone. */
  invalidate(key: string): void {
    const { isNobodysDoing } = this;
    if (this.audiences.size > 0) this.note(key, isNobodysDoing ? null : this.owner.executing());
    this.tellReaders(key, !isNobodysDoing);
  }

  private note(key: string, by: Client | null): void {
    for (const [prefix, { changes }] of this.audiences) {
      if (!key.startsWith(prefix)) continue;
      changes.set(key, changes.has(key) && changes.get(key) !== by ? null : by);
      this.owner.scheduleTurn();
    }
  }

  /** A database has been emptied: everybody is told, once for all databases that go together. */
  invalidateAll(): void {
    this.readers.clear();
    this.keyBytes = 0;
    this.items = 0;
    this.sets = 0;
    if (this.emptied) return;
    this.emptied = true;
    if (this.owner.executing() === null) this.owner.scheduleTurn();
    else this.owner.afterThis(() => this.tellEmptied());
  }

  private tellEmptied(): void {
    this.emptied = false;
    for (const client of [...this.trackers]) {
      if (client.waiting === WAIT_WORK) this.putOff.add(client);
      else this.tell(client, null);
    }
  }

  /** A client that had to wait for work has its answer. */
  answered(client: Client): void {
    if (this.putOff.delete(client)) this.tell(client, null);
  }

  /**
   * The end of a turn: tells its changes to those in broadcast mode, prefix by prefix, prefixes and
   * keys in the order of their bytes.
   */
  broadcast(): void {
    if (this.emptied) this.tellEmptied();
    if (this.audiences.size === 0) return;
    const busy = [...this.audiences].filter(([, { changes }]) => changes.size > 0);
    for (const [, { changes, clients }] of busy.sort(inOrder)) {
      const all = [...changes].sort(inOrder);
      changes.clear();
      for (const client of [...clients]) {
        const noLoop = client.tracking?.noLoop === true;
        const keys = all.filter(([, by]) => !(noLoop && by === client)).map(([key]) => key);
        if (keys.length > 0) this.tell(client, keys);
      }
    }
  }

  /** `changed`: else the key is only forgotten or goes by itself, which is nobody's doing. */
  private tellReaders(key: string, changed: boolean): void {
    const ids = this.readers.get(key);
    if (ids === undefined) return;
    this.readers.delete(key);
    this.keyBytes -= key.length;
    if (typeof ids === 'number') {
      this.items--;
      this.tellReader(ids, key, changed);
      return;
    }
    this.items -= ids.size;
    this.sets--;
    for (const id of ids) this.tellReader(id, key, changed);
  }

  private tellReader(id: number, key: string, changed: boolean): void {
    const { owner } = this;
    const client = owner.clients.get(id);
    const state = client?.tracking ?? null;
    if (client === undefined || state === null || state.mode === 'broadcast') return;
    const executing = owner.executing();
    const own = client === executing;
    if (state.noLoop && own && changed) return;
    // Nor may a push stand within the reply of whom the client redirects to.
    const waits = own || executing?.id === state.redirect;
    if (waits) owner.afterThis(() => this.tell(client, [key]));
    else this.tell(client, [key]);
  }

  /** Sends keys, or null for all, to the client or to the one that it redirects to. */
  private tell(client: Client, keys: readonly string[] | null): void {
    const state = client.tracking;
    if (state === null || client.closed) return;
    let target = client;
    if (state.redirect !== 0) {
      const other = this.owner.clients.get(state.redirect);
      if (other === undefined) {
        this.tellBroken(client, state);
        return;
      }
      target = other;
    }
    const { reply } = target;
    if (reply.protocol !== 3 && (state.redirect === 0 || target.subscribed === null)) return;
    target.beginPush();
    if (reply.protocol === 3) {
      reply.push(2);
      reply.bulkText('invalidate');
    } else {
      reply.array(3);
      reply.bulkText('message');
      reply.bulkText(CHANNEL);
    }
    if (keys === null) {
      reply.null();
    } else {
      reply.array(keys.length);
      for (const key of keys) reply.bulkText(key);
    }
    target.endPush();
    this.owner.listClient(target);
  }

  private tellBroken(client: Client, state: TrackingState): void {
    state.isBroken = true;
    const { reply } = client;
    if (reply.protocol !== 3) return;
    client.beginPush();
    reply.push(2);
    reply.bulkText('tracking-redir-broken');
    reply.integer(state.redirect);
    client.endPush();
    this.owner.listClient(client);
  }
}

/** By their texts, which hold a byte in each unit. */
function inOrder([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function wantsKeys(state: TrackingState): boolean {
  if (state.mode === 'broadcast') return false;
  if (state.mode === 'optin') return state.caching;
  return state.mode === 'default' || !state.caching;
}
