/**
 * A dataset that is loaded aside while a snapshot runs is no part of that snapshot, whatever
 * becomes of its keys meanwhile.
 */
import { expect, it } from 'vitest';
import { stringSet } from '../../../src/core/types/string.ts';
import { contents, fileReader, loaded, makeKeyspace, put } from '../rdb/rdb-support.ts';
import { HandSnapshot } from './snapshot-support.ts';

it('shows nothing of a dataset that is being loaded aside', () => {
  const keyspace = makeKeyspace(1);
  for (let i = 0; i < 50; i++) put(keyspace, 0, `ours:${i}`, 'value');
  const truth = contents(keyspace);
  const db = keyspace.databasesAside()[0]!;
  const key = Buffer.from('theirs');
  const address = stringSet(keyspace, db, key, 0, key.length, 0, key, 0, key.length, false);
  const snapshot = new HandSnapshot(keyspace);
  snapshot.walk(3);
  // As a load does that finds damage in the middle of a large value.
  keyspace.remove(db, keyspace.setExpiry(db, address, 1e15));
  const { keyspace: found } = loaded(fileReader(snapshot.finish()), { expired: 'keep' });
  expect(contents(found)).toEqual(truth);
  expect(snapshot.walker.keys).toBe(50);
});
