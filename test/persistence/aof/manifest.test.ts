/** The manifest: grammar, refusals (asked of a real server), names, and the steps of a rewrite. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EMPTY_MANIFEST,
  formatManifest,
  loadedFiles,
  ManifestError,
  manifestName,
  nextBase,
  parseManifest,
  withBase,
  withNextIncr,
  withoutHistory,
} from '../../../src/persistence/aof/manifest.ts';
import { requireRedisServer } from '../../support/real-server.ts';
import { freePort } from '../../support/server-process.ts';

const parse = (text: string) => parseManifest(Buffer.from(text, 'latin1'));
const ONE = 'file a.1.incr.aof seq 1 type i\n';

/** Texts that a reader must accept or refuse, with what the refusal says. */
const SAMPLES: readonly (readonly [text: string, refusal: string | undefined])[] = [
  ['', 'Found an empty AOF manifest'],
  ['\n', 'Invalid AOF manifest file format'],
  ['#only a comment\n', undefined],
  ['#comment without end', undefined],
  [`#${'c'.repeat(1022)}\n${ONE}`, undefined],
  [`${`${ONE.trimEnd()} x `.padEnd(1023, 'y')}\n`, undefined],
  [`${`${ONE.trimEnd()} x `.padEnd(1024, 'y')}\n`, 'too long line'],
  [`${ONE.trimEnd()}\0\n`, 'too long line'],
  [ONE, undefined],
  [ONE.trimEnd(), 'too long line'],
  [`# c\n${ONE}# d\n`, undefined],
  [`${ONE}\n`, 'Invalid AOF manifest file format'],
  ['  file a.1.incr.aof\tseq 1 type i \r\n', undefined],
  ['FILE a.1.incr.aof SEQ 1 TYPE i\n', undefined],
  ['type i seq 1 file a.1.incr.aof\n', undefined],
  ['file a.1.incr.aof seq 1 type incremental\n', undefined],
  ['file a.1.incr.aof seq 1 type i extra word\n', undefined],
  ['file a.1.incr.aof seq 1 type i extra\n', 'Invalid AOF manifest file format'],
  ['file a.1.incr.aof seq 1\n', 'Invalid AOF manifest file format'],
  ['file a.1.incr.aof seq 0 type i\n', 'Invalid AOF manifest file format'],
  ['file a.1.incr.aof seq x type i\n', 'Invalid AOF manifest file format'],
  ['file a.1.incr.aof seq 1x type i\n', undefined],
  ['file a.1.incr.aof seq 1 type ""\n', 'Invalid AOF manifest file format'],
  ['file a/b seq 1 type i\n', "File can't be a path, just a filename"],
  ['file "a\\\\b" seq 1 type i\n', "File can't be a path, just a filename"],
  ['file a.1.incr.aof seq 1 type z\n', 'Unknown AOF file type'],
  ['file a.1.incr.aof seq 1 type I\n', 'Unknown AOF file type'],
  ['file "a.1.incr.aof" seq 1 type i\n', undefined],
  ["file 'a.1.incr.aof' seq 1 type i\n", undefined],
  ['file "a\\x2e1.incr.aof" seq 1 type i\n', undefined],
  ['file "a.1.incr.aof seq 1 type i\n', 'Invalid AOF manifest file format'],
  ['file "a.1.incr.aof"seq 1 type i\n', 'Invalid AOF manifest file format'],
  ['file a".1."incr.aof seq 1 type i\n', 'Invalid AOF manifest file format'],
  ['file a."1.incr.aof" seq 1 type i\n', undefined],
  ["file 'a.1.incr.aof\\\\' seq 1 type i\n", 'Invalid AOF manifest file format'],
  ['\vfile a.1.incr.aof\f seq 1 type i\n', undefined],
  ['file a.1.incr.aof\vseq 1 type i\n', 'Invalid AOF manifest file format'],
  ['file a.1.incr.aof seq\f1 type i\n', 'Invalid AOF manifest file format'],
  [`${ONE}file a.2.incr.aof seq 2 type i\n`, undefined],
  [`${ONE}file a.1.incr.aof seq 1 type i\n`, 'Found a non-monotonic sequence number'],
  [`file a.3.incr.aof seq 3 type i\n${ONE}`, 'Found a non-monotonic sequence number'],
  ['file a.1.incr.aof seq -1 type i\n', 'Found a non-monotonic sequence number'],
  [
    'file a.1.base.aof seq 1 type b\nfile a.2.base.aof seq 2 type b\n',
    'Found duplicate base file information',
  ],
  ['file a.1.base.aof seq 1 type b\nfile x seq 9 type h\n', undefined],
  [`${ONE}file a.1.base.aof seq 1 type b\n`, undefined],
  [`file ${'n'.repeat(1100)} seq 1 type i\n`, 'too long line'],
];

describe('parseManifest', () => {
  it.each(SAMPLES)('reads %j', (text, refusal) => {
    if (refusal === undefined) {
      expect(() => parse(text)).not.toThrow();
    } else {
      expect(() => parse(text)).toThrow(ManifestError);
      expect(() => parse(text)).toThrow(refusal);
    }
  });

  it('gives base, history and increments in their order', () => {
    const manifest = parse(
      'file a.2.base.rdb seq 2 type b\nfile a.1.base.rdb seq 1 type h\n' +
        'file a.5.incr.aof seq 5 type i\nfile a.6.incr.aof seq 6 type i\n',
    );
    expect(loadedFiles(manifest).map((info) => info.name)).toEqual([
      'a.2.base.rdb',
      'a.5.incr.aof',
      'a.6.incr.aof',
    ]);
    expect(manifest.history.map((info) => info.name)).toEqual(['a.1.base.rdb']);
    expect([manifest.baseSeq, manifest.incrSeq]).toEqual([2, 6]);
  });

  it('refuses a comment that is too long, of which a real server reads the end as a line', () => {
    expect(() => parse(`#${'c'.repeat(1023)}\n${ONE}`)).toThrow('too long line');
    expect(() => parse(`#${'c'.repeat(1022)}`)).toThrow('too long line');
  });

  it('refuses a file without a name, which a real server only misses when it opens it', () => {
    expect(() => parse('file "" seq 1 type i\n')).toThrow('Invalid AOF manifest file format');
  });

  it('names the line of an error', () => {
    expect(() => parse(`# c\n${ONE}file x\n`)).toThrow(/line 3 of the AOF manifest: 'file x'/);
  });

  it('quotes a name as a real server does', () => {
    const { manifest } = withNextIncr(EMPTY_MANIFEST, '" \\ \n\r\t\b\x07\x01é');
    expect(formatManifest(manifest)).toBe(
      'file "\\" \\\\ \\n\\r\\t\\b\\a\\x01\\xc3\\xa9.1.incr.aof" seq 1 type i\n',
    );
    expect(formatManifest(withNextIncr(EMPTY_MANIFEST, "it's").manifest)).toContain(`"it's.1.incr`);
  });

  it('reads back any name that it writes', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(name, (text) => {
        const clean = text.replace(/[/\\\0]/g, '_');
        const { manifest } = withNextIncr(EMPTY_MANIFEST, clean);
        const read = parseManifest(Buffer.from(formatManifest(manifest)));
        expect(read).toEqual(manifest);
      }),
    );
  });
});

describe('the sense of the lines', () => {
  const judged = (text: string) => parseManifest(Buffer.from(text, 'latin1'), 'a');
  const BASE = 'file a.2.base.rdb seq 2 type b\n';

  it.each([
    [`${BASE}file a.1.incr.aof seq 3 type i\n`, /line 2.*a\.1\.incr/],
    [`${BASE}file a.1.base.rdb seq 1 type i\n`, /A base is named as an increment.*line 2/],
    ['file a.1.incr.aof seq 1 type b\n', /An increment is named as the base.*line 1/],
    ['file a seq 1 type i\n', /A base is named as an increment/],
    [`${BASE}file a.1.incr.aof seq 1 type h\n`, /ends the history.*correct the line.*line 2/],
    [`${BASE}${ONE}file a.1.base.rdb seq 1 type h\n`, /History stands behind a live.*line 3/],
    ['file a.1.incr.aog seq 1 type i\n', /one bit away from 'a.1.incr.aof'.*line 1/],
    ['file c.1.incr.aof seq 1 type i\n', /one bit away from 'a.1.incr.aof'/],
    [`${BASE.trimEnd()} ${ONE}`, /A key comes twice.*line 1/],
    [`${BASE.trimEnd()}\v${ONE}`, /Invalid AOF manifest file format.*line 1/],
    ['file\xa0a.1.incr.aof seq 1 type i x\n', /Unknown|Invalid/],
  ])('refuses %j, and says where and what to do', (text, refusal) => {
    expect(() => judged(text)).toThrow(refusal);
    expect(() => judged(text)).toThrow(ManifestError);
  });

  it.each([
    ['names of another kind', 'file base.rdb seq 7 type b\nfile x.aof seq 1 type i\n'],
    ['a single file taken in', 'file a seq 1 type b\nfile a.1.incr.aof seq 1 type i\n'],
    ['increments alone', `${ONE}file a.3.incr.aof seq 3 type i\n`],
    [
      'history without an increment, as a rewrite leaves it when the AOF is off',
      `${BASE}file a.1.incr.aof seq 1 type h\nfile a.1.base.rdb seq 1 type h\n`,
    ],
    ['a comment at the end', `${BASE}${ONE}#CK:8b3f04c29d1e77a5\n`],
    ['further keys', 'file a.1.incr.aof seq 1 type i startoffset 12\n'],
  ])('accepts %s', (_what, text) => {
    expect(judged(text)).toEqual(parse(text));
  });

  it('gives no name of the history to a new file, which would be deleted with it', () => {
    const left = judged(`${BASE}file a.4.incr.aof seq 4 type h\nfile a.1.base.rdb seq 1 type h\n`);
    expect(withNextIncr(left, 'a').incr.name).toBe('a.5.incr.aof');
    const live = judged(
      `${BASE}file a.1.incr.aof seq 1 type h\nfile a.1.base.rdb seq 1 type h\n` +
        'file a.2.incr.aof seq 2 type i\n',
    );
    expect(withNextIncr(live, 'a').incr.name).toBe('a.3.incr.aof');
    expect(nextBase(live, 'a', 'rdb').name).toBe('a.3.base.rdb');
    const noBase = judged('file a.3.base.rdb seq 3 type h\n');
    expect(nextBase(noBase, 'a', 'rdb').name).toBe('a.4.base.rdb');
  });

  it('leaves increments without a base out of the history, which must end with one', () => {
    const begun = withNextIncr(judged(ONE), 'a').manifest;
    const done = withBase(begun, nextBase(begun, 'a', 'rdb'), 1);
    expect(formatManifest(done)).toBe(
      'file a.1.base.rdb seq 1 type b\nfile a.2.incr.aof seq 2 type i\n',
    );
  });
});

describe('a rewrite', () => {
  it('passes through the states that the head of the file shows', () => {
    let manifest = withNextIncr(EMPTY_MANIFEST, 'a').manifest;
    manifest = withBase(manifest, nextBase(manifest, 'a', 'rdb'), 1);
    const begun = withNextIncr(manifest, 'a');
    expect(begun.incr).toEqual({ name: 'a.2.incr.aof', seq: 2, type: 'incr' });
    const base = nextBase(begun.manifest, 'a', 'aof');
    const finished = withBase(begun.manifest, base, 1);
    expect(formatManifest(finished)).toBe(
      'file a.2.base.aof seq 2 type b\nfile a.1.incr.aof seq 1 type h\n' +
        'file a.1.base.rdb seq 1 type h\nfile a.2.incr.aof seq 2 type i\n',
    );
    expect(formatManifest(withoutHistory(finished))).toBe(
      'file a.2.base.aof seq 2 type b\nfile a.2.incr.aof seq 2 type i\n',
    );
    const again = withNextIncr(finished, 'a');
    expect(again.incr.seq).toBe(3);
    const third = withBase(again.manifest, nextBase(again.manifest, 'a', 'rdb'), 1);
    expect(third.history.map((info) => info.name)).toEqual([
      'a.2.incr.aof',
      'a.2.base.aof',
      'a.1.incr.aof',
      'a.1.base.rdb',
    ]);
    expect(manifestName('a')).toBe('a.manifest');
  });
});

const redis = requireRedisServer();
describe.skipIf(redis === null)('a real server', () => {
  /** What a real server says to a manifest: the refusal's last words, or undefined. */
  function askRedis(text: string, port: number, timeout: number): string | undefined {
    const dir = mkdtempSync(join(tmpdir(), 'cairn-manifest-'));
    mkdirSync(join(dir, 'aofs'));
    writeFileSync(join(dir, 'aofs', 'a.manifest'), text, 'latin1');
    for (const name of ['a.1.incr.aof', 'a.2.incr.aof', 'a.3.incr.aof', 'a.1.base.aof']) {
      // An unknown command makes the server end at once after it has accepted the manifest.
      writeFileSync(join(dir, 'aofs', name), '*1\r\n$4\r\nSTOP\r\n');
    }
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
    const aof = ['--appendonly', 'yes', '--appenddirname', 'aofs', '--appendfilename', 'a'];
    const run = spawnSync(redis!, [...args, ...aof], { timeout, encoding: 'latin1' });
    rmSync(dir, { recursive: true });
    return `${run.stdout}${run.stderr}`;
  }

  it('accepts and refuses the same manifests', async () => {
    const port = await freePort();
    for (const [text, refusal] of SAMPLES) {
      // A server that refuses ends by itself; one that accepts may go on.
      const said = askRedis(text, port, refusal === undefined ? 300 : 10_000) ?? '';
      if (refusal === undefined) {
        expect(said, text).not.toMatch(/MANIFEST FILE ERROR|empty AOF manifest/);
      } else {
        expect(said, text).toContain(refusal);
      }
    }
  });
});
