/**
 * What is for the replicas alone: PUBLISH is in their stream and not in the AOF, also in the
 * middle of a transaction. So is the database that it selects.
 */
import { describe, expect, it } from 'vitest';
import { Args } from '../../src/core/resp/args.ts';
import { Propagator } from '../../src/server/dispatch/propagate.ts';
import { Turn } from '../../src/server/turn/turn.ts';

class Recorder {
  readonly texts: string[] = [];
  appendedBytes = 0;
  releasableBytes = 0;
  readonly lastError = undefined;
  readonly isCongested = false;

  take(bytes: Uint8Array, offset: number, length: number): void {
    const text = Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
    this.texts.push(text.replace(/[*$]\d+\r\n/g, '').replaceAll('\r\n', ' '));
  }

  append(bytes: Uint8Array, offset: number, length: number): void {
    this.take(bytes, offset, length);
  }

  feed(bytes: Uint8Array, offset: number, length: number): void {
    this.take(bytes, offset, length);
  }

  settled(): void {}
}

function command(...words: string[]): Args {
  const args = new Args();
  args.setTo(words.map((word) => Buffer.from(word)));
  return args;
}

describe('the parts of the journal that are for the replicas alone', () => {
  it('stay out of the AOF', () => {
    const propagator = new Propagator();
    const turn = new Turn(propagator);
    const [log, feed] = [new Recorder(), new Recorder()];
    propagator.active = true;
    turn.log = log;
    propagator.beginUnit(true);
    propagator.forReplicas(0, command('PUBLISH', 'early', 'x'));
    propagator.endUnit();
    turn.feed = feed;
    turn.takeJournal();
    expect([log.texts, feed.texts]).toEqual([[], []]);

    propagator.beginUnit(true);
    propagator.forReplicas(3, command('PUBLISH', 'a', '1'));
    propagator.endUnit();
    propagator.beginUnit(true);
    propagator.command(0, command('SET', 'k', 'v'));
    propagator.forReplicas(0, command('PUBLISH', 'b', '2'));
    propagator.command(0, command('INCR', 'n'));
    propagator.endUnit();
    propagator.beginUnit(true);
    propagator.command(0, command('DEL', 'k'));
    propagator.endUnit();
    turn.takeJournal();
    expect(feed.texts.join('')).toBe(
      'SELECT 3 PUBLISH a 1 MULTI SELECT 0 SET k v PUBLISH b 2 INCR n EXEC DEL k ',
    );
    expect(log.texts.join('')).toBe('MULTI SELECT 0 SET k v INCR n EXEC DEL k ');
  });

  it('leave a transaction right behind them whole', () => {
    const propagator = new Propagator();
    const turn = new Turn(propagator);
    const [log, feed] = [new Recorder(), new Recorder()];
    propagator.active = true;
    turn.log = log;
    turn.feed = feed;
    turn.takeJournal();
    for (const db of [0, 0, 1]) {
      propagator.beginUnit(true);
      propagator.forReplicas(db, command('PUBLISH', 'a', '1'));
      propagator.endUnit();
      propagator.beginUnit(true);
      propagator.command(db, command('SET', 'k', 'v'));
      propagator.command(db, command('INCR', 'n'));
      propagator.endUnit();
    }
    turn.takeJournal();
    const unit = (select: string): string => `MULTI ${select}SET k v INCR n EXEC `;
    const units = ['SELECT 0 ', '', 'SELECT 1 '].map(unit);
    const [first, second, third] = units;
    const publish = 'PUBLISH a 1 ';
    expect(feed.texts.join('')).toBe(
      `SELECT 0 ${publish}${first}${publish}${second}SELECT 1 ${publish}${third}`,
    );
    expect(log.texts.join('')).toBe(units.join(''));
  });

  it('select nothing in the AOF, whichever databases they come from', () => {
    const propagator = new Propagator();
    const turn = new Turn(propagator);
    const [log, feed] = [new Recorder(), new Recorder()];
    propagator.active = true;
    turn.log = log;
    turn.feed = feed;
    turn.takeJournal();
    const unit = (run: () => void): void => {
      propagator.beginUnit(true);
      run();
      propagator.endUnit();
    };
    unit(() => propagator.command(0, command('SET', 'k', '1')));
    for (const db of [1, 0, 1]) {
      unit(() => propagator.forReplicas(db, command('PUBLISH', 'a', String(db))));
    }
    turn.takeJournal();
    expect(log.texts.join('')).toBe('SELECT 0 SET k 1 ');
    unit(() => propagator.command(1, command('SET', 'k', '2')));
    turn.takeJournal();
    expect(log.texts.join('')).toBe('SELECT 0 SET k 1 SELECT 1 SET k 2 ');
    expect(feed.texts.join('')).toBe(
      'SELECT 0 SET k 1 SELECT 1 PUBLISH a 1 SELECT 0 PUBLISH a 0 SELECT 1 PUBLISH a 1 ' +
        'SELECT 1 SET k 2 ',
    );
  });
});
