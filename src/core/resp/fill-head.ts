/** Heads of arrays and maps that were written before their number of elements was known. */
import { integerLength, writeInteger } from '../text/integer.ts';

const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;

/**
 * Puts a number into the head that begins at `chunk[head]`, and moves what follows, up to `end`,
 * behind it. Returns by how many bytes that moved.
 */
export function fillHead(
  chunk: Uint8Array,
  head: number,
  end: number,
  kind: '*' | '%',
  count: number,
): number {
  let body = head + 2;
  while (chunk[body - 1] !== LINE_FEED) body++;
  const length = integerLength(count);
  const spare = body - (head + 3 + length);
  if (spare < 0) throw new Error('reply: more elements than were announced');
  chunk[head] = kind === '*' ? 42 : 37;
  writeInteger(chunk, head + 1, count);
  chunk[head + 1 + length] = CARRIAGE_RETURN;
  chunk[head + 2 + length] = LINE_FEED;
  if (spare > 0) chunk.copyWithin(body - spare, body, end);
  return spare;
}
