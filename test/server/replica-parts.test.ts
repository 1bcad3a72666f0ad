/**
 * What is for the replicas alone: PUBLISH is in their stream and not in the AOF, also in the
 * middle of a transaction. So is the database that it selects.
 */
import { describe, expect, it } from 'vitest';
import { Args } from '../../src/core/resp/args.ts';
import { Propagator } from '../../src/server/dispatch/propagate.ts';
import { Turn } from '../../src/server/turn/turn.ts';

/** A reader of the journal. */
class Recorder {
  /** All that it read, the words of commands with a space behind each. */
  text = '';
  appendedBytes = 0;
  releasableBytes = 0;
  readonly lastError = undefined;
  readonly isCongested = false;

  take(bytes: Uint8Array, offset: number, length: number): void {
    const raw = Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
    this.text += raw.replace(/[*$]\d+\r\n/g, '').replaceAll('\r\n', ' ');
  }

  append(bytes: Uint8Array, offset: number, length: number): void {
    this.take(bytes, offset, length);
  }

  feed(bytes: Uint8Array, offset: number, length: number): void {
    this.take(bytes, offset, length);
  }

  settled(): void {}
}

/** A journal that the AOF reads and, once attached, the replicas. */
class Scene {
  readonly propagator = new Propagator();
  readonly turn = new Turn(this.propagator);
  readonly log = new Recorder();
  readonly feed = new Recorder();

  constructor() {
    this.propagator.active = true;
    this.turn.log = this.log;
  }

  attach(): void {
    this.turn.feed = this.feed;
    this.turn.takeJournal();
  }

  /** A command, or a transaction: each operation its database and its words. */
  unit(...operations: readonly [number, string][]): void {
    const { propagator } = this;
    propagator.beginUnit(true);
    for (const [db, text] of operations) {
      if (text.startsWith('PUBLISH')) propagator.forReplicas(db, command(text));
      else propagator.command(db, command(text));
    }
    propagator.endUnit();
  }
}

function command(text: string): Args {
  const args = new Args();
  args.setTo(text.split(' ').map((word) => Buffer.from(word)));
  return args;
}

describe('the parts of the journal that are for the replicas alone', () => {
  it('stay out of the AOF', () => {
    const scene = new Scene();
    const { turn, log, feed } = scene;
    scene.unit([0, 'PUBLISH early x']);
    scene.attach();
    expect([log.text, feed.text]).toEqual(['', '']);

    scene.unit([3, 'PUBLISH a 1']);
    scene.unit([0, 'SET k v'], [0, 'PUBLISH b 2'], [0, 'INCR n']);
    scene.unit([0, 'DEL k']);
    turn.takeJournal();
    expect(feed.text).toBe(
      'SELECT 3 PUBLISH a 1 MULTI SELECT 0 SET k v PUBLISH b 2 INCR n EXEC DEL k ',
    );
    expect(log.text).toBe('MULTI SELECT 0 SET k v INCR n EXEC DEL k ');
  });

  it('make a transaction of the command that they stand beside', () => {
    const scene = new Scene();
    const { turn, log, feed } = scene;
    scene.attach();
    scene.unit([0, 'SET k v'], [0, 'PUBLISH a 1']);
    scene.unit([0, 'PUBLISH a 2'], [0, 'INCR n']);
    turn.takeJournal();
    const first = 'MULTI SELECT 0 SET k v PUBLISH a 1 EXEC ';
    expect(feed.text).toBe(`${first}MULTI PUBLISH a 2 INCR n EXEC `);
    expect(log.text).toBe('MULTI SELECT 0 SET k v EXEC MULTI INCR n EXEC ');
  });

  it('leave a transaction right behind them whole', () => {
    const scene = new Scene();
    const { turn, log, feed } = scene;
    scene.attach();
    for (const db of [0, 0, 1]) {
      scene.unit([db, 'PUBLISH a 1']);
      scene.unit([db, 'SET k v'], [db, 'INCR n']);
    }
    turn.takeJournal();
    const unit = (select: string): string => `MULTI ${select}SET k v INCR n EXEC `;
    const units = ['SELECT 0 ', '', 'SELECT 1 '].map(unit);
    const [first, second, third] = units;
    const publish = 'PUBLISH a 1 ';
    expect(feed.text).toBe(
      `SELECT 0 ${publish}${first}${publish}${second}SELECT 1 ${publish}${third}`,
    );
    expect(log.text).toBe(units.join(''));
  });

  it('select nothing in the AOF, whichever databases they come from', () => {
    const scene = new Scene();
    const { turn, log, feed } = scene;
    scene.attach();
    scene.unit([0, 'SET k 1']);
    for (const db of [1, 0, 1]) scene.unit([db, `PUBLISH a ${db}`]);
    turn.takeJournal();
    expect(log.text).toBe('SELECT 0 SET k 1 ');
    scene.unit([1, 'SET longer 2']);
    turn.takeJournal();
    expect(log.text).toBe('SELECT 0 SET k 1 SELECT 1 SET longer 2 ');
    expect(feed.text).toBe(
      'SELECT 0 SET k 1 SELECT 1 PUBLISH a 1 SELECT 0 PUBLISH a 0 SELECT 1 PUBLISH a 1 ' +
        'SELECT 1 SET longer 2 ',
    );
  });

  it('lead no write astray that the AOF has the database of already', () => {
    const scene = new Scene();
    const { turn, log, feed } = scene;
    scene.attach();
    scene.unit([0, 'SET k 1']);
    scene.unit([1, 'PUBLISH a 1']);
    scene.unit([0, 'SET k 2']);
    turn.takeJournal();
    expect(feed.text).toBe('SELECT 0 SET k 1 SELECT 1 PUBLISH a 1 SELECT 0 SET k 2 ');
    expect(log.text).toBe('SELECT 0 SET k 1 SELECT 0 SET k 2 ');
  });
});

it('a transaction has room for its MULTI, however full the journal is', () => {
  const scene = new Scene();
  const { propagator, turn, log } = scene;
  const value = 'v'.repeat(propagator.journal.length - 60);
  for (let more = 0; more < 30; more++) {
    const long = value + 'v'.repeat(more);
    log.text = '';
    propagator.forgetSelected();
    scene.unit([0, `SET k ${long}`], [0, 'INCR n']);
    turn.takeJournal();
    expect(log.text.slice(0, 25)).toBe('MULTI SELECT 0 SET k vvvv');
    expect(log.text.slice(-17)).toBe('vvvv INCR n EXEC ');
    propagator.journal = new Uint8Array(value.length + 60);
  }
});
