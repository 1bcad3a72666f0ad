/**
 * The applier's accounting: whatever the reads, the applied offset stands between commands and
 * outside transactions, and the bytes that were applied are the primary's own.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/core/memory/arena.ts';
import { OfferedBuffers } from '../../src/core/memory/offered-buffers.ts';
import type { Args } from '../../src/core/resp/args.ts';
import { StreamApplier, type StreamExecutor } from '../../src/replication/stream-applier.ts';

const encode = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;

/** Counts the buffers that nobody has let go. */
class CountedBuffers extends OfferedBuffers {
  count = 0;

  override take(length: number): Uint8Array {
    this.count++;
    return super.take(length);
  }

  override letGo(bytes: Uint8Array): void {
    this.count--;
    super.letGo(bytes);
  }
}

class Recorder implements StreamExecutor {
  readonly buffers = new CountedBuffers(new Arena());
  inTransaction = false;
  readonly commands: string[] = [];
  passed = '';
  onCommand: (text: string) => void = () => undefined;

  execute(args: Args): void {
    const words = Array.from({ length: args.count }, (_, i) => args.text(i));
    const name = words[0];
    if (name === 'MULTI') this.inTransaction = true;
    if (name === 'EXEC') this.inTransaction = false;
    this.commands.push(words.join(' '));
    this.onCommand(words.join(' '));
  }

  applied(bytes: Uint8Array, from: number, length: number): void {
    this.passed += Buffer.from(bytes.subarray(from, from + length)).toString('latin1');
  }
}

/** The bytes are borrowed: what they lie in is used again. */
function feed(applier: StreamApplier, text: string): void {
  const bytes = new Uint8Array(Buffer.from(text, 'latin1'));
  applier.feed(bytes);
  bytes.fill(0);
}

describe('stream applier', () => {
  it('passes on exactly the complete commands and transactions of any reads', () => {
    const plain = fc
      .array(fc.string({ maxLength: 12 }), { minLength: 1, maxLength: 4 })
      .map((words) => [
        encode('SET', ...words.map((word) => Buffer.from(word).toString('latin1'))),
      ]);
    const large = fc
      .integer({ min: 30_000, max: 90_000 })
      .map((n) => [encode('SET', 'x'.repeat(n))]);
    const transaction = fc
      .array(fc.integer(), { maxLength: 5 })
      .map((keys) => [
        encode('MULTI') + keys.map((key) => encode('INCR', `${key}`)).join('') + encode('EXEC'),
      ]);
    const units = fc.array(fc.oneof(plain, plain, transaction, large), { maxLength: 12 });
    fc.assert(
      fc.property(units, fc.infiniteStream(fc.integer({ min: 1, max: 70_000 })), (groups, cuts) => {
        const parts = groups.flat();
        const whole = parts.join('');
        const boundaries = new Set([0]);
        let at = 0;
        for (const part of parts) boundaries.add((at += part.length));
        const recorder = new Recorder();
        const applier = new StreamApplier(recorder);
        for (let from = 0; from < whole.length; ) {
          const size = Math.min(cuts.next().value ?? 1, whole.length - from);
          feed(applier, whole.slice(from, from + size));
          from += size;
          expect(boundaries.has(recorder.passed.length)).toBe(true);
          const due = Math.max(...[...boundaries].filter((boundary) => boundary <= from));
          expect(recorder.passed.length).toBe(due);
          expect(applier.pendingBytes).toBe(from - due);
        }
        expect(recorder.passed).toBe(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('never claims half a transaction, byte by byte', () => {
    const recorder = new Recorder();
    const applier = new StreamApplier(recorder);
    const before = encode('SET', 'a', '1');
    const unit = encode('MULTI') + encode('INCR', 'b') + encode('INCR', 'c') + encode('EXEC');
    feed(applier, before);
    for (const byte of unit.slice(0, -1)) {
      feed(applier, byte);
      expect(recorder.passed).toBe(before);
    }
    feed(applier, '\n');
    expect(recorder.passed).toBe(before + unit);
    expect(recorder.commands).toEqual(['SET a 1', 'MULTI', 'INCR b', 'INCR c', 'EXEC']);
  });

  it('knows the exact offset before the command that asks for it', () => {
    const recorder = new Recorder();
    const applier = new StreamApplier(recorder);
    const seen: number[] = [];
    recorder.onCommand = (text) => {
      if (!text.startsWith('REPLCONF')) return;
      applier.settle();
      seen.push(recorder.passed.length);
    };
    const first = encode('SET', 'a', '1');
    const ask = encode('REPLCONF', 'GETACK', '*');
    feed(applier, first + ask + first + ask);
    expect(seen).toEqual([first.length, first.length * 2 + ask.length]);
  });

  it('runs nothing after it was stopped, and has told what ran before', () => {
    const recorder = new Recorder();
    const applier = new StreamApplier(recorder);
    const one = encode('SET', 'a', '1');
    recorder.onCommand = () => {
      if (recorder.commands.length === 3) applier.stop();
    };
    feed(applier, one.repeat(6));
    feed(applier, one);
    expect(recorder.commands.length).toBe(3);
    expect(recorder.passed).toBe(one.repeat(2));
  });

  it.each(['in the middle of a large argument', 'by the command that has it'])(
    'keeps no buffer when it is stopped %s',
    (when) => {
      const recorder = new Recorder();
      const applier = new StreamApplier(recorder);
      recorder.onCommand = () => applier.stop();
      const large = encode('SET', 'a', 'x'.repeat(4_000_000));
      const isCut = when === 'in the middle of a large argument';
      feed(applier, large.slice(0, 1_000_000));
      expect(recorder.buffers.count).toBe(1);
      if (isCut) applier.stop();
      else feed(applier, large.slice(1_000_000));
      expect(recorder.commands.length).toBe(isCut ? 0 : 1);
      expect(recorder.buffers.count).toBe(0);
    },
  );

  it('runs nothing inline, wherever it stands: it is the rest of what was lost', () => {
    const recorder = new Recorder();
    const applier = new StreamApplier(recorder);
    const before = encode('SET', 'a', '1');
    expect(() => feed(applier, `${before}FLUSHALL\r\n${encode('PING')}`)).toThrow('"FLUSHALL"');
    expect(recorder.commands).toEqual(['SET a 1']);
  });

  it.each(['\n', '\r\n', '\n\n'])('passes over empty lines, %j', (line) => {
    const recorder = new Recorder();
    const applier = new StreamApplier(recorder);
    const text = `${line}${encode('SET', 'a', '1')}${line}${encode('SET', 'b', '1')}`;
    for (const one of text) feed(applier, one);
    feed(applier, text);
    expect(recorder.commands).toEqual(['SET a 1', 'SET b 1', 'SET a 1', 'SET b 1']);
    expect(recorder.passed).toBe(text + text);
  });

  it('refuses what is no stream of commands', () => {
    expect(() => feed(new StreamApplier(new Recorder()), 'PING\r\n')).toThrow(
      `"PING" does not begin with '*'`,
    );
    expect(() => feed(new StreamApplier(new Recorder()), '*1\r\n:5\r\n')).toThrow('expected');
  });
});
