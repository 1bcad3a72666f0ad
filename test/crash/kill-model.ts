/**
 * What one client of the crash tests has written, kept beside the server: the truth that a restart
 * is held against.
 *
 *   acknowledged: applied to the state          in flight: sent, their replies have not come
 *   [ op ][ op ][ op ][ op ] -> state           [ op ][ op ][ op ]
 *
 * All keys of a client are its own, and a server executes what comes over one connection in order.
 * So after a crash the server must hold the state after some prefix of the client's operations
 * that includes every acknowledged one. An operation of several commands is a transaction: it is
 * there as a whole or not at all.
 *
 * Keys are named by what they hold (`s` string, `n` counter, `h` hash, `l` list, `e` set, `t` a
 * string that soon expires, `z` sorted set, `x` stream), so no operation meets a wrong type.
 */

/** One command as words, all of them latin1. */
export type Words = readonly string[];

export type Operation = {
  /** One command, or the commands between MULTI and EXEC. */
  readonly commands: readonly Words[];
  readonly sentMs: number;
};

/** When a key expires, as far as is known: a relative time begins when the server executes it. */
type Expiry = { readonly lowMs: number; readonly highMs: number };

/** Members with their scores, as the server prints them. */
export type SortedSet = { readonly scores: ReadonlyMap<string, string> };

/** Entries, each as id and value with a blank between. */
export type Stream = { readonly items: readonly string[] };

type Value = string | Map<string, string> | string[] | Set<string> | SortedSet | Stream;

type Entry = { readonly value: Value; readonly expiry: Expiry | null };

/** A key as the server showed it: its content as `contentText` prints it. */
export type Observed = { readonly content: string; readonly expireMs: number };

/** A reply that is known in advance; undefined: any but an error. */
export type Expected = number | 'error' | undefined;

/** The relative clock of EXPIRE and that of the server may differ by a rounding. */
const CLOCK_SLACK_MS = 2;

/** A collection or string in one line, the same for equal content whatever the order kept. */
export function contentText(value: Value): string {
  if (typeof value === 'string') return `string ${value}`;
  if (Array.isArray(value)) return `list ${JSON.stringify(value)}`;
  if (value instanceof Set) return `set ${JSON.stringify([...value].sort())}`;
  if ('items' in value) return `stream ${JSON.stringify(value.items)}`;
  if ('scores' in value) return `zset ${JSON.stringify([...value.scores].sort(byName))}`;
  return `hash ${JSON.stringify([...value].sort(byName))}`;
}

function byName([a]: readonly string[], [b]: readonly string[]): number {
  return (a ?? '') < (b ?? '') ? -1 : 1;
}

export class ClientState {
  readonly #entries: Map<string, Entry>;

  constructor(entries: ReadonlyMap<string, Entry> = new Map()) {
    this.#entries = new Map(entries);
  }

  get keys(): number {
    return this.#entries.size;
  }

  /** A copy that can go another way; values are replaced, never changed in place. */
  copy(): ClientState {
    return new ClientState(this.#entries);
  }

  /** Applies an operation that was executed between `sentMs` and now. */
  apply(operation: Operation, nowMs: number): Expected {
    const times = { lowMs: operation.sentMs, highMs: nowMs };
    let expected: Expected;
    for (const words of operation.commands) expected = this.#command(words, times);
    return operation.commands.length === 1 ? expected : undefined;
  }

  /** The first key in which the server differs, in words; null when all is equal. */
  difference(
    observed: ReadonlyMap<string, Observed>,
    readFromMs: number,
    readToMs: number,
  ): string | null {
    for (const [key, { value, expiry }] of this.#entries) {
      const seen = observed.get(key);
      if (expiry !== null && expiry.highMs < readFromMs) {
        if (seen !== undefined) return `${key} expired at ${expiry.highMs} and is back`;
      } else if (seen === undefined) {
        if (expiry === null || expiry.lowMs > readToMs) return `${key} is missing`;
      } else {
        const content = contentText(value);
        if (content !== seen.content) return `${key} is ${cut(seen.content)}, not ${cut(content)}`;
        const { expireMs } = seen;
        if (!expiryFits(expiry, expireMs)) {
          return `${key} expires at ${expireMs}, not at ${expiry?.lowMs ?? 'no time'}`;
        }
      }
    }
    for (const [key, { content }] of observed) {
      if (!this.#entries.has(key)) return `${key} should not be there and is ${cut(content)}`;
    }
    return null;
  }

  #command(words: Words, times: Expiry): Expected {
    const [name = '', key = '', first = '', second = ''] = words;
    const old = this.#entries.get(key);
    switch (name) {
      case 'SET':
        return this.#set(words);
      case 'APPEND':
        this.#put(key, `${textOf(old)}${first}`, old?.expiry);
        return textOf(this.#entries.get(key)).length;
      case 'INCRBY':
        this.#put(key, `${Number(textOf(old)) + Number(first)}`, old?.expiry);
        return Number(textOf(this.#entries.get(key)));
      case 'DEL':
      case 'UNLINK':
        return this.#delete(words.slice(1));
      case 'FLUSHDB':
        this.#entries.clear();
        return undefined;
      case 'PEXPIREAT':
        return this.#expire(key, { lowMs: Number(first), highMs: Number(first) });
      case 'EXPIRE': {
        const ms = Number(first) * 1000;
        const lowMs = times.lowMs + ms - CLOCK_SLACK_MS;
        return this.#expire(key, { lowMs, highMs: times.highMs + ms + CLOCK_SLACK_MS });
      }
      case 'PERSIST': {
        if (old !== undefined) this.#put(key, old.value, null);
        return old?.expiry == null ? 0 : 1;
      }
      case 'RENAME':
        if (old === undefined) return 'error';
        this.#entries.delete(key);
        this.#entries.set(first, old);
        return undefined;
      default:
        return this.#collection(name, key, old, first, second);
    }
  }

  #collection(
    name: string,
    key: string,
    old: Entry | undefined,
    first: string,
    second: string,
  ): Expected {
    const value = old?.value;
    const hash = new Map(value instanceof Map ? value : []);
    const set = new Set(value instanceof Set ? value : []);
    const list = Array.isArray(value) ? value : [];
    switch (name) {
      case 'HSET':
        this.#put(key, hash.set(first, second), old?.expiry);
        return undefined;
      case 'HINCRBY': {
        const sum = Number(hash.get(first) ?? '0') + Number(second);
        this.#put(key, hash.set(first, `${sum}`), old?.expiry);
        return sum;
      }
      case 'HDEL': {
        const removed = hash.delete(first) ? 1 : 0;
        return this.#shrunk(key, hash, hash.size, old, removed);
      }
      case 'SADD':
        this.#put(key, set.add(first), old?.expiry);
        return undefined;
      case 'SREM': {
        const removed = set.delete(first) ? 1 : 0;
        return this.#shrunk(key, set, set.size, old, removed);
      }
      case 'RPUSH':
        this.#put(key, [...list, first], old?.expiry);
        return list.length + 1;
      case 'LPUSH':
        this.#put(key, [first, ...list], old?.expiry);
        return list.length + 1;
      case 'LPOP':
        return this.#shrunk(key, list.slice(1), list.length - 1, old, undefined);
      case 'LTRIM': {
        const kept = list.slice(Number(first), Number(second) + 1);
        return this.#shrunk(key, kept, kept.length, old, undefined);
      }
      default:
        return this.#ordered(name, key, old, first, second);
    }
  }

  #ordered(
    name: string,
    key: string,
    old: Entry | undefined,
    first: string,
    second: string,
  ): Expected {
    const value = old?.value;
    const isObject = typeof value === 'object';
    const scores = new Map(isObject && 'scores' in value ? value.scores : []);
    const items = isObject && 'items' in value ? value.items : [];
    switch (name) {
      case 'ZADD':
        this.#put(key, { scores: scores.set(second, first) }, old?.expiry);
        return undefined;
      case 'ZINCRBY': {
        const sum = Number(scores.get(second) ?? '0') + Number(first);
        this.#put(key, { scores: scores.set(second, `${sum}`) }, old?.expiry);
        return undefined;
      }
      case 'ZREM': {
        const removed = scores.delete(first) ? 1 : 0;
        return this.#shrunk(key, { scores }, scores.size, old, removed);
      }
      case 'XADD':
        // XADD key id field value: here the field is the value as well.
        this.#put(key, { items: [...items, `${first} ${second}`] }, old?.expiry);
        return undefined;
      case 'XTRIM':
        if (old !== undefined) this.#put(key, { items: items.slice(-Number(second)) }, old.expiry);
        return undefined;
      default:
        throw new Error(`the model does not know ${name}`);
    }
  }

  #set(words: Words): undefined {
    const [, key = '', text = '', option, moment] = words;
    const atMs = Number(moment);
    this.#put(key, text, option === 'PXAT' ? { lowMs: atMs, highMs: atMs } : null);
  }

  /** How many are deleted is not known where one may have expired. */
  #delete(keys: readonly string[]): Expected {
    const isSure = keys.every((key) => (this.#entries.get(key)?.expiry ?? null) === null);
    const count = keys.filter((key) => this.#entries.delete(key)).length;
    return isSure ? count : undefined;
  }

  #expire(key: string, expiry: Expiry): number {
    const old = this.#entries.get(key);
    if (old === undefined) return 0;
    this.#put(key, old.value, expiry);
    return 1;
  }

  #shrunk<T extends Expected>(
    key: string,
    value: Value,
    size: number,
    old: Entry | undefined,
    expected: T,
  ): T {
    if (size <= 0) this.#entries.delete(key);
    else this.#put(key, value, old?.expiry);
    return expected;
  }

  #put(key: string, value: Value, expiry: Expiry | null | undefined): void {
    this.#entries.set(key, { value, expiry: expiry ?? null });
  }
}

function textOf(entry: Entry | undefined): string {
  return typeof entry?.value === 'string' ? entry.value : '';
}

function expiryFits(expiry: Expiry | null, expireMs: number): boolean {
  if (expiry === null) return expireMs === -1;
  return expireMs >= expiry.lowMs && expireMs <= expiry.highMs;
}

function cut(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 120)}... (${text.length})`;
}
