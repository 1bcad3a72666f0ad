/**
 * Every single flipped bit of every manifest that a server writes: refused, or without effect on
 * what is loaded and deleted. The worst is assumed of the folder: that it holds, beside the files
 * of the manifest, one for every name that a flipped bit can make.
 */
import { describe, expect, it } from 'vitest';
import {
  formatManifest,
  loadedFiles,
  type Manifest,
  ManifestError,
  nextBase,
  parseManifest,
  withBase,
  withNextIncr,
  withoutHistory,
} from '../../../src/persistence/aof/manifest.ts';

type Step = 'increment' | 'base' | 'base while off' | 'delete';

/** The manifests along a way of steps, from the first base on. */
function manifestsAlong(name: string, start: Manifest, steps: readonly Step[]): Manifest[] {
  const seen = [start];
  for (const step of steps) {
    const now = seen.at(-1)!;
    if (step === 'increment') seen.push(withNextIncr(now, name).manifest);
    else if (step !== 'delete') {
      const base = nextBase(now, name, now.baseSeq % 2 === 0 ? 'rdb' : 'aof');
      seen.push(withBase(now, base, step === 'base' ? 1 : 0));
    } else seen.push(withoutHistory(now));
  }
  return seen;
}

function startOf(base: string, baseSeq: number, incrSeq: number): Manifest {
  const info = { name: base, seq: baseSeq, type: 'base' } as const;
  return { base: info, history: [], incrs: [], baseSeq, incrSeq };
}

/** Rewrites that succeed, that pile increments up, whose history stays. */
const STEPS: readonly Step[] = [
  ...(['increment', 'increment', 'base', 'delete', 'increment', 'increment'] as const),
  ...(['base', 'increment', 'base', 'increment', 'increment', 'base while off'] as const),
];

const WAYS: readonly (readonly [what: string, name: string, start: Manifest])[] = [
  ['a fresh folder', 'appendonly.aof', startOf('appendonly.aof.1.base.rdb', 1, 0)],
  ['sequences of several digits', 'J-7', startOf('J-7.8.base.aof', 8, 98)],
  ['sequences around 20 and 128', 'a', startOf('a.19.base.rdb', 19, 126)],
  ['a single file taken in', 'appendonly.aof', startOf('appendonly.aof', 1, 0)],
  ['a name in quotes', 'a "b c"\n', startOf('a "b c"\n.1.base.rdb', 1, 0)],
  ['another name in quotes', ' ü', startOf(' ü.1.base.rdb', 1, 4)],
];

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = copy[bit >> 3]! ^ (1 << (bit & 7));
  return copy;
}

/** Names that lie in the folder: of all numbers, and what a bit makes of those in use. */
function namesNear(name: string, manifests: readonly Manifest[]): Set<string> {
  const used = manifests.flatMap((one) => [...loadedFiles(one), ...one.history]);
  const near = new Set([name, ...used.map((file) => file.name)]);
  for (const file of [...near]) {
    const bytes = Buffer.from(file);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const text = flipped(bytes, bit).toString();
      // What is no UTF-8 is looked for under another name.
      if (!text.includes('\ufffd')) near.add(text);
    }
  }
  for (let n = 0; n < 140; n++) {
    for (const end of ['base.rdb', 'base.aof', 'incr.aof']) near.add(`${name}.${n}.${end}`);
  }
  return near;
}

type Effects = { readonly loaded: readonly string[]; readonly deleted: readonly string[] };

/** What a start with these bytes would load and delete, of what is there; null: it is refused. */
function effects(bytes: Uint8Array, name: string, there: ReadonlySet<string>): Effects | null {
  let manifest: Manifest;
  try {
    manifest = parseManifest(bytes, name);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return null;
  }
  const loaded = loadedFiles(manifest).map((file) => file.name);
  if (!loaded.every((file) => there.has(file))) return null;
  const history = manifest.history.map((file) => file.name);
  return { loaded, deleted: history.filter((file) => there.has(file)) };
}

describe('a flipped bit', () => {
  it.each(WAYS)('is refused or harmless: %s', (_what, name, start) => {
    const types = { refused: 0, harmless: 0 };
    const manifests = manifestsAlong(name, start, STEPS);
    const there = namesNear(name, manifests);
    for (const manifest of manifests) {
      const text = formatManifest(manifest);
      const bytes = Buffer.from(text, 'latin1');
      const wanted = effects(bytes, name, there);
      expect(wanted, text).not.toBeNull();
      if (wanted === null) return;
      const loaded = wanted.loaded.join('|');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const damaged = flipped(bytes, bit);
        const found = effects(damaged, name, there);
        types[found === null ? 'refused' : 'harmless']++;
        if (found === null) continue;
        const deletesMore = found.deleted.some((file) => !wanted.deleted.includes(file));
        if (found.loaded.join('|') === loaded && !deletesMore) continue;
        expect(found, `${text}bit ${bit}:\n${damaged.toString('latin1')}`).toEqual(wanted);
      }
    }
    expect(types.refused).toBeGreaterThan(types.harmless * 5);
  });
});
