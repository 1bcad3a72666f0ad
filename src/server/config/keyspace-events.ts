/**
 * The letters of the classes of keyspace events, as `notify-keyspace-events` has them.
 *
 *     K keyspace channel   E keyevent channel
 *     g generic   $ string   l list   s set   h hash   z zset   x expired   e evicted   t stream
 *     d module type        A all of the classes above
 *     m key miss           n new key          (both outside A)
 *
 * The value is a bit mask; the text that CONFIG GET answers has its letters in one fixed order.
 */
import {
  NOTIFY_EVICTED,
  NOTIFY_EXPIRED,
  NOTIFY_GENERIC,
  NOTIFY_HASH,
  NOTIFY_KEY_MISS,
  NOTIFY_KEYEVENT,
  NOTIFY_KEYSPACE,
  NOTIFY_LIST,
  NOTIFY_NEW,
  NOTIFY_SET,
  NOTIFY_STREAM,
  NOTIFY_STRING,
  NOTIFY_ZSET,
} from '../dispatch/notify-classes.ts';

/** Events of module types: no module, no event, but `A` has the bit, and `d` is accepted. */
const NOTIFY_MODULE = 1 << 13;

/** The classes that `A` stands for, in the order in which they are written. */
const IN_ALL: ReadonlyArray<readonly [letter: string, bit: number]> = [
  ['g', NOTIFY_GENERIC],
  ['$', NOTIFY_STRING],
  ['l', NOTIFY_LIST],
  ['s', NOTIFY_SET],
  ['h', NOTIFY_HASH],
  ['z', NOTIFY_ZSET],
  ['x', NOTIFY_EXPIRED],
  ['e', NOTIFY_EVICTED],
  ['t', NOTIFY_STREAM],
  ['d', NOTIFY_MODULE],
];

const OUTSIDE_ALL: ReadonlyArray<readonly [letter: string, bit: number]> = [
  ['K', NOTIFY_KEYSPACE],
  ['E', NOTIFY_KEYEVENT],
  ['m', NOTIFY_KEY_MISS],
];

export const NOTIFY_ALL = IN_ALL.reduce((mask, [, bit]) => mask | bit, 0);

const BITS = new Map([...IN_ALL, ...OUTSIDE_ALL, ['n', NOTIFY_NEW], ['A', NOTIFY_ALL]] as const);

/** The mask of a text such as `KEA`; undefined when a character is no event class. */
export function parseKeyspaceEvents(text: string): number | undefined {
  let mask = 0;
  for (const letter of text) {
    const bit = BITS.get(letter);
    if (bit === undefined) return undefined;
    mask |= bit;
  }
  return mask;
}

/** The text of a mask. */
export function formatKeyspaceEvents(mask: number): string {
  const all = (mask & NOTIFY_ALL) === NOTIFY_ALL;
  let text = all ? 'A' : lettersOf(mask, IN_ALL);
  if ((mask & NOTIFY_NEW) !== 0) text += 'n';
  return text + lettersOf(mask, OUTSIDE_ALL);
}

function lettersOf(mask: number, classes: typeof IN_ALL): string {
  let text = '';
  for (const [letter, bit] of classes) if ((mask & bit) !== 0) text += letter;
  return text;
}
