/**
 * The torn end of a replica's AOF: it is cut back to the last place in the stream that it tells, so
 * that a partial sync brings what is missing. And where a file is cut otherwise.
 */
import { describe, expect, it } from 'vitest';
import { encodePositionLine } from '../../../src/persistence/aof/aof-position.ts';
import {
  cutScannedFile,
  type ScanSinks,
  scanAofFile,
} from '../../../src/persistence/aof/aof-scan.ts';
import { command, emptyRdb, load, PLACE, turn } from '../../support/aof-samples.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

const LAST = `${PLACE.dir}/${PLACE.appendDirName}/a.1.incr.aof`;
const REPLICA = { continues: false, id: 'a'.repeat(40), db: 0 };

function one(bytes: Uint8Array): FaultyFileSystem {
  const fs = new FaultyFileSystem();
  fs.put(LAST, bytes);
  const manifest = Buffer.from('file a.1.incr.aof seq 1 type i\n');
  fs.put(`${PLACE.dir}/${PLACE.appendDirName}/a.manifest`, manifest);
  return fs;
}

const set = (i: number, size = 3) => command('SET', `key:${i}`, `${i}`.padEnd(size, 'x'));

/** What a replica writes of one read of the stream: effects, and the place reached by them. */
const read = (i: number) =>
  Buffer.concat([
    set(2 * i),
    set(2 * i + 1, 300),
    encodePositionLine({ ...REPLICA, offset: 100 * (i + 1) }),
  ]);

describe('the torn turn of a replica', () => {
  it('is cut back to a place in the stream, at every byte', async () => {
    const place = (offset: number) => ({ ...REPLICA, offset });
    const first = turn(read(0));
    const bytes = Buffer.concat([first, turn(Buffer.concat([read(1), read(2), read(3)]))]);
    const reads = [first.length, first.length + 40 + read(1).length];
    reads.push(reads[1]! + read(2).length, bytes.length);
    const commandEnds = [1, 2, 3].flatMap((i) => {
      const end = reads[i]! - read(i).length + set(2 * i).length;
      return [end, end + set(2 * i + 1, 300).length];
    });
    for (let cut = first.length; cut <= bytes.length; cut++) {
      const fs = one(bytes.subarray(0, cut));
      const { commands, report } = await load(fs);
      const whole = reads.filter((end) => end <= cut).length;
      // Another server may have cut the file between two commands, and gone on there.
      if (commandEnds.includes(cut)) {
        expect(fs.content(LAST)!.length).toBe(cut);
        continue;
      }
      expect(report.position, `cut ${cut}`).toEqual(place(100 * whole));
      expect(commands.length).toBe(2 * whole);
      expect(fs.content(LAST)!.length).toBe(reads[whole - 1]);
      fs.put(LAST, Buffer.concat([fs.content(LAST)!, turn(read(9))]));
      const again = await load(fs);
      expect(again.report).toMatchObject({ cutBytes: 0, position: place(1000) });
      expect(again.commands.length).toBe(2 * whole + 2);
    }
  });

  it('is cut back to what the base tells, where it is the first of its file', async () => {
    const bytes = turn(Buffer.concat([read(1), read(2)]));
    const fs = one(bytes.subarray(0, bytes.length - read(2).length - 20));
    const folder = `${PLACE.dir}/${PLACE.appendDirName}`;
    fs.put(`${folder}/a.1.base.rdb`, emptyRdb());
    const names = 'file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\n';
    fs.put(`${folder}/a.manifest`, Buffer.from(names));
    const position = { ...REPLICA, offset: 100 };
    const readRdb = async () => ({ bytes: emptyRdb().length, position });
    const { commands, report } = await load(fs, { readRdb });
    expect([commands, report.position, fs.content(LAST)!.length]).toEqual([[], position, 0]);
  });

  it('of a server that became a primary in its last turn keeps what it wrote as one', async () => {
    const place = { ...REPLICA, offset: 100 };
    const promoted = Buffer.from(encodePositionLine({ ...place, continues: true }));
    const before = turn(Buffer.concat([set(0), encodePositionLine(place)]));
    const last = turn(Buffer.concat([promoted, set(1), set(2)]));
    const { commands, report } = await load(one(Buffer.concat([before, last.subarray(0, -3)])));
    expect(commands).toEqual(['SET key:0 0xx', 'SET key:1 1xx']);
    expect(report.position).toEqual({ ...place, continues: true, offset: 100 + set(1).length });
  });
});

it('a torn turn leaves no head behind a cut that is before it', async () => {
  const first = turn(set(1));
  const bytes = Buffer.concat([first, turn(Buffer.concat([set(2), set(3)])).subarray(0, -5)]);
  const readRdb = () => Promise.reject(new Error('there is none'));
  const command = () => undefined;
  const report = await scanAofFile(one(bytes), LAST, { readRdb, command });
  expect(report).toMatchObject({ outcome: 'torn', tornHeadOffset: first.length });
  for (const size of [0, first.length - 1, first.length, report.validBytes]) {
    const fs = one(bytes);
    await cutScannedFile(fs, report, size);
    expect(fs.content(LAST)!.length).toBe(size);
  }
});

describe('a transaction is cut off as a whole', () => {
  const before = set(1);
  const rest = [set(3), command('EXEC'), set(4)];
  const scan = (parts: Uint8Array[], sinks: Partial<ScanSinks> = {}) =>
    scanAofFile(one(Buffer.concat([before, command('MULTI'), set(2), ...parts])), LAST, {
      readRdb: () => Promise.reject(new Error('there is none')),
      command: () => undefined,
      ...sinks,
    });

  it('where there is damage in it, or a time that is too late', async () => {
    const damaged = await scan([Buffer.from('no command at all\r\n'), ...rest]);
    expect(damaged).toMatchObject({ outcome: 'damaged', validBytes: before.length });
    const time = (seconds: number): boolean => seconds < 200;
    const late = await scan([Buffer.from('#TS:200\r\n'), ...rest], { time });
    expect(late).toMatchObject({ outcome: 'whole', validBytes: before.length, commandCount: 1 });
  });

  it('where another one begins in it', async () => {
    const strict = await scan([command('MULTI'), ...rest], { strict: true });
    expect(strict).toMatchObject({ outcome: 'damaged', validBytes: before.length });
    const torn = await scan([command('MULTI'), set(3)]);
    expect(torn).toMatchObject({ outcome: 'torn', validBytes: before.length, commandCount: 1 });
  });

  it('but is refused with the first of its commands that cannot be executed', async () => {
    const keys: string[] = [];
    const refused = await scan(rest, {
      command: (args) => {
        keys.push(args.text(1));
        return args.text(1) === 'key:2' ? 'not here' : undefined;
      },
    });
    expect(refused).toMatchObject({ outcome: 'refused', reason: 'not here' });
    expect(keys).toEqual(['key:1', 'key:2']);
  });
});
