/**
 * How far a replica says that its AOF on disk is: never further than a restart would find.
 */
import { expect, it } from 'vitest';
import { Propagator } from '../../../src/server/dispatch/propagate.ts';
import {
  type LocalLog,
  ReplicationJournal,
} from '../../../src/server/replication/replication-journal.ts';
import { Turn } from '../../../src/server/turn/turn.ts';
import { FakePrimary } from '../../replication/fake-primary.ts';

it('is nothing while the AOF has no base, and then what was synced', () => {
  const { primary, history } = new FakePrimary();
  const propagator = new Propagator();
  let log: LocalLog | null = null;
  const journal = new ReplicationJournal({
    turn: new Turn(propagator),
    propagator,
    primary,
    localLog: () => log,
    streamDb: () => 0,
    following: () => ({ resumable: true }),
  });
  /** What it says when the stream is at `offset`, of a log of so many bytes, so many synced. */
  const at = (offset: number, appendedBytes: number, syncedBytes: number): number => {
    history.offset = offset;
    log = { appendedBytes, syncedBytes, state: 'on' };
    return journal.fsyncedOffset;
  };
  expect(journal.fsyncedOffset).toBe(-1);
  history.adopt('a'.repeat(40), 1000);
  log = { appendedBytes: 50, syncedBytes: 50, state: 'waiting' };
  expect(journal.fsyncedOffset).toBe(0);
  expect(at(1000, 50, 50)).toBe(1000);
  expect(at(1200, 70, 60)).toBe(1000);
  expect(at(1200, 70, 70)).toBe(1200);
  // More comes all the time: what was there at the last look is safe, what has come since is not.
  expect(at(1300, 80, 75)).toBe(1200);
  expect(at(1400, 90, 85)).toBe(1300);
  expect(at(1400, 90, 90)).toBe(1400);
  expect(at(1500, 95, 95)).toBe(1500);
  expect(at(1600, 110, 95)).toBe(1500);
  expect(at(1700, 120, 100)).toBe(1500);
  expect(at(1700, 120, 110)).toBe(1600);
  // A full sync: another stream, and the AOF is to be made anew.
  history.adopt('b'.repeat(40), 7);
  log = { appendedBytes: 70, syncedBytes: 70, state: 'waiting' };
  expect(journal.fsyncedOffset).toBe(0);
  expect(at(9, 80, 60)).toBe(0);
  expect(at(9, 80, 70)).toBe(7);
});
