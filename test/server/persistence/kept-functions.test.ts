/** Function libraries that commands bring, which no engine runs: what is kept of them. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { Args } from '../../../src/core/resp/args.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { KeptFunctions } from '../../../src/server/persistence/kept-functions.ts';
import { fileReader, fixture, loaded } from '../../persistence/rdb/rdb-support.ts';
import { ask, InProcessScene } from '../../support/in-process-scene.ts';
import { DATA_FOLDER, emptyDisk } from '../../support/in-process-server.ts';

const DUMP = `${DATA_FOLDER}/dump.rdb`;

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

function argsOf(...words: string[]): Args {
  const args = new Args();
  args.setTo(words.map(latin1));
  return args;
}

const library = (name: string, code = 'code'): string => `#!lua name=${name}\n${code}`;

/** A payload of FUNCTION DUMP; nobody looks at its last 10 bytes. */
const payloadOf = (...sources: string[]): string =>
  `${sources.map((one) => `\xf5${String.fromCharCode(one.length)}${one}`).join('')}\n\0########`;

const kept = (functions: KeptFunctions): string[] =>
  functions.sources.map((one) => Buffer.from(one).toString('latin1'));

describe('FUNCTION commands', () => {
  it('load, replace and delete libraries by their names', () => {
    const functions = new KeptFunctions([latin1(library('a'))]);
    for (const words of [
      ['FUNCTION', 'LOAD', library('b')],
      ['function', 'load', 'replace', library('a', 'other')],
      ['FUNCTION', 'DELETE', 'b'],
      ['FUNCTION', 'DELETE', 'A'],
    ]) {
      expect(functions.take(argsOf(...words))).toBe(true);
    }
    expect(kept(functions)).toEqual([library('a', 'other')]);
    expect(functions.take(argsOf('FUNCTION', 'FLUSH', 'ASYNC'))).toBe(true);
    expect(kept(functions)).toEqual([]);
  });

  it.each(['name=lib', 'NAME=lib', '"name=lib"', "'name=lib'", 'name="lib"', "name='lib'"])(
    'know the name in %s, as Redis does',
    (words) => {
      const functions = new KeptFunctions([latin1(`#!lua ${words}\ncode`)]);
      functions.take(argsOf('FUNCTION', 'DELETE', 'lib'));
      expect(kept(functions)).toEqual([]);
    },
  );

  it('know it from the first line only, which is the name where it tells none', () => {
    const sources = ['#!lua engine=x  name=b\nlocal s = " name=c"', 'no name\n name=d'];
    const functions = new KeptFunctions(sources.map(latin1));
    for (const name of ['c', 'd']) functions.take(argsOf('FUNCTION', 'DELETE', name));
    expect(kept(functions)).toEqual(sources);
    for (const name of ['b', 'no name']) functions.take(argsOf('FUNCTION', 'DELETE', name));
    expect(kept(functions)).toEqual([]);
  });

  it.each([[], ['SYNC'], ['ASYNC']])('flush them all', (...words) => {
    const functions = new KeptFunctions(['a', 'b'].map((name) => latin1(library(name))));
    expect(functions.take(argsOf('FUNCTION', 'FLUSH', ...words))).toBe(true);
    expect(kept(functions)).toEqual([]);
  });

  it.each([
    [[], ['a', 'b old', 'c']],
    [['APPEND'], ['a', 'b old', 'c']],
    [['replace'], ['a', 'b old', 'c']],
    [['FLUSH'], ['b old', 'c']],
  ])('restore a payload by the policy %j', (policy, wanted) => {
    const functions = new KeptFunctions([latin1(library('a', 'a'))]);
    const payload = payloadOf(library('b', 'b old'), library('c', 'c'));
    functions.take(argsOf('FUNCTION', 'RESTORE', payload, ...policy));
    expect(kept(functions).map((one) => one.split('\n')[1])).toEqual(wanted);
    for (const empty of [payloadOf(), 'short']) {
      expect(functions.take(argsOf('FUNCTION', 'RESTORE', empty, 'APPEND'))).toBe(true);
    }
    expect(kept(functions)).toHaveLength(wanted.length);
  });

  it.each([
    ['\xfe\0', 'another opcode'],
    ['\xf5\x40', 'an end in the middle'],
    ['\xf5\x7fshort', 'an end before the length'],
  ])('refuse a payload with %j: %s', (damage) => {
    const functions = new KeptFunctions([]);
    const args = argsOf('FUNCTION', 'RESTORE', `${damage}##########`);
    expect(() => functions.take(args)).toThrow(RdbError);
  });

  it.each([
    ['FUNCTION'],
    ['FUNCTION', 'LOAD'],
    ['FUNCTION', 'DELETE'],
    ['FUNCTION', 'RESTORE'],
    ['FUNCTION', 'LIST'],
    ['FUNCTIONS', 'FLUSH'],
    ['SET', 'function', 'flush'],
  ])('leave others alone: %s %s %s', (...words) => {
    const functions = new KeptFunctions([latin1(library('a'))]);
    expect(functions.take(argsOf(...words.filter((word) => word !== undefined)))).toBe(false);
    expect(kept(functions)).toEqual([library('a')]);
  });
});

describe('the libraries of a server', () => {
  const scene = new InProcessScene();
  afterEach(() => scene.end());

  /** A server with a library and the dump that brought it. */
  async function started(settings: object) {
    const fs = emptyDisk();
    fs.put(DUMP, readFileSync(fixture('strings-7.0.15.rdb')));
    const server = await scene.start(fs, { appendonly: false, ...settings });
    const client = await scene.connect(server);
    const saved = async (): Promise<string[]> => {
      expect(await ask(client, 'SAVE')).toBe('OK');
      const { load } = loaded(fileReader(fs.content(DUMP)!), { expired: 'keep' });
      return load.functions.map((one) => Buffer.from(one).toString('latin1').split('\n')[0]!);
    };
    const { streamedFunctions } = server.server.persistence;
    return { fs, client, saved, streamedFunctions, log: server.log };
  }

  it.each([9, 10, 11])('are in its dumps of version %i, and outlive what empties it', async (v) => {
    const { client, saved, log } = await started({
      'rdb-save-version': v,
      'enable-debug-command': 'yes',
    });
    expect(await saved()).toEqual(['#!lua name=fixture']);
    const told = log.filter((line) => line.includes('libraries of functions (1)'));
    expect(told.length).toBe(v === 9 ? 1 : 0);
    expect(await ask(client, 'DEBUG', 'RELOAD')).toBe('OK');
    expect(await ask(client, 'FLUSHALL')).toBe('OK');
    expect(await saved()).toEqual(['#!lua name=fixture']);
  });

  it('change as the stream of a primary says', async () => {
    const { saved, streamedFunctions } = await started({});
    expect(streamedFunctions.take(argsOf('FUNCTION', 'LOAD', library('more')))).toBe(true);
    expect(streamedFunctions.take(argsOf('FUNCTION', 'RESTORE', '\xf5\x7fs##########'))).toBe(
      false,
    );
    expect(streamedFunctions.take(argsOf('FUNCTION', 'LIST'))).toBe(false);
    expect(streamedFunctions.take(argsOf('SET', 'a', '1'))).toBe(false);
    expect(await saved()).toEqual(['#!lua name=fixture', '#!lua name=more']);
    expect(streamedFunctions.take(argsOf('FUNCTION', 'DELETE', 'fixture'))).toBe(true);
    expect(await saved()).toEqual(['#!lua name=more']);
  });

  it('are not loaded from a damaged payload in an AOF, which says where', async () => {
    const fs = emptyDisk();
    const folder = `${DATA_FOLDER}/appendonlydir`;
    const payload = '\xf5\x7fs##########';
    const command = `*3\r\n$8\r\nFUNCTION\r\n$7\r\nRESTORE\r\n$${payload.length}\r\n${payload}\r\n`;
    fs.put(`${folder}/appendonly.aof.1.incr.aof`, latin1(command));
    fs.put(
      `${folder}/appendonly.aof.manifest`,
      latin1('file appendonly.aof.1.incr.aof seq 1 type i\n'),
    );
    await expect(scene.start(fs)).rejects.toThrow(
      /FUNCTION RESTORE.*too early.*appendonly\.aof\.1\.incr\.aof|incr\.aof.*FUNCTION RESTORE/s,
    );
  });

  it('are unknown to clients, who are told why', async () => {
    const { client } = await started({});
    for (const name of ['FUNCTION', 'evalsha', 'EVAL_RO', 'FCALL', 'SCRIPT']) {
      expect(await ask(client, name, 'x')).toBe(
        `ERR unknown command '${name}': this server runs no Lua scripts and functions`,
      );
    }
    expect(await ask(client, 'EVALUATE', 'x')).toMatch(/'EVALUATE', with args/);
  });
});
