/** The reply reader: any reply, cut into any chunks, comes back byte for byte. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplyError, ReplyReader, splitReply } from './resp-reader.ts';

const line = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\xff') });
const blob = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '\x00', '$', '\xff') });
const scalars = fc.oneof(
  line.map((text) => `+${text}\r\n`),
  line.map((text) => `-ERR ${text}\r\n`),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => `:${n}\r\n`),
  blob.map((text) => `$${text.length}\r\n${text}\r\n`),
  blob.map((text) => `=${text.length + 4}\r\ntxt:${text}\r\n`),
  blob.map((text) => `!${text.length}\r\n${text}\r\n`),
  fc.constantFrom('$-1\r\n', '*-1\r\n', '_\r\n', '#t\r\n', '#f\r\n', ',3.5\r\n', ',-inf\r\n'),
  fc.bigInt().map((n) => `(${n}\r\n`),
);
const { reply } = fc.letrec<{ reply: string }>((tie) => ({
  reply: fc.oneof(
    { depthSize: 'small' },
    scalars,
    fc
      .array(tie('reply'), { maxLength: 4 })
      .map((items) => `*${items.length}\r\n${items.join('')}`),
    fc
      .array(tie('reply'), { maxLength: 4 })
      .map((items) => `~${items.length}\r\n${items.join('')}`),
    fc
      .array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 })
      .map((pairs) => `%${pairs.length}\r\n${pairs.flat().join('')}`),
  ),
}));

describe('ReplyReader', () => {
  it('gives back the bytes of every reply, however they arrive', () => {
    const chunkSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(reply, { minLength: 1, maxLength: 6 }), chunkSizes, (replies, sizes) => {
        const bytes = Buffer.from(replies.join(''), 'latin1');
        const reader = new ReplyReader();
        const seen: string[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          reader.push(bytes.subarray(at, at + size));
          at += size;
          for (let next = reader.next(); next !== null; next = reader.next()) {
            seen.push(next.raw.toString('latin1'));
          }
        }
        expect(seen).toEqual(replies);
        expect(reader.pending.length).toBe(0);
      }),
    );
  });

  it('turns replies into plain values', () => {
    const reader = new ReplyReader();
    const parts = [
      '*4\r\n:7\r\n$-1\r\n-ERR no\r\n%1\r\n+a\r\n,0.5\r\n',
      ':9223372036854775807\r\n',
    ];
    reader.push(Buffer.from(parts.join('')));
    const map = new Map([['a', 0.5]]);
    expect(reader.next()?.value).toEqual([7, null, new ReplyError('ERR no'), map]);
    expect(reader.next()?.value).toBe(9223372036854775807n);
    expect(reader.next()).toBeNull();
  });

  it('tells pushes from replies and keeps an attribute with its reply', () => {
    const reader = new ReplyReader();
    reader.push(Buffer.from('>1\r\n+m\r\n|1\r\n+k\r\n+v\r\n:5\r\n'));
    expect(reader.next()?.push).toBe(true);
    expect(reader.next()).toMatchObject({ push: false, value: 5 });
  });

  it('refuses bytes that are not RESP, and nesting without end', () => {
    const garbage = new ReplyReader();
    garbage.push(Buffer.from('hello\r\n'));
    expect(() => garbage.next()).toThrow(/not a RESP reply/);
    const deep = new ReplyReader();
    deep.push(Buffer.from('*1\r\n'.repeat(100)));
    expect(() => deep.next()).toThrow(/nests deeper/);
  });
});

describe('splitReply', () => {
  it('cuts an aggregate into its children, and leaves a scalar whole', () => {
    const { head, children } = splitReply(Buffer.from('*2\r\n*1\r\n:1\r\n$2\r\n\r\n\r\n'));
    expect(`${head}`).toBe('*2\r\n');
    expect(children.map(String)).toEqual(['*1\r\n:1\r\n', '$2\r\n\r\n\r\n']);
    expect(splitReply(Buffer.from(':1\r\n')).children).toEqual([]);
    expect(splitReply(Buffer.from('*-1\r\n')).children).toEqual([]);
  });
});
