/**
 * Replies that wait for the log: each leaves when as much is safe as was executed before it,
 * however many wait, and whoever asked for that is told.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../src/server/clients/client.ts';
import type { JournalLog } from '../../../src/server/turn/turn.ts';
import { TurnStage } from '../../support/turn-stage.ts';

/** A log whose bytes are safe when the test says so. */
class SlowLog implements JournalLog {
  appendedBytes = 0;
  releasableBytes = 0;
  readonly isCongested = false;
  readonly lastError = undefined;

  append(_bytes: Uint8Array, _offset: number, length: number): void {
    this.appendedBytes += length;
  }
}

describe('replies that wait for the log', () => {
  let stage: TurnStage;
  let log: SlowLog;
  let client: Client;

  beforeEach(() => {
    stage = new TurnStage();
    log = new SlowLog();
    stage.turn.log = log;
    client = stage.client('a');
  });

  /** A turn with one write; the log holds so many bytes afterwards. */
  function written(by = client): number {
    stage.write(by);
    stage.turn.end();
    return log.appendedBytes;
  }

  function safe(bytes: number): void {
    log.releasableBytes = bytes;
    stage.turn.progress();
  }

  it('leave one by one, also when thousands do', () => {
    const { sent, turn } = stage;
    const offsets = Array.from({ length: 6000 }, () => written());
    for (let i = 0; i < offsets.length; i++) {
      expect(turn.waiting).toBe(offsets.length - i);
      safe(offsets[i]!);
      if (sent.length !== i + 1) throw new Error(`${sent.length} replies, not ${i + 1}`);
    }
    expect(turn.isHolding).toBe(false);
    const next = written();
    expect(sent).toHaveLength(offsets.length);
    safe(next);
    expect(sent).toHaveLength(offsets.length + 1);
  });

  it('are told of as soon as they leave', () => {
    const { turn } = stage;
    let told = 0;
    turn.onSafe = () => told++;
    const offset = written();
    expect(told).toBe(0);
    safe(offset);
    expect(told).toBe(1);
    expect([turn.isSafe(offset), turn.isSafe(offset + 1)]).toEqual([true, false]);
    turn.halt();
    expect(turn.isSafe(offset)).toBe(false);
  });

  it('wait for a log that has been switched off, too, as do later ones', () => {
    const { sent, turn } = stage;
    const offset = written();
    turn.log = null;
    turn.leaving = log;
    stage.answer(stage.client('b'));
    turn.end();
    expect(sent).toEqual([]);
    expect(turn.isSafe(offset)).toBe(false);
    safe(offset);
    expect(sent).toEqual(['a +OK', 'b +OK']);
  });

  it('of one client leave in their order, whatever is safe by then', () => {
    const { sent, turn } = stage;
    const offset = written();
    log.releasableBytes = offset;
    client.reply.simple('second');
    turn.list(client);
    turn.end();
    expect(sent).toEqual([]);
    turn.progress();
    expect(sent.join()).toBe('a +OK,a +second');
    expect(client.heldReplies).toBe(0);
  });
});
