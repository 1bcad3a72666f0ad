/**
 * The journal between stream and log: what goes into which, in which order, and what the log is
 * told of its place in the stream.
 */
import { describe, expect, it, vi } from 'vitest';
import { latin1Bytes } from '../../../src/core/text/latin1.ts';
import { Propagator } from '../../../src/server/dispatch/propagate.ts';
import { ReplicationJournal } from '../../../src/server/replication/replication-journal.ts';
import { type JournalLog, Turn } from '../../../src/server/turn/turn.ts';
import { FakePrimary } from '../../replication/fake-primary.ts';

const PING = '*1\r\n$4\r\nPING\r\n';
const GETACK = '*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n';
const ID = 'a'.repeat(40);
const START = 1000;

class Log implements JournalLog {
  text = '';
  readonly isCongested = false;
  readonly lastError = undefined;

  append(bytes: Uint8Array, offset: number, length: number): void {
    this.text += Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
  }

  get appendedBytes(): number {
    return this.text.length;
  }

  get releasableBytes(): number {
    return this.text.length;
  }
}

/** A server whose stream is at `START`: a primary, or a replica that `following` tells of. */
function scene(following: { readonly resumable: boolean } | null = null) {
  const { primary, history } = new FakePrimary();
  history.adopt(ID, START);
  primary.openBacklog();
  const propagator = new Propagator();
  propagator.active = true;
  const turn = new Turn(propagator);
  const log = new Log();
  turn.log = log;
  const journal = new ReplicationJournal({
    turn,
    propagator,
    primary,
    localLog: () => ({
      appendedBytes: log.appendedBytes,
      syncedBytes: log.appendedBytes,
      state: 'on',
    }),
    streamDb: () => 3,
    following: () => following,
  });
  journal.isFeeding = following === null;
  let stream = '';
  const feed = primary.feed.bind(primary);
  primary.feed = (bytes, from, length) => {
    stream += Buffer.from(bytes.subarray(from, from + length)).toString('latin1');
    feed(bytes, from, length);
  };
  journal.notePosition();
  const before = log.appendedBytes;
  return {
    journal,
    turn,
    propagator,
    history,
    log,
    /** Executes something. */
    write: (text: string) => propagator.annotate(latin1Bytes(text)),
    /** What only replicas get. */
    publish: (text: string) => journal.feed(latin1Bytes(text), 0, text.length),
    streamed: () => stream,
    logged: () => log.text.slice(before),
  };
}

function line(offset: number): string {
  return `#RP:p:${ID}:${offset}:3\r\n`;
}

describe('the stream', () => {
  it('is that of the journal from where it stands, while the journal is fed to it', () => {
    const { journal, propagator, write } = scene();
    expect(propagator.streamOffset).toBe(START);
    write('12345');
    expect(journal.streamEnd).toBe(START + 5);
    journal.isFeeding = false;
    expect(propagator.streamOffset).toBe(-1);
    expect(journal.streamEnd).toBe(START);
  });

  it('gets a PING, and a command of DEBUG REPLICATE, behind what was executed', () => {
    const { journal, write, streamed, logged } = scene();
    write('first');
    journal.ping();
    write('second');
    journal.diverge([latin1Bytes('SET'), latin1Bytes('\xff')]);
    const set = '*2\r\n$3\r\nSET\r\n$1\r\n\xff\r\n';
    expect(streamed()).toBe(`first${PING}second${set}`);
    const pinged = START + 5 + PING.length;
    expect(logged()).toBe(`first${line(pinged)}second${line(pinged + 6 + set.length)}`);
  });

  it('gets nothing of DEBUG REPLICATE while nobody reads it', () => {
    const { journal, streamed } = scene();
    journal.isFeeding = false;
    journal.diverge([latin1Bytes('SET')]);
    expect(streamed()).toBe('');
  });

  it('asks for acknowledgements once, at the end of the turn', async () => {
    const { journal, turn, write, streamed } = scene();
    journal.requestAcks();
    write('late');
    await new Promise((resolve) => setImmediate(resolve));
    expect(streamed()).toBe(`late${GETACK}`);
    turn.takeJournal();
    expect(streamed()).toBe(`late${GETACK}`);
  });

  it('leaves at the end of a turn that has no other reason to end', () => {
    const { journal, turn } = scene();
    const schedule = vi.spyOn(turn, 'schedule');
    journal.ping();
    expect(schedule).toHaveBeenCalledOnce();
  });
});

describe('the log of a primary', () => {
  it('is told of what only replicas got with the next write, or a second later', () => {
    const { journal, turn, write, publish, logged } = scene();
    publish('heard');
    turn.takeJournal();
    expect(logged()).toBe('');
    write('write');
    turn.takeJournal();
    expect(logged()).toBe(`write${line(START + 10)}`);
    // What both got moves neither.
    write('more');
    turn.takeJournal();
    journal.tick();
    publish('again');
    journal.tick();
    journal.tick();
    expect(logged()).toBe(`write${line(START + 10)}more${line(START + 19)}`);
  });

  it('is told nothing more while the journal is not fed to the stream', () => {
    const { journal, publish, logged } = scene();
    publish('heard');
    journal.isFeeding = false;
    journal.tick();
    expect(logged()).toBe('');
    journal.notePosition();
    expect(logged()).toBe('#RP:-\r\n');
  });

  it('has to be on disk up to its last command, executed ones included', () => {
    const { journal, turn, write, log } = scene();
    write('first');
    const executed = log.appendedBytes + 5;
    expect([journal.dataBytes, journal.executedBytes]).toEqual([executed, executed]);
    turn.takeJournal();
    expect([journal.dataBytes, journal.executedBytes]).toEqual([executed, executed]);
    journal.ping();
    expect(journal.dataBytes).toBe(executed);
    expect(journal.executedBytes).toBe(executed + line(START + 19).length);
    write('second');
    turn.takeJournal();
    // A line that is written at once after commands is none of them.
    journal.notePosition();
    expect(journal.dataBytes).toBe(executed + line(START + 19).length + 6);
    turn.log = null;
    expect([journal.dataBytes, journal.executedBytes]).toEqual([0, 0]);
  });

  it('has to be on disk up to its last command when there is no stream, too', () => {
    const { journal, turn, write, log } = scene();
    journal.isFeeding = false;
    write('first');
    turn.takeJournal();
    const first = log.appendedBytes;
    expect(journal.dataBytes).toBe(first);
    write('second');
    turn.takeJournal();
    const second = log.appendedBytes;
    journal.notePosition();
    expect(journal.dataBytes).toBe(second);
  });
});

describe('the log of a replica', () => {
  it.each([
    [true, `#RP:r:${ID}:${START}:3\r\n`],
    [false, '#RP:-\r\n'],
  ])('is told with each part of the stream where it is: %j', (resumable, told) => {
    const { journal, turn, write, logged } = scene({ resumable });
    const schedule = vi.spyOn(turn, 'schedule');
    write('effect');
    journal.applied();
    expect(schedule).toHaveBeenCalledOnce();
    turn.takeJournal();
    expect(logged()).toBe(`effect${told}`);
  });

  it('is on disk as far as it has got what was applied', () => {
    const { journal, turn, history, write } = scene({ resumable: true });
    turn.takeJournal();
    expect(journal.fsyncedOffset).toBe(START);
    write('effect');
    history.offset += 30;
    expect(journal.fsyncedOffset).toBe(START);
    turn.takeJournal();
    expect(journal.fsyncedOffset).toBe(START + 30);
  });

  it('gets no line when there is none', () => {
    const { journal, turn, propagator } = scene({ resumable: true });
    turn.log = null;
    journal.applied();
    expect(propagator.length).toBe(0);
  });
});
