/** What is written while an RDB is walked: by tests of exports and of commands. */
import { expect } from 'vitest';
import { ByteOutput } from '../../../src/persistence/byte-output.ts';
import { RdbReader } from '../../../src/persistence/rdb/rdb-reader.ts';
import { type RdbVisitor, RdbWalk } from '../../../src/persistence/rdb/rdb-walk.ts';
import { fileReader } from './rdb-support.ts';

/** What a walk writes, which must be the same when its bytes come one by one. */
export function written(bytes: Uint8Array, visitor: (out: ByteOutput) => RdbVisitor): string {
  const [pulled, fed] = [false, true].map((isFed) => {
    let all = '';
    const out = new ByteOutput((part, length) => {
      all += Buffer.from(part.subarray(0, length)).toString('latin1');
    });
    if (isFed) walkFed(bytes, visitor(out));
    else new RdbWalk(fileReader(bytes), visitor(out)).run();
    out.flush();
    return all;
  });
  expect(fed === pulled, 'fed as pulled').toBe(true);
  return pulled!;
}

/** Feeds a walk that doubts everything, byte by byte or at least in many pieces. */
export function walkFed(bytes: Uint8Array, visitor: RdbVisitor): void {
  const reader = RdbReader.fed();
  const walk = new RdbWalk(reader, visitor, 'all');
  const step = Math.max(1, bytes.length >> 12);
  for (let at = 0; at < bytes.length; at += step) {
    reader.feed(bytes.subarray(at, at + step));
    walk.resume();
  }
  reader.endOfFeed();
  expect(walk.resume()).toBe(true);
}
