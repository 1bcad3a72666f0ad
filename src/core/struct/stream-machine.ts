/**
 * The walk over a node of a stream from outside, of up to a block, in WebAssembly
 * (machine/assembler.ts): all that a dump holds are walked whole before they are taken. What a
 * longer node gets is in stream-valid.ts, and is the same. The node lies where LZF unpacks it
 * (block-stage.ts): one that came compressed is there already.
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
import { SCRATCH, STAGE_BYTES, stage, stagedText, TEXT } from './block-stage.ts';

/** In the scratch: what the last integer was, up to `WALK_COUNT_MAX`. */
const VALUE = SCRATCH;
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
      refuseWhen(m.more(m.get(body), m.word(STAGE_BYTES))),
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

// Locals of `elements`. FIRST and BACK are of the element that is passed.
const [END, AT, LIVE, DELETED, FIELDS, FOUND, OWN, DATA, FLAGS, COUNTED, FIRST, BACK] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
];
const isOver = m.atLeast(m.get(AT), m.get(END));
/** Where a function was called that gave -1. */
const isLost = m.equal(m.get(AT), m.word(-1));

/** Whether the small integers in `load` are below 128, each before a back length of 1. */
const areSmall = (load: m.Code, mask: number, backs: number): m.Code => {
  return m.equal(m.and(load, m.word(mask)), m.word(backs));
};
/** An integer below 128 and its back length are two bytes, which need no call. */
const isSmall = areSmall(m.load16(m.get(AT)), 0xff80, 0x0100);
/** Flags, milliseconds and sequence of an entry are such integers in most streams. */
const areThreeSmall = m.and(
  m.and(
    areSmall(m.load32(m.get(AT)), 0xff80_ff80, 0x0100_0100),
    areSmall(m.load16(m.get(AT), 4), 0xff80, 0x0100),
  ),
  m.less(m.add(m.get(AT), m.word(6)), m.get(END)),
);

/** Passes the element at AT: as a small integer, or otherwise. */
function pass(small: m.Code[], other: m.Code[]): m.Code {
  return [...refuseWhen(isOver), ...m.when(isSmall, [...small, m.advance(AT, m.word(2))], other)];
}

/** Sets AT to what the function gives: where the element there ends. */
function callOn(what: number): m.Code {
  return m.set(AT, m.invoke(what, m.get(AT), m.get(END)));
}

const passInteger = pass([], [callOn(INTEGER)]);

/** Passes an integer from 0 to WALK_COUNT_MAX into a local. */
function passCount(local: number): m.Code {
  const called = m.set(local, m.load32(m.word(VALUE)));
  return pass([m.set(local, m.load8(m.get(AT)))], [callOn(COUNT), called]);
}

/**
 * Passes as many elements as `left` says, whatever they are. Most are small integers or strings of
 * up to 63 bytes: those are passed without a call.
 */
function passMany(left: number): m.Code {
  const body = m.choose(
    m.less(m.get(FIRST), m.word(0x80)),
    one,
    m.add(m.and(m.get(FIRST), m.word(63)), one),
  );
  const short = [
    m.set(BACK, m.add(m.get(AT), body)),
    refuseWhen(m.atLeast(m.get(BACK), m.get(END))),
    refuseWhen(m.differ(m.load8(m.get(BACK)), m.subtract(m.get(BACK), m.get(AT)))),
    m.set(AT, m.add(m.get(BACK), one)),
  ];
  return m.repeat(
    m.get(left),
    refuseWhen(isOver),
    m.set(FIRST, m.load8(m.get(AT))),
    m.when(m.less(m.get(FIRST), m.word(0xc0)), short, [callOn(BEHIND), refuseWhen(isLost)]),
    m.advance(left, m.word(-1)),
  );
}

/** Passes an entry, and counts it. */
function passEntry(): m.Code {
  const isFlagged = (flag: number): m.Code => m.and(m.get(FLAGS), m.word(flag));
  const countDown = (local: number): m.Code => m.advance(local, m.word(-1));
  return [
    ...m.when(
      areThreeSmall,
      [m.set(FLAGS, m.load8(m.get(AT))), m.advance(AT, m.word(6))],
      [passCount(FLAGS), passInteger, passInteger],
    ),
    ...m.set(DATA, m.get(FIELDS)),
    ...m.set(OWN, m.add(m.get(FIELDS), m.word(3))),
    ...m.when(m.isZero(isFlagged(ENTRY_SAME_FIELDS)), [
      passCount(DATA),
      m.set(DATA, m.shiftLeft(m.get(DATA), one)),
      m.set(OWN, m.add(m.get(DATA), m.word(4))),
    ]),
    ...passMany(DATA),
    ...passCount(COUNTED),
    ...refuseWhen(m.or(isLost, m.differ(m.get(COUNTED), m.get(OWN)))),
    ...m.advance(FOUND, m.add(m.get(OWN), one)),
    ...m.when(isFlagged(ENTRY_DELETED), [countDown(DELETED)], [countDown(LIVE)]),
  ];
}

/**
 * elements(end): the number of elements of the node, which ends at `end`; -1 where one is damaged,
 * entries are not whole, or they are not as many as the node says.
 */
function elements(): m.MachineFunction {
  return {
    parameters: 1,
    words: BACK,
    longs: 0,
    code: [
      ...m.set(AT, m.word(TEXT + 6)),
      ...[passCount(LIVE), passCount(DELETED), passCount(FIELDS)].flat(),
      ...m.set(DATA, m.get(FIELDS)),
      ...[passMany(DATA), passCount(COUNTED)].flat(),
      ...refuseWhen(m.or(isLost, m.get(COUNTED))),
      ...m.set(FOUND, m.add(m.get(FIELDS), m.word(4))),
      ...refuseWhen(m.equal(m.get(AT), m.get(END))),
      ...m.repeat(m.differ(m.get(AT), m.get(END)), passEntry()),
      ...refuseWhen(m.or(m.get(LIVE), m.get(DELETED))),
      ...m.get(FOUND),
    ],
  };
}

const call = m.assemble(stage, {
  behind: behind(),
  count: count(),
  integer: integer(),
  elements: elements(),
});

/**
 * Number of elements of a node of at most a block, whose head and end were looked at; -1 when it is
 * no sound node.
 */
export function countElements(bytes: Uint8Array, base: number, length: number): number {
  const text = stagedText(length);
  if (bytes !== text) copyBytes(bytes, base, text, 0, length);
  return call.elements(TEXT + length - 1);
}
