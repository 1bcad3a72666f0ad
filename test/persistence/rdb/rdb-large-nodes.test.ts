/**
 * Lists and streams with a node of many bytes, plain or compressed: it is read to where it stays, a
 * piece at a time, is held once, and nothing of it stays when it is damaged.
 */
import { describe, expect, it } from 'vitest';
import type { Keyspace } from '../../../src/core/keyspace.ts';
import { dumpPayload } from '../../../src/persistence/rdb/rdb-dump.ts';
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts';
import { ziplistSlack } from '../../../src/persistence/rdb/ziplist-listpack.ts';
import { roomsMade } from '../../support/rooms-made.ts';
import { listpackOf, rdbCompressed, rdbLength, rdbString, ziplistOf } from './rdb-forms.ts';
import { expectNothingStays, itComesByPieces, restored } from './rdb-large-support.ts';
import {
  BUFFER_MAX,
  entriesOf,
  fileOf,
  fromFile,
  inPieces,
  LARGE,
  latin1,
  makeKeyspace,
  text,
  usedBytes,
} from './rdb-support.ts';

const SMALL = listpackOf(['one', '2', 'three']);
const ID = latin1('\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x01').toString('latin1');
const STREAM_NODE = listpackOf(['1', '0', '1', 'field', '0', '2', '0', '0', LARGE, '4']);

/**
 * The bytes of a large node, and the value around it; the rooms that are made, if not one for the
 * node alone.
 */
type Place = { node: Buffer; pre: string; post: string; rooms?: number[] };

const nodeOf = (kind: string, bytes: Uint8Array): string =>
  kind + rdbString(bytes).toString('latin1');
const small = nodeOf('\x02', SMALL);
const listOf = (kind: string, each: number): { pre: string; post: string } => ({
  pre: `\x12${rdbLength(each * 2 + 1).toString('latin1')}${small.repeat(each)}${kind}`,
  post: small.repeat(each),
});
const elements = (each: number): string => text('small').repeat(each);
const oldListOf = (each: number): { pre: string; post: string } => ({
  pre: `\x01${rdbLength(each * 2 + 1).toString('latin1')}${elements(each)}`,
  post: elements(each),
});
const smallZiplist = rdbString(ziplistOf(['one', '2', 'three'])).toString('latin1');
const ZIPLIST = ziplistOf(['a', LARGE, '5']);
const ONE_FRAMED = listpackOf([LARGE]).length;
const ZIPLIST_ROOM = ZIPLIST.length + ziplistSlack(ZIPLIST.length);
const PLACES: Record<string, Place> = {
  'an element as a node': { node: latin1(LARGE), ...listOf('\x01', 1) },
  'a listpack of a list': { node: listpackOf(['a', LARGE, 'b']), ...listOf('\x02', 1) },
  'an element of a long list': { node: latin1(LARGE), ...listOf('\x01', 200) },
  'an element of an old list': { node: latin1(LARGE), ...oldListOf(1), rooms: [ONE_FRAMED] },
  'an element of a long old list': { node: latin1(LARGE), ...oldListOf(200), rooms: [ONE_FRAMED] },
  'a ziplist of a list': {
    node: ZIPLIST,
    pre: `\x0e\x03${smallZiplist}`,
    post: smallZiplist,
    rooms: [ZIPLIST_ROOM],
  },
  'a ziplist that is a list': { node: ZIPLIST, pre: '\x0a', post: '', rooms: [ONE_FRAMED] },
  'a node of a stream': { node: STREAM_NODE, pre: `\x0f\x01${text(ID)}`, post: '\x01\x05\x01\0' },
};

const FORMS = { plain: rdbString, compressed: rdbCompressed };

function valueWith({ node, pre, post }: Place, form: keyof typeof FORMS): string {
  return pre + FORMS[form](node).toString('latin1') + post;
}

/** The payload of the only key: all that it holds. */
function dumped(keyspace: Keyspace): string {
  const [entry] = [...entriesOf(keyspace)];
  const payload = dumpPayload(keyspace, entry!.address, 11, false);
  return Buffer.from(payload).toString('latin1');
}

const CASES = Object.entries(PLACES).flatMap(([name, place]) =>
  (['plain', 'compressed'] as const).map((form) => ({ name, place, form })),
);

describe.each(CASES)('$name that is large and $form', ({ place, form }) => {
  const value = valueWith(place, form);
  const file = fileOf(value);

  it('comes from a payload, and the same from a file and over a socket', () => {
    const keyspace = makeKeyspace();
    expect(restored(keyspace, value)).toBeTypeOf('number');
    const wanted = dumped(keyspace);
    expect(wanted.includes(LARGE)).toBe(true);
    for (const load of [fromFile, inPieces]) {
      const other = makeKeyspace();
      load(other, file);
      expect(dumped(other) === wanted).toBe(true);
      expect(usedBytes(other)).toBe(usedBytes(keyspace));
    }
  });

  it('is held once', () => {
    for (const load of [fromFile, inPieces]) {
      const keyspace = makeKeyspace();
      keyspace.arena.free(keyspace.arena.alloc(8));
      const rooms = roomsMade(BUFFER_MAX, () => load(keyspace, file));
      const wanted = place.rooms ?? [place.node.length];
      expect(rooms).toEqual(wanted.map((room) => Math.ceil(room / 8) * 8));
    }
  });

  itComesByPieces(file, LARGE.length);

  it('is refused when it ends early, and nothing of it stays', () => {
    const cut = value.slice(0, value.length / 2);
    for (const load of [fromFile, inPieces]) {
      const keyspace = makeKeyspace();
      expect(() => load(keyspace, fileOf(cut).subarray(0, -9))).toThrow(/too early.* byte \d+/);
      expectNothingStays(keyspace, LARGE.length);
    }
    const keyspace = makeKeyspace();
    expect(restored(keyspace, cut)).toBeInstanceOf(RdbError);
    expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
  });
});

// An element holds whatever it is.
const DAMAGEABLE = CASES.filter(({ name }) => !name.includes('element'));

describe.each(DAMAGEABLE)('$name that is large, $form and damaged', ({ place, form }) => {
  it('is refused, and nothing of it stays', () => {
    const node = Buffer.from(place.node);
    node[node.length - 2]! ^= 0x55;
    const value = valueWith({ ...place, node }, form);
    for (const load of [fromFile, inPieces]) {
      const keyspace = makeKeyspace();
      expect(() => load(keyspace, fileOf(value))).toThrow(/a damaged .* byte \d+/);
      expectNothingStays(keyspace, LARGE.length);
    }
    const keyspace = makeKeyspace();
    expect(restored(keyspace, value)).toBeInstanceOf(RdbError);
    expect(usedBytes(keyspace)).toBeLessThan(LARGE.length / 2);
  });
});
