/**
 * The function libraries that an AOF brings, or the stream of a primary: no engine runs them here,
 * but they are the data of whoever wrote them, so they are kept, and written back with every dump
 * and every base.
 *
 *     FUNCTION LOAD [REPLACE] source       one more; its name stands in its first line,
 *                                          `#!lua name=mylib`
 *     FUNCTION DELETE name
 *     FUNCTION FLUSH [ASYNC|SYNC]
 *     FUNCTION RESTORE payload [policy]    FLUSH, APPEND or REPLACE; the payload is that of
 *                                          FUNCTION DUMP: (opcode 245, source) ..., 10 bytes
 *
 * Servers before Redis 7.0 log and propagate SCRIPT LOAD and SCRIPT FLUSH as well. The cache of
 * scripts is nobody's data and ends with its process: these are passed over.
 */
import type { Args } from '../../core/resp/args.ts';
import { ByteView } from '../../core/value.ts';
import { OP_FUNCTION2 } from '../../persistence/rdb/rdb-format.ts';
import { RdbReader } from '../../persistence/rdb/rdb-reader.ts';

/** Version and checksum at the end of a payload. */
const PAYLOAD_TRAILER_BYTES = 10;
const NAME_LINE_BYTES_MAX = 1024;

export class KeptFunctions {
  readonly #libraries = new Map<string, Uint8Array>();

  constructor(sources: readonly Uint8Array[]) {
    this.add(sources);
  }

  /** The sources, in the order in which they came. */
  get sources(): Uint8Array[] {
    return [...this.#libraries.values()];
  }

  /** Keeps these as well, as a dump brought them. */
  add(sources: readonly Uint8Array[]): void {
    for (const source of sources) this.#libraries.set(nameOf(source), source);
  }

  /** Does what a FUNCTION command says. False when it is another one, or changes nothing here. */
  take(args: Args): boolean {
    if (!isFunction(args)) return false;
    if (args.is(1, 'load') && args.count > 2) {
      this.add([args.copy(args.count - 1)]);
    } else if (args.is(1, 'delete') && args.count === 3) {
      this.#libraries.delete(args.text(2));
    } else if (args.is(1, 'flush')) {
      this.#libraries.clear();
    } else if (args.is(1, 'restore') && args.count > 2) {
      if (args.count > 3 && args.is(3, 'flush')) this.#libraries.clear();
      this.add(sourcesIn(args.copy(2)));
    } else {
      return false;
    }
    return true;
  }
}

/** Whether it is a FUNCTION command. */
export function isFunction(args: Args): boolean {
  return args.count > 1 && args.is(0, 'function');
}

/** Whether it changes the cache of scripts, and nothing else. */
export function isScriptCache(args: Args): boolean {
  return args.count > 1 && args.is(0, 'script') && (args.is(1, 'load') || args.is(1, 'flush'));
}

/** The libraries in a payload of FUNCTION DUMP. */
function sourcesIn(payload: Uint8Array): Uint8Array[] {
  const end = Math.max(0, payload.length - PAYLOAD_TRAILER_BYTES);
  const reader = RdbReader.overBytes(payload, 0, end);
  const view = new ByteView();
  const sources: Uint8Array[] = [];
  while (reader.bytesLeftMax > 0) {
    if (reader.byte() !== OP_FUNCTION2) throw reader.fail('a payload of functions holds none');
    reader.string(view);
    sources.push(view.copy());
  }
  return sources;
}

/** The name in a library's first line; the line itself where there is none. */
function nameOf(source: Uint8Array): string {
  const start = Buffer.from(source.subarray(0, NAME_LINE_BYTES_MAX)).toString('latin1');
  const line = start.split('\n', 1)[0] ?? '';
  return /\s["']?name=["']?(\w+)/i.exec(line)?.[1] ?? line;
}
