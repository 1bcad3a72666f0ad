/**
 * An RDB as commands: what each form of a value becomes, in which order, and what goes together.
 */
import { describe, expect, it } from 'vitest';
import { StreamId } from '../../../src/core/struct/stream-id.ts';
import { ElementView } from '../../../src/core/types/element-view.ts';
import { CommandWriter } from '../../../src/persistence/command-writer.ts';
import { RdbCommands, type RdbCommandsOptions } from '../../../src/persistence/rdb/rdb-commands.ts';
import { RdbWalk } from '../../../src/persistence/rdb/rdb-walk.ts';
import { rdbString } from './rdb-forms.ts';
import { int64 } from './rdb-packed.ts';
import { fileReader, latin1, type RdbPart, rdbOf, text } from './rdb-support.ts';
import { written } from './rdb-written.ts';

/** The commands that an RDB becomes, their words with spaces between them. */
const resp = (options: RdbCommandsOptions, ...parts: RdbPart[]): string[] =>
  commandsIn(
    written(rdbOf('REDIS0012', ...parts, 0xff), (out) => {
      const writer = new CommandWriter((part, length) => out.write(part, 0, length));
      return new RdbCommands(writer, options);
    }),
  );

/** Reads commands as a server does, which believes the number of their words. */
function commandsIn(all: string): string[] {
  const commands: string[] = [];
  let at = 0;
  const count = (sign: string): number => {
    expect(all[at]).toBe(sign);
    const end = all.indexOf('\r\n', at);
    const told = Number(all.slice(at + 1, end));
    at = end + 2;
    return told;
  };
  const word = (): string => {
    const length = count('$');
    at += length + 2;
    return all.slice(at - length - 2, at - 2);
  };
  while (at < all.length) commands.push(Array.from({ length: count('*') }, word).join(' '));
  return commands;
}

const key = text('k');

describe('the commands of a dump', () => {
  it('select, batch and expire', () => {
    const members = Array.from({ length: 65 }, (_, i) => text(`m${i}`));
    const commands = resp(
      {},
      ...[0, key, text('v'), 0xfe, 2, 0xfc, int64(99), 2, key, 0x40, 65, ...members],
      ...[24, text('h'), int64(10), 1, 3, text('f'), text('v')],
    );
    const names = Array.from({ length: 64 }, (_, i) => `m${i}`).join(' ');
    expect(commands).toEqual([
      'SELECT 0',
      'SET k v',
      'SELECT 2',
      `SADD k ${names}`,
      'SADD k m64',
      'PEXPIREAT k 99',
      'HSET h f v',
      'HPEXPIREAT h 12 FIELDS 1 f',
    ]);
  });

  it('have fields expire behind the batch that brings them', () => {
    const fields = Array.from({ length: 65 }, (_, i) => {
      const expires = i === 3 || i === 63 ? 2 : 0;
      return [expires, text(`f${i}`), text('v')];
    });
    const words = (from: number, end: number): string =>
      fields
        .slice(from, end)
        .map((_, i) => `f${from + i} v`)
        .join(' ');
    const other = [24, text('i'), int64(10), 1, ...fields[0]!];
    expect(resp({}, 24, text('h'), int64(10), 0x40, 65, ...fields.flat(), ...other)).toEqual([
      'SELECT 0',
      `HSET h ${words(0, 64)}`,
      'HPEXPIREAT h 11 FIELDS 1 f3',
      'HPEXPIREAT h 11 FIELDS 1 f63',
      'HSET h f64 v',
      'HSET i f0 v',
    ]);
  });

  it('are those of a rewrite, or take the place of what is there', () => {
    const parts = [0xf5, text('#!lua'), 4, key, 1, text('f'), text('v')];
    expect(resp({ asRewrite: true }, ...parts)).toEqual([
      'FUNCTION LOAD #!lua',
      'SELECT 0',
      'HMSET k f v',
    ]);
    expect(resp({ replace: true }, ...parts)).toEqual([
      'FUNCTION LOAD REPLACE #!lua',
      'SELECT 0',
      'DEL k',
      'HSET k f v',
    ]);
  });

  it('have long keys and fields whole, and short ones behind them', () => {
    const long = (letter: string): RdbPart[] => [0x41, 0x2c, letter.repeat(300)];
    const [k, f, m] = ['k', 'f', 'm'].map((letter) => letter.repeat(300));
    const hash = [4, ...long('k'), 2, ...long('f'), text('v'), text('g'), text('w')];
    const zset = [5, key, 1, ...long('m'), ...int64(0)];
    expect(resp({}, ...hash, ...zset)).toEqual([
      'SELECT 0',
      `HSET ${k} ${f} v g w`,
      `ZADD k 0 ${m}`,
    ]);
  });

  it('leave out the keys that are not wanted, and their databases', () => {
    const wants = ({ db }: { db: number }): boolean => db === 2;
    const parts = [0, key, text('a'), 0xfe, 2, 0, key, text('b')];
    expect(resp({ wants }, ...parts)).toEqual(['SELECT 2', 'SET k b']);
  });

  it('make every piece of a stream once, in order', () => {
    const id = (ms: number): number[] => [...new Uint8Array(7), ms, ...new Uint8Array(8)];
    const group = [text('g'), 2, 0, 2, 2, id(1), int64(5), 1, id(2), int64(6), 3, 3];
    const consumers = [
      ...[text('idle'), int64(7), int64(7), 0],
      ...[text('a'), int64(8), int64(8), 1, id(2)],
      ...[text('b'), int64(9), int64(9), 1, id(1)],
    ];
    const stream = [21, key, 0, 0, 2, 0, 0, 0, 1, 0, 2, 2];
    const parts = [...stream, ...group, ...consumers, text('late'), 0, 0, 0, 0, 0];
    expect(resp({}, ...parts)).toEqual([
      'SELECT 0',
      'XADD k MAXLEN 0 0-1 x y',
      'XSETID k 2-0 ENTRIESADDED 2 MAXDELETEDID 1-0',
      'XGROUP CREATE k g 2-0 ENTRIESREAD 2',
      'XGROUP CREATECONSUMER k g idle',
      'XGROUP CREATECONSUMER k g a',
      'XCLAIM k g a 0 2-0 TIME 6 RETRYCOUNT 3 JUSTID FORCE',
      'XGROUP CREATECONSUMER k g b',
      'XCLAIM k g b 0 1-0 TIME 5 RETRYCOUNT 1 JUSTID FORCE',
      'XGROUP CREATE k late 0-0 ENTRIESREAD 0',
    ]);
    expect(resp({ asRewrite: true }, ...parts).slice(4)).toEqual([
      'XGROUP CREATECONSUMER k g idle',
      'XCLAIM k g a 0 2-0 TIME 6 RETRYCOUNT 3 JUSTID FORCE',
      'XCLAIM k g b 0 1-0 TIME 5 RETRYCOUNT 1 JUSTID FORCE',
      'XGROUP CREATE k late 0-0 ENTRIESREAD 0',
    ]);
  });

  it('hand on a long word from where it lies', () => {
    const long = 'x'.repeat(3 << 20);
    const value = rdbString(latin1(long)).toString('latin1');
    const out: string[] = [];
    const lent: Uint8Array[] = [];
    const writer = new CommandWriter((part, length) => {
      out.push(Buffer.from(part.subarray(0, length)).toString('latin1'));
      if (length === long.length) lent.push(part);
    });
    const file = rdbOf(
      ...['REDIS0012', 4, text('hash'), 3, text('a'), text('b'), text('c'), value, text('d')],
      ...[text('e'), 2, text('set'), 1, value, 5, text('zset'), 1, value, '\0'.repeat(8)],
      ...[1, text('list'), 2, value, text('z'), 0xff],
    );
    const commands = new RdbCommands(writer, {});
    new RdbWalk(fileReader(file), commands).run();
    const shown = (word: string): ElementView => {
      const view = new ElementView();
      view.show(latin1(word), 0, word.length);
      return view;
    };
    commands.streamEntry(new StreamId(), 2);
    commands.streamField(shown('e'), shown('g'));
    commands.streamField(shown('f'), shown(long));
    const words = (...all: string[]): string =>
      `*${all.length}\r\n${all.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
    const wanted =
      words('SELECT', '0') +
      words('HSET', 'hash', 'a', 'b', 'c', long) +
      words('HSET', 'hash', 'd', 'e') +
      words('SADD', 'set', long) +
      words('ZADD', 'zset', '0', long) +
      words('RPUSH', 'list', long) +
      words('RPUSH', 'list', 'z') +
      words('XADD', 'list', '0-0', 'e', 'g', 'f', long);
    expect(out.join('') === wanted).toBe(true);
    expect(lent.length).toBe(5);
  });
});
