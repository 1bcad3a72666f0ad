/**
 * What is for the replicas alone: PUBLISH is in their stream and not in the AOF, also in the
 * middle of a transaction. The database that it selects is in both.
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
    expect(log.texts.join('')).toBe('SELECT 3 MULTI SELECT 0 SET k v INCR n EXEC DEL k ');
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
    const [unit, publish] = ['MULTI SET k v INCR n EXEC ', 'PUBLISH a 1 '];
    const both = `${publish}${unit}`;
    expect(feed.texts.join('')).toBe(`SELECT 0 ${both}${both}SELECT 1 ${both}`);
    expect(log.texts.join('')).toBe(`SELECT 0 ${unit}${unit}SELECT 1 ${unit}`);
  });
});
