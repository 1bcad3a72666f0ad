/**
 * How far a replica says that its AOF on disk is: never further than a restart would find.
 */
import { expect, it } from 'vitest';
import { Propagator } from '../../../src/server/propagate.ts';
import {
  type LocalLog,
  ReplicationJournal,
} from '../../../src/server/replication/replication-journal.ts';
import { Turn } from '../../../src/server/turn.ts';
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
  expect(journal.fsyncedOffset).toBe(-1);
  history.adopt('a'.repeat(40), 1000);
  log = { appendedBytes: 50, syncedBytes: 50, state: 'waiting' };
  expect(journal.fsyncedOffset).toBe(0);
  log = { appendedBytes: 50, syncedBytes: 50, state: 'on' };
  expect(journal.fsyncedOffset).toBe(1000);
  history.offset = 1200;
  log = { appendedBytes: 70, syncedBytes: 60, state: 'on' };
  expect(journal.fsyncedOffset).toBe(1000);
  log = { appendedBytes: 70, syncedBytes: 70, state: 'on' };
  expect(journal.fsyncedOffset).toBe(1200);
  // More comes all the time: what was there at the last look is safe, what has come since is not.
  history.offset = 1300;
  log = { appendedBytes: 80, syncedBytes: 75, state: 'on' };
  expect(journal.fsyncedOffset).toBe(1200);
  history.offset = 1400;
  log = { appendedBytes: 90, syncedBytes: 85, state: 'on' };
  expect(journal.fsyncedOffset).toBe(1300);
  log = { appendedBytes: 90, syncedBytes: 90, state: 'on' };
  expect(journal.fsyncedOffset).toBe(1400);
  history.offset = 1500;
  log = { appendedBytes: 95, syncedBytes: 95, state: 'on' };
  expect(journal.fsyncedOffset).toBe(1500);
  // A full sync: another stream, and the AOF is to be made anew.
  history.adopt('b'.repeat(40), 7);
  log = { appendedBytes: 70, syncedBytes: 70, state: 'waiting' };
  expect(journal.fsyncedOffset).toBe(0);
});
