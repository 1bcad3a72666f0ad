/**
 * The sorted index against a sorted array: random inserts, removals, moves and range deletions,
 * with every answer and the whole order compared, and with the tree's invariants looked at from
 * outside.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { entryHead, wideWords } from '../../../src/core/struct/entry.ts';
import { IndexCursor, SortedIndex } from '../../../src/core/struct/sorted-index.ts';
import {
  entryScore,
  keyHigh,
  keyLow,
  setEntryScore,
  sought,
  TIE_AFTER,
  TIE_BEFORE,
} from '../../../src/core/struct/sorted-node.ts';
import { Random } from '../../support/random.ts';

type Element = { score: number; member: string; entry: number };

function makeEntry(arena: Arena, member: string, score: number): number {
  const wide = wideWords(member.length);
  const entry = arena.alloc((3 + wide) * 4 + member.length);
  const words = arena.words(entry);
  const at = arena.wordOffset(entry);
  words[at] = entryHead(member.length, 3 + wide, 0);
  if (wide > 0) words[at + 3] = member.length;
  const from = (at + 3 + wide) << 2;
  for (let i = 0; i < member.length; i++) arena.bytes(entry)[from + i] = member.charCodeAt(i);
  setEntryScore(arena, entry, score);
  return entry;
}

function seekMember(member: string): void {
  sought.bytes = Uint8Array.from(member, (c) => c.charCodeAt(0));
  sought.offset = 0;
  sought.length = member.length;
}

const order = (a: Element, b: Element): number =>
  a.score - b.score || (a.member < b.member ? -1 : a.member > b.member ? 1 : 0);

/** An index beside the array that says what it must hold. */
class Pair {
  readonly arena = new Arena();
  readonly index = new SortedIndex(this.arena);
  readonly model: Element[] = [];
  private readonly before = this.arena.usedBytes;
  private entryBytes = 0;

  insert(member: string, score: number): void {
    const entry = makeEntry(this.arena, member, score);
    this.entryBytes += this.arena.sizeOf(entry);
    this.index.insert(entry);
    const element = { score, member, entry };
    this.model.splice(this.place(element), 0, element);
  }

  /** Fills an empty pair in order. */
  load(count: number): void {
    for (let i = 0; i < count; i++) {
      const member = `m${String(i).padStart(6, '0')}`;
      const score = Math.floor(i / 3) - 500;
      const entry = makeEntry(this.arena, member, score);
      this.entryBytes += this.arena.sizeOf(entry);
      this.index.load(entry);
      this.model.push({ score, member, entry });
    }
    this.index.endLoad();
  }

  /** Adds `count` elements below the least together, most in descending order, all or not. */
  insertAll(count: number, serial: number, inOrder: boolean): void {
    const top = this.model[0]?.score ?? 0;
    const entries: number[] = [];
    for (let i = 0; i < count; i++) {
      const score = top - (i >> 2) + (inOrder ? 0 : i % 3);
      const member = `!${999_999 - serial - i}`;
      const element = { score, member, entry: makeEntry(this.arena, member, score) };
      this.entryBytes += this.arena.sizeOf(element.entry);
      entries.push(element.entry);
      this.model.splice(this.place(element), 0, element);
    }
    this.index.insertAll(Uint32Array.from(entries), count);
  }

  removeAt(rank: number): void {
    const [gone] = this.model.splice(rank, 1);
    if (gone === undefined) return;
    this.index.remove(gone.entry);
    this.free(gone.entry);
  }

  moveAt(rank: number, score: number): void {
    const [element] = this.model.splice(rank, 1);
    if (element === undefined) return;
    this.index.move(element.entry, score);
    const moved = { ...element, score };
    this.model.splice(this.place(moved), 0, moved);
  }

  takeRange(rank: number, count: number): void {
    const gone = this.model.splice(rank, count);
    for (let done = 0; done < gone.length; ) {
      const taken = this.index.take(rank, gone.length - done);
      expect(taken).toBeGreaterThan(0);
      for (let i = 0; i < taken; i++) {
        expect(this.index.taken[i]).toBe(gone[done + i]?.entry);
        this.free(this.index.taken[i]!);
      }
      done += taken;
    }
  }

  check(): void {
    const { arena, index, model } = this;
    expect(index.count).toBe(model.length);
    const expected = model.map((element) => element.entry);
    const cursor = new IndexCursor();
    const walked: number[] = [];
    for (index.seek(0, cursor); cursor.entry !== 0; cursor.next()) walked.push(cursor.entry);
    expect(walked).toEqual(expected);
    const back: number[] = [];
    for (index.seek(model.length - 1, cursor); cursor.entry !== 0; cursor.previous()) {
      back.push(cursor.entry);
    }
    expect(back.reverse()).toEqual(expected);
    const ranks = model.map((element) => index.rankOf(element.entry));
    expect(ranks).toEqual(model.map((_, i) => i));
    expect(model.map((element) => entryScore(arena, element.entry))).toEqual(
      model.map((element) => element.score),
    );
    expect(arena.usedBytes).toBe(this.before + this.entryBytes + index.nodeBytes);
  }

  checkBounds(score: number): void {
    const { index, model } = this;
    const less = model.filter((element) => element.score < score).length;
    const atMost = model.filter((element) => element.score <= score).length;
    expect(index.rankOfScore(score, TIE_BEFORE)).toBe(less);
    expect(index.rankOfScore(score, TIE_AFTER)).toBe(atMost);
  }

  private free(entry: number): void {
    this.entryBytes -= this.arena.sizeOf(entry);
    this.arena.free(entry);
  }

  private place(element: Element): number {
    let from = 0;
    let to = this.model.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (order(this.model[middle]!, element) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

describe('the sorted index', () => {
  it('orders keys as scores, -0 as 0', () => {
    const double = fc.double({ noNaN: true });
    fc.assert(
      fc.property(double, double, (a, b) => {
        const high = Math.sign(keyHigh(a) - keyHigh(b));
        const low = Math.sign(keyLow(a) - keyLow(b));
        expect(high || low).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
    expect([keyHigh(-0), keyLow(-0)]).toEqual([keyHigh(0), keyLow(0)]);
    expect(keyHigh(-Infinity)).toBeLessThan(keyHigh(-1));
  });

  for (const [name, scoreOf] of [
    ['few scores, so that members decide', (r: Random) => r.between(-3, 3)],
    ['many scores', (r: Random) => r.next() * 1e6 - 5e5],
  ] as const) {
    it(`agrees with a sorted array: ${name}`, () => {
      for (let seed = 1; seed <= 5; seed++) {
        const steps = seed === 1 ? 30_000 : 6000;
        const random = new Random(seed);
        const pair = new Pair();
        let serial = 0;
        for (let step = 0; step < steps; step++) {
          const grows = step < steps / 2 ? 0.75 : 0.2;
          const rank = random.between(0, Math.max(0, pair.model.length - 1));
          if (random.chance(grows)) pair.insert(`m${(serial++ * 7919) % 100_003}`, scoreOf(random));
          else if (random.chance(0.4)) pair.moveAt(rank, scoreOf(random));
          else if (random.chance(0.97)) pair.removeAt(rank);
          else if (random.chance(0.5)) {
            const count = random.between(0, 150);
            pair.insertAll(count, serial, random.chance(0.8));
            serial += count;
          } else pair.takeRange(rank, random.between(0, 200));
          if (step % 3000 === 0) pair.check();
          if (step % 200 === 0) pair.checkBounds(scoreOf(random));
        }
        pair.check();
        pair.takeRange(0, pair.model.length);
        pair.check();
        expect(pair.index.nodeBytes).toBe(0);
      }
    });
  }

  it('fills leaves completely in descending runs', () => {
    const pair = new Pair();
    for (let i = 0; i < 20_000; i += 50) pair.insertAll(50, i, true);
    expect(pair.index.nodeBytes / 20_000).toBeLessThan(13);
    pair.check();
    for (let i = 0; i < 19_990; i++) pair.removeAt((i * 31) % pair.model.length);
    pair.check();
    pair.insertAll(1, 20_000, true);
    pair.check();
  });

  it('fills leaves completely in ascending and descending loads', () => {
    for (const sign of [1, -1]) {
      const pair = new Pair();
      for (let i = 0; i < 20_000; i++) pair.insert(`m${i}`, sign * i);
      expect(pair.index.nodeBytes / 20_000).toBeLessThan(13);
      pair.check();
      for (let i = 0; i < 19_990; i++) pair.removeAt(sign > 0 ? 0 : pair.model.length - 1);
      pair.check();
      for (let i = 0; i < 500; i++) pair.insert(`n${i}`, (i * 37) % 101);
      pair.check();
    }
  });

  it('finds ranks by member alone', () => {
    const pair = new Pair();
    const random = new Random(5);
    const members = new Set<string>(['']);
    while (members.size < 5000) members.add(random.bytes(random.between(1, 4)));
    for (const member of members) pair.insert(member, 0);
    for (let i = 0; i < 2000; i++) {
      const member = random.bytes(random.between(0, 3));
      seekMember(member);
      const model = pair.model;
      expect(pair.index.rankOfMember(false)).toBe(model.filter((e) => e.member < member).length);
      expect(pair.index.rankOfMember(true)).toBe(model.filter((e) => e.member <= member).length);
    }
  });

  it('holds members of any length', () => {
    const pair = new Pair();
    for (const length of [0, 1, 65_534, 65_535, 65_536, 200_000])
      pair.insert('x'.repeat(length), 1);
    pair.check();
    pair.moveAt(2, 0);
    pair.check();
  });

  it('frees its nodes in slices', () => {
    const pair = new Pair();
    for (let i = 0; i < 10_000; i++) pair.insert(`m${i}`, (i * 7919) % 10_007);
    const nodes = pair.index.nodeBytes;
    expect(pair.index.drain(10)).toBe(true);
    expect(pair.index.nodeBytes).toBeGreaterThan(nodes / 2);
    while (pair.index.drain(10));
    expect(pair.index.nodeBytes).toBe(0);
    expect(pair.index.count).toBe(0);
  });
});

describe('a load in order', () => {
  it.each([0, 1, 63, 64, 3150, 3213])('of %d elements is an index like any', (count) => {
    const pair = new Pair();
    const random = new Random(count + 1);
    pair.load(count);
    pair.check();
    for (let i = 0; i < 300; i++) {
      pair.insert(`n${i}`, random.between(-600, 7400));
      pair.removeAt(random.between(0, pair.model.length - 1));
      if (i % 100 === 0)
        pair.takeRange(random.between(0, pair.model.length - 1), random.between(1, 200));
    }
    pair.check();
  });

  it('forgets one that was not ended', () => {
    const arena = new Arena();
    new SortedIndex(arena).load(makeEntry(arena, 'lost', 1));
    const pair = new Pair();
    pair.load(10);
    pair.check();
  });
});
