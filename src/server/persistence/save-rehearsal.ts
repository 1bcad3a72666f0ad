/**
 * A rehearsal of a save, on a small dataset that is thrown away.
 *
 * What begins a snapshot, the walker, the door and the encoder run in the loop that serves clients,
 * and V8 interprets what has not run before. Measured (50 clients that send 16 SETs at a time): the
 * first turns of the first snapshot took 9, 7 and 6 ms of CPU where the turns of the second took 4
 * at most. So a server goes through it once when it has nothing else to do, in steps that nobody
 * notices. It goes through the same objects as a save does, from BGSAVE's door on: code that was
 * compiled for others is thrown away when it meets these.
 *
 * A stream is among the keys, for what is written in parts and for the end of a chunk of frames.
 *
 *     step   some keys are walked, some are overwritten before the walker meets them
 *     round  a save of all keys; the child is not told of it
 */
import { Keyspace } from '../../core/keyspace.ts';
import { Args } from '../../core/resp/args.ts';
import { StreamId } from '../../core/struct/stream-id.ts';
import type { StreamLog } from '../../core/struct/stream-log.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { streamCreate } from '../../core/types/stream.ts';
import { stringSet } from '../../core/types/string.ts';
import { realFileSystem } from '../../persistence/file-system.ts';
import type { JobListener, SnapshotWriter } from '../../persistence/snapshot/snapshot-helper.ts';
import type { SnapshotJob } from '../../persistence/snapshot/snapshot-protocol.ts';
import type { Config } from '../config/config.ts';
import { silentLog } from '../log.ts';
import { RdbService } from './rdb-service.ts';
import { SnapshotMaker } from './snapshot-maker.ts';
import { SnapshotRunner } from './snapshot-runner.ts';

const KEYS = 1024;
const ROUNDS = 5;
/** Keys that a step overwrites. */
const STEP_KEYS = 16;
/** Buckets of keys that it walks. */
const STEP_BUCKETS = 2;
/** Texts short and long, and what is stored as an integer. */
const VALUES = ['a value of a key', '1234567', 'longer than what fits beside its key. '.repeat(3)];
const KEY_BYTES = 16;
/** One in this many keys expires. */
const EXPIRING = 8;
const FAR_MS = 1 << 30;
/** The key of the stream, and its field; each entry is a node of its own. */
const STREAM = latin1Bytes('stream');
const ENTRY = latin1Bytes('entry '.repeat(40));
/** Entries that a step adds until there are enough. */
const STEP_ENTRIES = 20;
/** In all rounds V8 meets so many that it compiles what writes them. */
const ENTRIES = 1280;

/** Takes the place of the child: all that it is sent vanishes. */
class Nobody implements SnapshotWriter {
  private readonly waiting: (() => void)[] = [];
  private listener: JobListener | null = null;
  private isEnded = false;

  begin(_job: SnapshotJob, listener: JobListener): void {
    this.listener = listener;
    this.isEnded = false;
  }

  data(_bytes: Uint8Array, sent: () => void): void {
    this.waiting.push(sent);
  }

  end(): void {
    this.isEnded = true;
  }

  leave(): void {
    this.listener = null;
  }

  resume(): void {}

  /** What was sent until now has come, and the job is done if that was all. */
  pass(): void {
    for (const sent of this.waiting.splice(0)) sent();
    if (this.isEnded) this.listener?.report({ event: 'ended', ok: true, bytes: 0 });
  }
}

export class SaveRehearsal {
  private readonly keyspace: Keyspace;
  private readonly helper = new Nobody();
  private readonly snapshots: SnapshotRunner;
  private readonly rdb: RdbService;
  private readonly values = VALUES.map(latin1Bytes);
  private readonly key = new Uint8Array(KEY_BYTES);
  /** The next slice of the walker, which waits for its step. */
  private slice: (() => void) | null = null;
  private next = 0;
  private readonly stream: StreamLog;
  private readonly entry = new Args();
  private readonly id = new StreamId();

  constructor(config: Config) {
    const keyspace = new Keyspace({
      databases: 1,
      seed: { seed0: 1, seed1: 2 },
      random: () => 0,
      events: { expired: () => {} },
    });
    this.keyspace = keyspace;
    this.snapshots = new SnapshotRunner(silentLog, 0, (slice) => {
      this.slice = slice;
    });
    const maker = new SnapshotMaker({
      config,
      log: silentLog,
      keyspace,
      fs: realFileSystem,
      helper: this.helper,
      snapshots: this.snapshots,
      replicationAux: () => ({ rehearsal: 'yes' }),
      functions: () => [],
    });
    this.rdb = new RdbService(
      {
        config,
        log: silentLog,
        keyspace,
        startSave: (path) => maker.save(path),
        startSaveHere: (path) => maker.saveHere(path),
        saveInPlace: (path) => maker.saveInPlace(path),
        onEnded: () => {},
      },
      0,
    );
    this.stream = streamCreate(keyspace, keyspace.databases[0]!, STREAM, 0, STREAM.length);
    for (const text of [STREAM, ENTRY]) this.entry.push(text, 0, text.length);
  }

  /** The memory of the dataset; whoever takes it may detach it after the last step. */
  get memory(): ArrayBuffer[] {
    return this.keyspace.arena.u8.map((chunk) => chunk.buffer as ArrayBuffer);
  }

  /** Keys that were emitted so far, in all rounds. */
  get keys(): number {
    return this.rdb.saves * (KEYS + 1) + (this.snapshots.figures?.keysDone ?? 0);
  }

  /**
   * Works for some hundred microseconds at most, longer only where a round begins. Returns false
   * when that was all. What a step has begun may end between two steps, so the loop must have its
   * turn there.
   */
  step(): boolean {
    for (let i = 0; i < STEP_KEYS; i++) this.write();
    if (this.stream.length < ENTRIES) this.addEntries();
    if (this.rdb.isSaving) {
      for (let i = 0; i < STEP_BUCKETS; i++) this.walk();
      this.helper.pass();
      return true;
    }
    if (this.rdb.saves === ROUNDS) return false;
    if (this.next === 0) this.rdb.begin();
    return true;
  }

  private walk(): void {
    const { slice } = this;
    this.slice = null;
    slice?.();
  }

  /** Adds to the stream, before the first round. */
  private addEntries(): void {
    const { stream, id, entry } = this;
    for (let i = 0; i < STEP_ENTRIES; i++) {
      stream.append(id.set(0, stream.length + 1, 0, 0), entry, 0, 1, 0, 1);
    }
  }

  /** Sets the next key, as SET does. */
  private write(): void {
    const { keyspace, key } = this;
    const db = keyspace.databases[0]!;
    const i = this.next;
    this.next = (i + 1) % KEYS;
    key.set(latin1Bytes(String(i).padStart(KEY_BYTES, 'k')));
    const value = this.values[(i + this.rdb.saves) % VALUES.length]!;
    const old = keyspace.lookupWrite(db, key, 0, KEY_BYTES);
    const at = stringSet(keyspace, db, key, 0, KEY_BYTES, old, value, 0, value.length, false);
    if (i % EXPIRING === 0) keyspace.setExpiry(db, at, keyspace.nowMs + FAR_MS);
  }
}
