/** The base of an AOF as commands, from frames that come in the pieces of a pipe. */
import { describe, expect, it } from 'vitest';
import { contentForCommands, frameConsumer } from '../../../src/persistence/aof/aof-base.ts';
import { FRAME_HEAD_BYTES, FRAME_RAW } from '../../../src/persistence/rdb/rdb-frame-writer.ts';
import { rdbString } from '../rdb/rdb-forms.ts';
import { latin1, type RdbPart, rdbOf, text } from '../rdb/rdb-support.ts';

const PIECE_BYTES = 1 << 18;

/** A frame with an RDB in it, as the assembler takes it: without a checksum behind. */
function frameOf(...parts: RdbPart[]): Uint8Array {
  const rdb = rdbOf('REDIS0011', ...parts, 0xff).subarray(0, -8);
  const frame = new Uint8Array(FRAME_HEAD_BYTES + rdb.length);
  frame[0] = FRAME_RAW;
  new DataView(frame.buffer).setUint32(1, rdb.length, true);
  frame.set(rdb, FRAME_HEAD_BYTES);
  return frame;
}

/** The base that is made of a frame, which comes in pieces of so many bytes. */
function baseOf(frame: Uint8Array, pieceBytes = PIECE_BYTES): string {
  let all = '';
  const consumer = frameConsumer(
    (bytes, length) => {
      all += Buffer.from(bytes.subarray(0, length)).toString('latin1');
    },
    false,
    { checksum: false, timeSeconds: -1 },
  );
  for (let at = 0; at < frame.length; at += pieceBytes) {
    consumer.feed(frame, at, Math.min(pieceBytes, frame.length - at));
  }
  consumer.finish();
  expect(consumer.producedBytes).toBe(all.length);
  return all;
}

describe('a base of commands', () => {
  it.each([100, 300_000, 1_000_000, 1_500_000])('has a last value of %i bytes', (length) => {
    const value = 'v'.repeat(length);
    const frame = frameOf(0, text('k'), rdbString(latin1(value)).toString('latin1'));
    const base = baseOf(frame);
    expect(base.endsWith(`\r\n$1\r\nk\r\n$${length}\r\n${value}\r\n`)).toBe(true);
  });

  it('is the same in whatever pieces it comes, in the words of a rewrite', () => {
    const frame = frameOf(0xfe, 3, 4, text('h'), 1, text('f'), text('v'), 0, text('s'), text('w'));
    const wanted =
      '*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*4\r\n$5\r\nHMSET\r\n$1\r\nh\r\n$1\r\nf\r\n$1\r\nv\r\n' +
      '*3\r\n$3\r\nSET\r\n$1\r\ns\r\n$1\r\nw\r\n';
    for (const pieceBytes of [1, 7, 1000]) expect(baseOf(frame, pieceBytes)).toBe(wanted);
  });

  it('is refused where a frame is cut off', () => {
    const frame = frameOf(0, text('k'), text('v'));
    for (let length = 1; length < frame.length; length++) {
      expect(() => baseOf(frame.subarray(0, length)), `${length}`).toThrow();
    }
  });

  it('is made of all that the newest form of an RDB can say', () => {
    const content = { version: 9, usage: 'lru', compress: true, aux: {} } as const;
    expect(contentForCommands(content)).toEqual({
      ...{ version: 11, usage: 'none', compress: false, aux: {} },
    });
  });
});
