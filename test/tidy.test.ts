/**
 * The house rules: which room imports which, no cycles, a head comment in every file, lengths that
 * only shrink, no promises where every microsecond counts. A rule that looked at nothing fails.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fileExceptions, functionExceptions, hotFiles } from './tidy/exceptions.ts';
import { fileLengths, functionLengths, ratchet } from './tidy/lengths.ts';
import * as rules from './tidy/rules.ts';
import { filesBelow, sourceFile } from './tidy/source.ts';

const fileLinesMax = 400;
const functionLinesMax = 70;
const columnsMax = 100;

const root = fileURLToPath(new URL('..', import.meta.url));
const source = filesBelow(root, 'src');
const core = source.filter((file) => file.path.startsWith('src/core/'));
const tests = filesBelow(root, 'test');
const bench = filesBelow(root, 'bench');
const bin = filesBelow(root, 'bin');
const all = [...source, ...tests, ...bench, ...bin];

describe('the house rules', () => {
  it('look at files of every part', () => {
    for (const part of [source, core, tests, bench, bin]) expect(part.length).toBeGreaterThan(0);
    for (const room of ['core', 'persistence', 'replication', 'server']) {
      const files = source.filter((file) => file.path.startsWith(`src/${room}/`));
      expect(files.length, `files in src/${room}`).toBeGreaterThan(0);
    }
  });

  it('keep the rooms apart', () => {
    expect(rules.wallViolations(source)).toEqual([]);
  });

  it('allow no import cycle', () => {
    expect(rules.cycles(all)).toEqual([]);
  });

  it('want a head comment in every file', () => {
    expect(rules.missingHeads(all)).toEqual([]);
  });

  it('want kebab-case names', () => {
    expect(rules.oddNames(all)).toEqual([]);
  });

  it('bound the width of lines', () => {
    expect(rules.longLines(all, columnsMax)).toEqual([]);
  });

  it('bound the length of files', () => {
    expect(ratchet(fileLengths(all), fileLinesMax, fileExceptions)).toEqual([]);
  });

  it('bound the length of functions', () => {
    const lengths = functionLengths(all);
    expect(lengths.size).toBeGreaterThan(all.length / 2);
    expect(ratchet(lengths, functionLinesMax, functionExceptions)).toEqual([]);
  });

  it('keep promises out of hot rooms', () => {
    const hot = source.filter((file) => core.includes(file) || hotFiles.includes(file.path));
    expect(hot.length, 'a hot file that does not exist').toBe(core.length + hotFiles.length);
    expect(rules.asyncPlaces(hot)).toEqual([]);
  });

  it('keep clock, randomness and timers out of core', () => {
    expect(rules.impurities(core)).toEqual([]);
  });

  it('allow no note to self, no escape from the types, no file that only re-exports', () => {
    expect(rules.notesToSelf(all)).toEqual([]);
    expect(rules.typeEscapes(all)).toEqual([]);
    expect(rules.barrels(all, ['src/server/index.ts'])).toEqual([]);
  });
});

describe('each rule finds what it is there for', () => {
  const file = (path: string, text: string) => [sourceFile(path, text)];

  it('in walls and purity', () => {
    const sneaky = "import { x } from '../server/y.ts';\nimport 'node:fs';\n";
    expect(rules.wallViolations(file('src/core/a.ts', sneaky))).toHaveLength(2);
    const server = "import type { X } from '../server/x.ts';";
    expect(rules.wallViolations(file('src/replication/a.ts', server))).toHaveLength(1);
    expect(rules.wallViolations(file('src/other/a.ts', ''))).toHaveLength(1);
    expect(rules.impurities(file('src/core/a.ts', 'const t = Date.now();'))).toHaveLength(1);
    expect(rules.impurities(file('src/core/a.ts', '// Date.now()'))).toEqual([]);
  });

  it('in cycles', () => {
    const a = sourceFile('src/core/a.ts', "import { b } from './b.ts';");
    const b = sourceFile('src/core/b.ts', "export { c } from './d/c.ts';");
    const c = sourceFile('src/core/d/c.ts', "const a = await import('../a.ts');");
    expect(rules.cycles([a, b])).toEqual([]);
    expect(rules.cycles([a, b, c])).toHaveLength(1);
    const typed = sourceFile('src/core/d/c.ts', "import type { A } from '../a.ts';");
    expect(rules.cycles([a, b, typed])).toEqual([]);
  });

  it('in heads, names, widths, notes, types, barrels, promises', () => {
    expect(rules.missingHeads(file('a.ts', '// no\n'))).toHaveLength(1);
    expect(rules.missingHeads(file('a.js', '#!/usr/bin/env node\n/** yes */\n'))).toEqual([]);
    expect(rules.oddNames(file('src/aB.ts', ''))).toHaveLength(1);
    expect(rules.longLines(file('a.ts', 'x'.repeat(101)), 100)).toHaveLength(1);
    expect(rules.notesToSelf(file('a.ts', `// ${'TO'}${'DO'}: later`))).toHaveLength(1);
    const escapes = 'let a: any; f(b as any); const c = d as unknown as E; g<any>(); h(/any/);';
    expect(rules.typeEscapes(file('a.ts', escapes))).toHaveLength(4);
    expect(rules.typeEscapes(file('a.ts', "const any = 1; x.any(); 'as any'"))).toEqual([]);
    expect(rules.barrels(file('a.ts', "/** b */\nexport * from './b.ts';\n"), [])).toHaveLength(1);
    expect(rules.barrels(file('a.ts', "export { b } from './b.ts';\nf();"), [])).toEqual([]);
    const promises = 'async function f() { await g(); }\nconst h = async () => 1;';
    expect(rules.asyncPlaces(file('a.ts', promises))).toHaveLength(3);
    expect(rules.asyncPlaces(file('a.ts', '// await\nconst s = `async`;'))).toEqual([]);
  });

  it('in lengths and exceptions', () => {
    const body = '  f();\n'.repeat(80);
    const text = [
      `export function long(\n  a: number,\n): void {\n${body}}`,
      `class C {\n  async method(a: number): Promise<void> {\n${body}  }\n}`,
      `const arrow = () => {\n${body}};`,
      `it('does', () => {\n${body}});`,
      `describe('suite', () => {\n${body}});`,
      'function short() {\n  return 1;\n}',
    ].join('\n');
    const lengths = functionLengths(file('a.ts', text));
    expect(ratchet(lengths, 70, {}).map((line) => line.split(' ')[0])).toEqual([
      'a.ts#long',
      'a.ts#method',
      'a.ts#arrow',
      'a.ts#it',
    ]);
    const one = new Map([['a.ts', 450]]);
    expect(ratchet(one, 400, {})).toHaveLength(1);
    expect(ratchet(one, 400, { 'a.ts': 450 })).toEqual([]);
    expect(ratchet(one, 400, { 'a.ts': 500 })).toHaveLength(1);
    expect(ratchet(one, 460, { 'a.ts': 450 })).toHaveLength(1);
    expect(ratchet(one, 460, { 'b.ts': 450 })).toHaveLength(1);
  });
});
