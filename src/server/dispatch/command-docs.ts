/**
 * What COMMAND INFO and COMMAND DOCS answer about a command, from its specification.
 */
import type { Reply } from '../../core/resp/reply.ts';
import { categoriesOf } from '../acl/acl-categories.ts';
import { type Command, FLAG_NAMES, type KeySpec } from './command.ts';
import { parseSyntax, type SyntaxArgument } from './command-syntax.ts';
import type { CommandTable } from './command-table.ts';

// ---------------------------------------------------------------- COMMAND INFO

/** Answers the ten fields that COMMAND INFO has of a command. */
export function replyCommandInfo(reply: Reply, one: Command, table: CommandTable): void {
  const range = plainRange(one.keys ?? []);
  reply.array(10);
  reply.bulkText(one.name);
  reply.integer(one.arity);
  replyWords(reply, flagsOf(one));
  reply.integer(range.first);
  reply.integer(range.last);
  reply.integer(range.step);
  replyWords(
    reply,
    categoriesOf(one).map((name) => `@${name}`),
  );
  const tips = one.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.bulkText(tip);
  reply.set(one.keys?.length ?? 0);
  for (const spec of one.keys ?? []) replyKeySpec(reply, spec);
  const children = table.childrenOf(one);
  if (children.length === 0) reply.set(0);
  else reply.array(children.length);
  for (const child of children) replyCommandInfo(reply, child, table);
}

function flagsOf(one: Command): string[] {
  return FLAG_NAMES.filter(([bit]) => (one.flags & bit) !== 0).map(([, name]) => name);
}

function replyWords(reply: Reply, words: readonly string[]): void {
  reply.set(words.length);
  for (const word of words) reply.simple(word);
}

interface PlainRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

const NO_RANGE: PlainRange = { first: 0, last: 0, step: 0 };

/**
 * First key, last key and step, as clients knew them before there were key specifications: of one
 * range, or of several with step 1 that follow upon each other.
 */
function plainRange(specs: readonly KeySpec[]): PlainRange {
  const ranges = specs.flatMap(({ begin, range }) => {
    if (begin.kind !== 'index' || range.kind !== 'range') return [];
    const last = range.last >= 0 ? begin.index + range.last : range.last;
    return [{ first: begin.index, last, step: range.step }];
  });
  const [only] = ranges;
  if (only === undefined) return NO_RANGE;
  if (specs.length === 1) return only;
  let { first, last } = only;
  for (const [i, one] of ranges.entries()) {
    if (one.step !== 1) return NO_RANGE;
    if (i === 0) continue;
    if (one.first !== last + 1) return NO_RANGE;
    first = Math.min(first, one.first);
    last = one.last;
  }
  return { first, last, step: 1 };
}

function replyKeySpec(reply: Reply, spec: KeySpec): void {
  reply.map(spec.notes === undefined ? 3 : 4);
  if (spec.notes !== undefined) {
    reply.bulkText('notes');
    reply.bulkText(spec.notes);
  }
  reply.bulkText('flags');
  replyWords(reply, spec.flags);
  reply.bulkText('begin_search');
  const { begin, range } = spec;
  if (begin.kind === 'index') replyTyped(reply, 'index', [['index', begin.index]]);
  else if (begin.kind === 'unknown') replyTyped(reply, 'unknown', []);
  else {
    replyTyped(reply, 'keyword', [
      ['keyword', begin.keyword],
      ['startfrom', begin.from],
    ]);
  }
  reply.bulkText('find_keys');
  if (range.kind === 'unknown') replyTyped(reply, 'unknown', []);
  else if (range.kind === 'range') {
    replyTyped(reply, 'range', [
      ['lastkey', range.last],
      ['keystep', range.step],
      ['limit', range.limit],
    ]);
  } else {
    replyTyped(reply, 'keynum', [
      ['keynumidx', range.at],
      ['firstkey', range.first],
      ['keystep', range.step],
    ]);
  }
}

function replyTyped(
  reply: Reply,
  type: string,
  fields: readonly (readonly [string, string | number])[],
): void {
  reply.map(2);
  reply.bulkText('type');
  reply.bulkText(type);
  reply.bulkText('spec');
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulkText(name);
    if (typeof value === 'number') reply.integer(value);
    else reply.bulkText(value);
  }
}

// ---------------------------------------------------------------- COMMAND DOCS

/** Answers the map that COMMAND DOCS has of a command. */
export function replyCommandDocs(reply: Reply, one: Command, table: CommandTable): void {
  const { complexity, deprecated, history = [] } = one;
  const children = table.childrenOf(one);
  const flags = [
    ...(deprecated === undefined ? [] : ['deprecated']),
    ...(one.internal === true ? ['syscmd'] : []),
  ];
  const syntax = parseSyntax(one.syntax ?? '');
  const fields: (readonly [string, string | (() => void)])[] = [
    ['summary', one.summary],
    ['since', one.since],
    ['group', one.group],
  ];
  if (complexity !== undefined) fields.push(['complexity', complexity]);
  if (flags.length > 0) fields.push(['doc_flags', () => replyWords(reply, flags)]);
  if (deprecated !== undefined) {
    fields.push(['deprecated_since', deprecated.since], ['replaced_by', deprecated.replacedBy]);
  }
  if (history.length > 0) fields.push(['history', () => replyHistory(reply, history)]);
  if (syntax.length > 0) fields.push(['arguments', () => replyArguments(reply, syntax)]);
  if (children.length > 0) {
    fields.push([
      'subcommands',
      () => {
        reply.map(children.length);
        for (const child of children) {
          reply.bulkText(child.name);
          replyCommandDocs(reply, child, table);
        }
      },
    ]);
  }
  replyFields(reply, fields);
}

function replyFields(
  reply: Reply,
  fields: readonly (readonly [string, string | (() => void)])[],
): void {
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulkText(name);
    if (typeof value === 'string') reply.bulkText(value);
    else value();
  }
}

function replyHistory(reply: Reply, history: readonly (readonly [string, string])[]): void {
  reply.set(history.length);
  for (const [version, change] of history) {
    reply.array(2);
    reply.bulkText(version);
    reply.bulkText(change);
  }
}

function replyArguments(reply: Reply, all: readonly SyntaxArgument[]): void {
  reply.array(all.length);
  for (const one of all) {
    const flags = [
      ...(one.optional ? ['optional'] : []),
      ...(one.multiple ? ['multiple'] : []),
      ...(one.multipleToken ? ['multiple_token'] : []),
    ];
    const { keySpec, token, since, deprecatedSince, parts } = one;
    const fields: (readonly [string, string | (() => void)])[] = [
      ['name', one.name],
      ['type', one.type],
    ];
    if (parts.length === 0) fields.push(['display_text', one.shown]);
    if (keySpec !== undefined) fields.push(['key_spec_index', () => reply.integer(keySpec)]);
    if (token !== undefined) fields.push(['token', token]);
    if (since !== undefined) fields.push(['since', since]);
    if (deprecatedSince !== undefined) fields.push(['deprecated_since', deprecatedSince]);
    if (flags.length > 0) fields.push(['flags', () => replyWords(reply, flags)]);
    if (parts.length > 0) fields.push(['arguments', () => replyArguments(reply, parts)]);
    replyFields(reply, fields);
  }
}
