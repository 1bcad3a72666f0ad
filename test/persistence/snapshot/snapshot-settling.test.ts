/**
 * A large intset that has just become a table, in a snapshot: it is written as it was, whatever
 * changes or comes into the table meanwhile, and it comes in no faster for it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HashTable } from '../../../src/core/types/hash-table.ts';
import { setAdd, setCreate, setHas, setRemove } from '../../../src/core/types/set.ts';
import { SetCursor } from '../../../src/core/types/set-view.ts';
import { fileReader, latin1, loaded, makeKeyspace } from '../rdb/rdb-support.ts';
import { HandSnapshot } from './snapshot-support.ts';

const COUNT = 3000;
/** Apart, so that there are integers between them. */
const APART = 3;
const KEY = latin1('set');

/** One set, and what is in it. */
class Settling {
  readonly model = new Set<string>();
  readonly keyspace = makeKeyspace(1);
  readonly emptyBytes = this.keyspace.arena.usedBytes;
  readonly db = this.keyspace.databases[0]!;

  constructor() {
    this.keyspace.limits.setMaxIntsetEntries = COUNT;
    setCreate(this.keyspace, this.db, KEY, 0, KEY.length, latin1('0'), 0, 1, 0);
    for (let i = 0; i < COUNT; i++) this.add(String(i * APART));
    this.add('word');
    expect(this.keyspace.hasSettling).toBe(true);
  }

  /** As commands that write find it. */
  find(): number {
    return this.keyspace.lookupWrite(this.db, KEY, 0, KEY.length);
  }

  add(text: string): void {
    const member = latin1(text);
    setAdd(this.keyspace, this.db, this.find(), member, 0, member.length);
    this.model.add(text);
  }

  remove(text: string): void {
    const member = latin1(text);
    setRemove(this.keyspace, this.db, this.find(), member, 0, member.length);
    this.model.delete(text);
  }

  look(text: string): void {
    const member = latin1(text);
    const has = setHas(this.keyspace, this.find(), member, 0, member.length);
    expect(has).toBe(this.model.has(text));
  }

  slice(): void {
    for (let i = 0; i < 8; i++) this.keyspace.settleSlice(64);
  }

  /** Bytes that are in use when the set is gone. */
  bytesLeft(): number {
    this.keyspace.flush(0);
    while (this.keyspace.freeSlice(1000));
    return this.keyspace.arena.usedBytes;
  }
}

/** The members of the set in an RDB, in order. */
function membersIn(rdb: Uint8Array): string[] {
  const { keyspace } = loaded(fileReader(rdb), { expired: 'keep' });
  const cursor = new SetCursor();
  cursor.start(keyspace, keyspace.lookupWrite(keyspace.databases[0]!, KEY, 0, KEY.length));
  const members: string[] = [];
  while (cursor.next()) {
    const { bytes, offset, length } = cursor.member;
    members.push(Buffer.from(bytes.slice(offset, offset + length)).toString('latin1'));
  }
  return members.sort();
}

const member = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -3, max: COUNT * APART }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('01', '-0', '', 'word') },
);
const change = fc.tuple(fc.constantFrom('add' as const, 'remove', 'look', 'slice'), member);
const move = fc.tuple(fc.nat(60), fc.array(change, { maxLength: 12 }), fc.nat(2));

describe('a set that settles', () => {
  test('is saved as it was when the snapshot began', () => {
    const moves = fc.array(move, { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), moves, fc.boolean(), (first, then, ends) => {
        const set = new Settling();
        for (const [what, text] of first) set[what](text);
        const truth = [...set.model].sort();
        const snapshot = new HandSnapshot(set.keyspace);
        for (const [parts, changes, pieces] of then) {
          if (parts > 0) snapshot.walk(parts);
          for (const [what, text] of changes) set[what](text);
          snapshot.transport.deliver(pieces);
        }
        if (ends) expect(membersIn(snapshot.finish())).toEqual(truth);
        else snapshot.abort();
        const now = [...set.model].sort();
        expect(membersIn(new HandSnapshot(set.keyspace).finish())).toEqual(now);
        expect(set.bytesLeft()).toBe(set.emptyBytes);
      }),
      { numRuns: 25 },
    );
  });

  test('does not come in at once because a snapshot begins, or ends', () => {
    const set = new Settling();
    const table = set.keyspace.largeOf(set.find()) as HashTable;
    const snapshot = new HandSnapshot(set.keyspace);
    set.add('another word');
    expect(table.settled.count).toBe(2);
    expect(membersIn(snapshot.finish())).toHaveLength(COUNT + 1);
    expect(table.settled.count).toBe(2);
    expect(set.keyspace.hasSettling).toBe(true);
  });

  test('may go while it is written', () => {
    const set = new Settling();
    const truth = [...set.model].sort();
    const snapshot = new HandSnapshot(set.keyspace);
    snapshot.walk(20);
    set.slice();
    set.keyspace.remove(set.db, set.find());
    while (set.keyspace.settleSlice(64));
    expect(membersIn(snapshot.finish())).toEqual(truth);
    expect(set.bytesLeft()).toBe(set.emptyBytes);
  });
});
