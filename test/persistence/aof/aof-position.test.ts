/**
 * Position lines: what they say, what a loader makes of them and of the commands behind them, and
 * that nobody is misled when something is missing.
 */
import { describe, expect, it } from 'vitest';
import {
  type AofPosition,
  decodePositionLine,
  encodePositionLine,
  positionOfAux,
} from '../../../src/persistence/aof/aof-position.ts';
import { emptyRdb, load, PLACE } from '../../support/aof-samples.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

const ID = '0123456789abcdef0123456789abcdef01234567';
const SET = '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n';
const UNIT = `*1\r\n$5\r\nMULTI\r\n${SET}${SET}*1\r\n$4\r\nEXEC\r\n`;

const primary: AofPosition = { continues: true, id: ID, offset: 1000, db: 3 };
const replica: AofPosition = { ...primary, continues: false };
const line = (position: AofPosition | null): string =>
  Buffer.from(encodePositionLine(position)).toString('latin1');

const positionOf = (...files: string[]): Promise<AofPosition | null> =>
  positionBehind(null, ...files);

/** Where files end, of which the first may be an RDB that tells the position `inRdb`. */
async function positionBehind(
  inRdb: AofPosition | null,
  ...files: string[]
): Promise<AofPosition | null> {
  const fs = new FaultyFileSystem();
  const folder = `${PLACE.dir}/${PLACE.appendDirName}`;
  fs.mkdirSync(folder);
  const lines = files.map((text, i) => {
    const name = `${PLACE.appendFilename}.${i + 1}.incr.aof`;
    fs.put(`${folder}/${name}`, Buffer.from(text, 'latin1'));
    return `file ${name} seq ${i + 1} type i\n`;
  });
  fs.put(`${folder}/${PLACE.appendFilename}.manifest`, Buffer.from(lines.join('')));
  const bytes = emptyRdb().length;
  const { report } = await load(fs, { readRdb: async () => ({ bytes, position: inRdb }) });
  return report.position;
}

describe('position lines', () => {
  it('are read as they were written', () => {
    for (const position of [primary, replica, { ...primary, offset: 2 ** 52, db: 0 }, null]) {
      const bytes = encodePositionLine(position);
      expect(decodePositionLine(bytes, 0, bytes.length)).toEqual(position);
    }
    expect(line(primary)).toBe(`#RP:p:${ID}:1000:3\r\n`);
  });

  it.each(['#TS:12\r\n', '#RP:x:1\r\n', `#RP:p:${ID}:-1:0\r\n`, '#R\r\n', `#RP:p:${ID}:1\r\n`])(
    'are not mistaken: %j',
    (text) => {
      expect(decodePositionLine(Buffer.from(text), 0, text.length)).toBe(undefined);
    },
  );
});

describe('an offset that cannot be counted on to the byte', () => {
  const beyond = ['4503599627370497', '9007199254740993', '9223372036854775000'];

  it.each([...beyond, '-1', '1e5', ''])('is no position: %j', (offset) => {
    const text = `#RP:p:${ID}:${offset}:0\r\n`;
    expect(decodePositionLine(Buffer.from(text), 0, text.length) ?? null).toBe(null);
  });

  it.each([...beyond, '-1'])('is none in an RDB either: %j', (offset) => {
    const fields = new Map([
      ['repl-id', ID],
      ['repl-offset', offset],
    ]);
    expect(positionOfAux(fields)).toBe(null);
  });
});

describe('the position at the end of an AOF', () => {
  it('counts the bytes of what a primary wrote behind its line', async () => {
    expect(await positionOf(SET + line(primary) + SET + UNIT)).toEqual({
      ...primary,
      offset: 1000 + SET.length + UNIT.length,
    });
    expect(await positionOf(SET + line(primary), SET, UNIT)).toEqual({
      ...primary,
      offset: 1000 + SET.length + UNIT.length,
    });
  });

  it('is in the database that the commands behind its line have selected', async () => {
    const select = (db: number): string => `*2\r\n$6\r\nSELECT\r\n$1\r\n${db}\r\n`;
    const inUnit = `*1\r\n$5\r\nMULTI\r\n${select(5)}${SET}*1\r\n$4\r\nEXEC\r\n`;
    const since = select(7) + SET;
    const told = line(primary) + since;
    const found = { ...primary, offset: 1000 + since.length, db: 7 };
    expect(await positionOf(select(2) + SET + told)).toEqual(found);
    expect(await positionOf(told, inUnit)).toEqual({
      ...found,
      offset: found.offset + inUnit.length,
      db: 5,
    });
    expect(await positionOf(told + inUnit.slice(0, -3))).toEqual(found);
  });

  it('is that of the last line', async () => {
    const later = { ...primary, offset: 5000 };
    expect(await positionOf(line(primary) + SET, line(later))).toEqual(later);
    expect(await positionOf(line(primary) + SET + line(null))).toBe(null);
  });

  it('is not known behind commands that a replica did not put into its position', async () => {
    expect(await positionOf(line(replica))).toEqual(replica);
    expect(await positionOf(`${line(replica)}#TS:1\r\n`)).toEqual(replica);
    expect(await positionOf(line(replica) + SET)).toBe(null);
  });

  it('is that of the RDB in front, and of the commands behind it', async () => {
    const rdb = emptyRdb().toString('latin1');
    expect(await positionBehind(primary, rdb)).toEqual(primary);
    const found = { ...primary, offset: 1000 + SET.length };
    expect(await positionBehind(primary, rdb, SET)).toEqual({ ...found, db: 3 });
    expect(await positionBehind(null, rdb, SET)).toBe(null);
  });

  it('is not known without any line', async () => {
    expect(await positionOf(SET)).toBe(null);
  });

  it('leaves out what a torn end took away', async () => {
    expect(await positionOf(line(primary) + SET + UNIT.slice(0, -3))).toEqual({
      ...primary,
      offset: 1000 + SET.length,
    });
  });
});
