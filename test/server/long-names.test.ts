/**
 * Names and messages that are longer than a string of V8 can be: they are cut or refused, and end
 * no server.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { textLimit } from '../../src/core/text/latin1.ts';
import { InsideServer } from '../support/inside.ts';
import { ReplyError } from '../support/resp-reader.ts';

const { bytesMax } = textLimit;
const LONG = 'k'.repeat(100);
let inside: InsideServer;

beforeEach(async () => {
  inside = await InsideServer.open({ 'notify-keyspace-events': 'KEA' });
  textLimit.bytesMax = 64;
});

afterEach(async () => {
  textLimit.bytesMax = bytesMax;
  await inside.close();
});

it('a message is refused that is too long with its channel, others are not', () => {
  const refused = new ReplyError('ERR channel and message are longer than 64 bytes');
  for (const command of ['PUBLISH', 'SPUBLISH']) {
    expect(inside.run(command, 'channel', LONG)).toEqual(refused);
    expect(inside.run(command, 'x'.repeat(33), 'x'.repeat(32))).toEqual(refused);
    expect(inside.run(command, 'x'.repeat(32), 'x'.repeat(32))).toBe(0);
  }
});

it('a long key is watched, heard of and written', () => {
  inside.run('WATCH', LONG);
  expect(inside.run('SET', LONG, 'value')).toBe('OK');
  inside.run('MULTI');
  inside.run('PING');
  expect(inside.run('EXEC')).toBe(null);
  expect(inside.run('GET', LONG)).toBe('value');
  expect(inside.run('STRLEN', 'k'.repeat(64))).toBe(0);
});

it('lists show the beginning of a long name', () => {
  textLimit.bytesMax = bytesMax;
  const name = 'n'.repeat(5000);
  inside.run('CLIENT', 'SETNAME', name);
  expect(inside.run('CLIENT', 'GETNAME')).toBe(name);
  expect(inside.run('CLIENT', 'INFO')).toContain(` name=${'n'.repeat(4096)}... age=`);
});
