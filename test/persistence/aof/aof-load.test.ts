/** Loading: files in order, torn tails at every byte, a flipped bit anywhere, slices, big words. */
import { describe, expect, it } from 'vitest';
import { encodeFrameHead } from '../../../src/persistence/aof/aof-frame.ts';
import { AofLoadError } from '../../../src/persistence/aof/aof-load.ts';
import { formatManifest, parseManifest } from '../../../src/persistence/aof/manifest.ts';
import { Crc64 } from '../../../src/persistence/crc64.ts';
import { command, emptyRdb, load, PLACE, turn } from '../../support/aof-samples.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

const FOLDER = `${PLACE.dir}/${PLACE.appendDirName}`;
const LAST = `${FOLDER}/a.1.incr.aof`;

/** A folder with the given files, all in the manifest; names decide their type. */
function disk(files: Readonly<Record<string, Uint8Array>>): FaultyFileSystem {
  const fs = new FaultyFileSystem();
  const lines = Object.entries(files).map(([name, bytes]) => {
    fs.put(`${FOLDER}/${name}`, bytes);
    const seq = /\.(\d+)\./.exec(name)?.[1] ?? '1';
    return `file ${name} seq ${seq} type ${name.includes('.incr.') ? 'i' : 'b'}\n`;
  });
  fs.put(`${FOLDER}/a.manifest`, Buffer.from(lines.join('')));
  return fs;
}

const one = (bytes: Uint8Array) => disk({ 'a.1.base.rdb': emptyRdb(), 'a.1.incr.aof': bytes });

const set = (i: number, size = 3) => command('SET', `key:${i}`, `${i}`.padEnd(size, 'x'));
const name = (i: number, size = 3) => `SET key:${i} ${`${i}`.padEnd(size, 'x')}`;

describe('loadAof', () => {
  it('executes base, then increments, checked and unchecked turns alike', async () => {
    const fs = disk({
      'a.2.base.aof': set(0),
      'a.5.incr.aof': Buffer.concat([turn(Buffer.concat([set(1), set(2)]), 1_700_000_000), set(3)]),
      'a.6.incr.aof': Buffer.concat([
        Buffer.from('#TS:1700000001\r\n'),
        set(4),
        Buffer.from('# any annotation\r\n'),
        turn(set(5)),
      ]),
    });
    const loaded = await load(fs);
    expect(loaded.commands).toEqual([0, 1, 2, 3, 4, 5].map((i) => name(i)));
    expect(loaded.report).toMatchObject({ fileCount: 3, frameCount: 2, cutBytes: 0 });
  });

  it('loads commands behind an RDB preamble, and nothing from an empty folder', async () => {
    const fs = disk({ 'a.1.base.rdb': Buffer.concat([emptyRdb(), set(1)]) });
    expect((await load(fs)).commands).toEqual([name(1)]);
    const valkey = Buffer.concat([emptyRdb('VALKEY080'), set(1)]);
    expect((await load(disk({ 'a.1.base.rdb': valkey }))).commands).toEqual([name(1)]);
    expect((await load(new FaultyFileSystem())).report.fileCount).toBe(0);
  });

  it('refuses a damaged RDB preamble', async () => {
    const fs = disk({ 'a.1.base.rdb': Buffer.from('REDIS0010 no') });
    await expect(load(fs)).rejects.toThrow(
      /offset 0 .*RDB preamble: this RDB is not empty\. Nothing that could be cut would mend it/,
    );
  });

  it('refuses a manifest that names a file which is not there', async () => {
    const fs = one(set(1));
    fs.unlinkSync(LAST);
    await expect(load(fs)).rejects.toThrow(/a\.1\.incr\.aof for reading: No such file/);
  });

  it('gives transactions whole, without MULTI and EXEC', async () => {
    const fs = one(
      Buffer.concat([command('MULTI'), set(1), set(2), command('EXEC'), command('exec'), set(3)]),
    );
    expect((await load(fs)).commands).toEqual([name(1), name(2), name(3)]);
  });

  it('passes over a MULTI within MULTI, and cuts at the first of them', async () => {
    const begun = Buffer.concat([command('MULTI'), set(1), command('MULTI'), set(2)]);
    const whole = Buffer.concat([set(0), begun, command('EXEC')]);
    expect((await load(one(whole))).commands).toEqual([name(0), name(1), name(2)]);
    const torn = one(Buffer.concat([set(0), begun]));
    expect((await load(torn)).commands).toEqual([name(0)]);
    expect(torn.content(LAST)!.length).toBe(set(0).length);
  });

  it('ends with the reason when a command cannot be executed', async () => {
    const fs = one(Buffer.concat([set(1), command('NOSUCH')]));
    const execute = (args: { is(i: number, word: string): boolean }) =>
      args.is(0, 'nosuch')
        ? { reason: "Unknown command 'NOSUCH'", advice: 'Look at it' }
        : undefined;
    await expect(load(fs, { execute })).rejects.toThrow(
      /^Unknown command 'NOSUCH' reading the append only file .*, offset 33 of \d+\. Look at it$/,
    );
    const unit = one(Buffer.concat([command('MULTI'), command('NOSUCH'), set(1), command('EXEC')]));
    await expect(load(unit, { execute })).rejects.toThrow(/^Unknown command 'NOSUCH'/);
  });

  it('takes in the single file of an older server', async () => {
    const fs = new FaultyFileSystem();
    fs.put('/data/a', Buffer.concat([set(1), set(2)]));
    expect((await load(fs)).commands).toEqual([name(1), name(2)]);
    expect(fs.paths()).toEqual([`${FOLDER}/a`, `${FOLDER}/a.manifest`]);
    const manifest = parseManifest(fs.content(`${FOLDER}/a.manifest`)!);
    expect(formatManifest(manifest)).toBe('file a seq 1 type b\n');
    expect((await load(fs)).commands).toHaveLength(2);
  });

  it('leaves an old single file alone when there is a newer AOF', async () => {
    const fs = one(set(1));
    fs.put('/data/a', set(9));
    expect((await load(fs)).commands).toEqual([name(1)]);
    expect(fs.paths()).toContain('/data/a');
  });

  it('rests when a slice is over, and reports progress', async () => {
    const fs = one(Buffer.concat(Array.from({ length: 1000 }, (_, i) => set(i))));
    let now = 0;
    let rests = 0;
    let isResting = false;
    const seen: number[] = [];
    await load(fs, {
      nowMs: () => now++,
      rest: async () => {
        rests++;
        isResting = true;
        await new Promise((resolve) => setImmediate(resolve));
        isResting = false;
      },
      execute: () => {
        if (isResting) throw new Error('executed while it rests');
        return undefined;
      },
      onProgress: (bytes) => void seen.push(bytes),
    });
    expect(rests).toBeGreaterThan(3);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(emptyRdb().length + fs.content(LAST)!.length);
  });
});

const ELEMENTS = Array.from({ length: 100_000 }, (_, i) => `element number ${i}`);

describe('large files', () => {
  it('reads across windows, with words of every size', async () => {
    const sizes = [3, 60_000, 65_535, 65_536, 65_537, 1_048_570, 1_048_576, 3_000_000, 5];
    const parts = sizes.map((size, i) => set(i, size));
    const many = command('RPUSH', ...ELEMENTS);
    const bytes = Buffer.concat([...parts, many, ...parts.map((part) => turn(part)), turn(many)]);
    const { commands, report } = await load(one(bytes));
    const expected = sizes.map((size, i) => name(i, size));
    const list = `RPUSH ${ELEMENTS.join(' ')}`;
    const wanted = [...expected, list, ...expected, list];
    expect(commands.length).toBe(wanted.length);
    const different = wanted.findIndex((want, i) => commands[i] !== want);
    expect(different).toBe(-1);
    expect(report.frameCount).toBe(sizes.length + 1);
  });

  it('keeps a transaction that is larger than the window', async () => {
    const parts = [1, 2, 3, 4, 5, 6].map((i) => set(i, 300_000));
    const fs = one(Buffer.concat([command('MULTI'), ...parts, command('EXEC')]));
    const { commands } = await load(fs);
    expect(commands.map((line, i) => line === name(i + 1, 300_000))).toEqual(parts.map(() => true));
  });

  it('checks a turn larger than the window before it executes any of it', async () => {
    const bytes = turn(Buffer.concat([set(1), set(2, 2_500_000)]));
    bytes[bytes.length - 10]! ^= 4;
    const executed: string[] = [];
    const execute = () => void executed.push('x');
    await expect(load(one(bytes), { execute })).rejects.toThrow(/does not match its checksum/);
    expect(executed).toEqual([]);
  });

  it('believes no length beyond the end of the file', async () => {
    const bytes = Buffer.concat([set(1), Buffer.from('*2\r\n$3\r\nGET\r\n$999999999\r\nabc')]);
    const { commands, report } = await load(one(bytes));
    expect(commands).toEqual([name(1)]);
    expect(report.cutBytes).toBe(bytes.length - set(1).length);
  });
});

/** Several turns of several commands, one of them a transaction, over 4 KiB long. */
function manyTurns(): Buffer[] {
  return Array.from({ length: 24 }, (_, i) => {
    const body = [set(3 * i, 40), set(3 * i + 1), set(3 * i + 2, 20)];
    return Buffer.concat(i % 5 === 2 ? [command('MULTI'), ...body, command('EXEC')] : body);
  });
}

describe('a torn tail', () => {
  it('in checked turns is cut back to whole commands, at every byte', async () => {
    const turns = manyTurns().map((body) => turn(body));
    const bytes = Buffer.concat(turns);
    expect(bytes.length).toBeGreaterThan(4096);
    const full = (await load(one(bytes))).commands;
    const ends = turns.map((_, i) => Buffer.concat(turns.slice(0, i + 1)).length);
    for (let cut = bytes.length - 4096; cut <= bytes.length; cut++) {
      const fs = one(bytes.subarray(0, cut));
      const { commands, report } = await load(fs);
      const whole = ends.filter((end) => end <= cut).length;
      expect(commands).toEqual(full.slice(0, commands.length));
      expect(commands.length).toBeGreaterThanOrEqual(whole * 3);
      const isBetween = cut === (ends[whole - 1] ?? 0);
      expect(report.cutBytes === 0, `cut ${cut}`).toBe(
        isBetween || fs.content(LAST)!.length === cut,
      );
      // What is appended afterwards is not taken for the rest of the torn turn.
      fs.put(LAST, Buffer.concat([fs.content(LAST)!, turn(set(99)), set(100, 400)]));
      const again = await load(fs);
      expect(again.commands).toEqual([...commands, name(99), name(100, 400)]);
      expect(again.report.cutBytes).toBe(0);
    }
  }, 240_000);

  it('of a turn that another server cut at a command keeps what it served and wrote', async () => {
    const body = Buffer.concat([set(1), set(2), set(3, 900)]);
    const cutThere = turn(body).subarray(0, 40 + set(1).length + set(2).length);
    const fs = one(Buffer.concat([turn(set(0)), cutThere, set(7)]));
    expect((await load(fs)).commands).toEqual([0, 1, 2, 7].map((i) => name(i)));
    expect(Buffer.from(fs.content(LAST)!).toString()).toContain('#CV:');
    expect((await load(fs)).commands).toHaveLength(4);
  });

  it('in plain commands is cut back to whole ones and transactions, at every byte', async () => {
    const bytes = Buffer.concat(manyTurns());
    const full = (await load(one(bytes))).commands;
    let last = -1;
    for (let cut = Math.max(0, bytes.length - 4096); cut <= bytes.length; cut++) {
      const fs = one(bytes.subarray(0, cut));
      const { commands, report } = await load(fs);
      expect(commands).toEqual(full.slice(0, commands.length));
      expect(commands.length).toBeGreaterThanOrEqual(last);
      last = commands.length;
      expect(report.cutBytes).toBe(cut - fs.content(LAST)!.length);
      // Nor is what is appended afterwards taken for the rest of a transaction.
      fs.put(LAST, Buffer.concat([fs.content(LAST)!, set(99)]));
      const again = await load(fs);
      expect(again.commands).toEqual([...commands, name(99)]);
      expect(again.report.cutBytes).toBe(0);
    }
    expect(last).toBe(full.length);
  }, 240_000);

  it('of zeros that fill a whole window is cut, and nothing before it', async () => {
    const zeros = 1024 * 1024;
    const fs = one(Buffer.concat([set(1), Buffer.alloc(zeros)]));
    const { commands, report } = await load(fs);
    expect([commands, report.cutBytes]).toEqual([[name(1)], zeros]);
  });

  it('of zeros is cut, as it is after power loss', async () => {
    for (const build of [set, (i: number) => turn(set(i))]) {
      for (const kept of [0, 10, 30, 60]) {
        const part = build(2).subarray(0, Math.min(kept, build(2).length - 3));
        const torn = Buffer.concat([build(1), part, Buffer.alloc(5000)]);
        const fs = one(torn);
        const { commands, log } = await load(fs);
        expect(commands).toEqual([name(1)]);
        expect(fs.content(LAST)!.length).toBe(build(1).length);
        expect(log.join()).toMatch(/was cut from \d+ to \d+ bytes/);
      }
    }
  });

  it('of the very first turn does not take what is appended for its rest', async () => {
    const fs = one(turn(Buffer.concat([set(1), set(2, 900)])).subarray(0, 90));
    expect((await load(fs)).commands).toEqual([name(1)]);
    fs.put(LAST, Buffer.concat([fs.content(LAST)!, turn(set(3)), set(4, 900)]));
    expect((await load(fs)).commands).toEqual([name(1), name(3), name(4, 900)]);
  });

  it('is not seen in the zeros that end an RDB without a checksum', async () => {
    const rdb = Buffer.concat([Buffer.from('REDIS0010\xff', 'latin1'), Buffer.alloc(8)]);
    const fs = disk({ 'a.1.base.rdb': rdb });
    const readRdb = async () => ({ bytes: rdb.length, position: null });
    expect((await load(fs, { readRdb })).report.cutBytes).toBe(0);
    expect(fs.content(`${FOLDER}/a.1.base.rdb`)!.length).toBe(rdb.length);
  });

  it('is durable once it is cut, or the load fails', async () => {
    const fs = one(Buffer.concat([turn(set(1)), turn(set(2)).subarray(0, 50)]));
    fs.failSyncOf = /incr/;
    await expect(load(fs)).rejects.toThrow(/fsync of .* failed/);
    fs.failSyncOf = undefined;
    fs.put(LAST, Buffer.concat([turn(set(1)), turn(set(2)).subarray(0, 50)]));
    await load(fs);
    for (let seed = 0; seed < 20; seed++) {
      expect(fs.cutPower(seed).content(LAST)!.length).toBe(turn(set(1)).length);
    }
  });

  it('is refused with aof-load-truncated no, and in a file that is not the last', async () => {
    const torn = Buffer.concat([set(1), set(2).subarray(0, 9)]);
    await expect(load(one(torn), { cutTornTail: false })).rejects.toThrow(
      /^Unexpected end of file .*, offset 33 of 42: the file ends within a command.*aof-load-t/,
    );
    for (const later of [set(3), Buffer.from('*')]) {
      const early = disk({ 'a.1.incr.aof': torn, 'a.2.incr.aof': later });
      await expect(load(early)).rejects.toThrow(/It is not the last file/);
      expect(early.content(LAST)!.length).toBe(torn.length);
    }
    const prepared = disk({ 'a.1.incr.aof': torn, 'a.2.incr.aof': new Uint8Array(0) });
    expect((await load(prepared)).commands).toEqual([name(1)]);
  });
});

describe('damage', () => {
  it('of any single bit of a checked file is noticed', async () => {
    const bodies = manyTurns().slice(0, 4);
    const bytes = Buffer.concat(bodies.map((body, i) => turn(body, i === 1 ? 1_700_000_000 : -1)));
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const outcome = await load(one(bytes)).catch((error: unknown) => error);
      expect(outcome, `bit ${bit}`).toBeInstanceOf(AofLoadError);
      expect((outcome as AofLoadError).outcome, `bit ${bit}`).toBe('damaged');
      refused++;
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(refused).toBe(bytes.length * 8);
  }, 240_000);

  it.each(['lo', 'hi'] as const)(
    'is noticed where the %s half of a checksum alone differs',
    async (half) => {
      const body = set(1);
      const bytes = turn(body);
      const crc = new Crc64();
      crc.update(body, 0, body.length);
      crc[half] ^= 1;
      encodeFrameHead(bytes, 0, crc, body.length);
      await expect(load(one(bytes))).rejects.toThrow(/does not match its checksum/);
    },
  );

  it('names the turn, and executes nothing of it or after it', async () => {
    const first = turn(set(1));
    const bytes = Buffer.concat([first, turn(Buffer.concat([set(2), set(3)])), turn(set(4))]);
    bytes[first.length + 90]! ^= 1;
    const executed: string[] = [];
    const execute = (args: { text(i: number): string }) => void executed.push(args.text(1));
    await expect(load(one(bytes), { execute })).rejects.toThrow(
      new RegExp(
        `^Bad file .*, offset ${first.length} of ${bytes.length}: a turn of 66 bytes does`,
      ),
    );
    expect(executed).toEqual(['key:1']);
  });

  it.each([
    ['GET a\r\n', "expected '*'"],
    ['*0\r\n', 'a command has no words'],
    ['*x\r\n', 'not a number'],
    ['*\r\n', 'not a number'],
    ['*1\n$4\r\nPING\r\n', 'not a number'],
    ['*1\r\nPING\r\n', "expected '$'"],
    ['*1\r\n$-1\r\n', 'not a number'],
    ['*1\r\n$4\r\nPINGPONG\r\n', 'no line end after a word of 4 bytes'],
    [`*${'9'.repeat(30)}\r\n`, 'not a number'],
    [`*${'9'.repeat(12)}\r\n`, 'a command has no words'],
    [`#${'c'.repeat(2000)}\r\n`, 'an annotation is too long'],
    ['#CK:0123456789abcdef:00000010:00000000\r\n', 'a checksum line is damaged itself'],
    ['#CK:\r\n', 'a checksum line is damaged itself'],
  ])('in plain bytes is refused: %.40j', async (bad, reason) => {
    const bytes = Buffer.concat([set(1), Buffer.from(bad), set(2)]);
    const error = await load(one(bytes)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AofLoadError);
    expect(String(error)).toContain(reason);
    expect((error as AofLoadError).offset).toBe(set(1).length);
  });

  it('in a turn that ends within a command, or holds another turn, is refused', async () => {
    const half = turn(set(1).subarray(0, 20));
    await expect(load(one(Buffer.concat([half, set(1).subarray(20)])))).rejects.toThrow(/beyond/);
    await expect(load(one(turn(turn(set(1)))))).rejects.toThrow(/a turn within a turn/);
  });
});
