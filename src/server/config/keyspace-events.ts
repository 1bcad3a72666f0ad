/**
 * The classes of keyspace events, and their letters in `notify-keyspace-events`.
 *
 *     K keyspace channel   E keyevent channel
 *     g generic   $ string   l list   s set   h hash   z zset   x expired   e evicted   t stream
 *     d module type        A all of the classes above
 *     m key miss           n new key          (both outside A)
 *
 * The value is a bit mask; the text that CONFIG GET answers has its letters in one fixed order.
 */

export const EVENT_KEYSPACE = 1 << 0;
export const EVENT_KEYEVENT = 1 << 1;
export const EVENT_GENERIC = 1 << 2;
export const EVENT_STRING = 1 << 3;
export const EVENT_LIST = 1 << 4;
export const EVENT_SET = 1 << 5;
export const EVENT_HASH = 1 << 6;
export const EVENT_ZSET = 1 << 7;
export const EVENT_EXPIRED = 1 << 8;
export const EVENT_EVICTED = 1 << 9;
export const EVENT_STREAM = 1 << 10;
export const EVENT_KEY_MISS = 1 << 11;
export const EVENT_MODULE = 1 << 13;
export const EVENT_NEW = 1 << 14;

/** The classes that `A` stands for, in the order in which they are written. */
const IN_ALL: ReadonlyArray<readonly [letter: string, bit: number]> = [
  ['g', EVENT_GENERIC],
  ['$', EVENT_STRING],
  ['l', EVENT_LIST],
  ['s', EVENT_SET],
  ['h', EVENT_HASH],
  ['z', EVENT_ZSET],
  ['x', EVENT_EXPIRED],
  ['e', EVENT_EVICTED],
  ['t', EVENT_STREAM],
  ['d', EVENT_MODULE],
];

const OUTSIDE_ALL: ReadonlyArray<readonly [letter: string, bit: number]> = [
  ['K', EVENT_KEYSPACE],
  ['E', EVENT_KEYEVENT],
  ['m', EVENT_KEY_MISS],
];

export const EVENT_ALL = IN_ALL.reduce((mask, [, bit]) => mask | bit, 0);

const BITS = new Map([...IN_ALL, ...OUTSIDE_ALL, ['n', EVENT_NEW], ['A', EVENT_ALL]] as const);

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
  const all = (mask & EVENT_ALL) === EVENT_ALL;
  let text = all ? 'A' : lettersOf(mask, IN_ALL);
  if ((mask & EVENT_NEW) !== 0) text += 'n';
  return text + lettersOf(mask, OUTSIDE_ALL);
}

function lettersOf(mask: number, classes: typeof IN_ALL): string {
  let text = '';
  for (const [letter, bit] of classes) if ((mask & bit) !== 0) text += letter;
  return text;
}
