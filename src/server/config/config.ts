/**
 * The configuration of one server: what redis.conf, the command line and CONFIG SET have said.
 *
 *     const config = new Config();
 *     config.load({ file: '/etc/cairn.conf', options: 'port 0' });    before the start
 *     config.values.maxmemory                                         a plain property: hot paths
 *     config.onChange('maxmemory', (bytes) => { ...; return undefined; })
 *     config.set([['maxmemory', '1gb']], client)                      CONFIG SET
 *
 * The values themselves are in config-store.ts, what CONFIG SET does to them in config-changes.ts.
 * Here they are read from files and options, shown, and written to the file again.
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
import {
  type ChangeListener,
  ConfigChanges,
  type ConfigClient,
  type Pairs,
  type SetOutcome,
} from './config-changes.ts';
import { type ConfigSource, loadConfig, noSetting } from './config-load.ts';
import { ConfigStore } from './config-store.ts';
import type { AnyParameter } from './parameter.ts';
import {
  type ConfigValues,
  findParameter,
  listedNames,
  PARAMETERS,
  type ParameterName,
  type ValueOf,
} from './parameters.ts';
import type { Settings } from './settings.ts';
import { errorReason } from './system-error.ts';
import { workingFolder } from './working-folder.ts';

export interface ConfigOptions {
  /** The folder that `dir` starts as, absolute; default is the process's working directory. */
  readonly directory?: string;
}

export interface RewriteOptions {
  /** The users' lines, each from `user` on; undefined leaves the lines in the file alone. */
  readonly users?: readonly string[];
  /** Whether values that are the default are written, too. */
  readonly force?: boolean;
}

export class Config {
  /** Every parameter as the server reads it. */
  readonly values: Readonly<ConfigValues>;
  /** The absolute path of the configuration file, if there is one. */
  file: string | undefined;
  /** `user` lines, in order. */
  readonly users: Directive[];
  /** `rename-command` lines, in order; the second word is empty when a command is to go. */
  readonly renames: Directive[];

  readonly #store: ConfigStore;
  readonly #changes: ConfigChanges;
  #rewriting: Promise<unknown>;

  constructor(options: ConfigOptions = {}) {
    this.file = undefined;
    this.users = [];
    this.renames = [];
    this.#store = new ConfigStore(options.directory ?? workingFolder());
    this.#changes = new ConfigChanges(this.#store);
    this.#rewriting = Promise.resolve();
    this.values = this.#store.values;
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
      const parsed = this.#store.parseText(parameter, text);
      if ('error' in parsed) throw new Error(`setting '${name}': ${parsed.error}`);
      this.#store.store(parameter, parsed.value);
    }
  }

  /**
   * One line of a configuration file for a known parameter; gives the reason of a refusal. `afresh`
   * does not add to the lines before it.
   */
  read(parameter: AnyParameter, words: readonly string[], afresh: boolean): string | undefined {
    return this.#store.storeLine(parameter, words, afresh);
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
    return this.#store.format(parameter);
  }

  /**
   * Changes parameters, for CONFIG SET. The answer comes at once unless a listener, or an earlier
   * change, takes time; what is wrong with the words themselves is told at once even then.
   */
  set(pairs: Pairs, client: ConfigClient): SetOutcome | Promise<SetOutcome> {
    return this.#changes.set(pairs, client);
  }

  /** Calls `listener` after each change of the value, never for the first one. */
  onChange<Name extends ParameterName>(name: Name, listener: ChangeListener<ValueOf<Name>>): void {
    this.#changes.listen(name, listener as ChangeListener<unknown>);
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

  async #rewriteNow(options: RewriteOptions): Promise<string | undefined> {
    if (this.file === undefined) return 'ERR The server is running without a config file';
    const blocks = PARAMETERS.map((parameter) => ({
      option: parameter.name,
      lines: parameter.type.lines(parameter.name, this.#store.stored(parameter), parameter.initial),
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
