/**
 * Changes of parameters while the server runs, as CONFIG SET asks for them, and who hears of them.
 *
 *     words -> parsed, or refused        nothing has changed yet
 *           -> all values are set
 *           -> the listeners, one by one: of what really changed, each once
 *           -> one refuses: all values go back, and those who were told hear of that, too
 *
 * So a change is all or nothing. A listener that needs time (a port to listen on) returns a
 * promise; until it settles, later changes wait.
 */
import type { ConfigStore } from './config-store.ts';
import type { AnyParameter } from './parameter.ts';
import { findParameter } from './parameters.ts';

/** What matters of the client that asks for a change. */
export interface ConfigClient {
  /** Whether the dataset is being loaded. */
  readonly loading: boolean;
  /** Whether the client is on this machine, so that `enable-protected-configs local` lets it. */
  readonly local: boolean;
}

/** `error` is a whole error reply without its leading minus: `ERR CONFIG SET failed (...)`. */
export type SetOutcome = { readonly ok: true } | Refusal;
type Refusal = { readonly ok: false; readonly error: string };
export type Pairs = ReadonlyArray<readonly [name: string, value: string]>;

/** Undefined agrees; a message refuses the change, and all values go back. */
export type ListenerAnswer = string | undefined | Promise<string | undefined>;
export type ChangeListener<Value> = (value: Value, before: Value) => ListenerAnswer;

interface Change {
  readonly parameter: AnyParameter;
  /** The name as the client wrote it, for the answer. */
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

type AnyListener = ChangeListener<unknown>;

export class ConfigChanges {
  readonly #store: ConfigStore;
  readonly #listeners: Map<AnyParameter, AnyListener[]>;
  /** The change that takes time, with those that wait for it. */
  #busy: Promise<SetOutcome> | undefined;

  constructor(store: ConfigStore) {
    this.#store = store;
    this.#listeners = new Map();
    this.#busy = undefined;
  }

  /** Calls `listener` after each change of the value of that name. */
  listen(name: string, listener: AnyListener): void {
    const parameter = findParameter(name);
    if (parameter === undefined) throw new Error(`there is no parameter '${name}'`);
    const list = this.#listeners.get(parameter) ?? [];
    list.push(listener);
    this.#listeners.set(parameter, list);
  }

  /** The answer comes at once unless a listener, or an earlier change, takes time. */
  set(pairs: Pairs, client: ConfigClient): SetOutcome | Promise<SetOutcome> {
    const changes = this.#changesOf(pairs, client);
    if ('error' in changes) return changes;
    const answer =
      this.#busy === undefined
        ? this.#make(changes)
        : this.#busy.then(() => this.#setLate(pairs, client));
    if (!(answer instanceof Promise)) return answer;
    const busy = answer.finally(() => {
      if (this.#busy === busy) this.#busy = undefined;
    });
    this.#busy = busy;
    return busy;
  }

  /** Sets what had to wait for an earlier change, of which much may be different since. */
  #setLate(pairs: Pairs, client: ConfigClient): SetOutcome | Promise<SetOutcome> {
    const changes = this.#changesOf(pairs, client);
    return 'error' in changes ? changes : this.#make(changes);
  }

  #make(changes: readonly Change[]): SetOutcome | Promise<SetOutcome> {
    for (const { parameter, after } of changes) this.#store.store(parameter, after);
    return this.#tell(changes, this.#callsFor(changes), 0);
  }

  /** What the words would change, or why they cannot. */
  #changesOf(pairs: Pairs, client: ConfigClient): Change[] | Refusal {
    const names = new Set<string>();
    const parameters: AnyParameter[] = [];
    for (const [name] of pairs) {
      const parameter = findParameter(name);
      if (parameter === undefined) {
        const text = 'Unknown option or number of arguments for CONFIG SET';
        return { ok: false, error: `ERR ${text} - '${name}'` };
      }
      const error = this.#refusal(parameter, name, client);
      if (error !== undefined) return { ok: false, error };
      if (names.has(name.toLowerCase())) {
        return { ok: false, error: setFailed(name, 'duplicate parameter') };
      }
      names.add(name.toLowerCase());
      parameters.push(parameter);
    }
    const changes: Change[] = [];
    for (const [index, [name, text]] of pairs.entries()) {
      const parameter = parameters[index];
      if (parameter === undefined) continue;
      const parsed = this.#store.parseText(parameter, text);
      if ('error' in parsed) {
        return { ok: false, error: setFailed(name.toLowerCase(), parsed.error) };
      }
      const before = this.#store.stored(parameter);
      changes.push({ parameter, name, before, after: parsed.value });
    }
    return changes;
  }

  #refusal(parameter: AnyParameter, name: string, client: ConfigClient): string | undefined {
    const { traits } = parameter;
    if (traits.immutable === true) return setFailed(name, "can't set immutable config");
    const who = this.#store.values.enableProtectedConfigs;
    const allowed = who === 'yes' || (who === 'local' && client.local);
    if (traits.protected === true && !allowed) {
      return setFailed(name, "can't set protected config");
    }
    if (traits.denyLoading === true && client.loading) {
      return 'LOADING Redis is loading the dataset in memory';
    }
    return undefined;
  }

  /** The listeners of what really changed, each once, with the first change it hears of. */
  #callsFor(changes: readonly Change[]): Array<readonly [AnyListener, Change]> {
    const calls = new Map<AnyListener, Change>();
    for (const change of changes) {
      const { type } = change.parameter;
      if (type.format(change.before) === type.format(change.after)) continue;
      for (const listener of this.#listeners.get(change.parameter) ?? []) {
        if (!calls.has(listener)) calls.set(listener, change);
      }
    }
    return [...calls];
  }

  /** Asks the listeners from `next` on; goes on by promise only where one is given. */
  #tell(
    changes: readonly Change[],
    calls: ReadonlyArray<readonly [AnyListener, Change]>,
    next: number,
  ): SetOutcome | Promise<SetOutcome> {
    for (let i = next; i < calls.length; i++) {
      const call = calls[i];
      if (call === undefined) continue;
      const [listener, { parameter, before, after, name }] = call;
      const answer = listener(parameter.type.expose(after), parameter.type.expose(before));
      const refuse = (reason: string): SetOutcome | Promise<SetOutcome> =>
        this.#takeBack(changes, calls.slice(0, i + 1), setFailed(name.toLowerCase(), reason));
      if (answer instanceof Promise) {
        return answer.then((late) =>
          late === undefined ? this.#tell(changes, calls, i + 1) : refuse(late),
        );
      }
      if (answer !== undefined) return refuse(answer);
    }
    return { ok: true };
  }

  /**
   * Sets the old values again and tells those who were told, one after the other: two may move the
   * same thing. What they answer cannot matter.
   */
  #takeBack(
    changes: readonly Change[],
    told: ReadonlyArray<readonly [AnyListener, Change]>,
    error: string,
  ): SetOutcome | Promise<SetOutcome> {
    for (const { parameter, before } of changes) this.#store.store(parameter, before);
    let answer: ListenerAnswer;
    for (const [listener, { parameter, before, after }] of told) {
      const tell = (): ListenerAnswer =>
        listener(parameter.type.expose(before), parameter.type.expose(after));
      answer = answer instanceof Promise ? answer.then(tell) : tell();
    }
    const outcome: SetOutcome = { ok: false, error };
    return answer instanceof Promise ? answer.then(() => outcome) : outcome;
  }
}

function setFailed(name: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
}
