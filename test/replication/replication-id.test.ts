/**
 * Histories: what two servers may conclude from the ids and offsets that they tell each other.
 */
import { describe, expect, it } from 'vitest';
import {
  isReplicationId,
  NO_ID,
  newReplicationId,
  ReplicationHistory,
} from '../../src/replication/replication-id.ts';

const OTHER = 'b'.repeat(40);

describe('replication history', () => {
  it('begins with an id of its own', () => {
    const one = new ReplicationHistory();
    expect(isReplicationId(one.id)).toBe(true);
    expect(one.id).not.toBe(new ReplicationHistory().id);
    expect([one.offset, one.secondId, one.secondOffset]).toEqual([0, NO_ID, -1]);
    expect(isReplicationId(`${one.id}0`)).toBe(false);
  });

  it('includes its own stream at any byte, in any case of the id', () => {
    const one = new ReplicationHistory();
    expect(one.includes(one.id, 99)).toBe(true);
    expect(one.includes(one.id.toUpperCase(), 99)).toBe(true);
    expect(one.includes(newReplicationId(), 1)).toBe(false);
    expect(one.includes('?', -1)).toBe(false);
  });

  it('includes the stream it continued up to where the two part', () => {
    const one = new ReplicationHistory();
    one.adopt(OTHER, 700);
    one.promote();
    expect([one.secondId, one.secondOffset, one.offset]).toEqual([OTHER, 701, 700]);
    expect(one.id).not.toBe(OTHER);
    expect(one.includes(OTHER, 701)).toBe(true);
    expect(one.includes(OTHER, 702)).toBe(false);
    expect(one.isKin(OTHER)).toBe(true);
  });

  it('does not take the id of nobody for one of its own', () => {
    const one = new ReplicationHistory();
    expect(one.isKin(NO_ID)).toBe(false);
    expect(one.includes(NO_ID, 0)).toBe(false);
  });

  it('follows a primary that goes on under another id', () => {
    const one = new ReplicationHistory();
    one.adopt(OTHER, 50);
    one.continueAs(OTHER);
    expect(one.secondId).toBe(NO_ID);
    const next = newReplicationId();
    one.continueAs(next);
    expect([one.id, one.secondId, one.secondOffset]).toEqual([next, OTHER, 51]);
  });

  it('gives everything up when it is renewed, and counts on', () => {
    const one = new ReplicationHistory();
    one.adopt(OTHER, 50);
    one.promote();
    const { id } = one;
    one.renew();
    expect(one.includes(OTHER, 1)).toBe(false);
    expect(one.isKin(OTHER) || one.isKin(id)).toBe(false);
    expect([one.offset, one.secondId, one.secondOffset]).toEqual([50, NO_ID, -1]);
  });

  it('keeps nothing of what it was once the data are those of another stream', () => {
    const one = new ReplicationHistory();
    one.adopt(OTHER, 50);
    one.promote();
    const next = newReplicationId();
    one.adopt(next, 20);
    expect([one.id, one.offset, one.secondId, one.secondOffset]).toEqual([next, 20, NO_ID, -1]);
    expect(one.isKin(OTHER)).toBe(false);
  });

  it('goes on after a start under a new id, for those who have no more than was saved', () => {
    const one = new ReplicationHistory();
    const fresh = one.id;
    one.resumeAsPrimary({ id: OTHER, offset: 1000, streamDb: 3 });
    expect([one.id, one.offset]).toEqual([fresh, 1000]);
    expect(one.includes(OTHER, 1001)).toBe(true);
    expect(one.includes(OTHER, 1002)).toBe(false);
  });
});
