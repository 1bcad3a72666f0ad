/**
 * Manifests put together at random from the pieces of their grammar, and from bytes that do not
 * belong there: the parser and the real checker accept the same ones, and refuse the others for the
 * same reason.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManifestError, parseManifest } from '../../../src/persistence/aof/manifest.ts';
import { Random } from '../../support/random.ts';
import { findTool } from '../../support/real-server.ts';

const CASES = 260;
const checker = findTool('redis-check-aof');

const NAMES = [
  ...['a.1.incr.aof', '"a b"', "'a b'", '"a\\x20b"', '"a\\"b"', "'a\\'b'", '"a\\nb"', 'a\\b'],
  ...['a/b', '../a', 'a"b', "a'b", '"a', 'é', '\xff', '"\\xff\\x00"', '"a"b', '#a', 'a#'],
];
const SEQS = ['1', '2', '3', '10', '0', '-1', '+4', '007', '1x', 'x', '""', '"5"', ' 6', '1.5'];
const LONG = ['99999999999999', '9223372036854775807', '9223372036854775808'];
const TYPES = ['b', 'h', 'i', 'i', 'i', 'base', 'incr', 'I', 'x', '""', "'i'", '"\\x69"'];
const KEYS: readonly [string, readonly string[]][] = [
  ['file', NAMES],
  ['seq', [...SEQS, ...SEQS, ...LONG]],
  ['type', TYPES],
];

function line(random: Random): string {
  if (random.chance(0.08)) return random.pick(['', '# a comment', '#', ' ', '\t', '\0', 'file']);
  const pairs = KEYS.map(([key, values]) => {
    const name = random.chance(0.05) ? random.pick([key.toUpperCase(), `"${key}"`, 'x']) : key;
    // Most values are sound, so that a file has some lines before it is refused.
    const value = random.chance(0.75) ? values[0]! : random.pick(values);
    return `${name}${random.pick([' ', ' ', '\t', '  '])}${value}`;
  });
  if (random.chance(0.1)) pairs.push(random.pick(['more words', 'odd', 'seq 7', 'type i']));
  if (random.chance(0.05)) pairs.pop();
  const text = (random.chance(0.1) ? random.shuffled(pairs) : pairs).join(' ');
  const padded = random.chance(0.03) ? `${text} x ${'p'.repeat(random.between(900, 1100))}` : text;
  return `${random.pick(['', '', '', ' '])}${padded}${random.pick(['', '', '', ' ', '\r'])}`;
}

/** A text whose first line shows both readers that it is a manifest. */
function manifest(random: Random): string {
  const first = random.pick(['# x', 'file a seq 1 type h', 'file a.1.base.rdb seq 1 type b']);
  const count = random.between(1, 5);
  const lines = Array.from({ length: count }, (_, i) =>
    line(random).replace(/seq([ \t]+)1(?= )/, (_all, gap: string) => `seq${gap}${i + 2}`),
  );
  const text = [random.chance(0.5) ? 'file a seq 1 type h' : first, ...lines].join('\n');
  return random.chance(0.93) ? `${text}\n` : text;
}

function ours(text: string): string {
  try {
    parseManifest(Buffer.from(text, 'latin1'));
    return 'accepted';
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.message.replace(/ \(line .*$/s, '').replace(/, or a last line.*$/s, '');
  }
}

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'cairn-manifests-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function theirs(text: string): string | null {
  const path = join(dir, 'a.manifest');
  writeFileSync(path, text, 'latin1');
  const { stdout } = spawnSync(checker ?? '', [path], { encoding: 'latin1' });
  if (!stdout.includes('Start checking Multi Part AOF')) return null;
  if (!stdout.includes('FATAL AOF MANIFEST FILE ERROR')) return 'accepted';
  return (
    stdout
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^.* # /, '') ?? ''
  );
}

describe.skipIf(checker === null)('manifests at random', () => {
  it('are judged as the real checker judges them', () => {
    const random = new Random(20);
    const verdicts = new Map<string, number>();
    for (let i = 0; i < CASES; i++) {
      const text = manifest(random);
      const wanted = theirs(text);
      // It takes such a file for an AOF of commands.
      if (wanted === null) continue;
      const verdict = ours(text);
      expect(verdict, JSON.stringify(text)).toBe(wanted);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }
    // Every refusal was met, and many were accepted.
    expect(verdicts.get('accepted')).toBeGreaterThan(CASES / 10);
    expect([...verdicts.keys()].sort()).toEqual([
      "File can't be a path, just a filename",
      'Found a non-monotonic sequence number',
      'Found duplicate base file information',
      'Invalid AOF manifest file format',
      'The AOF manifest file contains too long line',
      'Unknown AOF file type',
      'accepted',
    ]);
  }, 240_000);
});
