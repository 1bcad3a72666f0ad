/**
 * The checker of RDB files: reads one from end to end, in pieces, without taking anything in, and
 * says what `redis-check-rdb` says of it.
 *
 * It looks at the structure of everything, packed nodes included, decompresses every compressed
 * string, looks for members that come twice, and compares the checksum. Module data is passed over
 * and named, as the parts of such a value say how long it is.
 */
import type { FileSystem } from '../file-system.ts';
import type { ChecksumVerdict } from '../rdb/rdb-ends.ts';
import { RdbError } from '../rdb/rdb-error.ts';
import { rdbTypeName } from '../rdb/rdb-format.ts';
import { RdbReader } from '../rdb/rdb-reader.ts';
import { FileSource, type ReadProgress } from '../rdb/rdb-source.ts';
import {
  type RdbEntry,
  type RdbVisitor,
  RdbWalk,
  type Rest,
  rdbKind,
  type WalkStep,
} from '../rdb/rdb-walk.ts';

export interface RdbCheckReport {
  readonly ok: boolean;
  /** What is wrong, or null. */
  readonly error: string | null;
  /** Bytes read when the check ended. */
  readonly offset: number;
  readonly version: number;
  readonly keys: number;
  /** Keys that expire, and those of them whose time has come. */
  readonly expires: number;
  readonly alreadyExpired: number;
  readonly doing: WalkStep;
  /** The key whose value was being read, as latin1 text, or null. */
  readonly key: string | null;
  /** The type byte read last, or -1. */
  readonly type: number;
  /** The report as lines, from the first AUX field to the counts. */
  readonly lines: readonly string[];
}

class Checker implements RdbVisitor {
  readonly #reader: RdbReader;
  readonly #walk: RdbWalk;
  readonly #nowMs: number;
  readonly #lines: string[] = [];
  #keys = 0;
  #expires = 0;
  #alreadyExpired = 0;

  constructor(reader: RdbReader, nowMs: number) {
    this.#reader = reader;
    this.#walk = new RdbWalk(reader, this, 'all');
    this.#nowMs = nowMs;
  }

  check(): RdbCheckReport {
    try {
      return this.#whole(this.#walk.run());
    } catch (thrown) {
      return this.#damaged(thrown);
    }
  }

  async checkResting(rest: Rest): Promise<RdbCheckReport> {
    try {
      return this.#whole(await this.#walk.runResting(rest));
    } catch (thrown) {
      return this.#damaged(thrown);
    }
  }

  #whole(sum: ChecksumVerdict): RdbCheckReport {
    if (sum === 'right') this.#say('Checksum OK');
    if (sum === 'absent') {
      this.#say('RDB file was saved with checksum disabled: no check performed.');
    }
    this.#say('\\o/ RDB looks OK! \\o/');
    return this.#report(null, this.#reader.offset);
  }

  /** The report of damaged bytes; throws on what the disk says, and what a rest throws. */
  #damaged(thrown: unknown): RdbCheckReport {
    if (!(thrown instanceof RdbError)) throw thrown;
    this.#sayError(thrown.message, thrown.offset);
    return this.#report(thrown.message, thrown.offset);
  }

  #report(error: string | null, offset: number): RdbCheckReport {
    const walk = this.#walk;
    this.#lines.push(`[info] ${this.#keys} keys read`);
    this.#lines.push(`[info] ${this.#expires} expires`);
    this.#lines.push(`[info] ${this.#alreadyExpired} already expired`);
    return {
      ok: error === null,
      error,
      offset,
      version: walk.version,
      keys: this.#keys,
      expires: this.#expires,
      alreadyExpired: this.#alreadyExpired,
      doing: walk.step,
      key: this.#key,
      type: walk.type,
      lines: this.#lines,
    };
  }

  // ---------------------------------------------------------------- what the walk shows

  aux(name: string, value: string): void {
    this.#say(`AUX FIELD ${name} = '${value}'`);
  }

  moduleAux(name: string): void {
    this.#say(`MODULE AUX for: ${name}`);
  }

  database(db: number): void {
    this.#say(`Selecting DB ID ${db}`);
  }

  entry(entry: RdbEntry): boolean {
    this.#keys++;
    if (entry.hasExpiry) {
      this.#expires++;
      if (entry.expiryMs < this.#nowMs) this.#alreadyExpired++;
    }
    return true;
  }

  entryEnd(_entry: RdbEntry, elements: number): void {
    const mayBeEmpty = rdbKind(this.#walk.type) === 'stream';
    if (elements === 0 && !mayBeEmpty) {
      throw this.#reader.fail('a collection without elements, which servers leave out');
    }
  }

  // ---------------------------------------------------------------- the report

  #say(text: string): void {
    this.#lines.push(`[offset ${this.#reader.offset}] ${text}`);
  }

  #sayError(error: string, offset: number): void {
    this.#lines.push('--- RDB ERROR DETECTED ---');
    this.#lines.push(`[offset ${offset}] ${error}`);
    this.#lines.push(`[additional info] While doing: ${this.#walk.step}`);
    if (this.#key !== null) this.#lines.push(`[additional info] Reading key '${this.#key}'`);
    const { type } = this.#walk;
    if (type < 0) return;
    this.#lines.push(`[additional info] Reading type ${type} (${rdbTypeName(type)})`);
  }

  /** The key whose value is being read. */
  get #key(): string | null {
    if (this.#walk.step !== 'read-object-value') return null;
    return Buffer.from(this.#walk.entry.keyBytes()).toString('latin1');
  }
}

/** Checks what a reader gives. `nowMs` decides which keys are expired. */
export function checkRdb(reader: RdbReader, nowMs: number): RdbCheckReport {
  return new Checker(reader, nowMs).check();
}

/** Checks the file at `path`. Throws what the disk says. */
export function checkRdbFile(
  fs: FileSystem,
  path: string,
  nowMs: number,
  progress?: ReadProgress,
): RdbCheckReport {
  const file = fs.openSync(path, 'read');
  try {
    return checkRdb(RdbReader.over(new FileSource(file, progress)), nowMs);
  } finally {
    file.closeSync();
  }
}

/** Like `checkRdbFile`, with rests. Rejects with what the disk says, or with what a rest throws. */
export async function checkRdbFileResting(
  fs: FileSystem,
  path: string,
  nowMs: number,
  progress: ReadProgress,
  rest: Rest,
): Promise<RdbCheckReport> {
  const file = fs.openSync(path, 'read');
  try {
    const reader = RdbReader.over(new FileSource(file, progress));
    return await new Checker(reader, nowMs).checkResting(rest);
  } finally {
    file.closeSync();
  }
}
