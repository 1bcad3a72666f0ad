/**
 * The checker of RDB files: reads one from end to end, in pieces, without taking anything in, and
 * says what `redis-check-rdb` says of it.
 *
 * It looks at the structure of everything, decompresses every compressed string, and compares the
 * checksum. Module data is passed over and named, as the parts of such a value say how long it is.
 */
import { ByteView } from '../core/value.ts';
import { errorText, type FileSystem } from './file-system.ts';
import { checkNothingFollows, readRdbHeader, verifyChecksum } from './rdb-ends.ts';
import { RdbError } from './rdb-error.ts';
import * as rdb from './rdb-format.ts';
import { RdbReader } from './rdb-reader.ts';
import { skipModuleParts, skipValue } from './rdb-skip.ts';
import { FileSource } from './rdb-source.ts';

/** What was being done when an error was met. */
export type CheckDoing =
  | 'start'
  | 'read-type'
  | 'read-expire'
  | 'read-key'
  | 'read-object-value'
  | 'check-sum'
  | 'read-len'
  | 'read-aux'
  | 'read-module-aux'
  | 'read-functions';

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
  readonly doing: CheckDoing;
  /** The key whose value was being read, as latin1 text, or null. */
  readonly key: string | null;
  /** The type byte read last, or -1. */
  readonly type: number;
  /** The report as lines, from the first AUX field to the counts. */
  readonly lines: readonly string[];
}

const view = new ByteView();

class Checker {
  readonly #reader: RdbReader;
  readonly #nowMs: number;
  readonly #lines: string[] = [];
  #version = 0;
  #keys = 0;
  #expires = 0;
  #alreadyExpired = 0;
  #doing: CheckDoing = 'start';
  #key: string | null = null;
  #type = -1;

  constructor(reader: RdbReader, nowMs: number) {
    this.#reader = reader;
    this.#nowMs = nowMs;
  }

  check(): RdbCheckReport {
    let error: string | null = null;
    let { offset } = this.#reader;
    try {
      this.#version = readRdbHeader(this.#reader);
      while (this.#item());
      this.#checksum();
      offset = this.#reader.offset;
      this.#say('\\o/ RDB looks OK! \\o/');
    } catch (thrown) {
      error = errorText(thrown);
      offset = thrown instanceof RdbError ? thrown.offset : this.#reader.offset;
      this.#sayError(error, offset);
    }
    this.#lines.push(`[info] ${this.#keys} keys read`);
    this.#lines.push(`[info] ${this.#expires} expires`);
    this.#lines.push(`[info] ${this.#alreadyExpired} already expired`);
    return {
      ok: error === null,
      error,
      offset,
      version: this.#version,
      keys: this.#keys,
      expires: this.#expires,
      alreadyExpired: this.#alreadyExpired,
      doing: this.#doing,
      key: this.#key,
      type: this.#type,
      lines: this.#lines,
    };
  }

  #say(text: string): void {
    this.#lines.push(`[offset ${this.#reader.offset}] ${text}`);
  }

  #sayError(error: string, offset: number): void {
    this.#lines.push('--- RDB ERROR DETECTED ---');
    this.#lines.push(`[offset ${offset}] ${error}`);
    this.#lines.push(`[additional info] While doing: ${this.#doing}`);
    if (this.#key !== null) this.#lines.push(`[additional info] Reading key '${this.#key}'`);
    if (this.#type < 0) return;
    const name = rdb.rdbTypeName(this.#type);
    this.#lines.push(`[additional info] Reading type ${this.#type} (${name})`);
  }

  /** Reads an opcode, or a key with what stands before it; false at the end. */
  #item(): boolean {
    const reader = this.#reader;
    let expiryMs: number | null = null;
    this.#key = null;
    this.#type = -1;
    for (;;) {
      this.#doing = 'read-type';
      const type = reader.byte();
      if (type === rdb.OP_EXPIRETIME || type === rdb.OP_EXPIRETIME_MS) {
        this.#doing = 'read-expire';
        expiryMs = type === rdb.OP_EXPIRETIME ? (reader.uint32() | 0) * 1000 : reader.int64();
      } else if (type === rdb.OP_IDLE) {
        reader.length();
      } else if (type === rdb.OP_FREQ) {
        reader.byte();
      } else if (type === rdb.OP_EOF) {
        return false;
      } else if (rdb.isObjectType(type)) {
        this.#entry(type, expiryMs);
        return true;
      } else {
        this.#opcode(type);
        return true;
      }
    }
  }

  #entry(type: number, expiryMs: number | null): void {
    const reader = this.#reader;
    this.#type = type;
    this.#doing = 'read-key';
    this.#key = this.#text();
    this.#doing = 'read-object-value';
    this.#keys++;
    skipValue(reader, type, this.#version);
    if (expiryMs === null) return;
    this.#expires++;
    if (expiryMs < this.#nowMs) this.#alreadyExpired++;
  }

  #opcode(opcode: number): void {
    const reader = this.#reader;
    switch (opcode) {
      case rdb.OP_SELECTDB:
        this.#doing = 'read-len';
        this.#say(`Selecting DB ID ${reader.length()}`);
        return;
      case rdb.OP_RESIZEDB:
      case rdb.OP_SLOT_INFO:
        this.#doing = 'read-len';
        for (let i = opcode === rdb.OP_RESIZEDB ? 2 : 3; i > 0; i--) reader.length();
        return;
      case rdb.OP_AUX: {
        this.#doing = 'read-aux';
        const name = this.#text();
        const value = this.#text();
        this.#say(`AUX FIELD ${name} = '${value}'`);
        return;
      }
      case rdb.OP_MODULE_AUX: {
        this.#doing = 'read-module-aux';
        const name = rdb.moduleName(reader.wideLength());
        this.#say(`MODULE AUX for: ${name}`);
        skipModuleParts(reader);
        return;
      }
      case rdb.OP_FUNCTION2:
        this.#doing = 'read-functions';
        reader.skipString(view);
        return;
      default:
        throw reader.fail(`Invalid object type: ${opcode}`);
    }
  }

  #checksum(): void {
    this.#doing = 'check-sum';
    if (this.#version < rdb.RDB_VERSION_CHECKSUM) {
      checkNothingFollows(this.#reader);
      return;
    }
    const verdict = verifyChecksum(this.#reader);
    if (verdict === 'right') this.#say('Checksum OK');
    else this.#say('RDB file was saved with checksum disabled: no check performed.');
  }

  #text(): string {
    this.#reader.string(view);
    const { bytes, offset, length } = view;
    return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
  }
}

/** Checks what a reader gives. `nowMs` decides which keys are expired. */
export function checkRdb(reader: RdbReader, nowMs: number): RdbCheckReport {
  return new Checker(reader, nowMs).check();
}

/** Checks the file at `path`, from byte `start` on. Throws what the disk says. */
export function checkRdbFile(
  fs: FileSystem,
  path: string,
  nowMs: number,
  start = 0,
): RdbCheckReport {
  const file = fs.openSync(path, 'read');
  try {
    return checkRdb(RdbReader.over(new FileSource(file, start)), nowMs);
  } finally {
    file.closeSync();
  }
}
