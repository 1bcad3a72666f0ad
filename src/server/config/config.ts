/**
 * The configuration of one server: what redis.conf, the command line and CONFIG SET have said.
 *
 *     const config = new Config();
 *     config.load({ file: '/etc/cairn.conf', options: 'port 0' });    before the start
 *     config.values.maxmemory                                         a plain property: hot paths
 *     config.onChange('maxmemory', (bytes) => { ...; return undefined; })
 *     config.set([['maxmemory', '1gb']], client)                      CONFIG SET
 *
 * A change is all or nothing: every value is parsed first, then all are set, then the listeners
 * hear of it; when one refuses, all values go back and the listeners hear of that, too. A listener
 * that needs time (a port to listen on) returns a promise; until it settles, later changes wait.
 *
 * Names and values go in and out as byte strings (see byte-string.ts); `values` has text decoded.
 * There is no global state, and the process's working directory is never changed: relative paths
 * start at `values.dir`, see `path`.
 */

import { resolve } from 'node:path';
import { globMatch } from '../../core/text/glob.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { toByteString } from './byte-string.ts';
import type { Directive } from './conf-file.ts';
import { quoteWords, readOldConfig, replaceConfigFile, rewriteConfigText } from './conf-rewrite.ts';
import { type ConfigSource, loadConfig, noSetting } from './config-load.ts';
import type { AnyParameter } from './parameter.ts';
import {
  type ConfigValues,
  findParameter,
  listedNames,
  PARAMETERS,
  type ParameterName,
  propertyName,
  type ValueOf,
} from './parameters.ts';
import type { Settings } from './settings.ts';
import { errorReason } from './system-error.ts';
import type { Parsed } from './value-type.ts';
import { workingFolder } from './working-folder.ts';

export interface ConfigOptions {
  /** The folder that `dir` starts as, absolute; default is the process's working directory. */
  readonly directory?: string;
}

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
type Pairs = ReadonlyArray<readonly [name: string, value: string]>;

/** Undefined agrees; a message refuses the change, and all values go back. */
export type ListenerAnswer = string | undefined | Promise<string | undefined>;
export type ChangeListener<Value> = (value: Value, before: Value) => ListenerAnswer;

export interface RewriteOptions {
  /** The users' lines, each from `user` on; undefined leaves the lines in the file alone. */
  readonly users?: readonly string[];
  /** Whether values that are the default are written, too. */
  readonly force?: boolean;
}

interface Change {
  readonly parameter: AnyParameter;
  /** The name as the client wrote it, for the answer. */
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

type AnyListener = ChangeListener<unknown>;

export class Config {
  /** Every parameter as the server reads it. */
  readonly values: Readonly<ConfigValues>;
  /** The absolute path of the configuration file, if there is one. */
  file: string | undefined;
  /** `user` lines, in order. */
  readonly users: Directive[];
  /** `rename-command` lines, in order; the second word is empty when a command is to go. */
  readonly renames: Directive[];

  readonly #stored: Map<AnyParameter, unknown>;
  readonly #listeners: Map<AnyParameter, AnyListener[]>;
  readonly #seen: Set<AnyParameter>;
  #busy: Promise<SetOutcome> | undefined;
  #rewriting: Promise<unknown>;

  constructor(options: ConfigOptions = {}) {
    this.file = undefined;
    this.users = [];
    this.renames = [];
    this.#stored = new Map(PARAMETERS.map((parameter) => [parameter, parameter.initial]));
    this.#listeners = new Map();
    this.#seen = new Set();
    this.#busy = undefined;
    this.#rewriting = Promise.resolve();
    this.values = exposeAll(this.#stored);
    const directory = findParameter('dir');
    if (directory !== undefined) {
      this.#store(directory, toByteString(resolve(options.directory ?? workingFolder())));
    }
  }

  /** Reads a file, standard input and options; throws `ConfigFileError` or `ConfigOpenError`. */
  load(source: ConfigSource): void {
    loadConfig(this, source);
  }

  /** Sets values before the start, immutable ones included; throws an `Error` that names one. */
  applySettings(settings: Settings): void {
    for (const [name, value] of Object.entries(settings)) {
      const parameter = findParameter(name);
      if (parameter === undefined) throw new Error(noSetting(name));
      const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : toByteString(`${value}`);
      const parsed = this.#parse(parameter, splitValue(parameter, text), false);
      if ('error' in parsed) throw new Error(`setting '${name}': ${parsed.error}`);
      this.#store(parameter, parsed.value);
    }
  }

  /**
   * One line of a configuration file for a known parameter; gives the reason of a refusal. `afresh`
   * does not add to the lines before it.
   */
  read(parameter: AnyParameter, words: readonly string[], afresh: boolean): string | undefined {
    if (afresh) this.#seen.delete(parameter);
    const parsed = this.#parse(parameter, words, true);
    if ('error' in parsed) return parsed.error;
    this.#seen.add(parameter);
    this.#store(parameter, parsed.value);
    return undefined;
  }

  /** What CONFIG GET shows for patterns and exact names; hidden ones by exact name only. */
  get(patterns: readonly string[]): Array<[name: string, value: string]> {
    const found = new Map<string, [name: string, value: string]>();
    const add = (name: string, parameter: AnyParameter): void => {
      const key = name.toLowerCase();
      if (!found.has(key)) found.set(key, [name, this.format(parameter)]);
    };
    for (const pattern of patterns) {
      if (!/[[*?]/.test(pattern)) {
        const parameter = findParameter(pattern);
        if (parameter !== undefined) add(pattern, parameter);
        continue;
      }
      const glob = latin1Bytes(pattern);
      for (const [name, parameter] of listedNames()) {
        const bytes = latin1Bytes(name);
        if (globMatch(glob, 0, glob.length, bytes, 0, bytes.length, true)) add(name, parameter);
      }
    }
    return [...found.values()];
  }

  /** The value as CONFIG GET answers it. */
  format(parameter: AnyParameter): string {
    return parameter.type.format(this.#stored.get(parameter));
  }

  /**
   * Changes parameters, for CONFIG SET. The answer comes at once unless a listener, or an earlier
   * change, takes time; what is wrong with the words themselves is told at once even then.
   */
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

  /** Calls `listener` after each change of the value, never for the first one. */
  onChange<Name extends ParameterName>(name: Name, listener: ChangeListener<ValueOf<Name>>): void {
    const parameter = findParameter(name);
    if (parameter === undefined) throw new Error(`there is no parameter '${name}'`);
    const list = this.#listeners.get(parameter) ?? [];
    list.push(listener as AnyListener);
    this.#listeners.set(parameter, list);
  }

  /** Rewrites the file. Resolves with undefined, or with the error reply of CONFIG REWRITE. */
  rewrite(options: RewriteOptions = {}): Promise<string | undefined> {
    const turn = this.#rewriting.then(() => this.#rewriteNow(options));
    this.#rewriting = turn;
    return turn;
  }

  /** Whether the value of a name must not be shown in logs; false for unknown names. */
  isSensitive(name: string): boolean {
    return findParameter(name)?.traits.sensitive === true;
  }

  /** An absolute path: relative ones start at `dir`. */
  path(path: string): string {
    return resolve(this.values.dir, path);
  }

  /** What to tell at the start: the parameters that are set and have no effect in this server. */
  notices(): string[] {
    return PARAMETERS.filter(({ traits }) => traits.inert !== undefined)
      .filter((parameter) => this.format(parameter) !== parameter.type.format(parameter.initial))
      .map((parameter) => {
        const line = `${parameter.name} ${this.format(parameter)}`;
        return `'${line}' is kept, but has no effect: ${parameter.traits.inert}`;
      });
  }

  #parse(parameter: AnyParameter, words: readonly string[], reading: boolean): Parsed<unknown> {
    const { type, traits } = parameter;
    const parsed = type.parse(words, this.#stored.get(parameter), {
      reading,
      repeated: this.#seen.has(parameter),
      directory: this.values.dir,
    });
    if ('error' in parsed) return parsed;
    const error = traits.check?.(parsed.value);
    if (error !== undefined) return { error };
    return { value: traits.clamp === undefined ? parsed.value : traits.clamp(parsed.value) };
  }

  #store(parameter: AnyParameter, value: unknown): void {
    this.#stored.set(parameter, value);
    Reflect.set(this.values, propertyName(parameter.name), parameter.type.expose(value));
  }

  /** Sets what had to wait for an earlier change, of which much may be different since. */
  #setLate(pairs: Pairs, client: ConfigClient): SetOutcome | Promise<SetOutcome> {
    const changes = this.#changesOf(pairs, client);
    return 'error' in changes ? changes : this.#make(changes);
  }

  #make(changes: readonly Change[]): SetOutcome | Promise<SetOutcome> {
    for (const { parameter, after } of changes) this.#store(parameter, after);
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
      const parsed = this.#parse(parameter, splitValue(parameter, text), false);
      if ('error' in parsed) {
        return { ok: false, error: setFailed(name.toLowerCase(), parsed.error) };
      }
      const before = this.#stored.get(parameter);
      changes.push({ parameter, name, before, after: parsed.value });
    }
    return changes;
  }

  #refusal(parameter: AnyParameter, name: string, client: ConfigClient): string | undefined {
    const { traits } = parameter;
    if (traits.immutable === true) return setFailed(name, "can't set immutable config");
    const who = this.values.enableProtectedConfigs;
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
    for (const { parameter, before } of changes) this.#store(parameter, before);
    let answer: ListenerAnswer;
    for (const [listener, { parameter, before, after }] of told) {
      const tell = (): ListenerAnswer =>
        listener(parameter.type.expose(before), parameter.type.expose(after));
      answer = answer instanceof Promise ? answer.then(tell) : tell();
    }
    const outcome: SetOutcome = { ok: false, error };
    return answer instanceof Promise ? answer.then(() => outcome) : outcome;
  }

  async #rewriteNow(options: RewriteOptions): Promise<string | undefined> {
    if (this.file === undefined) return 'ERR The server is running without a config file';
    const blocks = PARAMETERS.map((parameter) => ({
      option: parameter.name,
      lines: parameter.type.lines(parameter.name, this.#stored.get(parameter), parameter.initial),
    }));
    if (options.users !== undefined) {
      const lines = options.users.map((text) => ({ text: quoteWords(text), force: true }));
      blocks.push({ option: 'user', lines });
    }
    const mainName = (option: string): string | undefined => findParameter(option)?.name;
    try {
      const old = await readOldConfig(this.file);
      const text = rewriteConfigText(old, blocks, mainName, options.force);
      await replaceConfigFile(this.file, text);
      return undefined;
    } catch (error) {
      return `ERR Rewriting config file: ${errorReason(error)}`;
    }
  }
}

function setFailed(name: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
}

/** CONFIG SET has one text for a value; types of several words take it apart at each space. */
function splitValue(parameter: AnyParameter, text: string): string[] {
  if (!parameter.type.multi) return [text];
  return text === '' ? [] : text.split(' ');
}

/**
 * All values in one object. The copy at the end matters: V8 lays a copy out as a struct, while the
 * object that grew to so many properties is a hash table (measured: a read costs 1 ns, not 6).
 */
function exposeAll(stored: ReadonlyMap<AnyParameter, unknown>): ConfigValues {
  const values: Record<string, unknown> = {};
  for (const [parameter, value] of stored) {
    values[propertyName(parameter.name)] = parameter.type.expose(value);
  }
  return { ...values } as ConfigValues;
}
