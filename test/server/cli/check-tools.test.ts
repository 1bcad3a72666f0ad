/**
 * `cairn check-rdb` and `cairn check-aof` on files of the disk: codes, what is cut and when it is
 * asked for, how far they are, and that no file stays open and no server's folder is touched.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SocketHold } from '../../../src/persistence/aof/folder-hold.ts';
import { checkAofTool, checkRdbTool } from '../../../src/server/cli/check-tools.ts';
import { statsTool } from '../../../src/server/cli/rdb-tools.ts';
import { command, emptyRdb } from '../../support/aof-samples.ts';
import { outcomeOf } from './tool-outcome.ts';

const root = mkdtempSync(join(tmpdir(), 'cairn-check-cli-'));
afterAll(() => rmSync(root, { recursive: true }));

function file(name: string, ...parts: Uint8Array[]): string {
  const path = join(root, name);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

const LOOK = { fix: false, yes: false, json: false, truncateToTimestamp: undefined };
const check = (path: string, given: Partial<typeof LOOK> | { truncateToTimestamp: number } = {}) =>
  outcomeOf((io) => checkAofTool({ ...LOOK, ...given, file: path }, io));

const set = (i: number): Buffer => command('SET', `key:${i}`, 'value');
const time = (second: number): Buffer => Buffer.from(`#TS:${second}\r\n`);

describe('cairn check-rdb', () => {
  it('ends with 1 where a dump is damaged, tells how far it is, and closes it', async () => {
    for (const [bytes, code] of [
      [emptyRdb(), 0],
      [emptyRdb().subarray(0, 12), 1],
    ] as const) {
      const path = file('dump.rdb', bytes);
      const found = await outcomeOf((io) => checkRdbTool({ file: path, json: false }, io));
      expect(found.code).toBe(code);
      expect(found.told[0]).toEqual([bytes.length, bytes.length]);
      const stats = { file: path, top: 1, separator: ':', depth: 1, json: false };
      expect((await outcomeOf((io) => statsTool(stats, io))).code).toBe(code * 2);
      expect(openAt(path)).toBe(0);
    }
  });

  it('and its like name a file once that is not there', async () => {
    const none = join(root, 'none');
    const stats = { file: none, top: 1, separator: ':', depth: 1, json: false };
    const { code, err } = await outcomeOf((io) => statsTool(stats, io));
    expect([code, err]).toEqual([2, `cairn: ${none}: No such file or directory\n`]);
  });
});

/** How often this process has a file open; 0 where nobody tells. */
function openAt(path: string): number {
  const folder = '/proc/self/fd';
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(join(folder, fd)) === path;
    } catch {
      return false;
    }
  }).length;
}

describe('cairn check-aof', () => {
  it('looks through an RDB in front, and at what follows it', async () => {
    const sound = file('sound', emptyRdb(), set(1));
    expect(await check(sound)).toMatchObject({ code: 0, err: '' });
    const damaged = file('damaged', emptyRdb().subarray(0, 12), set(1));
    for (const fix of [false, true]) {
      const found = await check(damaged, { fix, yes: true });
      expect([found.code, found.out]).toEqual([1, expect.stringMatching(/cannot be repaired/)]);
    }
    expect(readFileSync(damaged)).toHaveLength(12 + set(1).length);
  });

  it('tells how far it is', async () => {
    const path = file('long', ...Array.from({ length: 100 }, (_, i) => set(i)));
    const { told } = await check(path);
    expect(told.length).toBeGreaterThan(0);
    for (const [, total] of told) expect(total).toBe(readFileSync(path).length);
  });

  it('cuts at a second without a question, and tells what it did', async () => {
    const kept = Buffer.concat([time(100), set(1)]);
    const path = file('timed', kept, time(200), set(2));
    const at = (truncateToTimestamp: number) => check(path, { truncateToTimestamp });
    expect(await at(200)).toMatchObject({ code: 0, out: expect.stringMatching(/nothing was cut/) });
    const cut = await at(150);
    expect([cut.code, cut.asked, readFileSync(path).equals(kept)]).toEqual([0, 0, true]);
    expect(await at(50)).toMatchObject({ code: 1, out: expect.stringMatching(/nothing before/) });
    expect(readFileSync(path).equals(kept)).toBe(true);
  });

  it.skipIf(process.platform !== 'linux')('cuts nothing in the folder of a server', async () => {
    const folder = join(root, 'held');
    mkdirSync(folder);
    const path = join(folder, 'a.aof');
    const bytes = Buffer.concat([time(100), set(1), time(200), set(2), set(3).subarray(0, 9)]);
    writeFileSync(path, bytes);
    const server = new SocketHold(() => undefined);
    await server.take(folder);
    expect(await check(path)).toMatchObject({ code: 1, err: '' });
    expect((await check(path, { fix: true, yes: true })).err).toMatch(/cannot check/);
    expect((await check(path, { truncateToTimestamp: 150 })).err).toMatch(/cannot check/);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    server.letGo();
    expect(await check(path, { fix: true, yes: true })).toMatchObject({ code: 0 });
    await server.take(folder);
    server.letGo();
  });
});
