/**
 * Counts of HRANDFIELD, SRANDMEMBER and ZRANDMEMBER that no reply can hold: refused, where a real
 * server gathers elements until its memory is gone.
 */
import { describe, expect, it } from 'vitest';
import { effectsInside } from '../support/effects.ts';

const COMMANDS = ['HRANDFIELD h', 'SRANDMEMBER s', 'SRANDMEMBER i', 'ZRANDMEMBER z'];
const HELD = ['HSET h f v', 'SADD s a', 'SADD i 1', 'ZADD z 1 a'];
const repliesTo = (...lines: string[]): string[] =>
  [...effectsInside([...HELD, ...lines]).replies].slice(HELD.length);

describe.each(COMMANDS)('%s with a count', (command) => {
  it.each(['-4294967297', '-4611686018427387904', '-9223372036854775807'])(
    'of %s is refused',
    (count) => {
      const [refused, none] = repliesTo(`${command} ${count}`, `${command}x ${count}`);
      expect(refused).toBe('-ERR value is out of range');
      // Of a key that is not there, nothing comes again.
      expect(none).toBe('*0');
    },
  );

  it('of many that may be the same is answered', () => {
    const [many] = repliesTo(`${command} -1000`);
    expect(many).toMatch(/^\*1000 /);
  });

  it('of any number of different ones is answered', () => {
    const [all] = repliesTo(`${command} 9223372036854775807`);
    expect(all).toMatch(/^\*1 /);
  });
});
