/**
 * The end of a turn on a disk that fails: who wrote in the very turn whose journal the log could
 * not take is told nothing, whoever took it; who only reads, or was refused, gets its reply; and
 * once a promise cannot be kept, nobody is told anything.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../src/server/clients/client.ts';
import type { Turn } from '../../../src/server/turn/turn.ts';
import { TurnStage } from '../../support/turn-stage.ts';

/** A log that may fail with the next turn, and is given what it could not write later on. */
class FailingLog {
  appendedBytes = 0;
  releasableBytes = 0;
  lastError: Error | undefined;
  readonly isCongested = false;
  fails = false;

  append(_bytes: Uint8Array, _offset: number, length: number): void {
    this.appendedBytes += length;
    if (this.fails) this.lastError = new Error('EIO');
    else this.releasableBytes = this.appendedBytes;
  }

  recover(): void {
    this.lastError = undefined;
    this.releasableBytes = this.appendedBytes;
  }
}

describe('a turn whose log fails', () => {
  let stage: TurnStage;
  let sent: string[];
  let turn: Turn;
  let log: FailingLog;
  let writer: Client;
  let reader: Client;

  beforeEach(() => {
    stage = new TurnStage();
    ({ sent, turn } = stage);
    log = new FailingLog();
    turn.log = log;
    [writer, reader] = [stage.client('writer'), stage.client('reader')];
  });

  const write = (): void => stage.write(writer);
  const answer = (client: Client): void => stage.answer(client);

  it('holds what was written in it, also where its journal was taken before its end', () => {
    for (const early of [false, true]) {
      log.fails = true;
      turn.onEnd = () => {
        if (early) turn.takeJournal();
      };
      write();
      answer(reader);
      turn.end();
      expect(sent, `taken early: ${early}`).toEqual([]);

      log.fails = false;
      log.recover();
      turn.progress();
      expect(sent.splice(0)).toEqual(['writer +OK', 'reader +OK']);
    }
  });

  it('lets refusals and reads of later turns go', () => {
    log.fails = true;
    write();
    turn.end();
    answer(reader);
    turn.end();
    expect(sent).toEqual(['reader +OK']);
  });

  it('holds nothing where such errors are ignored, not what waited before either', () => {
    log.fails = true;
    write();
    turn.end();
    expect(sent).toEqual([]);
    turn.ignoresLogErrors = true;
    write();
    answer(reader);
    turn.end();
    expect(sent).toEqual(['reader +OK', 'writer +OK', 'writer +OK']);
  });

  it('tells nobody anything after a promise that cannot be kept', () => {
    write();
    turn.end();
    expect(sent.splice(0)).toEqual(['writer +OK']);
    log.fails = true;
    write();
    turn.end();
    turn.halt();
    answer(reader);
    turn.end();
    log.recover();
    turn.progress();
    expect(sent).toEqual([]);
  });
});
