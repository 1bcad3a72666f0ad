/**
 * Reading a configuration at the start: every line is a parameter, or one of the directives that
 * are no parameters.
 *
 *     include PATH            the lines of other files, here; `save` lines behind it replace
 *                             those of before, so that CONFIG REWRITE's lines are the last word
 *     user NAME RULE...       kept for the access lists
 *     rename-command OLD NEW  kept for the command table
 *     loadmodule PATH ...     refused: there are no modules
 *     sentinel ...            refused: there is no Sentinel
 */
import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { fromByteString } from './byte-string.ts';
import {
  ConfigFileError,
  type Directive,
  readConfigFile,
  readDirectives,
  splitWords,
} from './conf-file.ts';
import { includedPaths } from './include-path.ts';
import type { AnyParameter } from './parameter.ts';
import { findParameter } from './parameters.ts';
import { errorReason } from './system-error.ts';
import { WRONG_WORD_COUNT } from './value-type.ts';
import { workingFolder } from './working-folder.ts';

/** Where a configuration comes from, in the order in which it is read. */
export interface ConfigSource {
  /** Lines that stand for other defaults, before all. */
  readonly defaults?: string;
  /** The path of the configuration file. */
  readonly file?: string;
  /** What was read from standard input. */
  readonly stdin?: string;
  /** The options of the command line, a line for each. */
  readonly options?: string;
}

/** What is read into: a `Config`. */
export interface LoadTarget {
  file: string | undefined;
  readonly users: Directive[];
  readonly renames: Directive[];
  readonly values: { readonly dir: string; readonly logfile: string };
  read(parameter: AnyParameter, words: readonly string[], afresh: boolean): string | undefined;
  path(path: string): string;
}

const INCLUDE_DEPTH_MAX = 16;

/** Parameters of the past that are accepted with one value and forgotten. */
const FORGOTTEN = new Set([
  'list-max-ziplist-entries',
  'list-max-ziplist-value',
  'lua-replicate-commands',
]);

/** Reads all of a source; throws `ConfigFileError` or `ConfigOpenError`. */
export function loadConfig(config: LoadTarget, source: ConfigSource): void {
  if (source.defaults !== undefined) readText(config, source.defaults, undefined, 0);
  let text = '';
  if (source.file !== undefined) {
    config.file = resolve(workingFolder(), source.file);
    text += readConfigFile(config.file);
  }
  if (source.stdin !== undefined) text += source.stdin;
  if (source.options !== undefined) text += `\n${source.options}`;
  readText(config, text, undefined, 0);
  checkLogFile(config);
}

function readText(
  config: LoadTarget,
  text: string,
  includedFrom: string | undefined,
  depth: number,
): void {
  let sinceInclude: Set<AnyParameter> | undefined;
  for (const directive of readDirectives(text, includedFrom)) {
    const { words } = directive;
    const name = (words[0] ?? '').toLowerCase();
    const parameter = findParameter(name);
    if (parameter !== undefined) {
      const afresh = sinceInclude !== undefined && !sinceInclude.has(parameter);
      readParameter(config, parameter, directive, afresh);
      sinceInclude?.add(parameter);
    } else if (!FORGOTTEN.has(name) || words.length !== 2) {
      readOther(config, name, directive, depth);
      if (name === 'include') sinceInclude = new Set();
    }
  }
}

function readParameter(
  config: LoadTarget,
  parameter: AnyParameter,
  directive: Directive,
  afresh: boolean,
): void {
  const { multi } = parameter.type;
  const values = directive.words.slice(1);
  const wrongCount = !multi && values.length !== 1;
  const words = multi ? unquoted(values) : values;
  const error = wrongCount ? WRONG_WORD_COUNT : config.read(parameter, words, afresh);
  if (error !== undefined) throw new ConfigFileError(error, directive);
}

/**
 * Several words in one pair of quotes are taken apart like a line of their own (`--save "''"` is
 * how some people say "never"). One in which a quote is open has no words, as in Redis.
 */
function unquoted(values: string[]): string[] {
  const [only] = values;
  if (values.length !== 1 || only === undefined || only === '') return values;
  return splitWords(only) ?? [];
}

/** Why a program cannot say `name`. */
export function noSetting(name: string): string {
  const isLine = ['include', 'rename-command', 'user'].includes(name.toLowerCase());
  if (!isLine) return `there is no setting '${name}'`;
  const instead = name.toLowerCase() === 'user' ? ': put users into an `aclfile`' : '';
  return `'${name}' is a line of a configuration file, no setting${instead}`;
}

function readOther(config: LoadTarget, name: string, directive: Directive, depth: number): void {
  const { words } = directive;
  const refuse = (reason: string): never => {
    throw new ConfigFileError(reason, directive);
  };
  if (name === 'include' && words.length === 2) {
    include(config, directive, depth);
  } else if (name === 'rename-command' && words.length === 3) {
    config.renames.push(directive);
  } else if (name === 'user' && words.length >= 2) {
    config.users.push(directive);
  } else if (name === 'loadmodule' && words.length >= 2) {
    refuse('modules cannot be loaded into this server: remove this line');
  } else if (name.includes('.')) {
    refuse(
      words.length === 2
        ? 'there is no module that this parameter could belong to: remove this line'
        : 'Module config specified without value',
    );
  } else if (name === 'sentinel') {
    refuse('sentinel directive while not in sentinel mode');
  } else {
    refuse('Bad directive or wrong number of arguments');
  }
}

function include(config: LoadTarget, directive: Directive, depth: number): void {
  if (depth === INCLUDE_DEPTH_MAX) {
    const hint = 'does a file include itself?';
    const reason = `include is nested more than ${INCLUDE_DEPTH_MAX} deep: ${hint}`;
    throw new ConfigFileError(reason, directive);
  }
  const pattern = fromByteString(directive.words[1] ?? '');
  for (const path of includedPaths(pattern, config.values.dir)) {
    readText(config, readConfigFile(path), path, depth + 1);
  }
}

/** The log must open now: later there is nowhere to tell that it does not. */
function checkLogFile(config: LoadTarget): void {
  if (config.values.logfile === '') return;
  try {
    closeSync(openSync(config.path(config.values.logfile), 'a'));
  } catch (error) {
    throw new ConfigFileError(`Can't open the log file: ${errorReason(error)}`);
  }
}
