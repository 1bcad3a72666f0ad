/**
 * The walk over a node of a stream from outside, of up to a block, in WebAssembly
 * (machine/assembler.ts): all that a dump holds are walked whole before they are taken. What a
 * longer node gets is in stream-valid.ts, and is the same.
 *
 *     memory   [ scratch | the node: block | slack ]
 *              0         BLOCK
 *
 * The functions keep to what listpack.ts and stream-log.ts draw; a position is an address in this
 * memory. They give -1 where the bytes are not what they should be, and for the position -1: so a
 * row of calls is looked at once, at its end. What is read behind the end of the node is slack, and
 * is refused by the position that comes of it.
 *
 * Measured on Node 20, the copy included: 4 ns an element where JavaScript needs 12, and nearly so
 * from the first node on.
 */
import * as m from '../machine/assembler.ts';
import { copyBytes } from '../memory/copy.ts';

/** Longer listpacks are not for this. */
export const WALK_BLOCK_BYTES = 65_536;
const SCRATCH_BYTES = 16;
const BLOCK = SCRATCH_BYTES;
const PAGES = 2;
/** The scratch: what the last integer was, up to `WALK_COUNT_MAX`. */
const VALUE = 0;
/** A block holds fewer elements than this. */
export const WALK_COUNT_MAX = 0x3fff_ffff;

const ENTRY_DELETED = 1;
const ENTRY_SAME_FIELDS = 2;

const one = m.word(1);
const refuseWhen = (condition: m.Code): m.Code => m.when(condition, [m.give(m.word(-1))]);

// The functions, by their place in the module.
const BEHIND = 0;
const COUNT = 1;
const INTEGER = 2;
const MANY = 3;

/**
 * behind(at, end): where the element at `at` ends. Its length is that of its encoding and data
 * (`body`), then of the back length, which says the same.
 */
function behind(): m.MachineFunction {
  const [at, end, first, body, back] = [0, 1, 2, 3, 4];
  const bodyIs = (value: m.Code): m.Code => m.set(body, value);
  const below = (bound: number, then: m.Code[], other: m.Code[]): m.Code => {
    return m.when(m.less(m.get(first), m.word(bound)), then, other);
  };
  const second = m.load8(m.get(at), 1);
  const shortString = m.or(m.shiftLeft(m.and(m.get(first), m.word(15)), m.word(8)), second);
  // 0xf0 is a string behind a length of 32 bits, 0xf1 to 0xf4 are integers of 2, 3, 4 and 8 bytes.
  const wide = m.block(
    refuseWhen(m.more(m.get(first), m.word(0xf4))),
    bodyIs(m.subtract(m.get(first), m.word(0xee))),
    m.when(m.equal(m.get(first), m.word(0xf4)), [bodyIs(m.word(9))]),
    m.when(m.equal(m.get(first), m.word(0xf0)), [
      bodyIs(m.load32(m.get(at), 1)),
      refuseWhen(m.more(m.get(body), m.word(WALK_BLOCK_BYTES))),
      m.advance(body, m.word(5)),
    ]),
  );
  const long = below(
    0xe0,
    [bodyIs(m.word(2))],
    [below(0xf0, [bodyIs(m.add(shortString, m.word(2)))], [wide])],
  );
  const low7 = (shift: number): m.Code => {
    return m.and(m.shiftRight(m.get(body), m.word(shift)), m.word(127));
  };
  const backIs = (offset: number, value: m.Code): m.Code => {
    return refuseWhen(m.differ(m.load8(m.get(back), offset), value));
  };
  const more = m.word(128);
  const length = (bytes: number): m.Code => m.set(back, m.add(m.get(back), m.word(bytes)));
  return {
    parameters: 2,
    words: 3,
    longs: 0,
    code: [
      ...refuseWhen(m.atLeast(m.get(at), m.get(end))),
      ...m.set(first, m.load8(m.get(at))),
      ...below(
        0x80,
        [bodyIs(one)],
        [below(0xc0, [bodyIs(m.add(m.and(m.get(first), m.word(63)), one))], [long])],
      ),
      ...m.set(back, m.add(m.get(at), m.get(body))),
      ...refuseWhen(m.atLeast(m.get(back), m.get(end))),
      ...m.when(
        m.less(m.get(body), more),
        [backIs(0, m.get(body)), length(1)],
        [
          m.when(
            m.less(m.get(body), m.word(1 << 14)),
            [backIs(0, low7(7)), backIs(1, m.or(low7(0), more)), length(2)],
            [
              backIs(0, low7(14)),
              backIs(1, m.or(low7(7), more)),
              backIs(2, m.or(low7(0), more)),
              length(3),
            ],
          ),
        ],
      ),
      ...refuseWhen(m.more(m.get(back), m.get(end))),
      ...m.get(back),
    ],
  };
}

/** count(at, end): passes an integer from 0 to WALK_COUNT_MAX, which is in VALUE then. */
function count(): m.MachineFunction {
  const [at, end, next, first] = [0, 1, 2, 3];
  const isKind = (kind: number): m.Code => m.equal(m.get(first), m.word(kind));
  const valueIs = (value: m.Code): m.Code => m.store32(m.word(VALUE), value);
  const kinds = [
    m.when(m.equal(m.and(m.get(first), m.word(0xf0)), m.word(0xc0)), [
      // 13 bits, the upper one of which is the sign.
      valueIs(m.or(m.shiftLeft(m.and(m.get(first), m.word(15)), m.word(8)), m.load8(m.get(at), 1))),
      m.give(m.get(next)),
    ]),
    m.when(isKind(0xf1), [
      valueIs(m.load16(m.get(at), 1)),
      refuseWhen(m.moreSigned(m.load16(m.get(at), 1), m.word(0x7fff))),
      m.give(m.get(next)),
    ]),
    m.when(isKind(0xf2), [
      valueIs(m.and(m.load32(m.get(at), 1), m.word(0xffffff))),
      refuseWhen(m.moreSigned(m.load8(m.get(at), 3), m.word(0x7f))),
      m.give(m.get(next)),
    ]),
    m.when(m.or(isKind(0xf3), isKind(0xf4)), [
      valueIs(m.load32(m.get(at), 1)),
      refuseWhen(m.more(m.load32(m.get(at), 1), m.word(WALK_COUNT_MAX))),
      refuseWhen(m.and(isKind(0xf4), m.differ(m.load32(m.get(at), 5), m.word(0)))),
      m.give(m.get(next)),
    ]),
  ];
  return {
    parameters: 2,
    words: 2,
    longs: 0,
    code: [
      ...m.set(next, m.invoke(BEHIND, m.get(at), m.get(end))),
      ...refuseWhen(m.equal(m.get(next), m.word(-1))),
      ...m.set(first, m.load8(m.get(at))),
      ...m.when(m.less(m.get(first), m.word(0x80)), [valueIs(m.get(first)), m.give(m.get(next))]),
      ...kinds.flat(),
      ...m.word(-1),
    ],
  };
}

/** integer(at, end): passes any integer. */
function integer(): m.MachineFunction {
  const [at, end, next, first] = [0, 1, 2, 3];
  const isText = m.or(
    m.equal(m.and(m.get(first), m.word(0xc0)), m.word(0x80)),
    m.and(m.atLeast(m.get(first), m.word(0xe0)), m.atMost(m.get(first), m.word(0xf0))),
  );
  return {
    parameters: 2,
    words: 2,
    longs: 0,
    code: [
      ...m.set(next, m.invoke(BEHIND, m.get(at), m.get(end))),
      ...refuseWhen(m.equal(m.get(next), m.word(-1))),
      ...m.set(first, m.load8(m.get(at))),
      ...refuseWhen(isText),
      ...m.get(next),
    ],
  };
}

/**
 * Sets `at`, which is before `end`, to where the element there ends, or gives -1. Most elements are
 * small integers or strings of up to 63 bytes: those are passed without a call. `first` and `back`
 * are locals to use.
 */
function passOne(at: number, end: number, first: number, back: number): m.Code {
  const body = m.choose(
    m.less(m.get(first), m.word(0x80)),
    one,
    m.add(m.and(m.get(first), m.word(63)), one),
  );
  return [
    ...m.set(first, m.load8(m.get(at))),
    ...m.when(
      m.less(m.get(first), m.word(0xc0)),
      [
        m.set(back, m.add(m.get(at), body)),
        refuseWhen(m.atLeast(m.get(back), m.get(end))),
        refuseWhen(m.differ(m.load8(m.get(back)), m.subtract(m.get(back), m.get(at)))),
        m.set(at, m.add(m.get(back), one)),
      ],
      [
        m.set(at, m.invoke(BEHIND, m.get(at), m.get(end))),
        refuseWhen(m.equal(m.get(at), m.word(-1))),
      ],
    ),
  ];
}

/** many(at, end, elements): passes so many elements, whatever they are. */
function many(): m.MachineFunction {
  const [at, end, left, first, back] = [0, 1, 2, 3, 4];
  return {
    parameters: 3,
    words: 2,
    longs: 0,
    code: [
      ...m.repeat(
        m.get(left),
        refuseWhen(m.atLeast(m.get(at), m.get(end))),
        passOne(at, end, first, back),
        m.advance(left, m.word(-1)),
      ),
      ...m.get(at),
    ],
  };
}

/**
 * elements(end): the number of elements of the node, which ends at `end`; -1 where one is damaged,
 * entries are not whole, or they are not as many as the node says.
 */
function elements(): m.MachineFunction {
  const [end, at, live, deleted, fields, found, own, data, flags, count] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ];
  // An integer below 128 and its back length are two bytes, which need no call.
  const isSmall = m.equal(m.and(m.load16(m.get(at)), m.word(0xff80)), m.word(0x0100));
  const pass = (small: m.Code[], other: m.Code[]): m.Code => [
    ...refuseWhen(m.atLeast(m.get(at), m.get(end))),
    ...m.when(isSmall, [...small, m.advance(at, m.word(2))], other),
  ];
  const call = (what: number): m.Code => m.set(at, m.invoke(what, m.get(at), m.get(end)));
  const passInteger = pass([], [call(INTEGER)]);
  const passCount = (local: number): m.Code => {
    const called = m.set(local, m.load32(m.word(VALUE)));
    return pass([m.set(local, m.load8(m.get(at)))], [call(COUNT), called]);
  };
  const passMany = (local: number): m.Code => {
    return m.set(at, m.invoke(MANY, m.get(at), m.get(end), m.get(local)));
  };
  const isLost = m.equal(m.get(at), m.word(-1));
  const isFlagged = (flag: number): m.Code => m.and(m.get(flags), m.word(flag));
  return {
    parameters: 1,
    words: 9,
    longs: 0,
    code: [
      ...m.set(at, m.word(BLOCK + 6)),
      ...[passCount(live), passCount(deleted), passCount(fields)].flat(),
      ...[passMany(fields), passCount(count)].flat(),
      ...refuseWhen(m.or(isLost, m.get(count))),
      ...m.set(found, m.add(m.get(fields), m.word(4))),
      ...refuseWhen(m.equal(m.get(at), m.get(end))),
      ...m.repeat(
        m.differ(m.get(at), m.get(end)),
        passCount(flags),
        passInteger,
        passInteger,
        m.set(data, m.get(fields)),
        m.set(own, m.add(m.get(fields), m.word(3))),
        m.when(m.isZero(isFlagged(ENTRY_SAME_FIELDS)), [
          passCount(data),
          m.set(data, m.shiftLeft(m.get(data), one)),
          m.set(own, m.add(m.get(data), m.word(4))),
        ]),
        passMany(data),
        passCount(count),
        refuseWhen(m.or(isLost, m.differ(m.get(count), m.get(own)))),
        m.advance(found, m.add(m.get(own), one)),
        m.when(
          isFlagged(ENTRY_DELETED),
          [m.advance(deleted, m.word(-1))],
          [m.advance(live, m.word(-1))],
        ),
      ),
      ...refuseWhen(m.or(m.get(live), m.get(deleted))),
      ...m.get(found),
    ],
  };
}

const { memory, call } = m.assemble(PAGES, {
  behind: behind(),
  count: count(),
  integer: integer(),
  many: many(),
  elements: elements(),
});
const staged = new Uint8Array(memory, BLOCK, WALK_BLOCK_BYTES);

/**
 * Number of elements of a node of at most a block, whose head and end were looked at; -1 when it is
 * no sound node.
 */
export function countElements(bytes: Uint8Array, base: number, length: number): number {
  copyBytes(bytes, base, staged, 0, length);
  return call.elements(BLOCK + length - 1);
}
