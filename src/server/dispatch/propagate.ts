/**
 * The funnel: the only place that writes what changed into the journal, from which the AOF and the
 * replicas are fed.
 *
 * Handlers change the keyspace and count `dirty`; after each command `command` writes it, as it
 * came, once, in the form in which both the AOF and the replicas take it. A handler whose effect is
 * not its own text (EXPIRE becomes PEXPIREAT) writes an operation itself with `begin` ... `end` and
 * suppresses the command's own.
 *
 *     journal of a turn
 *     [SELECT 0][SET a 1][SET b 2]  [MULTI][DEL x][INCR c][EXEC]  ...
 *      only when the database changes   ^ a unit with several operations is a transaction
 *
 * A unit is one command or one EXEC. Its first operation is written without MULTI; when a second
 * comes, MULTI is put in front of the first.
 *
 * What is for the replicas alone selects its database for them alone: PUBLISH from several
 * databases would otherwise fill the AOF with SELECTs. Where that leaves the AOF in another
 * database, the next operation for both selects its own for both.
 */
import { copyBytes } from '../../core/memory/copy.ts';
import type { Args } from '../../core/resp/args.ts';
import { integerLength, writeInteger } from '../../core/text/integer.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { giveBack } from '../memory/give-back.ts';

const MULTI = latin1Bytes('*1\r\n$5\r\nMULTI\r\n');
const EXEC = latin1Bytes('*1\r\n$4\r\nEXEC\r\n');
const FIRST_ROOM = 1 << 20;
const KEPT_ROOM = 16 << 20;
const NUMBER_ROOM = 24;

export class Propagator {
  /** Whether anybody reads the journal: an AOF, a replica or a backlog. */
  active = false;
  /** The turn's bytes: journal[0 .. length). */
  journal = new Uint8Array(FIRST_ROOM);
  length = 0;
  /**
   * Offset in the replication stream at which the journal begins; -1 while it is not part of one.
   */
  streamOffset = -1;
  /** Whether replicas, or a backlog, are among those who read the journal. */
  replicated = false;
  /** Parts of the journal that the AOF does not get: from, to, from, to, ... */
  readonly replicaParts: number[] = [];
  /** Database the replicas are in; -1 makes the next operation select its own. */
  private selected = -1;
  /** The same of the AOF. */
  private logSelected = -1;
  private suppressed = false;
  private unitStart = 0;
  private unitOperations = 0;
  private inUnit = false;
  private mayWrap = true;

  /** The next operation selects its database anew: a new file, or a new replica, begins to read. */
  forgetSelected(): void {
    this.selected = -1;
    this.logSelected = -1;
  }

  /** The database that the replicas are in, -1 when the next operation selects one. */
  get selectedDatabase(): number {
    return this.selected;
  }

  /**
   * Starts a unit. `wrap` false for commands whose effects need not stand together (FLUSHALL,
   * active expiry).
   */
  beginUnit(wrap: boolean): void {
    this.unitStart = this.length;
    this.unitOperations = 0;
    this.inUnit = true;
    this.mayWrap = wrap;
    this.suppressed = false;
  }

  endUnit(): void {
    if (this.unitOperations > 1 && this.mayWrap) this.append(EXEC);
    this.inUnit = false;
  }

  /** Whether the unit that runs, or was the last to, has written anything. */
  get hasWritten(): boolean {
    return this.unitOperations > 0;
  }

  /** Whether a unit has written a part of its operations: the journal ends within it. */
  get isMidUnit(): boolean {
    return this.inUnit && this.unitOperations > 0;
  }

  /** Bytes of the journal that the AOF will get. */
  get logLength(): number {
    const { replicaParts } = this;
    let { length } = this;
    for (let i = 0; i < replicaParts.length; i += 2)
      length -= replicaParts[i + 1]! - replicaParts[i]!;
    return length;
  }

  /** The running command's own text is not to be written. */
  suppress(): void {
    this.suppressed = true;
  }

  /** Forgets a suppression: the next command of the same unit begins. */
  nextCommand(): void {
    this.suppressed = false;
  }

  /**
   * Writes a line that is no command, for the AOF alone: only where nobody else reads the journal.
   */
  annotate(line: Uint8Array): void {
    if (this.active) this.append(line);
  }

  /** Writes a command that changed something, as it came, unless it was suppressed. */
  command(db: number, args: Args): void {
    if (this.suppressed || !this.active) return;
    this.begin(db, args.count);
    for (let i = 0; i < args.count; i++) this.argument(args, i);
  }

  /** Writes a command for the replicas alone: PUBLISH, which changes no data. */
  forReplicas(db: number, args: Args): void {
    if (!this.replicated || !this.active) return;
    this.countOperation();
    const from = this.length;
    if (db !== this.selected) this.select(db);
    this.head(42, args.count);
    for (let i = 0; i < args.count; i++) this.argument(args, i);
    this.replicaParts.push(from, this.length);
  }

  /** Begins an operation of `count` words. False when nobody reads the journal: then write none. */
  begin(db: number, count: number): boolean {
    if (!this.active) return false;
    this.open(db);
    this.head(42, count);
    return true;
  }

  /** Writes a word of ASCII text. */
  word(text: string): void {
    this.head(36, text.length);
    this.room(text.length + 2);
    for (let i = 0; i < text.length; i++) this.journal[this.length++] = text.charCodeAt(i);
    this.lineEnd();
  }

  /** Writes argument `i` of a command as a word. */
  argument(args: Args, i: number): void {
    this.bytes(args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
  }

  /** Writes a word of bytes. */
  bytes(bytes: Uint8Array, offset: number, length: number): void {
    this.head(36, length);
    this.room(length + 2);
    copyBytes(bytes, offset, this.journal, this.length, length);
    this.length += length;
    this.lineEnd();
  }

  /** Writes a safe integer as a word. */
  number(value: number): void {
    this.head(36, integerLength(value));
    this.room(NUMBER_ROOM);
    this.length += writeInteger(this.journal, this.length, value);
    this.lineEnd();
  }

  /** Forgets the turn's bytes, which have been taken. */
  reset(): void {
    this.length = 0;
    this.unitStart = 0;
    this.replicaParts.length = 0;
    if (this.journal.length > KEPT_ROOM) this.replace(new Uint8Array(FIRST_ROOM));
  }

  /** Whatever stands before an operation: MULTI, which selects nothing itself, and SELECT. */
  private open(db: number): void {
    this.countOperation();
    if (db < 0 || (db === this.selected && db === this.logSelected)) return;
    this.select(db);
    this.logSelected = db;
  }

  private countOperation(): void {
    if (++this.unitOperations === 2 && this.mayWrap) this.wrap();
  }

  private select(db: number): void {
    this.selected = db;
    this.head(42, 2);
    this.word('SELECT');
    this.number(db);
  }

  /** A second operation: the unit becomes a transaction, with MULTI in front of the first. */
  private wrap(): void {
    this.room(MULTI.length);
    this.journal.copyWithin(this.unitStart + MULTI.length, this.unitStart, this.length);
    this.journal.set(MULTI, this.unitStart);
    this.length += MULTI.length;
    const parts = this.replicaParts;
    // A part of the unit before may end where this one begins, and stays as it is.
    for (let i = parts.length - 2; i >= 0 && parts[i]! >= this.unitStart; i -= 2) {
      parts[i] = parts[i]! + MULTI.length;
      parts[i + 1] = parts[i + 1]! + MULTI.length;
    }
  }

  private append(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.journal.set(bytes, this.length);
    this.length += bytes.length;
  }

  private head(kind: number, value: number): void {
    this.room(NUMBER_ROOM);
    this.journal[this.length++] = kind;
    this.length += writeInteger(this.journal, this.length, value);
    this.lineEnd();
  }

  private lineEnd(): void {
    this.journal[this.length++] = 13;
    this.journal[this.length++] = 10;
  }

  private room(bytes: number): void {
    const need = this.length + bytes + 2;
    if (need <= this.journal.length) return;
    // What follows a word that is longer than all before finds room, too.
    const larger = new Uint8Array(Math.max(need + FIRST_ROOM, this.journal.length * 2));
    larger.set(this.journal.subarray(0, this.length));
    this.replace(larger);
  }

  /** Goes on in another buffer; the memory of a large one is not left to the collector. */
  private replace(journal: Uint8Array<ArrayBuffer>): void {
    const old = this.journal;
    this.journal = journal;
    if (old.length > KEPT_ROOM) giveBack([old.buffer]);
  }
}
