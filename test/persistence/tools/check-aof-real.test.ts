/**
 * The AOF checker beside the real one: on good, torn and damaged files, single, with an RDB in
 * front, and of a manifest, both give the same verdict, cut at the same byte, and leave files that
 * both find sound.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkAofTool } from '../../../src/server/cli/check-tools.ts';
import type { ToolIo } from '../../../src/server/cli/tool-io.ts';
import { command, emptyRdb, turn } from '../../support/aof-samples.ts';
import { findTool } from '../../support/real-server.ts';

const tool = findTool('redis-check-aof');

const io: ToolIo = {
  print: () => undefined,
  write: () => undefined,
  warn: () => undefined,
  progress: () => () => undefined,
  confirm: async () => true,
};

const set = (i: number): Buffer => command('SET', `key:${i}`, 'value');
const words = (text: string): Buffer => Buffer.from(text, 'latin1');
const all = (...parts: Buffer[]): Buffer => Buffer.concat(parts);
const BASE = 'file a.1.base.rdb seq 1 type b\n';
const MANIFEST = `${BASE}file a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 2 type i\n`;

/** A file, or files with a manifest. */
type Sample = Buffer | Readonly<Record<string, Buffer>>;

const timed = (last = set(3)): Buffer =>
  all(words('#TS:100\r\n'), set(1), words('#TS:200\r\n'), set(2), words('#TS:300\r\n'), last);

const parts = (first: Buffer, last: Buffer, base: Buffer = emptyRdb()): Sample => ({
  'a.1.base.rdb': base,
  'a.1.incr.aof': first,
  'a.2.incr.aof': last,
  'a.manifest': words(MANIFEST),
});

const SAMPLES: Readonly<Record<string, Sample>> = {
  good: all(set(1), set(2)),
  'good, of checked turns': all(turn(set(1)), turn(set(2), 100)),
  empty: Buffer.alloc(0),
  'torn in a word': all(set(1), set(2).subarray(0, -5)),
  'torn in the first command': set(1).subarray(0, 10),
  'torn in a turn': all(turn(set(1)), turn(set(2)).subarray(0, -3)),
  'junk between commands': all(set(1), words('junk'), set(2)),
  'a length that is none': all(set(1), words('*3\r\n$x\r\n')),
  'a line end that is none': all(set(1), words('*1\r\n$4\r\nPINGxx')),
  'ends within a transaction': all(set(1), command('MULTI'), set(2)),
  'a transaction': all(set(1), command('MULTI'), set(2), command('EXEC'), set(3)),
  'MULTI within MULTI': all(set(1), command('MULTI'), command('MULTI'), set(2), command('EXEC')),
  'EXEC alone': all(set(1), command('EXEC'), set(2)),
  'zeros at the end': all(set(1), Buffer.alloc(100)),
  annotations: all(set(1), words('#hello\r\n#TS:abc\r\n'), set(2)),
  'an RDB in front': all(emptyRdb(), set(1)),
  'an RDB in front, torn': all(emptyRdb(), set(1), set(2).subarray(0, 9)),
  'a damaged RDB in front': all(words('REDIS0010\xfc'), set(1)),
  'with times': timed(),
  'with times, torn': timed(set(3).subarray(0, 9)),
  'a manifest': parts(set(1), set(2)),
  'a manifest, torn at the end': parts(set(1), set(2).subarray(0, -4)),
  'a manifest, torn in the middle': parts(set(1).subarray(0, -4), set(2)),
  'a manifest, base damaged': parts(set(1), set(2), words('REDIS0010\xfc')),
  'a manifest, commands behind the base': parts(set(1), set(2), all(emptyRdb(), set(9))),
  'a manifest with times': parts(all(words('#TS:100\r\n'), set(1)), timed().subarray(44)),
  'a manifest, a file missing': { 'a.1.base.rdb': emptyRdb(), 'a.manifest': words(MANIFEST) },
  'a manifest of a base alone': { 'a.1.base.rdb': emptyRdb(), 'a.manifest': words(BASE) },
  'a manifest of commands': {
    'a.1.base.aof': set(1),
    'a.manifest': words('# c\nfile a.1.base.aof seq 1 type b\n'),
  },
  'an empty manifest': { 'a.manifest': Buffer.alloc(0) },
  'a wrong manifest': { 'a.manifest': words('file a seq 1 type x\n') },
};

describe.skipIf(tool === null)('the real checker and ours', () => {
  const root = mkdtempSync(join(tmpdir(), 'cairn-check-aof-'));
  let folders = 0;
  afterAll(() => rmSync(root, { recursive: true }));

  /** Puts a sample into a folder of its own. Returns what to check. */
  function put(sample: Sample): string {
    const folder = join(root, String(folders++));
    mkdirSync(folder);
    const files = Buffer.isBuffer(sample) ? { 'a.aof': sample } : sample;
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    return join(folder, Buffer.isBuffer(sample) ? 'a.aof' : 'a.manifest');
  }

  function theirs(path: string, ...options: string[]): number | null {
    return spawnSync(tool!, [...options, path], { input: 'y\n' }).status;
  }

  function ours(file: string, fix: boolean, truncateToTimestamp?: number): Promise<number> {
    return checkAofTool({ file, fix, truncateToTimestamp, yes: false, json: false }, io);
  }

  const sizes = (path: string): string =>
    readdirSync(join(path, '..'))
      .sort()
      .map((name) => `${name} ${statSync(join(path, '..', name)).size}`)
      .join(', ');

  it('agree on every file, and on what to cut off it', async () => {
    for (const [name, sample] of Object.entries(SAMPLES)) {
      const path = put(sample);
      expect([name, await ours(path, false)]).toEqual([name, theirs(path)]);
      const [own, other] = [put(sample), put(sample)];
      expect([name, await ours(own, true)]).toEqual([name, theirs(other, '--fix')]);
      // Of a turn that was torn they keep the head, which goes on promising it.
      if (name === 'torn in a turn') continue;
      expect([name, sizes(own)]).toEqual([name, sizes(other)]);
      if (!name.startsWith('torn')) continue;
      expect([name, theirs(own), await ours(other, false)]).toEqual([name, 0, 0]);
    }
  });

  it('agree on where a time ends', async () => {
    for (const name of ['with times', 'with times, torn', 'a manifest with times', 'good']) {
      for (const time of [50, 100, 199, 200, 300, 400]) {
        const [own, other] = [put(SAMPLES[name]!), put(SAMPLES[name]!)];
        const label = `${name} ${time}`;
        const status = theirs(other, '--truncate-to-timestamp', String(time));
        expect([label, await ours(own, false, time)]).toEqual([label, status]);
        expect([label, sizes(own)]).toEqual([label, sizes(other)]);
      }
    }
  });
});
